/**
 * Discrete-time DDPM: their schedules, their steps and their limit.
 * @module
 */
import {
  cosineBetas,
  linearBetas,
  scaledLinearBetas,
  sigmoidBetas,
} from "../../../src/diffusion/beta_schedule.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { ddpm } from "../../../src/samplers/ddpm.ts";
import { discreteDdpm, type Sde, transition, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { claim } from "../../suite/claim.ts";
import { impulseResponse, outputVariance } from "../../instruments/impulse_response.ts";

/** ᾱ_n by its definition. */
function products(betas: readonly number[]): number[] {
  let product = 1;
  return betas.map((beta) => product *= 1 - beta);
}

/** The times n/N of a discrete-time DDPM, down to 1/N. */
const timesOf = (sde: Sde, steps: number) => timeGrid(sde, { kind: "uniform", steps: steps - 1 });

/** β_1, β_2, β_500, β_999, β_1000. */
const SCALED = [0.00085, 0.0008546986554056862, 0.004803792980550717, 0.011982376333083366, 0.012];
const SIGMOID = [
  0.00014920520081703202,
  0.00014979833041933025,
  0.010020120209938985,
  0.01995020166958067,
  0.01995079479918297,
];

claim("the schedules of DDPM are those published, and a β outside (0, 1) is refused", async (check) => {
  const linear = linearBetas();
  check.equal(
    "linear: number, first, last",
    [linear.length, linear[0], linear[999]],
    [1000, 1e-4, 0.02],
    "Ho et al. 2020, section 4",
  );
  // ln ᾱ_N ≈ −Σβ − Σβ²/2 − Σβ³/3 with the sums of an arithmetic progression, for β = a + b n, n = 0 … 999.
  const [a, b, m] = [1e-4, 0.0199 / 999, 1000];
  const [s1, s2, s3] = [m * (m - 1) / 2, (m - 1) * m * (2 * m - 1) / 6, (m * (m - 1) / 2) ** 2];
  const second = m * a * a + 2 * a * b * s1 + b * b * s2;
  const third = m * a ** 3 + 3 * a * a * b * s1 + 3 * a * b * b * s2 + b ** 3 * s3;
  check.within(
    "linear: ln ᾱ_1000",
    Math.log(products(linear)[999]),
    -(m * a + b * s1) - second / 2 - third / 3,
    1e-5,
    "series of ln(1 − β); what is left out is Σβ⁴/4 = 8.1e-6 and Σβ⁵/5 = 1e-7",
    { detectable: "1e-5" },
  );
  const cosine = products(cosineBetas());
  const kept = (n: number) =>
    Math.cos(Math.PI / 2 * (n / 1000 + 0.008) / 1.008) ** 2 / Math.cos(Math.PI / 2 * 0.008 / 1.008) ** 2;
  const worst = Math.max(...[0, 1, 10, 100, 500, 900, 990].map((n) => Math.abs(cosine[n] / kept(n + 1) - 1)));
  check.atMost(
    "cosine: ᾱ_n against cos²",
    worst,
    1e-13,
    "Nichol & Dhariwal 2021, eq. 17, where no β is cut; a product of 991 factors, each off by 1e-16",
  );
  check.equal("cosine: the largest β", Math.max(...cosineBetas()), 0.999, "cut at .999: section 3.2");
  // numpy: linspace(.00085**.5, .012**.5, 1000)**2 and 1/(1 + exp(−linspace(−6, 6, 1000)))·.0199 + 1e-4, as diffusers has them.
  const [scaled, sigmoid] = [scaledLinearBetas(), sigmoidBetas()];
  const ends = (betas: readonly number[]) => [0, 1, 499, 998, 999].map((n) => betas[n]);
  for (
    const [name, ours, published] of [
      ["scaled linear", scaled, SCALED],
      ["sigmoid", sigmoid, SIGMOID],
    ] as const
  ) {
    ends(ours).forEach((beta, i) =>
      check.within(`${name}: β number ${i} of five`, beta, published[i], 1e-15, "the definition, by numpy")
    );
  }
  await check.throws("a root that is no number", () => scaledLinearBetas(3, -0.1), /^the first β must be/);
  for (const beta of [0, 1, -0.1, 1.5, NaN]) {
    await check.throws(
      `β = ${beta}`,
      () => discreteDdpm([0.1, beta]),
      /^every β must be above 0 and below 1, got β_2 = /,
    );
  }
  await check.throws("β above 1 by the schedule", () => linearBetas(10, 0.5, 1.2), /got β_8 = 1\.044/);
  await check.throws("no β", () => discreteDdpm([]), /at least one β/);
  await check.throws("no steps", () => cosineBetas(0), /positive integer, got 0/);
});

claim("the SDE of a discrete-time DDPM has its steps and marginals at its times", (check) => {
  for (const [name, betas] of [["linear", linearBetas()], ["cosine", cosineBetas(50)]] as const) {
    const sde = discreteDdpm(betas);
    const n = betas.length;
    const times = timesOf(sde, n);
    check.equal(
      `${name}: times visited`,
      [times.length, times[0], times[n - 1]],
      [n, 1, 1 / n],
      "N, from 1 to 1/N",
    );
    const bars = products(betas);
    let [marginal, scale, std, rate] = [0, 0, 0, 0];
    for (const [i, t] of times.entries()) {
      const k = n - i; // t = k/N
      rate = Math.max(
        rate,
        Math.abs(sde.diffusionCoefficient(t) ** 2 / (-n * Math.log(1 - betas[k - 1])) - 1),
        Math.abs(sde.driftCoefficient(t) / (n / 2 * Math.log(1 - betas[k - 1])) - 1),
      );
      marginal = Math.max(
        marginal,
        Math.abs(sde.alpha(t) ** 2 / bars[k - 1] - 1),
        Math.abs(sde.sigma(t) ** 2 / (1 - bars[k - 1]) - 1),
      );
      if (k === 1) continue;
      const step = transition(sde, times[i + 1], t);
      scale = Math.max(scale, Math.abs(step.scale ** 2 / (1 - betas[k - 1]) - 1));
      std = Math.max(std, Math.abs(step.std ** 2 / betas[k - 1] - 1));
    }
    check.atMost(
      `${name}: ᾱ_n and 1 − ᾱ_n`,
      marginal,
      1e-11,
      "x_n = √ᾱ_n x_0 + √(1 − ᾱ_n) ε: Ho et al. 2020, eq. 4; float64, 1,000 steps: 3.2e-13",
    );
    check.atMost(
      `${name}: g² and f at n/N`,
      rate,
      1e-11,
      "the rate of the step that ends there, −N ln(1 − β_n)",
    );
    check.atMost(`${name}: 1 − β_n`, scale, 1e-12, "Ho et al. 2020, eq. 2; times rounded to float64");
    check.atMost(`${name}: β_n`, std, 1e-11, "a difference of noise ratios near each other; float64");
    const back = Math.max(
      ...Array.from(
        times,
        (t) => Math.abs(sde.timeAtHalfLogSnr(Math.log(sde.alpha(t) / sde.sigma(t))) / t - 1),
      ),
    );
    check.atMost(
      `${name}: time of the log-SNR`,
      back,
      1e-12,
      "the inverse; where σ is near 1 it loses digits",
    );
  }
});

claim("DDPM's sampling with a list of β is the published rule, with either variance", async (check) => {
  const betas = linearBetas(20, 0.01, 0.3);
  const sde = discreteDdpm(betas);
  const bars = products(betas);
  const [mean, variance] = [0.7, 0.25];
  const model = scoreModel(new Gaussian({ mean: [mean], variances: [variance] }), sde);
  for (const [name, sampler] of [["β", ddpm()], ["β̃", ddim({ eta: 1 })]] as const) {
    const grid = timesOf(sde, 20);
    const response = await impulseResponse(model, sampler, { grid, denoise: false });
    // Ho et al. 2020, Algorithm 2 in float64: x ← (x − β/√(1 − ᾱ) ε̂)/√(1 − β) + √v z, for the affine ε̂ of a Gaussian.
    let [offset, gain] = [0, 1];
    const noise: number[] = [];
    for (let n = 20; n >= 2; n--) {
      const [beta, bar, before] = [betas[n - 1], bars[n - 1], bars[n - 2]];
      // ε̂(x) = √(1 − ᾱ)(x − √ᾱ m)/(ᾱ s² + 1 − ᾱ).
      const slope = Math.sqrt(1 - bar) / (bar * variance + 1 - bar);
      const kept = (1 - beta / Math.sqrt(1 - bar) * slope) / Math.sqrt(1 - beta);
      const pushed = beta / Math.sqrt(1 - bar) * slope * Math.sqrt(bar) * mean / Math.sqrt(1 - beta);
      offset = kept * offset + pushed;
      gain *= kept;
      noise.forEach((value, i) => noise[i] = kept * value);
      noise.push(Math.sqrt(name === "β" ? beta : beta * (1 - before) / (1 - bar)));
    }
    const source = "Ho et al. 2020, Algorithm 2, in float64; float32 over 19 steps";
    check.within(`${name}: offset`, response.offset[0], offset, 1e-6, source);
    check.within(`${name}: gain of x_T`, response.gain[0], gain, 2e-6 * gain, source);
    check.equal(`${name}: draws`, response.noise.length, 19, "one a step");
    const worst = Math.max(...noise.map((value, k) => Math.abs(response.noise[k][0] / value - 1)));
    check.atMost(`${name}: what each draw adds, relative`, worst, 4e-6, source);
  }
});

claim(
  "discrete-time DDPM converges to the VP SDE, and NCSN to the VE SDE, as steps shrink",
  async (check) => {
    const vp = vpSde();
    const ddpmOf = (steps: number) =>
      discreteDdpm(Array.from({ length: steps }, (_, n) => (0.1 + 19.9 * (n + 1) / steps) / steps));
    // ln ᾱ_N + B(1) = −Σ(β + β²/2 + …) + ∫β: ½[β(1) − β(0)]/N of the sum's end point, ½∫β²/N of the logarithm.
    const squared = 0.1 ** 2 + 0.1 * 19.9 + 19.9 ** 2 / 3;
    const constant = -0.5 * (19.9 + squared);
    for (const steps of [500, 1000, 4000]) {
      const difference = 2 * Math.log(ddpmOf(steps).alpha(1) / vp.alpha(1));
      check.within(
        `N = ${steps}: N (ln ᾱ_N + B(1))`,
        steps * difference,
        constant,
        Math.abs(constant) * 40 / steps,
        "first term of the expansion in 1/N; the next is (β/N)/3 and less of it, β ≤ 20",
      );
    }
    // The distribution that ancestral sampling ends in, against the data's, on its own times and on the SDE's own grid.
    const problem = new Gaussian({ mean: [0], variances: [0.25] });
    const errors: number[] = [];
    for (const steps of [128, 256, 512]) {
      const sde = ddpmOf(steps);
      const grid = timesOf(sde, steps);
      const response = await impulseResponse(scoreModel(problem, sde), ddpm(), { grid, denoise: false });
      const last = grid[grid.length - 1];
      const distribution = sde.alpha(last) ** 2 * 0.25 + sde.sigma(last) ** 2;
      errors.push(outputVariance(response, 1) / distribution - 1);
    }
    for (const k of [0, 1]) {
      check.within(
        `order between N = ${128 << k} and ${256 << k}`,
        Math.log2(Math.abs(errors[k] / errors[k + 1])),
        1,
        0.15,
        "weak order 1 of the Euler–Maruyama method for the reverse SDE (Kloeden & Platen 1992); O(1/N) beside it",
      );
    }
    const ve = veSde();
    const rate = 2 * Math.log(5000);
    for (const steps of [100, 1000]) {
      // x_i = x_{i−1} + √(σ_i² − σ_{i−1}²) z (Song et al. 2021, eq. 20), against g² h.
      const step = transition(ve, 0.5, 0.5 + 1 / steps);
      check.within(
        `N = ${steps}: NCSN's variance of a step over g² h`,
        step.std ** 2 * steps / ve.diffusionCoefficient(0.5) ** 2,
        1 + rate / (2 * steps),
        rate ** 2 / (5 * steps ** 2),
        "(e^{rh} − 1)/(r h) = 1 + r h/2 + (r h)²/6 + …, r = 2 ln(σmax/σmin)",
      );
    }
  },
);

claim("a schedule has at least one step and no more than ten million", async (check) => {
  for (const schedule of [linearBetas, cosineBetas]) {
    for (
      const [steps, message] of [[0, /^steps must be a positive/], [
        1e7 + 1,
        /^steps must be at most 10000000,/,
      ]] as const
    ) {
      await check.throws(`${schedule.name} of ${steps}`, () => schedule(steps), message);
    }
  }
  check.equal("linear, one step", linearBetas(1, 0.1, 0.2), [0.1], "the first β");
  check.equal("linear, three steps", linearBetas(3, 0.125, 0.25), [0.125, 0.1875, 0.25], "equal differences");
});

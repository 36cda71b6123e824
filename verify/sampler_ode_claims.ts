/**
 * The probability-flow solvers beyond their first error term: the adaptive solver against SciPy's and its own tolerance,
 * the flow of a mixture against its distribution functions, Runge–Kutta 4, and a grid whose steps alternate.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { scoreModel } from "../src/denoiser.ts";
import { Gaussian } from "../src/distributions/gaussian.ts";
import { GaussianMixture } from "../src/distributions/gaussian_mixture.ts";
import { samplerByName, type SamplerOptions } from "../src/samplers/catalogue.ts";
import { DormandPrince } from "../src/samplers/dormand_prince.ts";
import { sample, type SampleStep } from "../src/samplers/sample.ts";
import {
  logSnr,
  noiseRatio,
  type Sde,
  type SdeConfig,
  sdeFromConfig,
  sigmaPowerSde,
  subVpSde,
  veSde,
  vpSde,
} from "../src/sde.ts";
import type { GridConfig } from "../src/time_grid.ts";
import { claim } from "./claim.ts";
import { impulseResponse, outputVariance } from "./impulse_probe.ts";
import { type GaussianWorld, marginalVariance, multistepError, varianceSlope } from "./leading_constants.ts";
import { scalarLaw } from "./scalar_mixture.ts";
import reference from "../fixtures/reference/mixtures.json" with { type: "json" };

const sdes: Record<string, Sde> = {
  "VP": vpSde(),
  "sub-VP": subVpSde(),
  "σ^t": sigmaPowerSde(),
  "VE": veSde(),
};

const mixture = GaussianMixture.from({
  weights: [0.3, 0.7],
  means: [[-1.5], [0.8]],
  covariances: [[[0.04]], [[0.25]]],
});

/** Where the flow takes states [B][d] by tMin, and how many evaluations that took. */
async function flowed(
  world: GaussianMixture,
  sde: Sde,
  states: readonly ArrayLike<number>[],
  sampler: string,
  grid: GridConfig,
  options: SamplerOptions = {},
): Promise<{ values: Float32Array; evaluations: number }> {
  const shape = [states.length, world.dimension];
  const initial = tf.tensor(Float32Array.from(states.flatMap((state) => Array.from(state))), shape);
  const settings = { shape, grid, initial, rng: createRng(1), denoise: false };
  let last: SampleStep | undefined;
  for await (const step of sample(scoreModel(world, sde), samplerByName(sampler, options), settings)) {
    last = step;
  }
  const values = await last!.x.data<"float32">();
  tf.dispose([initial, last!.x]);
  return { values, evaluations: last!.evaluations };
}

const whole = { kind: "uniform", steps: 1 } as const;

claim("Dormand–Prince follows the probability flow of mixtures as SciPy does", async (check) => {
  const counts = { ours: 0, theirs: 0 };
  for (const { sde: config, probability_flow: points, ...world } of reference.mixtures) {
    const sde = sdeFromConfig(config as SdeConfig);
    for (const { x_at_1, x_at_0_001, rk45_1e_5 } of points) {
      const run = async (tolerance: number) =>
        await flowed(GaussianMixture.from(world), sde, [x_at_1], "ode-dopri5", whole, {
          rtol: tolerance,
          atol: tolerance,
        });
      const errorAt = async (tolerance: number) => {
        const { values } = await run(tolerance);
        return Math.max(...x_at_0_001.map((exact, i) => Math.abs(values[i] - exact)));
      };
      const size = 1 + Math.max(...x_at_0_001.map(Math.abs));
      check.atMost(
        `d = ${x_at_1.length}, rtol 1e-6: error`,
        await errorAt(1e-6),
        20 * 1e-6 * size,
        "SciPy's DOP853 at 1e-11; some 15 steps of the tolerance each",
        { detectable: "an error of 2e-5 in the flow" },
      );
      check.atMost(
        `d = ${x_at_1.length}, rtol 1e-7: error`,
        await errorAt(1e-7),
        20 * 2e-7 * size,
        "the same, and rounding",
      );
      counts.ours += (await run(1e-5)).evaluations;
      counts.theirs += rk45_1e_5.evaluations;
    }
  }
  check.within(
    "evaluations at rtol 1e-5, all points",
    counts.ours,
    counts.theirs,
    0.05 * counts.theirs,
    "SciPy's RK45, the same pair and controller; float32 moves a step now and then",
    { detectable: "error weights or a controller that change the step count by 5%" },
  );
});

/** x' = −y, y' = (1 + ½ sin t) x from (1, 0) at 0 to 20. */
async function oscillator(tolerance: number): Promise<{ evaluations: number; state: Float32Array }> {
  let evaluations = 0;
  const solver = new DormandPrince({ rtol: tolerance, atol: tolerance });
  const start = tf.tensor2d([[1, 0]]);
  const end = await solver.integrate(
    (x, t) => {
      evaluations++;
      const [first, second] = tf.split(x, 2, 1);
      return tf.concat([second.neg(), first.mul(1 + Math.sin(t[0]) / 2)], 1);
    },
    start,
    0,
    20,
  );
  const state = await end.data<"float32">();
  tf.dispose([start, end]);
  return { evaluations, state };
}

claim(
  "Dormand–Prince repeats SciPy's RK45 on an oscillator: states, evaluations and their growth",
  async (check) => {
    // scipy 1.17.1, solve_ivp(method="RK45", rtol=atol=tolerance): state at 20 and function evaluations.
    const scipy = [
      { tolerance: 1e-2, evaluations: 116, state: [0.28198442551564495, 1.6356446710659425] },
      { tolerance: 1e-3, evaluations: 176, state: [0.2865662516437528, 1.4880154543522737] },
      { tolerance: 1e-4, evaluations: 236, state: [0.29337163770986063, 1.4751859307544812] },
      { tolerance: 1e-5, evaluations: 368, state: [0.2940082082586402, 1.474742795321196] },
      { tolerance: 1e-6, evaluations: 518, state: [0.2940589420942778, 1.4747683861705192] },
    ];
    const ours = [];
    for (const { tolerance, evaluations, state } of scipy) {
      const result = await oscillator(tolerance);
      ours.push(result);
      check.within(
        `tolerance ${tolerance}: evaluations`,
        result.evaluations,
        evaluations,
        6,
        "SciPy; float32 may turn one rejection",
      );
      for (const i of [0, 1]) {
        check.within(
          `tolerance ${tolerance}: coordinate ${i}`,
          result.state[i],
          state[i],
          0.2 * tolerance + 2e-6,
          "SciPy's steps in float64, so far closer than the tolerance",
          { detectable: "a fifth of the tolerance in a solution" },
        );
      }
    }
    const exponent = Math.log(ours[4].evaluations / ours[1].evaluations) / Math.log(1e-3 / 1e-6);
    check.within(
      "evaluations ~ tolerance^(−p): p",
      exponent,
      0.2,
      0.05,
      "a fifth-order pair: 1/5, less at loose tolerances",
    );
  },
);

claim(
  "every row of a batch has Dormand–Prince steps of its own, in either direction and across the grid",
  async (check) => {
    const sde = sdes["VP"];
    const states = [[-2.5], [-0.4], [0.05], [3]];
    const tolerances = { rtol: 1e-4, atol: 1e-4 };
    const together = await flowed(mixture, sde, states, "ode-dopri5", whole, tolerances);
    const alone = [];
    for (const state of states) {
      alone.push(
        await flowed(mixture, sde, [state], "ode-dopri5", whole, tolerances),
      );
    }
    check.equal(
      "states",
      Array.from(together.values),
      alone.map(({ values }) => values[0]),
      "a row's arithmetic is its own, bit for bit",
    );
    const most = Math.max(...alone.map(({ evaluations }) => evaluations));
    check.equal("evaluations", together.evaluations, most, "those of the slowest row");
    check.holds(
      "the rows differ in pace",
      new Set(alone.map((a) => a.evaluations)).size > 1,
      "else nothing was tested",
    );

    const many = await flowed(mixture, sde, states, "ode-dopri5", { kind: "uniform", steps: 20 }, tolerances);
    const bound = together.evaluations + 20 * 7;
    check.atMost(
      "evaluations over 20 grid steps",
      many.evaluations,
      bound,
      "one first slope and one cut step for each grid time",
    );

    const model = scoreModel(mixture, sde);
    const x = tf.tensor2d(states);
    const solver = new DormandPrince({ rtol: 1e-6, atol: 1e-6 });
    const down = await solver.integrate(model.velocity, x, sde.tMax, sde.tMin);
    const back = await new DormandPrince({ rtol: 1e-6, atol: 1e-6 }).integrate(
      model.velocity,
      down,
      sde.tMin,
      sde.tMax,
    );
    const difference = await back.sub(x).abs().max().data();
    tf.dispose([x, down, back]);
    check.atMost("there and back", difference[0], 4e-5, "two runs of some 15 steps at 1e-6, gain about 1");
  },
);

claim("the probability flow of a one-dimensional mixture keeps ranks: F_ε(x_ε) = F_T(x_T)", async (check) => {
  const ranks = [0.02, 0.1, 0.28, 0.3, 0.32, 0.5, 0.75, 0.9, 0.98];
  const solvers = [
    { sampler: "ode-rk4", kind: "log-snr", steps: 16, order: 4 },
    { sampler: "ode-heun", kind: "log-snr", steps: 100, order: 2 },
    { sampler: "edm-heun", kind: "karras", steps: 50, order: 2 },
    { sampler: "dpm++2m", kind: "log-snr", steps: 50, order: 2 },
    { sampler: "ddim", kind: "log-snr", steps: 100, order: 1 },
    { sampler: "ode-euler", kind: "log-snr", steps: 100, order: 1 },
  ] as const;
  for (const [name, sde] of Object.entries(sdes)) {
    const start = scalarLaw(mixture, noiseRatio(sde, sde.tMax));
    const end = scalarLaw(mixture, noiseRatio(sde, sde.tMin));
    const states = ranks.map((rank) => [sde.alpha(sde.tMax) * start.quantile(rank)]);
    const change = async (sampler: string, grid: GridConfig, options: SamplerOptions = {}) => {
      const { values } = await flowed(mixture, sde, states, sampler, grid, options);
      return Math.hypot(...ranks.map((rank, i) => end.cdf(values[i] / sde.alpha(sde.tMin)) - rank));
    };
    check.atMost(
      `${name}, ode-dopri5 at 1e-6: change of ranks`,
      await change("ode-dopri5", whole, { rtol: 1e-6, atol: 1e-6 }),
      5e-5,
      "some 20 steps of the tolerance each, density about 1, nine ranks",
      { detectable: "ranks moved by 2e-5" },
    );
    for (const { sampler, kind, steps, order } of solvers) {
      const coarse = await change(sampler, { kind, steps });
      const fine = await change(sampler, { kind, steps: 2 * steps });
      check.within(
        `${name}, ${sampler}: order in the change of ranks, ${steps} to ${2 * steps} steps`,
        Math.log2(coarse / fine),
        order,
        order === 4 ? 0.4 : 0.15,
        "a flow in one dimension keeps ranks, so all change is the solver's",
        { detectable: `a flow that is wrong by ${fine.toExponential(1)} in rank` },
      );
    }
  }
});

claim("Runge–Kutta 4 repeats a float64 Runge–Kutta on Gaussian data, and has order 4", async (check) => {
  const errors: Record<string, number[]> = {};
  for (const [name, sde] of Object.entries(gaussianSdes)) {
    const world = { sde, s0Squared: 0.25 };
    const exact = marginalVariance(world, sde.tMin);
    errors[name] = [];
    for (const steps of [4, 8, 16, 32]) {
      const variance = await outputVarianceOf("ode-rk4", world, { kind: "uniform", steps });
      errors[name].push(variance - exact);
      const expected = rungeKuttaVariance(world, steps);
      check.within(
        `${name}: V at N = ${steps}`,
        variance,
        expected,
        expected * steps * 2 ** -22,
        "the classical tableau on x' = ½ C'/C x, written again",
        { detectable: "2e-6 of V; RK4's own error at N = 8 is 20 times that or more" },
      );
    }
  }
  for (const name of ["σ^t", "VE"]) {
    const order = Math.log2(errors[name][2] / errors[name][3]);
    check.within(
      `${name}: order between N = 16 and 32`,
      order,
      4,
      0.3,
      "float32 leaves no more steps to see order 4",
    );
  }
});

const gaussianSdes: Record<string, Sde> = { ...sdes, VE: veSde({ sigmaMax: 10, tMin: 1e-3 }) };

async function outputVarianceOf(
  sampler: string,
  { sde, s0Squared }: GaussianWorld,
  grid: GridConfig | Float64Array,
): Promise<number> {
  const model = scoreModel(new Gaussian({ mean: [0], variances: [s0Squared] }), sde);
  const response = await impulseResponse(model, samplerByName(sampler), { grid, denoise: false });
  return outputVariance(response, marginalVariance({ sde, s0Squared }, sde.tMax));
}

function rungeKuttaVariance(world: GaussianWorld, steps: number): number {
  const { tMin, tMax } = world.sde;
  const rate = (t: number) => varianceSlope(world, t) / marginalVariance(world, t) / 2;
  const h = (tMin - tMax) / steps;
  let gain = 1;
  for (let i = 0; i < steps; i++) {
    const t = tMax + i * h;
    const k1 = rate(t);
    const k2 = rate(t + h / 2) * (1 + h / 2 * k1);
    const k3 = rate(t + h / 2) * (1 + h / 2 * k2);
    const k4 = rate(i === steps - 1 ? tMin : t + h) * (1 + h * k3);
    gain *= 1 + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  return gain ** 2 * marginalVariance(world, tMax);
}

claim("DPM-Solver++(2M) keeps order 2 and its constant where steps in λ alternate 1 : 2", async (check) => {
  for (const [name, sde] of Object.entries(gaussianSdes)) {
    const world = { sde, s0Squared: 0.25 };
    const exact = marginalVariance(world, sde.tMin);
    const pairs = [12, 24, 48];
    const [a, b, c] = await Promise.all(
      pairs.map(async (n) =>
        n ** 2 * (await outputVarianceOf("dpm++2m", world, alternating(sde, n)) - exact)
      ),
    );
    // A pair of length H = 3h: h³ [D'/12 + D''(1/6 + 2/4)] and (2h)³ [D'/12 + D''(1/6 + 1/8)], over H³.
    const expected = multistepError(world, "log-snr", { first: 1 / 3, slope: 0.75 / 27, bend: 3 / 27 });
    const rounding = 2 ** -24 * 0.25 * 96 * 48 ** 2 * 8 / 3;
    check.within(
      `${name}: n²·(V − C) for n pairs, extrapolated`,
      (a - 6 * b + 8 * c) / 3,
      expected,
      0.03 * Math.abs(expected) + rounding,
      "first error term with the step ratio r in it",
      { detectable: "an inverted step ratio, whose error is of order 1" },
    );
  }
});

/** n equal intervals in λ, each cut at a third. */
function alternating(sde: Sde, pairs: number): Float64Array {
  const from = logSnr(sde, sde.tMax);
  const to = logSnr(sde, sde.tMin);
  const times = Float64Array.from({ length: 2 * pairs + 1 }, (_, i) => {
    const place = Math.floor(i / 2) + (i % 2) / 3;
    return sde.timeOfLogSnr(from + (to - from) * place / pairs);
  });
  times[0] = sde.tMax;
  times[2 * pairs] = sde.tMin;
  return times;
}

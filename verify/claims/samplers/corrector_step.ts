/**
 * The corrector's step size by its two rules, in few and many dimensions and on a discrete-time DDPM.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { langevin, LANGEVIN_DIMENSIONS } from "../../../src/samplers/langevin.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import { reverseDiffusion } from "../../../src/samplers/reverse_diffusion.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { discreteDdpm, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { impulseResponse, outputVariance } from "../../instruments/impulse_response.ts";
import { chiSquareInterval } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** Variances of the data in the plane. */
const variances = [2.65, 1.6];
const snr = 0.16;
const steps = 60;

/** Numbers that an SDE has by its published formulas: α(t)², σ(t)², and a² and G² of the step from s to t that is undone. */
interface Kernel {
  alphaSquared(t: number): number;
  sigmaSquared(t: number): number;
  step(s: number, t: number): [aSquared: number, gSquared: number];
}

/** σ = 0.01 · 1000^t. */
const ve: Kernel = {
  alphaSquared: () => 1,
  sigmaSquared: (t) => (0.01 * 1000 ** t) ** 2,
  step: (s, t) => [1, (0.01 * 1000 ** t) ** 2 - (0.01 * 1000 ** s) ** 2],
};
/** β from 0.1 to 20: α² = e^{−B}, B = 0.1 t + 9.95 t². */
const integral = (t: number) => 0.1 * t + 9.95 * t * t;
const vp: Kernel = {
  alphaSquared: (t) => Math.exp(-integral(t)),
  sigmaSquared: (t) => -Math.expm1(-integral(t)),
  step: (s, t) => [1 - (0.1 + 19.9 * t) * (t - s), (0.1 + 19.9 * t) * (t - s)],
};

/**
 * The variance at the last time of a coordinate whose data have variance v, by the recursions of reverse diffusion,
 * x ← (2 − a) x + G² s + G z (Song et al. 2021, eq. 46), and of a Langevin step with ε = 2 (α_s/α_{s−h})² (r σ_s)².
 */
function exactVariance(
  { alphaSquared, sigmaSquared, step }: Kernel,
  v: number,
  times: Float64Array,
  start: number,
): number {
  const marginal = (t: number) => alphaSquared(t) * v + sigmaSquared(t);
  let variance = start;
  for (let k = 0; k + 1 < times.length; k++) {
    const [t, s] = [times[k], times[k + 1]];
    const [aSquared, gSquared] = step(s, t);
    variance = (2 - Math.sqrt(aSquared) - gSquared / marginal(t)) ** 2 * variance + gSquared;
    const damping = alphaSquared(s) / alphaSquared(Math.max(0, 2 * s - t));
    const epsilon = 2 * damping * snr ** 2 * sigmaSquared(s);
    variance = (1 - epsilon / marginal(s)) ** 2 * variance + 2 * epsilon;
  }
  return variance;
}

function uniform(tMin: number): Float64Array {
  return Float64Array.from({ length: steps + 1 }, (_, k) => 1 + k / steps * (tMin - 1));
}

const sampler = () => predictorCorrector({ predictor: reverseDiffusion(), corrector: langevin({ snr }) });

claim(
  "in two dimensions the corrector's step size follows the noise level, and samples have the distribution that this gives",
  async (check) => {
    const cases = [
      ["VE", veSde({ sigmaMin: 0.01, sigmaMax: 10, tMin: 1e-3 }), ve],
      ["VP", vpSde(), vp],
    ] as const;
    const data = new Gaussian({ mean: [0, 0], variances });
    for (const [name, sde, kernel] of cases) {
      const model = scoreModel(data, sde);
      const grid = uniform(sde.tMin);
      const response = await impulseResponse(model, sampler(), { grid, dimension: 2, denoise: false });
      const start = sde.priorStd ** 2;
      const exact = variances.map((v) => exactVariance(kernel, v, grid, start));
      for (const [i, expected] of exact.entries()) {
        check.within(
          `${name}: variance of coordinate ${i}`,
          outputVariance(response, start, i),
          expected,
          1e-6 * expected,
          "the recursions in float64; score_sde's corrector `ald`",
          { detectable: "1e-6 of the variance" },
        );
      }
      const count = 8000;
      const x = await drawSamples(model, sampler(), {
        shape: [count, 2],
        grid,
        denoise: false,
        rng: createRng(check.seed),
      });
      const values = await x.data();
      x.dispose();
      const { low, high } = chiSquareInterval(count, 1e-9);
      for (const [i, variance] of exact.entries()) {
        let sum = 0;
        let largest = 0;
        for (let row = 0; row < count; row++) {
          sum += values[2 * row + i] ** 2;
          largest = Math.max(largest, Math.abs(values[2 * row + i]));
        }
        check.within(
          `${name}: variance of ${count} draws in coordinate ${i}`,
          sum / count / variance,
          (low + high) / 2,
          (high - low) / 2,
          "χ² about the recursions' variance",
          { alarmRate: 1e-9, detectable: `${(100 * (high - 1)).toFixed(0)}% of the variance` },
        );
        // P(|z| > 7.5) = 6.4e-14, for each of the draws.
        check.atMost(
          `${name}: largest |x| in standard deviations`,
          largest / Math.sqrt(variance),
          7.5,
          "normal draws",
          { alarmRate: 6.4e-14 * count, detectable: "a single step of the wrong size" },
        );
      }
    }
  },
);

claim("the corrector's rule is ald below 64 numbers per sample and langevin from 64 on", async (check) => {
  check.equal(
    "the dimension",
    LANGEVIN_DIMENSIONS,
    64,
    "2/√d, the deviation of ‖z‖²/‖g‖², is a quarter there",
  );
  const sde = vpSde();
  for (const [dimension, rule, other] of [[63, "ald", "langevin"], [64, "langevin", "ald"]] as const) {
    const model = scoreModel(
      new Gaussian({ mean: new Float64Array(dimension), variances: new Float64Array(dimension).fill(0.5) }),
      sde,
    );
    const drawn = async (chosen?: "ald" | "langevin") => {
      const run = { shape: [2, dimension], grid: Float64Array.of(0.5, 0.4, 0.3), rng: createRng(3) };
      const x = await drawSamples(model, langevin({ rule: chosen }), run);
      const values = await x.data();
      x.dispose();
      return Array.from(values);
    };
    const usual = await drawn();
    check.equal(`${dimension} numbers`, usual, await drawn(rule), `the rule ${rule}, bit for bit`);
    check.holds(
      `${dimension} numbers, ${other}`,
      String(usual) !== String(await drawn(other)),
      "else the rule does nothing",
    );
  }
  await check.throws(
    "an unknown rule",
    () => langevin({ rule: "norm" as "ald" }),
    /^rule must be one of langevin, ald, got "norm"$/,
  );
});

claim(
  "on a discrete-time DDPM the corrector's α is 1 − β of the step that leads to the state it corrects",
  async (check) => {
    const betas = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45];
    const sde = discreteDdpm(betas);
    const model = scoreModel(new Gaussian({ mean: [0], variances: [1] }), sde);
    for (let i = 1; i < betas.length; i++) {
      const grid = Float64Array.of((i + 1) / betas.length, i / betas.length);
      const response = await impulseResponse(model, langevin({ snr: 0.3, rule: "ald" }), {
        grid,
        denoise: false,
      });
      const kept = betas.slice(0, i).reduce((product, beta) => product * (1 - beta), 1);
      const epsilon = 2 * (1 - betas[i - 1]) * 0.3 ** 2 * (1 - kept);
      check.within(
        `state ${i}: the noise's factor`,
        response.noise[0][0],
        Math.sqrt(2 * epsilon),
        1e-6 * Math.sqrt(2 * epsilon),
        "√(2ε), ε = 2 α_i (r σ_i)²; α_i = 1 − β_i in Song et al. 2021, Alg. 5",
        { detectable: "2% where β is that of the step just taken" },
      );
    }
  },
);

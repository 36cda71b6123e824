/**
 * The exact model of a data distribution whose coordinates are independent: what a perfectly trained network would answer, in
 * float64, in whichever of the four views a sampler calls its model with.
 * @module
 */
import type { Sde } from "../diffusion/sde.ts";
import type { ModelAnswer, NoiseLevel, States } from "./sampler_under_test.ts";

/** α and σ of x = α x₀ + σ ε. */
export interface KernelScales {
  readonly alpha: number;
  readonly sigma: number;
}

/** A mixture of Gaussians on the line; a Gaussian is one with one component. */
export interface LineMixture {
  /** Weights, positive, with sum 1. */
  readonly weights: readonly number[];
  readonly means: readonly number[];
  /** Standard deviations, positive. */
  readonly deviations: readonly number[];
}

/** Data: a distribution on the line for each coordinate, the coordinates independent. */
export type ProductData = readonly LineMixture[];

/** The Gaussian N(mean, deviation²) on the line. */
export function gaussianOnLine(mean: number, deviation: number): LineMixture {
  return { weights: [1], means: [mean], deviations: [deviation] };
}

/** Mean and variance of x = α x₀ + σ ε for one coordinate's data x₀. */
export function noisyMoments(
  { weights, means, deviations }: LineMixture,
  { alpha, sigma }: KernelScales,
): { mean: number; variance: number } {
  const mean = weights.reduce((sum, weight, k) => sum + weight * means[k], 0);
  const spread = weights.reduce(
    (sum, weight, k) => sum + weight * (deviations[k] ** 2 + (means[k] - mean) ** 2),
    0,
  );
  return { mean: alpha * mean, variance: alpha * alpha * spread + sigma * sigma };
}

/** α and σ of a noise level. Time 0 stands for data, as σ = 0 does, also where the SDE's kernel has noise at 0. */
export function scalesAt(
  sde: Sde,
  level: Exclude<NoiseLevel, { readonly times: Float64Array }>,
): KernelScales {
  if (!("time" in level)) return { alpha: level.alpha ?? 1, sigma: level.sigma };
  if (level.time === 0) return { alpha: 1, sigma: 0 };
  return { alpha: sde.alpha(level.time), sigma: sde.sigma(level.time) };
}

/**
 * The exact answers for states [rows, d]: `levels` are one for all rows, or one for each.
 *
 * With r_k ∝ π_k N(x; α m_k, C_k), C_k = α² s_k² + σ² and u_k = (x − α m_k)/C_k, the predicted noise is ε̂ = σ Σ r_k u_k, the
 * denoised D = Σ r_k (m_k + α s_k² u_k), the score −Σ r_k u_k, the velocity α ε̂ − σ D. None of these divides by σ or
 * takes a difference of near numbers, so that σ may be tiny or 0; and r_k is computed from differences of logarithms, so
 * that x may be far in the tails.
 */
export function exactAnswer(
  data: ProductData,
  states: States,
  levels: readonly KernelScales[],
  answer: ModelAnswer,
): States {
  const d = data.length;
  const values = new Float64Array(states.length);
  for (let j = 0; j < d; j++) {
    const { weights, means, deviations } = data[j];
    const count = weights.length;
    let variances: number[] = [];
    let constants: number[] = [];
    const pulls = new Float64Array(count);
    const logs = new Float64Array(count);
    for (let i = j, row = 0; i < states.length; i += d, row++) {
      const { alpha, sigma } = levels.length === 1 ? levels[0] : levels[row];
      if (row === 0 || levels.length > 1) {
        variances = deviations.map((deviation) => alpha * alpha * deviation * deviation + sigma * sigma);
        constants = weights.map((weight, k) => Math.log(weight) - 0.5 * Math.log(variances[k]));
      }
      let highest = -Infinity;
      for (let k = 0; k < count; k++) {
        const away = states[i] - alpha * means[k];
        pulls[k] = away / variances[k];
        logs[k] = constants[k] - 0.5 * away * pulls[k];
        if (logs[k] > highest) highest = logs[k];
      }
      let total = 0;
      let pull = 0;
      let denoised = 0;
      for (let k = 0; k < count; k++) {
        const weight = count === 1 ? 1 : Math.exp(logs[k] - highest);
        total += weight;
        pull += weight * pulls[k];
        denoised += weight * (means[k] + alpha * deviations[k] * deviations[k] * pulls[k]);
      }
      pull /= total;
      denoised /= total;
      values[i] = answer === "noise"
        ? sigma * pull
        : answer === "denoised"
        ? denoised
        : answer === "score"
        ? -pull
        : alpha * sigma * pull - sigma * denoised;
    }
  }
  return values;
}

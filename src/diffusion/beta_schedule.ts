/**
 * The rate β(t) of variance-preserving SDEs, its integral B(t) and the inverse of B. In continuous time β is linear;
 * the betas β_1 … β_N of a discrete-time DDPM are a rate that is constant within each step.
 * @module
 */
import { requireBetween, requireFinite, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** β and its integral, in float64 on the host. */
export interface BetaSchedule {
  /** β(t). */
  beta(t: number): number;
  /** B(t) = ∫_0^t β. */
  integral(t: number): number;
  /** The time t at which B(t) equals the given value. */
  timeOfIntegral(value: number): number;
}

/** β(t) = βmin + t (βmax − βmin) (Song et al. 2021, eq. 32). */
export function linearBeta(betaMin: number, betaMax: number): BetaSchedule {
  const slope = betaMax - betaMin;
  return {
    beta: (t) => betaMin + slope * t,
    integral: (t) => t * (betaMin + 0.5 * slope * t),
    timeOfIntegral: (value) => 2 * value / (betaMin + Math.sqrt(betaMin ** 2 + 2 * slope * value)),
  };
}

/**
 * The rate under which x_{n/N} given x_{(n−1)/N} is exactly DDPM's N(√(1 − β_n) x, β_n I): on ((n−1)/N, n/N] it is −N
 * ln(1 − β_n). Beyond t = 1 it keeps its last value.
 */
export function piecewiseConstantBeta(betas: readonly number[]): BetaSchedule {
  const steps = betas.length;
  const jumps = betas.map((beta) => -Math.log1p(-beta));
  const sums = new Float64Array(steps + 1);
  for (let n = 0; n < steps; n++) sums[n + 1] = sums[n] + jumps[n];
  /** The index, from 0, of the step that contains a time; a time within rounding of n/N is the end of step n. */
  const stepOf = (t: number) => Math.min(steps - 1, Math.max(0, Math.ceil(t * steps - 1e-9) - 1));
  return {
    beta: (t) => steps * jumps[stepOf(t)],
    integral: (t) => {
      const n = stepOf(t);
      return sums[n] + jumps[n] * (t * steps - n);
    },
    timeOfIntegral: (value) => {
      let [low, high] = [0, steps - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sums[middle + 1] < value) low = middle + 1;
        else high = middle;
      }
      return (low + (value - sums[low]) / jumps[low]) / steps;
    },
  };
}

/**
 * Linearly increasing β_1 … β_N (Ho et al. 2020, section 4).
 *
 * @param steps N, default 1000.
 * @throws {RangeError} When N is no positive integer or a β is not between 0 and 1.
 */
export function linearBetas(steps = 1000, first = 1e-4, last = 0.02): number[] {
  requireWhole("steps", steps, 1, MOST_STEPS);
  requireFinite("the first β", first);
  requireFinite("the last β", last);
  const betas = Array.from(
    { length: steps },
    (_, n) => steps === 1 ? first : first + (last - first) * n / (steps - 1),
  );
  requireBetas(betas);
  return betas;
}

/**
 * β_1 … β_N whose square roots increase linearly, Stable Diffusion's "scaled_linear" (Rombach et al. 2022, in its code and in
 * diffusers).
 *
 * @param steps N, default 1000.
 * @throws {RangeError} When N is no positive integer or a β is not between 0 and 1.
 */
export function scaledLinearBetas(steps = 1000, first = 0.00085, last = 0.012): number[] {
  requireBetween("the first β", first, 0);
  requireBetween("the last β", last, 0);
  const betas = linearBetas(steps, Math.sqrt(first), Math.sqrt(last)).map((root) => root ** 2);
  requireBetas(betas);
  return betas;
}

/**
 * β_1 … β_N along a sigmoid, β_n = first + (last − first) s(u_n) with s(u) = 1/(1 + e^{−u}) and u from −6 to 6 in equal steps
 * (GeoDiff: Xu et al. 2022, in its code and in diffusers).
 *
 * @param steps N, default 1000.
 * @throws {RangeError} When N is no positive integer or a β is not between 0 and 1.
 */
export function sigmoidBetas(steps = 1000, first = 1e-4, last = 0.02): number[] {
  requireWhole("steps", steps, 1, MOST_STEPS);
  requireBetween("the first β", first, 0, 1);
  requireBetween("the last β", last, 0, 1);
  const betas = Array.from({ length: steps }, (_, n) => {
    const u = steps === 1 ? -6 : -6 + 12 * n / (steps - 1);
    return first + (last - first) / (1 + Math.exp(-u));
  });
  requireBetas(betas);
  return betas;
}

/**
 * β_1 … β_N of the cosine schedule, ᾱ_n ∝ cos²(π/2 · (n/N + s)/(1 + s)), each at most .999 (Nichol & Dhariwal 2021,
 * eq. 17).
 *
 * @param steps N, default 1000.
 * @param offset s, default .008.
 * @throws {RangeError} When N is no positive integer or a β is not between 0 and 1.
 */
export function cosineBetas(steps = 1000, offset = 0.008): number[] {
  requireWhole("steps", steps, 1, MOST_STEPS);
  requireBetween("offset", offset, 0);
  const kept = (n: number) => Math.cos(Math.PI / 2 * (n / steps + offset) / (1 + offset)) ** 2;
  const betas = Array.from({ length: steps }, (_, n) => Math.min(0.999, 1 - kept(n + 1) / kept(n)));
  requireBetas(betas);
  return betas;
}

/**
 * A schedule rescaled to zero terminal SNR: √ᾱ_n shifted and scaled so that √ᾱ_1 stays and √ᾱ_N is 0, whereby β_N = 1 (Lin et al.
 * 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", Alg. 1). `discreteDdpm` takes it.
 *
 * @throws {RangeError} When there are fewer than two β, or one is not between 0 and 1.
 */
export function zeroTerminalSnrBetas(betas: readonly number[]): number[] {
  requireBetas(betas);
  if (betas.length < 2) {
    throw new RangeError(`zeroTerminalSnrBetas needs at least two betas, got ${betas.length}`);
  }
  let logKept = 0;
  const roots = betas.map((beta) => Math.exp(0.5 * (logKept += Math.log1p(-beta))));
  const [first, last] = [roots[0], roots[roots.length - 1]];
  const rescaled = roots.map((root) => (root - last) * first / (first - last));
  return rescaled.map((root, n) => n === 0 ? betas[0] : 1 - (root / rescaled[n - 1]) ** 2);
}

/** @throws {RangeError} When there is no β, or one is not between 0 and 1. */
export function requireBetas(betas: readonly number[]): void {
  if (!Array.isArray(betas) || betas.length === 0) {
    throw new RangeError(`betas must be an array of at least one β, got ${quoted(betas)}`);
  }
  const wrong = betas.findIndex((beta) => !(typeof beta === "number" && beta > 0 && beta < 1));
  if (wrong >= 0) {
    throw new RangeError(`every β must be above 0 and below 1, got β_${wrong + 1} = ${quoted(betas[wrong])}`);
  }
}

/** The largest number of steps of a discrete-time DDPM. */
const MOST_STEPS = 1e7;

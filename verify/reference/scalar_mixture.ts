/**
 * A one-dimensional Gaussian mixture through its distribution function, which gives the probability flow exactly:
 * the flow keeps ranks, so x_s = F_s⁻¹(F_t(x_t)). Float64 on the host.
 * @module
 */
import type { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";
import { noiseRatio, type Sde } from "../../src/diffusion/sde.ts";
import { standardNormalCdf } from "../instruments/statistics.ts";

/** The distribution of a real number. */
export interface ScalarDistribution {
  /** P(X ≤ x). */
  cdf(x: number): number;
  /** P(X > x), accurate where it is small. */
  survival(x: number): number;
  /** The x with P(X ≤ x) = p. RangeError unless 0 < p < 1. */
  quantile(p: number): number;
}

/**
 * The distribution of y = x_0 + ν ε for x_0 from a one-dimensional mixture.
 *
 * @throws {RangeError} if the mixture has more than one dimension, or a component and ν have no variance
 */
export function scalarDistribution(mixture: GaussianMixture, noiseRatio: number): ScalarDistribution {
  const parts = tails(mixture, noiseRatio);
  return {
    cdf: parts.lower,
    survival: parts.upper,
    quantile: (p) => {
      if (!(p > 0 && p < 1)) throw new RangeError(`p must lie strictly between 0 and 1, got ${p}`);
      return p <= 0.5 ? parts.solve(parts.lower, p) : parts.solve(parts.upper, 1 - p);
    },
  };
}

/**
 * Where the probability flow of a one-dimensional mixture under an SDE takes the state x at time t by time s,
 * forward or backward.
 *
 * @throws {RangeError} as {@linkcode scalarDistribution} does
 */
export function probabilityFlowMap(
  mixture: GaussianMixture,
  sde: Sde,
  x: number,
  t: number,
  s: number,
): number {
  const from = tails(mixture, noiseRatio(sde, t));
  const to = tails(mixture, noiseRatio(sde, s));
  const y = x / sde.alpha(t);
  const [lower, upper] = [from.lower(y), from.upper(y)];
  return sde.alpha(s) * (lower < upper ? to.solve(to.lower, lower) : to.solve(to.upper, upper));
}

interface Tails {
  lower(x: number): number;
  upper(x: number): number;
  /** Bisects a monotone function for a value, down to neighbouring float64 numbers. */
  solve(f: (x: number) => number, value: number): number;
}

function tails(mixture: GaussianMixture, ratio: number): Tails {
  if (mixture.dimension !== 1) {
    throw new RangeError(`expected a mixture in one dimension, got ${mixture.dimension}`);
  }
  const means = mixture.components.map((component) => component.mean[0]);
  const stds = mixture.components.map((component) =>
    Math.hypot(Math.sqrt(component.covariance()[0][0]), ratio)
  );
  if (stds.includes(0)) {
    throw new RangeError("a component without variance has no distribution function at ν = 0");
  }
  const tail = (x: number, sign: number) =>
    mixture.weights.reduce((sum, w, k) => sum + w * standardNormalCdf(sign * (means[k] - x) / stds[k]), 0);
  const reach = 40; // standard deviations; the tail beyond 38.5 is below the smallest float64
  const start = Math.min(...means.map((mean, k) => mean - reach * stds[k]));
  const end = Math.max(...means.map((mean, k) => mean + reach * stds[k]));
  return {
    lower: (x) => tail(x, -1),
    upper: (x) => tail(x, 1),
    solve: (f, value) => {
      const rising = f(end) > f(start);
      let [low, high] = [start, end];
      for (;;) {
        const middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) return middle;
        if ((f(middle) < value) === rising) low = middle;
        else high = middle;
      }
    },
  };
}

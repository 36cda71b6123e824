/** The standard normal distribution and its truncation to ±bound, in float64. @module */

/** Φ(x), with an absolute error of at most 3e-16. */
export function normalCdf(x: number): number {
  return 0.5 + 0.5 * Math.sign(x) * normalMass(Math.abs(x));
}

/** ln P(low < Z < high) of a standard normal Z for low < high, accurate in far tails, too; limits may be infinite. */
export function logNormalProbability(low: number, high: number): number {
  if (low > 0) return logNormalProbability(-high, -low); // the distribution is symmetric
  if (high > -4) return Math.log(normalCdf(high) - normalCdf(low));
  // φ(high) ∫_0^w exp(high·u − u²/2) du by Simpson's rule, over the part of the interval in which exp falls by at
  // most e^40.
  const width = Math.min(high - low, -40 / high);
  const pieces = 1000;
  let sum = 0;
  for (let i = 0; i <= pieces; i++) {
    const u = width * i / pieces;
    sum += (i === 0 || i === pieces ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(high * u - u * u / 2);
  }
  return Math.log(normalDensity(0)) - high * high / 2 + Math.log(sum * width / (3 * pieces));
}

/**
 * P(|Z| ≤ bound) = erf(bound/√2) of a standard normal Z, by a series without cancellation (Abramowitz & Stegun 7.1.6).
 */
export function normalMass(bound: number): number {
  if (bound > 9) return 1; // to the last bit
  let term = Math.sqrt(2 / Math.PI) * Math.exp(-bound * bound / 2) * bound;
  let sum = 0;
  for (let n = 1; sum + term !== sum; n++) {
    sum += term;
    term *= bound * bound / (2 * n + 1);
  }
  return sum;
}

/** The quantile at `u` in (0, 1) of the standard normal distribution truncated to ±bound. */
export function truncatedNormal(u: number, bound: number): number {
  const wanted = Math.abs(2 * u - 1) * normalMass(bound);
  // The mass is concave in the bound, so Newton's steps from 0 approach the root from below and do not exceed it.
  let z = 0;
  for (let step = Infinity; step > 1e-12 * (1 + z);) {
    step = (wanted - normalMass(z)) / (2 * normalDensity(z));
    z = Math.min(bound, z + Math.max(0, step));
  }
  return u < 0.5 ? -z : z;
}

/** φ(z), the density of the standard normal distribution. */
function normalDensity(z: number): number {
  return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
}

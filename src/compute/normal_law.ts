/** The standard normal law in float64 on the host. @module */
import erfc from "npm:@stdlib/math-base-special-erfc@0.2.5";

/** Φ(x), the distribution function; accurate in the left tail. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * Math.SQRT1_2);
}

/**
 * ln P(low < Z < high) of a standard normal Z; limits may be infinite. Where the probability is too small for a number, the
 * density at the interval's near end times its width, which is then an upper bound.
 */
export function logNormalProbability(low: number, high: number): number {
  if (low > 0) return logNormalProbability(-high, -low); // the left tail has digits, the right one has not
  const probability = normalCdf(high) - normalCdf(low);
  if (probability > 1e-300) return Math.log(probability);
  const near = Math.min(high, 0);
  return -0.5 * near * near - 0.5 * Math.log(2 * Math.PI) + Math.log(Math.min(high - low, 1));
}

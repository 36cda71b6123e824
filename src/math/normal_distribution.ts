/** Probabilities of the standard normal distribution, in float64. @module */
import { normalDensity, normalMass } from "./truncated_normal.ts";

/** Φ(x), to 1e-16 absolutely. */
export function normalCdf(x: number): number {
  return 0.5 + 0.5 * Math.sign(x) * normalMass(Math.abs(x));
}

/** ln P(low < Z < high) of a standard normal Z for low < high, with its digits in far tails, too; limits may be infinite. */
export function logNormalProbability(low: number, high: number): number {
  if (low > 0) return logNormalProbability(-high, -low); // the distribution is symmetric
  if (high > -4) return Math.log(normalCdf(high) - normalCdf(low));
  // φ(high) ∫_0^w exp(high·u − u²/2) du by Simpson's rule, over what of the interval counts: exp falls by e^40 there.
  const width = Math.min(high - low, -40 / high);
  const pieces = 1000;
  let sum = 0;
  for (let i = 0; i <= pieces; i++) {
    const u = width * i / pieces;
    sum += (i === 0 || i === pieces ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(high * u - u * u / 2);
  }
  return Math.log(normalDensity(0)) - high * high / 2 + Math.log(sum * width / (3 * pieces));
}

/** The normal distribution function in float64. @module */

/**
 * P(Z > z) for a standard normal Z, to about 1e-13 relative in the upper tail: Marsaglia's series (2004, "Evaluating
 * the normal distribution") about 0, Laplace's continued fraction beyond 3.
 */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z);
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  if (z > 3) {
    let fraction = z;
    for (let k = 120; k >= 1; k--) fraction = z + k / fraction;
    return density / fraction;
  }
  let term = z;
  let sum = z;
  for (let k = 3; term > 1e-17 * sum; k += 2) {
    term *= z * z / k;
    sum += term;
  }
  return 0.5 - density * sum;
}

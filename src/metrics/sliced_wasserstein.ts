/** Sliced Wasserstein distance between samples (Rabin et al. 2011; Bonneel et al. 2015). @module */
import type { Rng } from "../compute/rng.ts";
import { requireNumbers, requireWhole } from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";

/**
 * The root mean square, over random directions, of the Wasserstein-2 distance between the projections of two samples.
 * For a shift by v in d dimensions it tends to |v|/√d.
 *
 * @param a [n, d], row-major.
 * @param b [m, d], row-major; m may differ from n.
 * @param dimension d.
 * @param directions Number of random directions.
 * @param rng Directions come from a fork of it; the generator itself does not advance.
 * @throws {RangeError} When a sample is empty or its length is no multiple of d.
 */
export function slicedWasserstein(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  dimension: number,
  directions: number,
  rng: Rng,
): number {
  requireWhole("dimension", dimension, 1);
  requireWhole("directions", directions, 1);
  requireRng("rng", rng);
  for (const sample of [a, b]) {
    requireNumbers("points", sample);
    if (sample.length === 0 || sample.length % dimension !== 0) {
      throw new RangeError(
        `${sample.length} values are no positive number of ${dimension}-dimensional points`,
      );
    }
  }
  const normals = rng.fork("directions").startingAt(0).normalValues([directions, dimension]);
  let sum = 0;
  for (let at = 0; at < directions; at++) {
    const direction = normals.subarray(at * dimension, (at + 1) * dimension);
    const length = Math.hypot(...direction);
    sum += squaredDistance(project(a, direction, length), project(b, direction, length));
  }
  return Math.sqrt(sum / directions);
}

/** Projections onto a direction, sorted. */
function project(sample: ArrayLike<number>, direction: Float32Array, length: number): Float64Array {
  const dimension = direction.length;
  return Float64Array.from({ length: sample.length / dimension }, (_, row) => {
    let product = 0;
    for (let i = 0; i < dimension; i++) product += sample[row * dimension + i] * direction[i];
    return product / length;
  }).sort();
}

/** ∫₀¹ (F_a⁻¹(u) − F_b⁻¹(u))² du of two sorted samples: both quantile functions are steps. */
function squaredDistance(a: Float64Array, b: Float64Array): number {
  let [i, j, u, sum] = [0, 0, 0, 0];
  while (i < a.length && j < b.length) {
    const [endOfA, endOfB] = [(i + 1) / a.length, (j + 1) / b.length];
    const next = Math.min(endOfA, endOfB);
    sum += (next - u) * (a[i] - b[j]) ** 2;
    if (endOfA <= endOfB) i++;
    else j++;
    u = next;
  }
  return sum;
}

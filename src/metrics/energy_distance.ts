/** Energy distance between samples (Székely & Rizzo 2013). @module */
import { requireNumbers, requireWhole } from "../input/require.ts";
import { rowDistance } from "../math/row_distance.ts";

/**
 * The unbiased estimate of 2 E|X − Y| − E|X − X′| − E|Y − Y′|, which is zero only for equal distributions; the
 * estimate of equal distributions is around zero and may be negative. Costs (n + m)² d / 2 operations.
 *
 * @param a [n, d], row-major, n ≥ 2.
 * @param b [m, d], row-major, m ≥ 2.
 * @throws {RangeError} When a sample has fewer than two points or its length is no multiple of d.
 */
export function energyDistance(a: ArrayLike<number>, b: ArrayLike<number>, dimension: number): number {
  requireWhole("dimension", dimension, 1);
  for (const sample of [a, b]) {
    requireNumbers("points", sample);
    if (sample.length % dimension !== 0 || sample.length / dimension < 2) {
      throw new RangeError(`${sample.length} values are not two or more ${dimension}-dimensional points`);
    }
  }
  return 2 * meanBetween(a, b, dimension) - meanWithin(a, dimension) - meanWithin(b, dimension);
}

function meanBetween(a: ArrayLike<number>, b: ArrayLike<number>, dimension: number): number {
  const [n, m] = [a.length / dimension, b.length / dimension];
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) sum += rowDistance(a, i, b, j, dimension);
  return sum / (n * m);
}

function meanWithin(a: ArrayLike<number>, dimension: number): number {
  const n = a.length / dimension;
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += rowDistance(a, i, a, j, dimension);
  return 2 * sum / (n * (n - 1));
}

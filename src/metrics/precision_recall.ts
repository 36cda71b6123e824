/** Precision and recall of generated samples by nearest neighbours (Kynkäänniemi et al. 2019). @module */
import { requireNumbers, requireOptions, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** The manifold estimate of a set of feature vectors: a ball around each. */
export interface Manifold {
  /** [n, d], row-major: the centres. */
  readonly points: ArrayLike<number>;
  /** d. */
  readonly dimension: number;
  /** [n]: squared distance of each centre to its k-th nearest other one. */
  readonly squaredRadii: Float64Array;
}

/**
 * The manifold estimate of a set: around every point a ball that reaches its k-th nearest neighbour. Costs up to n² d
 * / 2.
 *
 * @param points [n, d], row-major, finite.
 * @param dimension d.
 * @param neighbours k; the paper's is 3.
 * @throws {RangeError} When the length is no multiple of d, k is no positive integer, or there are not more than k
 * points.
 */
export function manifold(points: ArrayLike<number>, dimension: number, neighbours = 3): Manifold {
  const count = pointCount(points, dimension);
  if (!Number.isInteger(neighbours) || neighbours < 1 || count <= neighbours) {
    throw new RangeError(
      `the number of neighbours must be a whole number from 1 to ${count - 1}, one less than the points, ` +
        `got ${quoted(neighbours)}`,
    );
  }
  // [n, k], each row in increasing order.
  const nearest = new Float64Array(count * neighbours).fill(Infinity);
  const last = neighbours - 1;
  const insert = (point: number, distance: number) => {
    const row = point * neighbours;
    let at = last;
    if (distance >= nearest[row + at]) return;
    for (; at > 0 && nearest[row + at - 1] > distance; at--) nearest[row + at] = nearest[row + at - 1];
    nearest[row + at] = distance;
  };
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const limit = Math.max(nearest[i * neighbours + last], nearest[j * neighbours + last]);
      const distance = squaredDistance(points, i, points, j, dimension, limit);
      insert(i, distance);
      insert(j, distance);
    }
  }
  const squaredRadii = Float64Array.from({ length: count }, (_, i) => nearest[i * neighbours + last]);
  return { points, dimension, squaredRadii };
}

/**
 * The share of points that lie in at least one ball of a manifold, borders included. For generated points in the
 * manifold of real ones it is precision, for real points in that of generated ones recall (Kynkäänniemi et al. 2019,
 * eq. 1–3). Costs up to n m d.
 *
 * @example
 * ```ts
 * import { manifoldFraction, manifold } from "./precision_recall.ts";
 * const [real, generated] = [[0, 1, 2, 10], [1.5, 30]];
 * console.assert(manifoldFraction(generated, manifold(real, 1, 1)) === 0.5);
 * ```
 * @param points [m, d], row-major, finite.
 * @throws {RangeError} When the length is no multiple of d or there is no point.
 */
export function manifoldFraction(points: ArrayLike<number>, by: Manifold): number {
  requireOptions("manifold", by);
  const { dimension, squaredRadii } = by;
  requireNumbers("squaredRadii", squaredRadii, (radius) => radius >= 0, "numbers from 0");
  if (pointCount(by.points, dimension) !== squaredRadii.length) {
    throw new RangeError(`a manifold has a radius for each point, got ${squaredRadii.length} radii`);
  }
  const count = pointCount(points, dimension);
  const covered = (i: number) =>
    squaredRadii.some((radius, j) => squaredDistance(points, i, by.points, j, dimension, radius) <= radius);
  return Array.from({ length: count }, (_, i) => covered(i)).filter(Boolean).length / count;
}

function pointCount(points: ArrayLike<number>, dimension: number): number {
  requireNumbers("points", points);
  requireWhole("dimension", dimension, 1);
  const count = points.length / dimension;
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(
      `${points.length} values are no positive number of ${dimension}-dimensional points`,
    );
  }
  return count;
}

/** Squared distance, or any value above the limit if it exceeds that. */
function squaredDistance(
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  dimension: number,
  limit: number,
): number {
  let sum = 0;
  const [first, second] = [i * dimension, j * dimension];
  // Compared with the limit every eight axes: a comparison for each takes as long as the sum.
  for (let from = 0; from < dimension && sum <= limit; from += 8) {
    const to = Math.min(dimension, from + 8);
    for (let axis = from; axis < to; axis++) {
      const difference = a[first + axis] - b[second + axis];
      sum += difference * difference;
    }
  }
  return sum;
}

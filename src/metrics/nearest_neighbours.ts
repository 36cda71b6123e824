/** The nearest points of another set: of samples among training data they tell whether data were learnt by heart. @module */
import * as tf from "../compute/tf.ts";
import { requireNumbers, requireWhole } from "../input/require.ts";
import { rowDistance } from "../math/row_distance.ts";

/** For each point its nearest one of another set. */
export interface NearestNeighbours {
  /** [n]: the row of the other set. */
  readonly indices: Int32Array;
  /** [n]: the Euclidean distance to it. */
  readonly distances: Float64Array;
}

/** Products of pairs that are held at once. */
const MOST_PAIRS = 1 << 22;

/**
 * Finds for every point the nearest one of another set. Costs n m d multiplications, as matrix products in float32 on the
 * engine in use: of two neighbours whose squared distances differ by less than about 1e-6 of the points' squared length
 * either may be taken. Distances are then computed in float64.
 *
 * @example
 * ```ts
 * import { nearestNeighbours } from "./nearest_neighbours.ts";
 * const { indices, distances } = await nearestNeighbours([1, 1], [9, 9, 1, 2], 2);
 * console.assert(indices[0] === 1 && distances[0] === 1);
 * ```
 * @param points [n, d], row-major, finite.
 * @param among [m, d], row-major, finite.
 * @param dimension d.
 * @throws {RangeError} When a length is no positive multiple of d, or a value is not finite.
 */
export async function nearestNeighbours(
  points: ArrayLike<number>,
  among: ArrayLike<number>,
  dimension: number,
): Promise<NearestNeighbours> {
  requireWhole("dimension", dimension, 1);
  const [count, others] = [rowsOf("points", points, dimension), rowsOf("among", among, dimension)];
  const indices = new Int32Array(count);
  const least = new Float64Array(count).fill(Infinity);
  const block = Math.max(1, Math.floor(MOST_PAIRS / count));
  const all = tf.tensor2d(Float32Array.from(points), [count, dimension]);
  try {
    for (let from = 0; from < others; from += block) {
      const size = Math.min(block, others - from);
      const [nearest, squares] = tf.tidy(() => {
        const part = Float32Array.from({ length: size * dimension }, (_, i) => among[from * dimension + i]);
        const rows = tf.tensor2d(part, [size, dimension]);
        // ‖a − b‖² without ‖a‖², which is the same for all b.
        const compared = rows.square().sum(1).sub(all.matMul(rows, false, true).mul(2)) as tf.Tensor2D;
        return [compared.argMin(1), compared.min(1)];
      });
      const [at, values] = await Promise.all([nearest.data(), squares.data()]);
      tf.dispose([nearest, squares]);
      for (let i = 0; i < count; i++) {
        if (values[i] >= least[i]) continue;
        least[i] = values[i];
        indices[i] = from + at[i];
      }
    }
  } finally {
    all.dispose();
  }
  const distances = Float64Array.from(indices, (other, i) => rowDistance(points, i, among, other, dimension));
  return { indices, distances };
}

function rowsOf(name: string, points: ArrayLike<number>, dimension: number): number {
  requireNumbers(name, points);
  const rows = points.length / dimension;
  if (Number.isInteger(rows) && rows > 0) return rows;
  throw new RangeError(`${points.length} values are no positive number of ${dimension}-dimensional points`);
}

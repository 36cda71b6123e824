/** The kernel distance between two sets of feature vectors (Bińkowski et al. 2018). @module */
import { isList, requireArray, requireOptions } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** Statistics of a set of feature vectors for {@linkcode kernelDistance}. */
export interface KernelMoments {
  /** Length of a feature vector. */
  readonly dimension: number;
  /** Sums over consecutive parts of the set, which differ in size by at most one. */
  readonly blocks: readonly KernelSum[];
}

/** Sums over some of the vectors. */
export interface KernelSum {
  /** The number of vectors. */
  readonly count: number;
  /** Σ φ(x), where φ(x)·φ(y) = k(x, y). */
  readonly embedding: Float64Array;
  /** Σ k(x, x). */
  readonly self: number;
}

/** A kernel distance and its standard error. */
export interface KernelDistance {
  /** The estimate; unbiased, so around zero, and negative half of the time, for two sets of one distribution. */
  readonly distance: number;
  /**
   * Its standard error by the jackknife over blocks; for two sets of one distribution it is too large, by a factor of
   * up to about √2.
   */
  readonly standardError: number;
}

/** The largest length of a feature vector: φ has (d + 1)(d + 2)(d + 3)/6 entries. */
const MOST_DIMENSIONS = 128;

/**
 * Sums over blocks of feature vectors from which means of the cubic kernel k(x, y) = (x·y/d + 1)³ are computed. With
 * z = (x/√d, 1), k(x, y) = (z_x·z_y)³ = φ(x)·φ(y), where φ holds all products of three entries of z: so the cost
 * grows with n, not n².
 *
 * @param features [n, d], row-major.
 * @param dimension d.
 * @param blocks The number of parts that the set is divided into for standard errors; vectors of one part must not be
 * more alike than those of different parts.
 * @throws {RangeError} When the length is no multiple of d, there are fewer than two blocks or fewer vectors than
 * blocks or than three, d is above 128, or a value is not finite.
 */
export function kernelMoments(features: ArrayLike<number>, dimension: number, blocks = 10): KernelMoments {
  if (!isList(features)) throw new TypeError(`features must be a list of numbers, got ${quoted(features)}`);
  const count = features.length / dimension;
  if (!Number.isInteger(count) || !Number.isInteger(dimension) || dimension < 1) {
    throw new RangeError(
      `${features.length} values are no whole number of ${quoted(dimension)}-dimensional features`,
    );
  }
  if (dimension > MOST_DIMENSIONS) {
    throw new RangeError(`the kernel distance takes at most ${MOST_DIMENSIONS} dimensions, got ${dimension}`);
  }
  if (!Number.isInteger(blocks) || blocks < 2) {
    throw new RangeError(`blocks must be an integer of at least 2, got ${quoted(blocks)}`);
  }
  if (count < Math.max(3, blocks)) {
    throw new RangeError(
      `${blocks} blocks need at least ${Math.max(3, blocks)} feature vectors, got ${count}`,
    );
  }
  const moments = {
    dimension,
    blocks: Array.from({ length: blocks }, (_, block) => {
      const [from, to] = [block, block + 1].map((part) => Math.floor(part * count / blocks));
      return kernelSum(features, dimension, from, to);
    }),
  };
  const numbers = Array.from(features).every((value) => typeof value === "number");
  if (!numbers || !moments.blocks.every(({ self }) => Number.isFinite(self))) {
    throw new RangeError("features must be finite");
  }
  return moments;
}

/**
 * The unbiased estimate of the squared maximum mean discrepancy under the cubic kernel (Gretton et al. 2012, eq. 3;
 * Bińkowski et al. 2018, eq. 4): the mean of k over pairs of different x, plus that over pairs of different y, minus
 * twice that over pairs of an x and a y. Its mean does not depend on the sizes of the sets, unlike the Fréchet
 * distance's.
 *
 * @example
 * ```ts
 * import { kernelDistance, kernelMoments } from "./kernel_distance.ts";
 * const [zeros, ones] = [kernelMoments([0, 0, 0], 1, 3), kernelMoments([1, 1, 1], 1, 3)];
 * console.assert(Math.abs(kernelDistance(zeros, ones).distance - (1 + 8 - 2)) < 1e-12);
 * ```
 * @throws {RangeError} When dimensions or numbers of blocks differ.
 */
export function kernelDistance(a: KernelMoments, b: KernelMoments): KernelDistance {
  for (const moments of [a, b]) {
    requireOptions("moments", moments);
    requireArray("blocks", moments.blocks);
  }
  if (a.dimension !== b.dimension) {
    throw new RangeError(
      `features of ${a.dimension} and of ${b.dimension} dimensions cannot be compared`,
    );
  }
  const count = a.blocks.length;
  if (b.blocks.length !== count) {
    throw new RangeError(`sets of ${count} and of ${b.blocks.length} blocks cannot be compared`);
  }
  const whole = [a, b].map(({ blocks }) => blocks.reduce((sum, block) => combined(sum, block, 1)));
  const without = a.blocks.map((_, block) =>
    discrepancy(combined(whole[0], a.blocks[block], -1), combined(whole[1], b.blocks[block], -1))
  );
  const mean = without.reduce((sum, value) => sum + value, 0) / count;
  const squares = without.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    distance: discrepancy(whole[0], whole[1]),
    standardError: Math.sqrt((count - 1) / count * squares),
  };
}

function discrepancy(a: KernelSum, b: KernelSum): number {
  const within = ({ count, embedding, self }: KernelSum) =>
    (product(embedding, embedding) - self) / (count * (count - 1));
  return within(a) + within(b) - 2 * product(a.embedding, b.embedding) / (a.count * b.count);
}

/** a + sign·b. */
function combined(a: KernelSum, b: KernelSum, sign: 1 | -1): KernelSum {
  // A plain loop: a closure for each of some ten thousand numbers takes several times as long.
  const embedding = a.embedding.slice();
  for (let i = 0; i < embedding.length; i++) embedding[i] += sign * b.embedding[i];
  return {
    count: a.count + sign * b.count,
    embedding,
    self: a.self + sign * b.self,
  };
}

function kernelSum(features: ArrayLike<number>, dimension: number, from: number, to: number): KernelSum {
  const size = dimension + 1;
  const embedding = new Float64Array(size * (size + 1) * (size + 2) / 6);
  const z = new Float64Array(size).fill(1);
  let self = 0;
  for (let row = from; row < to; row++) {
    for (let i = 0; i < dimension; i++) z[i] = features[row * dimension + i] / Math.sqrt(dimension);
    self += product(z, z) ** 3;
    let at = 0;
    for (let i = 0; i < size; i++) {
      for (let j = i; j < size; j++) {
        const pair = z[i] * z[j];
        for (let k = j; k < size; k++) embedding[at++] += pair * z[k];
      }
    }
  }
  // Each product stands for all orders of its factors: 1, 3 or 6.
  let at = 0;
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      for (let k = j; k < size; k++) {
        embedding[at++] *= Math.sqrt(i === j && j === k ? 1 : i === j || j === k ? 3 : 6);
      }
    }
  }
  return { count: to - from, embedding, self };
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

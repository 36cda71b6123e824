/** The Fréchet distance between two sets of feature vectors (Heusel et al. 2017). @module */
import { Matrix, symmetricEigen } from "../math/linear_algebra.ts";
import { isList, requireBetween, requireNumbers, requireOptions } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** Mean and covariance of feature vectors. */
export interface FeatureMoments {
  /** [d]. */
  readonly mean: Float64Array;
  /** [d, d], row-major, normalized by n − 1. */
  readonly covariance: Float64Array;
}

/**
 * Mean and unbiased covariance, in float64 whatever the features' own precision.
 *
 * @param features [n, d], row-major.
 * @param dimension d.
 * @throws {RangeError} When the length is no multiple of d, there are fewer than two rows, or a value is not finite.
 */
export function featureMoments(features: ArrayLike<number>, dimension: number): FeatureMoments {
  if (!isList(features)) throw new TypeError(`features must be a list of numbers, got ${quoted(features)}`);
  const count = features.length / dimension;
  if (!Number.isInteger(count) || !Number.isInteger(dimension) || dimension < 1) {
    throw new RangeError(
      `${features.length} values are no whole number of ${quoted(dimension)}-dimensional features`,
    );
  }
  if (count < 2) throw new RangeError(`a covariance needs at least 2 feature vectors, got ${count}`);
  const mean = new Float64Array(dimension);
  for (let i = 0; i < features.length; i++) {
    mean[i % dimension] += typeof features[i] === "number" ? features[i] / count : NaN;
  }
  const wrong = mean.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new RangeError(`feature ${wrong} has values that are not finite`);
  const covariance = new Float64Array(dimension * dimension);
  const centred = new Float64Array(dimension);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < dimension; i++) centred[i] = features[row * dimension + i] - mean[i];
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j <= i; j++) covariance[i * dimension + j] += centred[i] * centred[j] / (count - 1);
    }
  }
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j < i; j++) covariance[j * dimension + i] = covariance[i * dimension + j];
  }
  return { mean, covariance };
}

/**
 * |μ_a − μ_b|² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½): the squared Wasserstein-2 distance of the Gaussians with these moments.
 *
 * tr (Σ_a Σ_b)^½ = tr (Σ_a^½ Σ_b Σ_a^½)^½ is computed from symmetric eigenvalues, so that covariances may be
 * singular.
 *
 * @example
 * ```ts
 * import { featureMoments, frechetDistance } from "./frechet.ts";
 * const a = featureMoments([0, 0, 1, 0, 0, 1, 1, 1], 2);
 * const b = featureMoments([3, 0, 4, 0, 3, 1, 4, 1], 2);
 * console.assert(Math.abs(frechetDistance(a, b) - 9) < 1e-9);
 * ```
 * @throws {RangeError} When the dimensions differ.
 */
export function frechetDistance(a: FeatureMoments, b: FeatureMoments): number {
  for (const moments of [a, b]) requireMoments(moments);
  const dimension = a.mean.length;
  if (b.mean.length !== dimension) {
    throw new RangeError(`features of ${dimension} and of ${b.mean.length} dimensions cannot be compared`);
  }
  const root = squareRoot(a.covariance, dimension);
  const product = root.mmul(square(b.covariance, dimension)).mmul(root);
  const overlap = symmetricEigen(product).values.reduce(
    (sum, value) => sum + Math.sqrt(Math.max(0, value)),
    0,
  );
  let distance = -2 * overlap;
  for (let i = 0; i < dimension; i++) {
    distance += (a.mean[i] - b.mean[i]) ** 2;
    distance += a.covariance[i * dimension + i] + b.covariance[i * dimension + i];
  }
  return distance;
}

/**
 * The symmetric square root of a symmetric positive semi-definite matrix; eigenvalues that rounding made negative
 * count as 0.
 */
function squareRoot(covariance: Float64Array, dimension: number): Matrix {
  const { values, vectors } = symmetricEigen(square(covariance, dimension));
  const roots = Matrix.diag(Array.from(values, (value) => Math.sqrt(Math.max(0, value))));
  return vectors === null ? roots : vectors.mmul(roots).mmul(vectors.transpose());
}

function square(values: Float64Array, dimension: number): Matrix {
  return Matrix.from1DArray(dimension, dimension, values);
}

/** Throws for an invalid mean or covariance, such as one with a negative variance. */
function requireMoments(moments: FeatureMoments): void {
  requireOptions("moments", moments);
  const { mean, covariance } = moments;
  requireNumbers("mean", mean);
  requireNumbers("covariance", covariance);
  const dimension = mean.length;
  if (dimension === 0 || covariance.length !== dimension ** 2) {
    throw new RangeError(
      `a covariance of ${dimension} features has ${dimension ** 2} entries, got ${covariance.length}`,
    );
  }
  for (let i = 0; i < dimension; i++) requireBetween(`variance ${i}`, covariance[i * dimension + i], 0);
}

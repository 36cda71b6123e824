/**
 * The Gaussian N(μ, Σ) as an exact noise predictor, in Σ's eigenbasis: with Σ = U Λ Uᵀ the distribution of y = x_0 +
 * ν ε has covariance U (Λ + ν²) Uᵀ, so one decomposition serves every noise level.
 * @module
 */
import { Matrix, symmetricEigen } from "../math/linear_algebra.ts";
import { type PerRow, requireRatios } from "../compute/rows.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { asRows, type ExactDistribution, type Posterior } from "./distribution.ts";
import {
  requireArray,
  requireBetween,
  requireNumbers,
  requireOptions,
  requireWhole,
} from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";

/** Mean [d] with a full covariance [d, d], or with d variances of independent coordinates. */
export type GaussianOptions =
  | { readonly mean: ArrayLike<number>; readonly covariance: readonly ArrayLike<number>[] }
  | { readonly mean: ArrayLike<number>; readonly variances: ArrayLike<number> };

/** N(mean, covariance) in d dimensions; the covariance may be singular. */
export class Gaussian implements ExactDistribution {
  /** Number of coordinates d. */
  readonly dimension: number;
  /** The mean, [d]. */
  readonly mean: Float64Array;
  /** Eigenvalues Λ of the covariance, [d]. */
  readonly #variances: Float64Array;
  /** Eigenvectors U in columns, or null where the covariance is diagonal. */
  readonly #basis: number[][] | null;

  /**
   * The Gaussian of the given mean and covariance.
   *
   * @throws {RangeError} When a number is not finite, the sizes differ, or the covariance is not symmetric and
   * positive semidefinite.
   */
  constructor(options: GaussianOptions) {
    requireOptions("options", options);
    requireNumbers("mean", options.mean);
    this.mean = Float64Array.from(options.mean);
    this.dimension = this.mean.length;
    if (this.dimension === 0) throw new RangeError("mean must hold at least one number, got none");
    if ("variances" in options) {
      requireNumbers("variances", options.variances);
      this.#variances = Float64Array.from(options.variances);
      this.#basis = null;
    } else {
      const { values, vectors } = symmetricEigen(symmetric(options.covariance, this.dimension));
      this.#variances = values;
      this.#basis = vectors?.to2DArray() ?? null;
    }
    if (this.#variances.length !== this.dimension) {
      throw new RangeError(`expected ${this.dimension} variances, got ${this.#variances.length}`);
    }
    requireNumbers("variances", this.#variances);
    const [least, largest] = [Math.min(...this.#variances), Math.max(...this.#variances)];
    // Eigenvalues carry rounding errors relative to the largest, and those of products that underflow.
    if (least < -1e-12 * this.dimension * largest - 1e-300) {
      throw new RangeError(`covariance must be positive semidefinite, got an eigenvalue of ${least}`);
    }
    this.#variances = this.#variances.map((variance) => Math.max(variance, 0));
  }

  /** The covariance, [d, d]. */
  covariance(): number[][] {
    return this.#inBasis(this.#variances).to2DArray();
  }

  /** Draws [count, d]: one normal number a coordinate. */
  sample(rng: Rng, count: number): tf.Tensor2D {
    const { dimension } = this;
    requireRng("rng", rng);
    requireWhole("count", count);
    const normal = rng.normalValues([count, dimension]);
    const values = new Float32Array(count * dimension);
    for (let row = 0; row < count; row++) {
      values.set(this.pointOf(normal.subarray(row * dimension, (row + 1) * dimension)), row * dimension);
    }
    return tf.tensor2d(values, [count, dimension]);
  }

  /** The sample μ + U √Λ z of standard normal numbers z [d]. */
  pointOf(normal: ArrayLike<number>): Float64Array {
    const scaled = this.#variances.map((variance, i) => Math.sqrt(variance) * normal[i]);
    return this.#fromBasis(scaled).map((value, i) => value + this.mean[i]);
  }

  /** y − μ of each row in the basis of the covariance's eigenvectors, [B, d], which several functions of y begin with. */
  coordinates(y: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const offset: tf.Tensor2D = tf.sub(
        asRows(y, this.dimension),
        tf.tensor1d(Float32Array.from(this.mean)),
      );
      return this.#basis === null ? offset : tf.matMul(offset, tf.tensor2d(this.#basis));
    });
  }

  /**
   * ε̂(y, ν) = ν (Σ + ν²)⁻¹ (y − μ), of y's shape [B, …].
   *
   * @param coordinates Those of y by `coordinates`, if they are known.
   */
  predictNoise(y: tf.Tensor, noiseRatio: PerRow, coordinates?: tf.Tensor2D): tf.Tensor {
    return tf.tidy(() => {
      const factor = this.#perCoordinate(noiseRatio, (variance, ratio) => ratio / (variance + ratio ** 2));
      return tf.reshape(this.#rowsFromBasis(tf.mul(coordinates ?? this.coordinates(y), factor)), y.shape);
    });
  }

  /**
   * Log density [B] in nats of N(μ, Σ + ν²) at y [B, …].
   *
   * @param coordinates Those of y by `coordinates`, if they are known.
   */
  logDensity(y: tf.Tensor, noiseRatio: PerRow, coordinates?: tf.Tensor2D): tf.Tensor1D {
    return tf.tidy(() => {
      const precision = this.#perCoordinate(noiseRatio, (variance, ratio) => 1 / (variance + ratio ** 2));
      const squares = tf.sum(tf.mul(tf.square(coordinates ?? this.coordinates(y)), precision), 1);
      const ratios = typeof noiseRatio === "number" ? [noiseRatio] : noiseRatio;
      const logVolume = tf.tensor1d(Float32Array.from(ratios, (ratio) => this.#logVolume(ratio)));
      return tf.mul(tf.add(squares, logVolume), -0.5);
    });
  }

  /**
   * E[x_0 | y] = μ + Σ (Σ + ν²)⁻¹ (y − μ), of y's shape [B, …].
   *
   * @param coordinates Those of y by `coordinates`, if they are known.
   */
  posteriorMean(y: tf.Tensor, noiseRatio: PerRow, coordinates?: tf.Tensor2D): tf.Tensor {
    return tf.tidy(() => {
      const factor = this.#perCoordinate(noiseRatio, shrinkage);
      const offset = this.#rowsFromBasis(tf.mul(coordinates ?? this.coordinates(y), factor));
      return tf.reshape(tf.add(offset, tf.tensor1d(Float32Array.from(this.mean))), y.shape);
    });
  }

  /** The posterior of x_0 given one y [d] = x_0 + ν ε, in float64. */
  posterior(y: ArrayLike<number>, noiseRatio: number): Posterior {
    requireNumbers("y", y);
    if (y.length !== this.dimension) {
      throw new RangeError(`y must hold ${this.dimension} numbers, got ${y.length}`);
    }
    requireBetween("noiseRatio", noiseRatio, 0);
    const offset = this.#toBasis(this.mean.map((mean, i) => y[i] - mean));
    const variances = this.#variances;
    const squares = offset.reduce((sum, value, i) => sum + value ** 2 / (variances[i] + noiseRatio ** 2), 0);
    const shrunk = offset.map((value, i) => shrinkage(variances[i], noiseRatio) * value);
    return {
      logDensity: -0.5 * (squares + this.#logVolume(noiseRatio)),
      responsibilities: Float64Array.of(1),
      noise: this.#fromBasis(offset.map((value, i) => value * noiseRatio / (variances[i] + noiseRatio ** 2))),
      mean: this.#fromBasis(shrunk).map((value, i) => value + this.mean[i]),
      covariance: () =>
        this.#inBasis(variances.map((v) => noiseRatio ** 2 * shrinkage(v, noiseRatio))).to2DArray(),
    };
  }

  /** The distribution of A x + b for an operator A [m, d] and an offset b [m], 0 by default. */
  affine(operator: readonly (readonly number[])[], offset?: ArrayLike<number>): Gaussian {
    const a = operatorMatrix(operator, this.dimension);
    if (offset !== undefined) requireNumbers("offset", offset);
    if (offset !== undefined && offset.length !== a.rows) {
      throw new RangeError(`expected an offset of ${a.rows} numbers, got ${offset.length}`);
    }
    const mean = a.mmul(Matrix.columnVector([...this.mean])).to1DArray();
    return new Gaussian({
      mean: mean.map((value, i) => value + (offset?.[i] ?? 0)),
      covariance: symmetrized(a.mmul(this.#inBasis(this.#variances)).mmul(a.transpose())),
    });
  }

  /**
   * Bayes' rule for values = A x + √noiseVariance ε, with A [m, d]: the posterior of x, and the log density of the
   * values.
   *
   * @throws {RangeError} When the values have no density (noiseVariance is 0 and A x has no variance).
   */
  observing(
    operator: readonly (readonly number[])[],
    values: ArrayLike<number>,
    noiseVariance = 0,
  ): { posterior: Gaussian; logEvidence: number } {
    const a = operatorMatrix(operator, this.dimension);
    requireNumbers("values", values);
    requireBetween("noiseVariance", noiseVariance, 0);
    if (values.length !== a.rows) throw new RangeError(`expected ${a.rows} values, got ${values.length}`);
    const covariance = this.#inBasis(this.#variances);
    const cross = covariance.mmul(a.transpose());
    const seen = this.affine(operator);
    const logEvidence = seen.posterior(values, Math.sqrt(noiseVariance)).logDensity;
    if (!Number.isFinite(logEvidence)) {
      throw new RangeError(
        "the observed coordinates have no density: add noiseVariance or observe fewer of them",
      );
    }
    const innovation = Float64Array.from(values, (value, i) => value - seen.mean[i]);
    const precision = seen.#inBasis(seen.#variances.map((variance) => 1 / (variance + noiseVariance)));
    const gain = cross.mmul(precision);
    const shift = gain.mmul(Matrix.columnVector([...innovation])).to1DArray();
    return {
      logEvidence,
      posterior: new Gaussian({
        mean: this.mean.map((mean, i) => mean + shift[i]),
        covariance: withoutNegative(Matrix.sub(covariance, gain.mmul(cross.transpose()))),
      }),
    };
  }

  /** ln det(2π (Σ + ν²)). */
  #logVolume(noiseRatio: number): number {
    return this.#variances.reduce((sum, v) => sum + Math.log(2 * Math.PI * (v + noiseRatio ** 2)), 0);
  }

  /** U diag(values) Uᵀ. */
  #inBasis(values: Float64Array): Matrix {
    const diagonal = Matrix.diag([...values]);
    if (this.#basis === null) return diagonal;
    const basis = new Matrix(this.#basis);
    return basis.mmul(diagonal).mmul(basis.transpose());
  }

  /** Uᵀ v. */
  #toBasis(vector: Float64Array): Float64Array {
    const basis = this.#basis;
    if (basis === null) return vector;
    return vector.map((_, i) => basis.reduce((sum, row, j) => sum + row[i] * vector[j], 0));
  }

  /** U v. */
  #fromBasis(vector: Float64Array): Float64Array {
    const basis = this.#basis;
    if (basis === null) return vector;
    return vector.map((_, i) => basis[i].reduce((sum, value, j) => sum + value * vector[j], 0));
  }

  #rowsFromBasis(rows: tf.Tensor): tf.Tensor {
    return this.#basis === null ? rows : tf.matMul(rows, tf.tensor2d(this.#basis), false, true);
  }

  /** f(Λ_i, ν) as [1, d], or [B, d] where ν differs by row. */
  #perCoordinate(noiseRatio: PerRow, f: (variance: number, ratio: number) => number): tf.Tensor2D {
    requireRatios(noiseRatio);
    const ratios = typeof noiseRatio === "number" ? [noiseRatio] : noiseRatio;
    const { dimension } = this;
    const values = new Float32Array(ratios.length * dimension);
    for (let row = 0; row < ratios.length; row++) {
      for (let i = 0; i < dimension; i++) values[row * dimension + i] = f(this.#variances[i], ratios[row]);
    }
    return tf.tensor2d(values, [ratios.length, dimension]);
  }
}

/** λ/(λ + ν²), the posterior mean's share of y's offset; 1 for ν = 0. */
function shrinkage(variance: number, ratio: number): number {
  return ratio === 0 ? 1 : variance / (variance + ratio ** 2);
}

function symmetric(rows: readonly ArrayLike<number>[], dimension: number): Matrix {
  requireArray("covariance", rows);
  for (const row of rows) requireNumbers("covariance", row);
  if (rows.length !== dimension || rows.some((row) => row.length !== dimension)) {
    throw new RangeError(
      `covariance must be ${dimension} × ${dimension} like the mean, got ${rows.length} rows`,
    );
  }
  const matrix = new Matrix(rows.map((row) => Array.from(row)));
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [matrix.get(i, j), matrix.get(j, i)];
      if (Math.abs(a - b) > 1e-9 * (Math.abs(a) + Math.abs(b))) {
        throw new RangeError(
          `covariance must be symmetric, got ${a} and ${b} at (${i}, ${j}) and (${j}, ${i})`,
        );
      }
    }
  }
  return matrix;
}

function symmetrized(matrix: Matrix): number[][] {
  return Matrix.add(matrix, matrix.transpose()).mul(0.5).to2DArray();
}

/** A difference of covariances, with eigenvalues that rounding made negative set to 0. */
function withoutNegative(difference: Matrix): number[][] {
  const matrix = new Matrix(symmetrized(difference));
  const { values, vectors } = symmetricEigen(matrix);
  if (values.every((value) => value >= 0)) return matrix.to2DArray();
  const kept = Matrix.diag(Array.from(values, (value) => Math.max(value, 0)));
  return vectors === null ? kept.to2DArray() : symmetrized(vectors.mmul(kept).mmul(vectors.transpose()));
}

function operatorMatrix(operator: readonly (readonly number[])[], dimension: number): Matrix {
  requireArray("operator", operator);
  for (const row of operator) requireNumbers("operator", row);
  if (operator.length === 0 || operator.some((row) => row.length !== dimension)) {
    throw new RangeError(`operator must have rows of ${dimension} numbers, got ${operator.length} rows`);
  }
  return new Matrix(operator.map((row) => [...row]));
}

/**
 * The Gaussian mixture Σ π_k N(μ_k, Σ_k) as an exact noise predictor: noised, it stays a mixture with the same weights.
 * @module
 */
import type { PerRow } from "../compute/rows.ts";
import { checkLabels } from "../compute/labels.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import { asRows, type ExactDistribution, type Posterior } from "./distribution.ts";
import { Gaussian } from "./gaussian.ts";
import { isList, requireArray, requireNumbers, requireOptions, requireWhole } from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** A mixture in plain numbers: K weights, means [K, d] and covariances [K, d, d]. */
export interface GaussianMixtureConfig {
  /** Proportional to the components' probabilities; [K]. */
  readonly weights: ArrayLike<number>;
  /** The components' means, [K, d]. */
  readonly means: readonly ArrayLike<number>[];
  /** The components' covariances, [K, d, d]. */
  readonly covariances: readonly (readonly ArrayLike<number>[])[];
}

/** A mixture of K Gaussians in d dimensions. */
export class GaussianMixture implements ExactDistribution {
  /** Number of coordinates d. */
  readonly dimension: number;
  /** The weights π_k, summing to 1. */
  readonly weights: Float64Array;
  /** The components, each an exact noise predictor of its own: the class-conditional distributions. */
  readonly components: readonly Gaussian[];
  readonly #logWeights: Float64Array;

  /**
   * The mixture of the given components.
   *
   * @param weights proportional to π_k
   * @throws {RangeError} When a weight is negative or not finite, all are zero, or the numbers of weights, components
   * and coordinates do not fit.
   */
  constructor(weights: ArrayLike<number>, components: readonly Gaussian[]) {
    if (!isList(weights)) throw new TypeError(`weights must be a list of numbers, got ${quoted(weights)}`);
    requireArray("components", components);
    const stranger = components.find((component) => !(component instanceof Gaussian));
    if (stranger !== undefined || (components as readonly unknown[]).includes(undefined)) {
      throw new TypeError(`components must be Gaussians, got ${quoted(stranger)}`);
    }
    if (components.length === 0 || components.length !== weights.length) {
      throw new RangeError(
        `expected a weight for each component, got ${weights.length} for ${components.length}`,
      );
    }
    for (let k = 0; k < weights.length; k++) {
      if (!(weights[k] >= 0 && Number.isFinite(weights[k]))) {
        throw new RangeError(`weights must be finite and not negative, got ${quoted(weights[k])}`);
      }
    }
    const values = Float64Array.from(weights);
    const total = values.reduce((sum, value) => sum + value);
    if (total === 0) throw new RangeError("weights must not all be zero");
    this.dimension = components[0].dimension;
    const other = components.find(({ dimension }) => dimension !== this.dimension);
    if (other !== undefined) {
      throw new RangeError(
        `components must share one dimension, got ${this.dimension} and ${other.dimension}`,
      );
    }
    this.weights = values.map((value) => value / total);
    this.components = [...components];
    this.#logWeights = this.weights.map(Math.log);
  }

  /**
   * Builds a mixture from plain numbers.
   *
   * @throws {RangeError} As the constructors of GaussianMixture and Gaussian do.
   * @example
   * ```ts
   * import { GaussianMixture } from "./gaussian_mixture.ts";
   * const mixture = GaussianMixture.from({
   *   weights: [0.3, 0.7],
   *   means: [[-1, 0], [2, 1]],
   *   covariances: [[[1, 0], [0, 1]], [[0.5, 0.2], [0.2, 0.5]]],
   * });
   * console.assert(mixture.given([0], [-1]).dimension === 1);
   * ```
   */
  static from(config: GaussianMixtureConfig): GaussianMixture {
    requireOptions("config", config);
    const { weights, means, covariances } = config;
    requireArray("means", means);
    requireArray("covariances", covariances);
    if (covariances.length !== means.length) {
      throw new RangeError(
        `expected a covariance for each mean, got ${covariances.length} for ${means.length}`,
      );
    }
    const components = means.map((mean, k) => new Gaussian({ mean, covariance: covariances[k] }));
    return new GaussianMixture(weights, components);
  }

  /** Draws [count, d]: one uniform number a row for the component, then d normal ones. */
  sample(rng: Rng, count: number): tf.Tensor2D {
    const { dimension } = this;
    requireRng("rng", rng);
    requireWhole("count", count);
    const chosen = rng.uniformValues([count, 1]);
    const normal = rng.normalValues([count, dimension]);
    const values = new Float32Array(count * dimension);
    for (let row = 0; row < count; row++) {
      const component = this.components[this.#componentAt(chosen[row])];
      values.set(component.pointOf(normal.subarray(row * dimension, (row + 1) * dimension)), row * dimension);
    }
    return tf.tensor2d(values, [count, dimension]);
  }

  /** ε̂(y, ν) = Σ r_k ε̂_k, of y's shape [B, …]. */
  predictNoise(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor {
    return this.#average(
      y,
      noiseRatio,
      (component, rows, own) => component.predictNoise(rows, noiseRatio, own),
    );
  }

  /** E[x_0 | y] = Σ r_k E_k[x_0 | y], of y's shape [B, …]. */
  posteriorMean(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor {
    return this.#average(
      y,
      noiseRatio,
      (component, rows, own) => component.posteriorMean(rows, noiseRatio, own),
    );
  }

  /** Log density [B] in nats of y = x_0 + ν ε at y [B, …]. */
  logDensity(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor1D {
    return tf.tidy(() => normalize(this.#joint(y, noiseRatio)).logSum);
  }

  /** The probability r_k of each component given y [B, …]: [B, K]. */
  responsibilities(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor2D {
    return tf.tidy(() => normalize(this.#joint(y, noiseRatio)).probabilities);
  }

  /**
   * The noise predictor conditional on each row's component: row i is predicted under component labels[i].
   *
   * @throws {RangeError} When a label is not a component's index, or, when used, there is not one label per row.
   */
  withLabels(labels: ArrayLike<number>): NoisePredictor {
    if (!isList(labels)) throw new TypeError(`labels must be a list of numbers, got ${quoted(labels)}`);
    checkLabels(labels, this.components.length);
    return {
      predictNoise: (y, noiseRatio) =>
        tf.tidy(() => {
          checkLabels(labels, this.components.length, y.shape[0]);
          const indices = tf.tensor1d(Int32Array.from(labels), "int32");
          const chosen = tf.cast(tf.oneHot(indices, this.components.length), "float32") as tf.Tensor2D;
          const rows = asRows(y, this.dimension);
          const parts = this.components.map((component) => component.predictNoise(rows, noiseRatio));
          return tf.reshape(weightedSum(chosen, parts), y.shape);
        }),
    };
  }

  /** The posterior of x_0 given one y [d] = x_0 + ν ε, in float64. */
  posterior(y: ArrayLike<number>, noiseRatio: number): Posterior {
    const parts = this.components.map((component) => component.posterior(y, noiseRatio));
    const joint = parts.map(({ logDensity }, k) => logDensity + this.#logWeights[k]);
    const largest = Math.max(...joint);
    const shares = joint.map((value) => Math.exp(value - largest));
    const total = shares.reduce((sum, share) => sum + share);
    const responsibilities = Float64Array.from(shares, (share) => share / total);
    const average = (of: (part: Posterior) => number) =>
      parts.reduce((sum, part, k) => sum + responsibilities[k] * of(part), 0);
    const noise = Float64Array.from(this.components[0].mean, (_, i) => average((part) => part.noise[i]));
    const mean = noise.map((_, i) => average((part) => part.mean[i]));
    const covariance = () => {
      const within = parts.map((part) => part.covariance());
      const offset = (k: number, i: number) => parts[k].mean[i] - mean[i];
      const entry = (i: number, j: number) =>
        responsibilities.reduce((sum, r, k) => sum + r * (within[k][i][j] + offset(k, i) * offset(k, j)), 0);
      return Array.from(mean, (_, i) => Array.from(mean, (_, j) => entry(i, j)));
    };
    return { logDensity: largest + Math.log(total), responsibilities, noise, mean, covariance };
  }

  /**
   * The distribution of A x + b for an operator A [m, d] and an offset b [m], 0 by default: marginals, projections,
   * rotations.
   */
  affine(operator: readonly (readonly number[])[], offset?: ArrayLike<number>): GaussianMixture {
    return new GaussianMixture(
      this.weights,
      this.components.map((component) => component.affine(operator, offset)),
    );
  }

  /**
   * The posterior of x given values = A x + √noiseVariance ε, with A [m, d]: weights ∝ π_k N(values; A μ_k,
   * A Σ_k Aᵀ + noiseVariance).
   *
   * @throws {RangeError} When the values have no density (noiseVariance is 0 and A x has no variance).
   */
  observing(
    operator: readonly (readonly number[])[],
    values: ArrayLike<number>,
    noiseVariance = 0,
  ): GaussianMixture {
    const parts = this.components.map((component) => component.observing(operator, values, noiseVariance));
    const joint = parts.map(({ logEvidence }, k) => logEvidence + this.#logWeights[k]);
    const largest = Math.max(...joint);
    return new GaussianMixture(
      joint.map((value) => Math.exp(value - largest)),
      parts.map(({ posterior }) => posterior),
    );
  }

  /**
   * The distribution of the remaining coordinates, in their order, given the values of some.
   *
   * @throws {RangeError} When a coordinate is not one of 0 … d−1, is named twice, or none remains.
   */
  given(coordinates: readonly number[], values: ArrayLike<number>): GaussianMixture {
    requireArray("coordinates", coordinates);
    requireNumbers("values", values);
    const all = Array.from({ length: this.dimension }, (_, i) => i);
    const wrong = coordinates.find((c, i) =>
      typeof c !== "number" || all[c] === undefined || coordinates.indexOf(c) !== i
    );
    if (wrong !== undefined || (coordinates as readonly unknown[]).includes(undefined)) {
      throw new RangeError(
        `coordinates must be distinct and from 0 to ${this.dimension - 1}, got ${quoted(wrong)}`,
      );
    }
    const remaining = all.filter((i) => !coordinates.includes(i));
    if (remaining.length === 0) throw new RangeError("at least one coordinate must remain, all are given");
    const select = (chosen: readonly number[]) => chosen.map((c) => all.map((i) => i === c ? 1 : 0));
    if (coordinates.length === 0) return this;
    return this.observing(select(coordinates), values).affine(select(remaining));
  }

  #componentAt(uniform: number): number {
    let left = uniform;
    for (let k = 0; k < this.weights.length - 1; k++) {
      left -= this.weights[k];
      if (left < 0) return k;
    }
    return this.weights.length - 1;
  }

  /** ln(π_k N(y; μ_k, Σ_k + ν²)), [B, K]; `coordinates` are y's for each component, if they are known. */
  #joint(y: tf.Tensor, noiseRatio: PerRow, coordinates: readonly tf.Tensor2D[] = []): tf.Tensor2D {
    const densities = this.components.map((component, k) =>
      component.logDensity(y, noiseRatio, coordinates[k])
    );
    // Stacked as rows and turned: columns that are put side by side are copied number by number.
    const columns = tf.transpose(tf.stack(densities)) as tf.Tensor2D;
    return tf.add(columns, tf.tensor1d(Float32Array.from(this.#logWeights)));
  }

  /** Σ_k r_k(y) of(component k), of y's shape. */
  #average(
    y: tf.Tensor,
    noiseRatio: PerRow,
    of: (component: Gaussian, rows: tf.Tensor2D, coordinates: tf.Tensor2D) => tf.Tensor,
  ): tf.Tensor {
    return tf.tidy(() => {
      const rows = asRows(y, this.dimension);
      const coordinates = this.components.map((component) => component.coordinates(rows));
      const { probabilities } = normalize(this.#joint(rows, noiseRatio, coordinates));
      const parts = this.components.map((component, k) => of(component, rows, coordinates[k]));
      return tf.reshape(weightedSum(probabilities, parts), y.shape);
    });
  }
}

/** Softmax and log-sum-exp over the columns, shifted by the largest so that far tails neither vanish nor overflow. */
function normalize(joint: tf.Tensor2D): { logSum: tf.Tensor1D; probabilities: tf.Tensor2D } {
  const largest = tf.max(joint, 1, true);
  const shares = tf.exp(tf.sub(joint, largest));
  const total = tf.sum(shares, 1, true);
  return {
    logSum: tf.squeeze(tf.add(largest, tf.log(total)), [1]),
    probabilities: tf.div(shares, total),
  };
}

/** Σ_k weights[:, k] · parts[k], for weights [B, K] and parts [B, d]. */
function weightedSum(weights: tf.Tensor2D, parts: readonly tf.Tensor[]): tf.Tensor {
  const columns = tf.split(tf.transpose(weights), parts.length);
  return tf.addN(parts.map((part, k) => tf.mul(part, tf.reshape(columns[k], [-1, 1]))));
}

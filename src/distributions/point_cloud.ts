/**
 * A mixture of equal round Gaussians at given points: a quadrature of distributions along a curve or a surface.
 * @module
 */
import { column, mapPerRow, type PerRow, requireRatios } from "../compute/rows.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { asRows, type ExactDistribution } from "./distribution.ts";
import { requireBetween, requireNumbers, requireWhole } from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";

/**
 * (1/K) Σ N(point_k, std² I). With points evenly along a curve, closer than `std` to each other, it is the
 * distribution of the curve plus noise to many digits: the sum is the trapezoidal rule. All points are in one tensor,
 * so that thousands are fast; for components with different covariances use GaussianMixture.
 */
export class PointCloud implements ExactDistribution {
  /** Number of coordinates d. */
  readonly dimension: number;
  /** The points, [K, d]. */
  readonly points: Float32Array;
  /** Standard deviation of the noise around each point. */
  readonly std: number;

  /**
   * A cloud of the given points.
   *
   * @param points [K, d], row-major, K ≥ 1.
   * @param std Standard deviation around each, not negative; with 0 only noised versions (ν > 0) have a density.
   * @throws {RangeError} If the points are no whole number of rows, a number is not finite, or std is negative.
   */
  constructor(points: ArrayLike<number>, dimension: number, std: number) {
    requireNumbers("points", points, (value) => Math.abs(value) < 1e18, "finite numbers below 1e18");
    requireWhole("dimension", dimension, 1);
    requireBetween("std", std, 0);
    if (points.length === 0 || points.length % dimension !== 0) {
      throw new RangeError(
        `${points.length} numbers are no positive number of ${dimension}-dimensional points`,
      );
    }
    this.points = Float32Array.from(points);
    this.dimension = dimension;
    this.std = std;
  }

  /** Draws [count, d]: one uniform number a row for the point, then d normal ones. */
  sample(rng: Rng, count: number): tf.Tensor2D {
    const { dimension, points, std } = this;
    requireRng("rng", rng);
    requireWhole("count", count);
    const chosen = rng.uniformValues([count, 1]);
    const normal = rng.normalValues([count, dimension]);
    const size = points.length / dimension;
    const values = normal.map((z, at) => {
      const point = Math.floor(chosen[Math.floor(at / dimension)] * size);
      return points[point * dimension + at % dimension] + std * z;
    });
    return tf.tensor2d(values, [count, dimension]);
  }

  /** Log density [B] in nats of y = x_0 + ν ε at y [B, …]. */
  logDensity(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor1D {
    return tf.tidy(() => {
      const { largest, total } = this.#given(y, noiseRatio);
      const logSum = tf.squeeze(tf.add(largest, tf.log(total)), [1]);
      const volume = mapPerRow(noiseRatio, (ratio) => this.#logVolume(ratio));
      return tf.sub(logSum, column(volume, logSum));
    });
  }

  /** E[x_0 | y], of y's shape: the mean over the points of point + (y − point) std²/(std² + ν²). */
  posteriorMean(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor {
    return tf.tidy(() => {
      const { rows, offset } = this.#given(y, noiseRatio);
      const share = mapPerRow(noiseRatio, (ratio) => ratio ** 2 / (this.std ** 2 + ratio ** 2));
      return tf.reshape(tf.sub(rows, tf.mul(offset, column(share, rows))), y.shape);
    });
  }

  /** ε̂(y, ν) = ν E[y − point | y]/(std² + ν²), of y's shape [B, …]. */
  predictNoise(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor {
    return tf.tidy(() => {
      const { rows, offset } = this.#given(y, noiseRatio);
      const factor = mapPerRow(noiseRatio, (ratio) => ratio / (this.std ** 2 + ratio ** 2));
      return tf.reshape(tf.mul(offset, column(factor, rows)), y.shape);
    });
  }

  #logVolume(noiseRatio: number): number {
    const variance = this.std ** 2 + noiseRatio ** 2;
    return Math.log(this.points.length / this.dimension) +
      0.5 * this.dimension * Math.log(2 * Math.PI * variance);
  }

  /** Log-sum-exp over the points and E[y − point | y], [B, d]; the points' shares are relative to the largest. */
  #given(y: tf.Tensor, noiseRatio: PerRow) {
    requireRatios(noiseRatio);
    const rows = asRows(y, this.dimension);
    const points = tf.tensor2d(this.points, [this.points.length / this.dimension, this.dimension]);
    const offsets = tf.split(rows, this.dimension, 1).map((coordinate, i) =>
      tf.sub(coordinate, tf.reshape(tf.slice(points, [0, i], [-1, 1]), [1, -1]))
    );
    const squares = tf.addN(offsets.map((offset) => tf.square(offset)));
    const precision = mapPerRow(noiseRatio, (ratio) => -0.5 / (this.std ** 2 + ratio ** 2));
    const joint = tf.mul(squares, column(precision, squares));
    const largest = tf.max(joint, 1, true);
    const shares = tf.exp(tf.sub(joint, largest));
    const total = tf.sum(shares, 1, true);
    const mean = offsets.map((offset) => tf.div(tf.sum(tf.mul(offset, shares), 1, true), total));
    return { rows, largest, total, offset: tf.concat(mean, 1) };
  }
}

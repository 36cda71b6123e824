/**
 * The banana: a Gaussian twisted along a parabola, x_1 ~ N(0, width²), x_2 | x_1 ~ N(bend·(x_1² − width²), thickness²)
 * (Haario et al. 1999). Its mean is 0, its density and score have closed forms, and its noised distribution is one
 * integral.
 * @module
 */
import { column, mapPerRow, type PerRow, requireRatios } from "../compute/rows.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { asRows, type ExactDistribution } from "./distribution.ts";
import { requireFinite, requireOptions, requirePositive } from "../input/require.ts";

/** The shape of a {@linkcode Banana}. */
export interface BananaOptions {
  /** Standard deviation of x_1, positive. Default 1. */
  readonly width?: number;
  /** Standard deviation of x_2 about the parabola, positive. Default 0.3. */
  readonly thickness?: number;
  /** Curvature of the parabola. Default 0.7. */
  readonly bend?: number;
}

/** Nodes and log weights of the trapezoidal rule for the standard normal distribution on [−8, 8]. */
const NODES = Float32Array.from({ length: 129 }, (_, i) => (i - 64) / 8);
const LOG_WEIGHTS = NODES.map((z) => -0.5 * z * z - Math.log(8 * Math.sqrt(2 * Math.PI)));

/**
 * A twisted Gaussian in the plane. Given x_1 the noised x_2 is Gaussian, and x_1 given y_1 is Gaussian too, so
 * density, score and posterior of y = x_0 + ν ε are averages over one normal variable, taken by the trapezoidal rule
 * over ±8 standard deviations; it converges exponentially, and at ν = 0 the integrand is constant. Where all of the
 * posterior lies beyond those 8 deviations (far outside the parabola), values stay finite but are not exact.
 */
export class Banana implements ExactDistribution {
  /** Number of coordinates. */
  readonly dimension = 2;
  /** Standard deviation of x_1. */
  readonly width: number;
  /** Standard deviation of x_2 about the parabola. */
  readonly thickness: number;
  /** Curvature of the parabola. */
  readonly bend: number;

  /**
   * A banana of the given shape.
   *
   * @throws {RangeError} When width or thickness is not positive, or bend is not finite.
   */
  constructor(options: BananaOptions = {}) {
    requireOptions("options", options);
    const { width = 1, thickness = 0.3, bend = 0.7 } = options;
    requirePositive("width", width);
    requirePositive("thickness", thickness);
    requireFinite("bend", bend);
    this.width = width;
    this.thickness = thickness;
    this.bend = bend;
  }

  /** Draws [count, 2]. */
  sample(rng: Rng, count: number): tf.Tensor2D {
    const values = rng.normalValues([count, 2]);
    for (let i = 0; i < values.length; i += 2) {
      const along = this.width * values[i];
      values[i] = along;
      values[i + 1] = this.thickness * values[i + 1] + this.bend * (along ** 2 - this.width ** 2);
    }
    return tf.tensor2d(values, [count, 2]);
  }

  /** Log density [B] in nats of y = x_0 + ν ε at y [B, 2]. */
  logDensity(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor1D {
    return tf.tidy(() => this.#given(y, noiseRatio).logDensity);
  }

  /** Score ∇ log density [B, 2] of y = x_0 + ν ε at y [B, 2]; ν = 0 gives the banana's own. */
  score(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor2D {
    return tf.tidy(() => {
      const { first, varianceOfFirst, offset, varianceOfSecond, pull, average } = this.#given(y, noiseRatio);
      const along = tf.div(tf.sub(tf.mul(pull, this.width ** 2), first), varianceOfFirst);
      const across = tf.neg(tf.div(average(offset), varianceOfSecond));
      return tf.concat([along, across], 1) as tf.Tensor2D;
    });
  }

  /** ε̂(y, ν) = −ν ∇ log density, [B, 2]. */
  predictNoise(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor {
    return tf.tidy(() =>
      tf.mul(this.score(y, noiseRatio), column(mapPerRow(noiseRatio, (ratio) => -ratio), y))
    );
  }

  /** E[x_0 | y], [B, 2]. */
  posteriorMean(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor {
    return tf.tidy(() => {
      const { centre, second, spread, parabola, varianceOfSecond, pull, average } = this.#given(
        y,
        noiseRatio,
      );
      const noise = column(mapPerRow(noiseRatio, (ratio) => ratio ** 2), second);
      const along = tf.add(centre, tf.mul(tf.square(spread), pull));
      const weighted = tf.add(tf.mul(second, this.thickness ** 2), tf.mul(average(parabola), noise));
      return tf.concat([along, tf.div(weighted, varianceOfSecond)], 1);
    });
  }

  /**
   * The distribution of x_1 given y at the nodes of the rule, and y's density by it. Shapes [B, nodes], [B, 1] or [].
   */
  #given(y: tf.Tensor, noiseRatio: PerRow) {
    const { width, thickness, bend } = this;
    requireRatios(noiseRatio, LARGEST_RATIO);
    const [first, second] = tf.split(asRows(y, 2), 2, 1);
    const perRow = (f: (ratio: number) => number) => column(mapPerRow(noiseRatio, f), first);
    const totalOfFirst = (ratio: number) => width ** 2 + ratio ** 2;
    const varianceOfFirst = perRow(totalOfFirst);
    const varianceOfSecond = perRow((ratio) => thickness ** 2 + ratio ** 2);
    const centre = tf.div(tf.mul(first, width ** 2), varianceOfFirst);
    const spread = perRow((ratio) => width * ratio / Math.sqrt(totalOfFirst(ratio)));
    const along = tf.add(centre, tf.mul(spread, tf.tensor2d(NODES, [1, NODES.length])));
    const parabola = tf.mul(tf.sub(tf.square(along), width ** 2), bend);
    const offset = tf.sub(second, parabola);
    const joint = tf.sub(
      tf.tensor2d(LOG_WEIGHTS, [1, NODES.length]),
      tf.div(tf.square(offset), tf.mul(varianceOfSecond, 2)),
    );
    const largest = tf.max(joint, 1, true);
    const shares = tf.exp(tf.sub(joint, largest));
    const total = tf.sum(shares, 1, true);
    const average = (values: tf.Tensor) => tf.div(tf.sum(tf.mul(values, shares), 1, true), total);
    const logVolume = tf.log(tf.mul(tf.sqrt(tf.mul(varianceOfFirst, varianceOfSecond)), 2 * Math.PI));
    const distance = tf.div(tf.square(first), tf.mul(varianceOfFirst, 2));
    const logDensity = tf.sub(tf.sub(tf.add(largest, tf.log(total)), distance), logVolume);
    return {
      first,
      second,
      varianceOfFirst,
      varianceOfSecond,
      /** Mean and standard deviation of x_1 given y_1 alone. */
      centre,
      spread,
      parabola,
      offset,
      /**
       * The derivative in x_1 of y_2's log density: spread times its mean is E[z | y], by parts, with no digits lost.
       */
      pull: tf.div(average(tf.mul(offset, tf.mul(along, 2 * bend))), varianceOfSecond),
      average,
      logDensity: tf.squeeze(logDensity, [1]) as tf.Tensor1D,
    };
  }
}

/** Beyond this ν the product of the two variances, ν⁴, nears the largest float32. */
const LARGEST_RATIO = 1e9;

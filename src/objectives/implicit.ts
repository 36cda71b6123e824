/**
 * Implicit score matching (Hyvärinen 2005): an objective of the model's score and its divergence, without the true
 * score.
 * @module
 */
import { gradientOf } from "../compute/gradient.ts";
import * as tf from "../compute/tf.ts";
import { halfSquares, meanOfRows, requireLike, type ScoreFunction } from "./score_matching.ts";
import { requireFunction } from "../input/require.ts";

/**
 * Implicit score matching, E[tr ∇s(x) + ½‖s(x)‖²] (Hyvärinen 2005, eq. 4), with the exact trace: d derivatives of the
 * model. Integration by parts makes it explicit score matching less the constant ½ E‖∇log p‖², for distributions that
 * vanish at infinity and have no jumps.
 *
 * @param x Points [B, d] of the data.
 * @throws {RangeError} If x is not [B, d].
 */
export function implicitScoreMatching(score: ScoreFunction, x: tf.Tensor2D): tf.Scalar {
  requireFunction("score", score);
  requireLike("the points", x, x);
  const [, d] = x.shape;
  return tf.tidy(() => {
    const diagonal = Array.from({ length: d }, (_, i) => {
      const axis = tf.tensor2d(Float32Array.from({ length: d }, (_, j) => i === j ? 1 : 0), [1, d]);
      return quadraticForm(score, x, tf.tile(axis, [x.shape[0], 1]));
    });
    const trace = tf.addN(diagonal);
    return meanOfRows(tf.add(trace, halfSquares(score(x))));
  });
}

/**
 * vᵀ ∇s(x) v for each row, [B], by one derivative of the model. The result is differentiable.
 *
 * @param x Points [B, d].
 * @param v Directions [B, d].
 */
export function quadraticForm(score: ScoreFunction, x: tf.Tensor2D, v: tf.Tensor): tf.Tensor1D {
  requireFunction("score", score);
  requireLike("v", v, x);
  // The rows do not depend on each other: one derivative of the sum is that of every row.
  const along = (x: tf.Tensor) => tf.sum(tf.mul(score(x as tf.Tensor2D), v));
  return tf.tidy(() => tf.sum(tf.mul(gradientOf(along, "the score")(x), v), 1));
}

/**
 * Explicit and denoising score matching at one noise level (Vincent 2011): the objectives that are minimal, over all
 * functions, at the score of the data, and of the noised data.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { requireFunction, requirePositive } from "../input/require.ts";
import { requireTensor } from "../compute/require_tensor.ts";

/** A model of the score, s(x) [B, d] at points x [B, d], row by row; made of operations that have gradients. */
export type ScoreFunction = (x: tf.Tensor2D) => tf.Tensor;

/**
 * Explicit score matching, ½ E‖s(x) − ∇log p(x)‖² (Hyvärinen 2005, eq. 2; Vincent 2011, eq. 3), half the Fisher
 * divergence, for a known true score. The other objectives equal it up to a constant or noise.
 *
 * @param x Points [B, d].
 * @param exact ∇ log p at the points, [B, d].
 * @throws {RangeError} If the shapes are not the same.
 */
export function explicitScoreMatching(
  score: ScoreFunction,
  x: tf.Tensor2D,
  exact: tf.Tensor2D,
): tf.Scalar {
  requireFunction("score", score);
  requireLike("the exact score", exact, x);
  return tf.tidy(() => meanOfRows(halfSquares(tf.sub(score(x), exact))));
}

/**
 * Denoising score matching at one noise level, ½ E‖s(x + σ ε) + ε/σ‖² (Vincent 2011, eq. 9–11): the score of the noised
 * data's distribution is its minimum, and it differs from explicit score matching of that distribution by a constant.
 *
 * @param data x, [B, d].
 * @param noise Standard normal ε, [B, d].
 * @param sigma σ, positive.
 * @throws {RangeError} If the shapes are not the same or sigma is not positive.
 */
export function denoisingScoreMatching(
  score: ScoreFunction,
  data: tf.Tensor2D,
  noise: tf.Tensor2D,
  sigma: number,
): tf.Scalar {
  requireFunction("score", score);
  requireLike("the noise", noise, data);
  requirePositive("sigma", sigma);
  return tf.tidy(() => {
    const noisy: tf.Tensor2D = tf.add(data, tf.mul(noise, sigma));
    return meanOfRows(halfSquares(tf.add(score(noisy), tf.div(noise, sigma))));
  });
}

/** ½‖row‖², [B]. */
export function halfSquares(rows: tf.Tensor): tf.Tensor1D {
  return tf.mul(tf.sum(tf.square(rows), 1), 0.5);
}

/** The mean over a batch [B], a scalar. */
export function meanOfRows(values: tf.Tensor): tf.Scalar {
  return tf.mean(values);
}

/** Throws unless a tensor has the points' shape [B, d]. */
export function requireLike(what: string, tensor: tf.Tensor, points: tf.Tensor): void {
  requireTensor("the points", points);
  requireTensor(what, tensor);
  if (points.rank !== 2 || String(tensor.shape) !== String(points.shape)) {
    throw new RangeError(
      `${what} must have the shape [rows, d] of the points, got [${tensor.shape}] for [${points.shape}]`,
    );
  }
}

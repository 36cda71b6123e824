/**
 * Sliced score matching (Song, Garg, Shi & Ermon 2019): implicit score matching along random directions, one derivative
 * of the model a direction in any number of dimensions.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { checkName } from "../input/option_name.ts";
import { quadraticForm } from "./implicit.ts";
import { halfSquares, meanOfRows, requireLike, type ScoreFunction } from "./score_matching.ts";
import { requireBoolean, requireFunction, requireOptions, requireShape } from "../input/require.ts";
import { requireRng } from "../input/require_parts.ts";

/** Options of {@linkcode slicedScoreMatching}. */
export interface SlicedOptions {
  /**
   * Use ½‖s‖², the mean of ½(vᵀs)² over directions, in its place (Song et al. 2019, eq. 8, "SSM-VR"). Default true.
   */
  readonly reducedVariance?: boolean;
}

/**
 * Sliced score matching, E[vᵀ ∇s(x) v + ½(vᵀ s(x))²] (Song et al. 2019, eq. 7), or with ½‖s(x)‖² (eq. 8). Its mean over
 * directions is implicit score matching.
 *
 * @param x Points [B, d] of the data.
 * @param directions v, [B, d], with E v vᵀ = I; draw them anew for each batch ({@linkcode sliceDirections}).
 * @throws {RangeError} If the shapes are not the same.
 */
export function slicedScoreMatching(
  score: ScoreFunction,
  x: tf.Tensor2D,
  directions: tf.Tensor2D,
  options: SlicedOptions = {},
): tf.Scalar {
  requireFunction("score", score);
  requireOptions("options", options);
  const { reducedVariance = true } = options;
  requireBoolean("reducedVariance", reducedVariance);
  requireLike("the directions", directions, x);
  return tf.tidy(() => {
    const s = score(x);
    const norm = reducedVariance ? halfSquares(s) : tf.mul(tf.square(tf.sum(tf.mul(s, directions), 1)), 0.5);
    return meanOfRows(tf.add(quadraticForm(score, x, directions), norm));
  });
}

/**
 * Directions [B, d] for {@linkcode slicedScoreMatching}: signs ±1, whose squares do not fluctuate, or normal numbers.
 */
export function sliceDirections(
  rng: Rng,
  shape: readonly [number, number],
  distribution: "rademacher" | "normal" = "rademacher",
): tf.Tensor2D {
  requireRng("rng", rng);
  requireShape("shape", shape);
  checkName("distribution", distribution, ["rademacher", "normal"]);
  return (distribution === "normal" ? rng.normal(shape) : rng.rademacher(shape)) as tf.Tensor2D;
}

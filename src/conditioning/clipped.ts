/**
 * Predicted data kept within the range of the data, as DDPM's and Imagen's samplers keep them.
 * @module
 */
import { column, mapPerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, tidied } from "../compute/tidied.ts";
import { type ScoreModel, scoreModelFromNoise } from "../diffusion/noise_predictor.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { requireFinite, requireOptions } from "../input/require.ts";
import { requireModel } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** Options of {@linkcode clippedModel}. */
export interface ClipOptions {
  /** The least value of data; default -1. */
  readonly low?: number;
  /** The largest value of data, above `low`; default 1. */
  readonly high?: number;
  /**
   * Of dynamic thresholding the share of a sample's values that stay within the range, above 0 and at most 1: Imagen has 0.995.
   * Absent to cut values off at the range.
   */
  readonly percentile?: number;
}

/**
 * The model whose predicted data D = E[x_0 | x] are cut off at the range of the data: at `low` and `high` (Ho et al. 2020, the
 * code; diffusers' `clip_sample`), or by dynamic thresholding (Saharia et al. 2022, "Imagen", Section 2.3; diffusers'
 * `thresholding`): with s the percentile of |D − centre| over a sample's values, in halves of the range, and at least 1,
 *
 *   D' = centre + clip(D − centre, −s·half, s·half)/s,   ε̂' = ε̂ + (α/σ)(D − D').
 *
 * The noise follows, so that every sampler takes the clipped data. Where nothing is cut off, ε̂ is the model's, bit for bit.
 * The result is no score of any distribution: samples are biased towards the middle of the range, the more the farther the
 * model's data reach beyond it, and dynamic thresholding greys a ground that lies at an end of the range, as digits'. It is there for guidance scales at which they reach far; exact models need it not, and it takes
 * no part unless asked for. Likelihoods are of the model itself.
 *
 * @example The data of a wide Gaussian, cut off at 1
 * ```ts
 * import * as tf from "../compute/tf.ts";
 * import { scoreModel } from "../diffusion/noise_predictor.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { Gaussian } from "../distributions/gaussian.ts";
 * import { clippedModel } from "./clipped.ts";
 * const model = clippedModel(scoreModel(new Gaussian({ mean: [0], variances: [9] }), vpSde()));
 * const [denoised] = await model.denoised(tf.tensor2d([[2.5]]), 0.1).data();
 * console.assert(Math.abs(denoised - 1) < 1e-5);
 * ```
 * @throws {RangeError} When `low` is not below `high` or the percentile is not above 0 and at most 1.
 */
export function clippedModel<Result extends Awaitable<tf.Tensor>>(
  model: ScoreModel<Result>,
  options: ClipOptions = {},
): ScoreModel<Result> {
  requireModel("model", model);
  requireOptions("options", options);
  const { low = -1, high = 1, percentile } = options;
  requireFinite("low", low);
  requireFinite("high", high);
  if (low >= high) throw new RangeError(`low must be below high, got ${low} ≥ ${high}`);
  if (percentile !== undefined && !(typeof percentile === "number" && percentile > 0 && percentile <= 1)) {
    throw new RangeError(`percentile must be above 0 and at most 1, got ${quoted(percentile)}`);
  }
  const { sde } = model;
  const [centre, half] = [(low + high) / 2, (high - low) / 2];
  return scoreModelFromNoise(sde, (x, t) =>
    tidied((function* () {
      const noise = yield* awaited<tf.Tensor>(model.predictedNoise(x, t));
      const ratio = column(mapPerRow(t, (t) => noiseRatio(sde, t)), x);
      const data = x.div(column(mapPerRow(t, sde.alpha), x)).sub(noise.mul(ratio));
      const offset = data.sub(centre);
      const scale = percentile === undefined
        ? tf.scalar(1)
        : tf.maximum(percentileOf(offset, percentile).div(half), 1);
      const limit = scale.mul(half);
      const excess = tf.relu(offset.sub(limit)).sub(tf.relu(offset.neg().sub(limit)));
      // D − D', which is 0 where nothing is cut off.
      const cut = percentile === undefined
        ? excess
        : offset.mul(scale.sub(1).div(scale)).add(excess.div(scale));
      // Without noise there is none to be changed.
      const overNoise = mapPerRow(t, (t) => sde.sigma(t) > 0 ? 1 / noiseRatio(sde, t) : 0);
      return noise.add(cut.mul(column(overNoise, x)));
    })()) as Result, { consistency: model.consistency });
}

/** The percentile of each row's absolute values, between two of which it is linear; [B, 1, …]. */
function percentileOf(values: tf.Tensor, percentile: number): tf.Tensor {
  const rows = values.shape[0];
  const count = values.size / rows;
  const place = percentile * (count - 1);
  const below = Math.floor(place);
  // The largest first: place i from below is place count − 1 − i of these.
  const sorted = tf.topk(values.abs().reshape([rows, count]), count - below).values;
  const least = sorted.slice([0, count - below - 1], [rows, 1]);
  const next = sorted.slice([0, Math.max(0, count - below - 2)], [rows, 1]);
  const between = least.add(next.sub(least).mul(place - below));
  return between.reshape([rows, ...values.shape.slice(1).map(() => 1)]);
}

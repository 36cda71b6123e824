/**
 * Vector-Jacobian products of a model's predicted noise: by the model itself where it has them, else by TensorFlow.js.
 * @module
 */
import { atOnce, gradientOf, valueAndGradientOf } from "../compute/gradient.ts";
import type { PerRow } from "../compute/rows.ts";
import type * as tf from "../compute/tf.ts";
import { awaited, type Pausing } from "../compute/tidied.ts";
import type { AnyScoreModel } from "./noise_predictor.ts";

/** The noise's name in errors. */
const NOISE = "the predicted noise";

/** (∂ε̂/∂x)ᵀ dy of ε̂(x, t). */
export function* pullBackNoise(
  model: AnyScoreModel,
  x: tf.Tensor,
  t: PerRow,
  dy: tf.Tensor,
): Pausing<tf.Tensor> {
  if (model.pullBack !== undefined) return yield* awaited(model.pullBack(x, t, dy));
  return gradientOf(differentiable(model, t), NOISE)(x, dy);
}

/** ε̂(x, t), and (∂ε̂/∂x)ᵀ dy for each dy of a list that is not empty. */
export function* noiseAndPullBacks(
  model: AnyScoreModel,
  x: tf.Tensor,
  t: PerRow,
  list: readonly tf.Tensor[],
): Pausing<{ noise: tf.Tensor; pulled: tf.Tensor[] }> {
  if (model.pullBack === undefined) {
    const valueAndGradient = valueAndGradientOf(differentiable(model, t), NOISE);
    const both = list.map((dy) => valueAndGradient(x, dy));
    return { noise: both[0].value, pulled: both.map(({ grad }) => grad) };
  }
  const noise = yield* awaited(model.predictedNoise(x, t));
  const pulled: tf.Tensor[] = [];
  for (const dy of list) pulled.push(yield* awaited(model.pullBack(x, t, dy)));
  return { noise, pulled };
}

/** The predicted noise as a function for TensorFlow.js, which throws for a model that answers later. */
function differentiable(model: AnyScoreModel, t: PerRow): (x: tf.Tensor) => tf.Tensor {
  return (x) => atOnce(model.predictedNoise(x, t), NOISE, ": give pullBack");
}

/**
 * A model that gives another's answers by promises.
 * @module
 */
import type { PerRow } from "../../src/compute/rows.ts";
import * as tf from "../../src/compute/tf.ts";
import { type AnyScoreModel, scoreModelFromNoise } from "../../src/diffusion/noise_predictor.ts";

/** A model that gives the same answers later, when other computations have made and disposed tensors. */
export function answersLater(model: AnyScoreModel): AnyScoreModel {
  return scoreModelFromNoise(model.sde, async (x: tf.Tensor, t: PerRow) => {
    const noise = await model.predictedNoise(x, t);
    await null;
    tf.tidy(() => void tf.scalar(1).add(1));
    return noise;
  }, { consistency: model.consistency });
}

/**
 * The step of denoising score matching: its loss and its batches.
 * @module
 */
import type { ShapesOf } from "../compute/compile_record.ts";
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import type { Preconditioning } from "../diffusion/preconditioning.ts";
import type { Network } from "../networks/network.ts";
import {
  type PredictionInputs,
  predictionInputs,
  predictionShapes,
  predictNoise,
} from "../networks/noise_prediction.ts";
import { denoisingLoss, drawNoiseLevels, type ObjectiveConfig } from "../objectives/denoising.ts";
import { noisedBatch } from "./batch.ts";
import { type LossFunction, parameterGradient, type StepMethod } from "./step.ts";
import type { TrainingBatch, TrainingConfig } from "./train.ts";

/** The tensors of one batch. */
export interface DenoisingBatch {
  /** x_0, [B, …sampleShape]. */
  readonly data: tf.Tensor;
  /** ε, [B, …sampleShape]. */
  readonly noise: tf.Tensor;
  /** ν, [B, 1, …]. */
  readonly noiseRatio: tf.Tensor;
  /** w, [B, 1, …]. */
  readonly weight: tf.Tensor;
  /** Coefficients, noise features and classes. */
  readonly prediction: PredictionInputs;
}

/** Shapes of {@linkcode DenoisingBatch}. */
export function denoisingShapes(network: Network, rows: number): ShapesOf<DenoisingBatch> {
  const data = [rows, ...network.sampleShape];
  const column = data.map((length, axis) => axis === 0 ? length : 1);
  return {
    data,
    noise: data,
    noiseRatio: column,
    weight: column,
    prediction: predictionShapes(network, rows),
  };
}

/** The training method of denoising score matching. */
export function denoisingMethod(
  config: TrainingConfig,
  objective: ObjectiveConfig,
  network: Network,
): StepMethod<DenoisingBatch> {
  return {
    lossAndGradient: denoisingGradient(network, config.model.preconditioning),
    batchShapes: denoisingShapes(network, config.batch),
    batch: (images, done) => denoisingBatch(config, objective, network, images, done),
    dispose: () => {},
  };
}

/** The loss of a batch and its gradient. */
export function denoisingGradient(
  network: Network,
  preconditioning: Preconditioning | null,
): LossFunction<DenoisingBatch> {
  return ({ weights }, { data, noise, noiseRatio, weight, prediction }) =>
    parameterGradient(network.parameters, weights, (p) => {
      const noisy = tf.add(data, tf.mul(noise, noiseRatio));
      return denoisingLoss(predictNoise(network, preconditioning, p, noisy, prediction), noise, weight);
    });
}

/**
 * The data and random numbers of step `done` + 1.
 * @throws {RangeError} When the images do not have the network's size.
 */
export function denoisingBatch(
  config: TrainingConfig,
  objective: ObjectiveConfig,
  network: Network,
  batch: TrainingBatch,
  done: number,
): DenoisingBatch {
  const { data, noise, labels, rng } = noisedBatch(config, network, batch, done);
  const levels = drawNoiseLevels(objective, rng.fork("level"), config.batch);
  return {
    data,
    noise,
    noiseRatio: column(levels.noiseRatio, data),
    weight: column(levels.weight, data),
    prediction: predictionInputs(network, config.model.preconditioning, levels.noiseRatio, labels),
  };
}

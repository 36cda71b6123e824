/**
 * One training step as a pure function of a flat list of tensors, so that it can be compiled: weights, moments and a
 * batch in; their successors and the loss out.
 * @module
 */
import { valueAndGradientsOf } from "../compute/gradient.ts";
import * as tf from "../compute/tf.ts";
import {
  namedParameters,
  type Network,
  parameterCount,
  type Parameters,
  splitParameters,
} from "../networks/network.ts";
import { type PredictionInputs, predictionShapes, predictNoise } from "../networks/noise_prediction.ts";
import { denoisingLoss } from "../objectives/denoising.ts";
import type { Preconditioning } from "../diffusion/preconditioning.ts";
import { type OptimizerConfig, type OptimizerState, update, type UpdateScalars } from "./optimizer.ts";
import type { TrainingBatch } from "./train.ts";

/** The tensors of one batch. */
export interface BatchTensors {
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

/** What a step gives back. */
export interface StepResult {
  /** The next state. */
  readonly state: OptimizerState<tf.Tensor1D>;
  /** Loss of the batch, before the update. */
  readonly loss: tf.Scalar;
  /** Norm of the gradient before clipping. */
  readonly norm: tf.Scalar;
}

/** The flat list that {@link trainingFunction}'s function takes. */
export function stepInputs(
  state: OptimizerState<tf.Tensor1D>,
  scalars: UpdateScalars<tf.Scalar>,
  batch: BatchTensors,
): tf.Tensor[] {
  return [...optimizerInputs(state, scalars), ...batchInputs(batch)];
}

/** What every step takes before its batch. */
export function optimizerInputs(
  state: OptimizerState<tf.Tensor1D>,
  scalars: UpdateScalars<tf.Scalar>,
): tf.Tensor[] {
  return [
    ...[state.weights, state.ema, state.mean, state.variance],
    ...[scalars.rate, scalars.varianceScale, scalars.emaShare],
  ];
}

/** The tensors of a batch in the order of {@link stepInputs}. */
export function batchInputs({ data, noise, noiseRatio, weight, prediction }: BatchTensors): tf.Tensor[] {
  return [data, noise, noiseRatio, weight, ...prediction as readonly tf.Tensor[]];
}

/** Shapes of {@link stepInputs}, all float32. */
export function stepShapes(network: Network, rows: number): number[][] {
  return [...optimizerShapes(network), ...batchShapes(network, rows)];
}

/** Shapes of {@link optimizerInputs}. */
export function optimizerShapes(network: Network): number[][] {
  const count = parameterCount(network);
  return [[count], [count], [count], [count], [], [], []];
}

/** Shapes of {@link batchInputs}. */
export function batchShapes(network: Network, rows: number): number[][] {
  const [data, column] = [[rows, ...network.sampleShape], [rows, ...network.sampleShape.map(() => 1)]];
  return [data, data, column, column, ...predictionShapes(network, rows)];
}

/** The tensors that a step's function returned, by name. */
export function stepResult([weights, ema, mean, variance, loss, norm]: tf.Tensor[]): StepResult {
  return {
    state: { weights, ema, mean, variance } as OptimizerState<tf.Tensor1D>,
    loss: loss as tf.Scalar,
    norm: norm as tf.Scalar,
  };
}

/** A function of a flat list of tensors to another one, as `compile` takes it. */
export type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor[];

/** How an objective takes a step. */
export interface StepMethod {
  /** (weights, ema, mean, variance, rate, varianceScale, emaShare, …batch) to [weights, ema, mean, variance, loss, norm]. */
  readonly step: TensorFunction;
  /** Shapes of the batch's tensors, all float32. */
  readonly batchShapes: readonly number[][];
  /** The batch's tensors in step `done` + 1, which the caller owns. */
  batch(images: TrainingBatch, done: number): tf.Tensor[];
  /** Frees what the method holds; compiled steps keep their own copy. */
  dispose(): void;
}

/**
 * The step's function: {@link stepInputs} to [weights, ema, mean, variance, loss, norm].
 */
export function trainingFunction(
  network: Network,
  preconditioning: Preconditioning | null,
  optimizer: OptimizerConfig,
): TensorFunction {
  return updatingFunction(lossFunction(network, preconditioning), optimizer);
}

/**
 * A step that follows any gradient: (weights, ema, mean, variance, rate, varianceScale, emaShare, …batch) to
 * [weights, ema, mean, variance, loss, norm].
 *
 * @param lossAndGradient (weights [P], …batch) to [loss, gradient [P]].
 */
export function updatingFunction(
  lossAndGradient: TensorFunction,
  optimizer: OptimizerConfig,
): TensorFunction {
  return (weights, ema, mean, variance, rate, varianceScale, emaShare, ...batch) => {
    const state = { weights, ema, mean, variance } as OptimizerState<tf.Tensor1D>;
    const scalars = { rate, varianceScale, emaShare } as UpdateScalars<tf.Scalar>;
    const [loss, gradient] = lossAndGradient(weights, ...batch);
    const next = update(optimizer, state, gradient as tf.Tensor1D, scalars);
    return [next.state.weights, next.state.ema, next.state.mean, next.state.variance, loss, next.norm];
  };
}

/**
 * The loss and its gradient: (weights [P], data, noise, noiseRatio, weight, …prediction inputs) to [loss, gradient [P]].
 */
export function lossFunction(network: Network, preconditioning: Preconditioning | null): TensorFunction {
  return gradientFunction(network, (p, data, noise, noiseRatio, weight, ...prediction) => {
    const noisy = tf.add(data, tf.mul(noise, noiseRatio));
    const inputs = prediction as unknown as PredictionInputs;
    return denoisingLoss(predictNoise(network, preconditioning, p, noisy, inputs), noise, weight);
  });
}

/** Any loss of a network and its gradient: (weights [P], …batch) to [loss, gradient [P]]. */
export function gradientFunction(
  network: Pick<Network, "parameters">,
  loss: (p: Parameters, ...batch: tf.Tensor[]) => tf.Scalar,
): TensorFunction {
  return (weights, ...batch) => {
    // Split outside the tape: the gradient of a slice is a padded copy of all parameters.
    const tensors = splitParameters(network.parameters, weights as tf.Tensor1D);
    const { value, grads } = valueAndGradientsOf(
      (...tensors) => loss(namedParameters(network.parameters, tensors), ...batch),
      "the loss",
    )(tensors);
    return [value, tf.concat(grads.map((gradient) => tf.reshape(gradient, [-1])), 0)];
  };
}

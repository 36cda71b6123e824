/**
 * One training step as a pure function of named tensors, so that it can be compiled: from weights, moments and a
 * batch to the next weights and moments and the loss.
 * @module
 */
import { type CompiledRecordFunction, compileRecord, type ShapesOf } from "../compute/compile_record.ts";
import { valueAndGradientsOf } from "../compute/gradient.ts";
import * as tf from "../compute/tf.ts";
import {
  namedParameters,
  type Parameters,
  type ParameterSpec,
  splitParameters,
} from "../networks/network.ts";
import { type OptimizerConfig, type OptimizerState, update, type UpdateScalars } from "./optimizer.ts";
import type { TrainingBatch } from "./train.ts";

/** The arguments of a step. */
export interface StepInputs<Batch> {
  /** The state before the step. */
  readonly state: OptimizerState<tf.Tensor1D>;
  /** The scalars of the optimizer. */
  readonly scalars: UpdateScalars<tf.Scalar>;
  /** The data and random numbers of the batch. */
  readonly batch: Batch;
}

/** The results of a step. */
export interface StepResult {
  /** The next state. */
  readonly state: OptimizerState<tf.Tensor1D>;
  /** Loss of the batch, before the update. */
  readonly loss: tf.Scalar;
  /** Norm of the gradient before clipping. */
  readonly norm: tf.Scalar;
}

/** A loss and its gradient by the parameters. */
interface LossAndGradient {
  /** The loss. */
  readonly loss: tf.Scalar;
  /** Its gradient, [P]. */
  readonly gradient: tf.Tensor1D;
}

/** The loss and its gradient for a step, from the state before it and a batch. */
export type LossFunction<Batch> = (state: OptimizerState<tf.Tensor1D>, batch: Batch) => LossAndGradient;

/** The loss and the batches of an objective. */
export interface StepMethod<Batch> {
  /** The loss and its gradient. */
  lossAndGradient(state: OptimizerState<tf.Tensor1D>, batch: Batch): LossAndGradient;
  /** Shapes of the batch's tensors, all float32. */
  readonly batchShapes: ShapesOf<Batch>;
  /** The batch's tensors in step `done` + 1, which the caller owns. */
  batch(images: TrainingBatch, done: number): Batch;
  /** Disposes the method's tensors; compiled steps keep their own copy. */
  dispose(): void;
}

/** The training step of a loss and its gradient. */
export function trainingStep<Batch>(
  lossAndGradient: LossFunction<Batch>,
  optimizer: OptimizerConfig,
): (inputs: StepInputs<Batch>) => StepResult {
  return ({ state, scalars, batch }) => {
    const { loss, gradient } = lossAndGradient(state, batch);
    const next = update(optimizer, state, gradient, scalars);
    return { state: next.state, loss, norm: next.norm };
  };
}

/** Shapes of {@linkcode StepInputs} for P parameters. */
export function stepShapes<Batch>(count: number, batch: ShapesOf<Batch>): ShapesOf<StepInputs<Batch>> {
  return {
    state: { weights: [count], ema: [count], mean: [count], variance: [count] },
    scalars: { rate: [], varianceScale: [], emaShare: [] },
    batch,
  };
}

/** Compiles {@linkcode trainingStep} for P parameters. */
export function compileStep<Batch>(
  lossAndGradient: LossFunction<Batch>,
  optimizer: OptimizerConfig,
  count: number,
  batchShapes: ShapesOf<Batch>,
): Promise<CompiledRecordFunction<StepInputs<Batch>, StepResult>> {
  return compileRecord(trainingStep(lossAndGradient, optimizer), stepShapes(count, batchShapes));
}

/** A loss and its gradient by the concatenated parameters [P]. */
export function parameterGradient(
  specs: readonly ParameterSpec[],
  weights: tf.Tensor1D,
  loss: (p: Parameters) => tf.Scalar,
): LossAndGradient {
  // Split outside the tape: the gradient of a slice is a padded copy of all parameters.
  const { value, grads } = valueAndGradientsOf(
    (...tensors) => loss(namedParameters(specs, tensors)),
    "the loss",
  )(splitParameters(specs, weights));
  return { loss: value, gradient: tf.concat1d(grads.map((gradient) => tf.reshape(gradient, [-1]))) };
}

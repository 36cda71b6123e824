/**
 * One training step as a pure function of named tensors, so that it can be compiled: weights, moments and a batch in; their
 * successors and the loss out.
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

/** What a step takes. */
export interface StepInputs<Batch> {
  /** The state before the step. */
  readonly state: OptimizerState<tf.Tensor1D>;
  /** The scalars of the optimizer. */
  readonly scalars: UpdateScalars<tf.Scalar>;
  /** Everything that is data or random. */
  readonly batch: Batch;
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

/** A loss and its gradient by the parameters. */
interface LossAndGradient {
  /** The loss. */
  readonly loss: tf.Scalar;
  /** Its gradient, [P]. */
  readonly gradient: tf.Tensor1D;
}

/** The loss and the gradient that a step follows, of the state before it and a batch. */
export type LossFunction<Batch> = (state: OptimizerState<tf.Tensor1D>, batch: Batch) => LossAndGradient;

/** How an objective takes a step. */
export interface StepMethod<Batch> {
  /** What a step follows. */
  lossAndGradient(state: OptimizerState<tf.Tensor1D>, batch: Batch): LossAndGradient;
  /** Shapes of the batch's tensors, all float32. */
  readonly batchShapes: ShapesOf<Batch>;
  /** The batch's tensors in step `done` + 1, which the caller owns. */
  batch(images: TrainingBatch, done: number): Batch;
  /** Frees what the method holds; compiled steps keep their own copy. */
  dispose(): void;
}

/** The step that follows a gradient. */
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

/** Shapes of {@link StepInputs} for P parameters. */
export function stepShapes<Batch>(count: number, batch: ShapesOf<Batch>): ShapesOf<StepInputs<Batch>> {
  return {
    state: { weights: [count], ema: [count], mean: [count], variance: [count] },
    scalars: { rate: [], varianceScale: [], emaShare: [] },
    batch,
  };
}

/** Compiles {@link trainingStep} for P parameters. */
export function compileStep<Batch>(
  lossAndGradient: LossFunction<Batch>,
  optimizer: OptimizerConfig,
  count: number,
  batchShapes: ShapesOf<Batch>,
): Promise<CompiledRecordFunction<StepInputs<Batch>, StepResult>> {
  return compileRecord(trainingStep(lossAndGradient, optimizer), stepShapes(count, batchShapes));
}

/** A loss of parameters, given end to end [P], and its gradient. */
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

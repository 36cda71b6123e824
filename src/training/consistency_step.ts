/**
 * The step of consistency distillation or training: its loss and its batches.
 * @module
 */
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { sizeOf } from "../math/shape.ts";
import { checkedGuidance, guidanceWeight } from "../networks/guidance_interval.ts";
import {
  namedParameters,
  type Network,
  parameterCount,
  type Parameters,
  splitParameters,
} from "../networks/network.ts";
import {
  type ModelConfig,
  predictConsistency,
  type PredictionInputs,
  predictionInputs,
  predictionShapes,
  predictNoise,
} from "../networks/noise_prediction.ts";
import {
  consistencyLoss,
  type ConsistencyObjective,
  drawConsistencyLevels,
} from "../objectives/consistency.ts";
import { noisedBatch } from "./batch.ts";
import { type LossFunction, parameterGradient, type StepMethod } from "./step.ts";
import type { TrainingConfig } from "./train.ts";

/**
 * The method of consistency distillation (Song et al. 2023, Alg. 2), or training (Alg. 3) where the objective has no
 * teacher:
 *
 *   y_t = x_0 + t ε;   y_r = y_t + (r − t) ε̂_teacher(y_t, t), or x_0 + r ε without a teacher;
 *   loss = w(t, r) · Huber(f(y_t, t; weights) − f(y_r, r; moving average)).
 *
 * The solution at small t propagates to larger t through the moving average, gap by gap, so an average that is slow
 * from the first step delays training.
 *
 * @param teacher The teacher's weights, concatenated, [P]: a network of the same config. They are stored in the
 * compiled step.
 * @throws {RangeError} When the objective needs a teacher and it is missing or of another size.
 */
export function consistencyMethod(
  config: TrainingConfig,
  objective: ConsistencyObjective,
  network: Network,
  teacher: Float32Array | undefined,
): StepMethod<ConsistencyBatch> {
  const { model, batch: rows } = config;
  const count = parameterCount(network);
  if (objective.teacher !== null && teacher?.length !== count) {
    throw new RangeError(
      `consistency distillation needs a teacher of ${count} weights, got ${teacher?.length ?? "none"}`,
    );
  }
  const guidance = checkedGuidance(objective.teacher ?? 1);
  const distilled = objective.teacher !== null;
  const tensors = distilled ? teacherTensors(network, teacher!) : [];
  const slope = distilled ? guidedNoise(network, model, namedParameters(network.parameters, tensors)) : null;
  const data = [rows, ...network.sampleShape];
  const single = [rows, ...network.sampleShape.map(() => 1)];
  const inputs = predictionShapes(network, rows);
  const labelled = network.classes > 0;
  return {
    lossAndGradient: lossAndGradient(network, config, objective, slope),
    batchShapes: {
      data,
      noise: data,
      far: single,
      near: single,
      weight: single,
      atFar: inputs,
      atNear: inputs,
      ...distilled && { ofTeacher: labelled ? predictionShapes(network, 2 * rows) : inputs },
      ...distilled && labelled && { guidance: single },
    },
    batch: (images, done) => {
      const { data, noise, labels, rng } = noisedBatch(config, network, images, done);
      const levels = drawConsistencyLevels(objective, rng.fork("level"), rows, done / config.steps);
      const { far, near, weight } = levels;
      const inputsAt = (ratios: Float64Array, labels: readonly number[]) =>
        predictionInputs(network, model.preconditioning, ratios, labels);
      const twice = Float64Array.from([...far, ...far]);
      const withAndWithout = [...labels, ...labels.map(() => network.classes)];
      return {
        data,
        noise,
        far: column(far, data),
        near: column(near, data),
        weight: column(weight, data),
        atFar: inputsAt(far, labels),
        atNear: inputsAt(near, labels),
        ...distilled && { ofTeacher: labelled ? inputsAt(twice, withAndWithout) : inputsAt(far, []) },
        ...distilled && labelled &&
          { guidance: column(far.map((t) => guidanceWeight(guidance, t)), data) },
      };
    },
    dispose: () => tf.dispose(tensors),
  };
}

/** The tensors of one batch. */
interface ConsistencyBatch {
  /** x_0, [B, …sampleShape]. */
  readonly data: tf.Tensor;
  /** ε, [B, …sampleShape]. */
  readonly noise: tf.Tensor;
  /** t, [B, 1, …]. */
  readonly far: tf.Tensor;
  /** r, [B, 1, …]. */
  readonly near: tf.Tensor;
  /** w, [B, 1, …]. */
  readonly weight: tf.Tensor;
  /** The student's inputs at t. */
  readonly atFar: PredictionInputs;
  /** The moving average's inputs at r. */
  readonly atNear: PredictionInputs;
  /** The teacher's inputs at t: of B rows, or of 2B with labels and without; absent in training without a teacher. */
  readonly ofTeacher?: PredictionInputs;
  /** Weight of the label in the teacher's noise, [B, 1, …]; absent without a teacher or without labels. */
  readonly guidance?: tf.Tensor;
}

/** ε̂(y_t, t) of the teacher, of y's shape. */
type Slope = (y: tf.Tensor, batch: ConsistencyBatch) => tf.Tensor;

function lossAndGradient(
  network: Network,
  { model: { preconditioning } }: TrainingConfig,
  { huber }: ConsistencyObjective,
  slope: Slope | null,
): LossFunction<ConsistencyBatch> {
  return ({ weights, ema }, batch) => {
    const { data, noise, far: t, near: r, weight, atFar, atNear } = batch;
    const far = tf.add(data, tf.mul(noise, t));
    const near = tf.add(far, tf.mul(tf.sub(r, t), slope === null ? noise : slope(far, batch)));
    const averaged = namedParameters(network.parameters, splitParameters(network.parameters, ema));
    const target = predictConsistency(network, preconditioning, averaged, near, r, atNear);
    return parameterGradient(
      network.parameters,
      weights,
      (p) =>
        consistencyLoss(
          predictConsistency(network, preconditioning, p, far, t, atFar),
          target,
          weight,
          huber,
        ),
    );
  };
}

/** ε̂ of the teacher with guidance, both of its passes in one batch. */
function guidedNoise(network: Network, { preconditioning }: ModelConfig, p: Parameters): Slope {
  return (y, { ofTeacher, guidance }) => {
    if (guidance === undefined) return predictNoise(network, preconditioning, p, y, ofTeacher!);
    const both = predictNoise(network, preconditioning, p, tf.concat([y, y], 0), ofTeacher!);
    const [conditional, unconditional] = tf.split(both, 2, 0);
    return tf.add(unconditional, tf.mul(tf.sub(conditional, unconditional), guidance));
  };
}

/** The teacher's parameters as tensors of their own, in the order of the network's. */
function teacherTensors(network: Network, teacher: Float32Array): tf.Tensor[] {
  let start = 0;
  return network.parameters.map(({ shape }) => {
    const values = teacher.slice(start, start + sizeOf(shape));
    start += values.length;
    return tf.tensor(values, [...shape]);
  });
}

/**
 * One step of consistency distillation or training as a pure function of a flat list of tensors, and its batches.
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
import { gradientFunction, type StepMethod, updatingFunction } from "./step.ts";
import type { TrainingConfig } from "./train.ts";

/**
 * The method of consistency distillation (Song et al. 2023, Alg. 2), or training (Alg. 3) where the objective has no teacher:
 *
 *   y_t = x_0 + t ε;   y_r = y_t + (r − t) ε̂_teacher(y_t, t), or x_0 + r ε without a teacher;
 *   loss = w(t, r) · Huber(f(y_t, t; weights) − f(y_r, r; moving average)).
 *
 * What is learned at small t travels to large t through the average, gap by gap, so an average that is slow from the first
 * step holds it up.
 *
 * @param teacher The teacher's weights, end to end, [P]: a network of the same config. They are stored in the compiled step.
 * @throws {RangeError} When the objective needs a teacher and there is none, or one of another size.
 */
export function consistencyMethod(
  config: TrainingConfig,
  objective: ConsistencyObjective,
  network: Network,
  teacher: Float32Array | undefined,
): StepMethod {
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
  const [data, single] = [[rows, ...network.sampleShape], [rows, ...network.sampleShape.map(() => 1)]];
  const inputs = predictionShapes(network, rows);
  const teacherShapes = !distilled
    ? []
    : network.classes === 0
    ? inputs
    : [single, ...predictionShapes(network, 2 * rows)];
  return {
    step: (weights, ema, ...rest) =>
      updatingFunction(
        (weights, ...batch) => lossAndGradient(network, config, objective, slope)(weights, ema, ...batch),
        config.optimizer,
      )(weights, ema, ...rest),
    batchShapes: [data, data, single, single, single, ...inputs, ...inputs, ...teacherShapes],
    batch: (images, done) => {
      const { data, noise, labels, rng } = noisedBatch(config, network, images, done);
      const levels = drawConsistencyLevels(objective, rng.fork("level"), rows, done / config.steps);
      const { far, near, weight } = levels;
      const inputsAt = (ratios: Float64Array, labels: readonly number[]) =>
        predictionInputs(network, model.preconditioning, ratios, labels) as readonly tf.Tensor[];
      const ofTeacher = !distilled ? [] : network.classes === 0 ? inputsAt(far, []) : [
        column(far.map((t) => guidanceWeight(guidance, t)), data),
        ...inputsAt(
          Float64Array.from([...far, ...far]),
          [...labels, ...labels.map(() => network.classes)],
        ),
      ];
      return [
        ...[data, noise, column(far, data), column(near, data), column(weight, data)],
        ...[...inputsAt(far, labels), ...inputsAt(near, labels), ...ofTeacher],
      ];
    },
    dispose: () => tf.dispose(tensors),
  };
}

/** The guided teacher: (y_t, …its inputs) to ε̂, of y's shape. */
type Slope = (y: tf.Tensor, inputs: readonly tf.Tensor[]) => tf.Tensor;

/** (weights [P], moving average [P], …batch) to [loss, gradient [P]]. */
function lossAndGradient(
  network: Network,
  { model: { preconditioning } }: TrainingConfig,
  { huber }: ConsistencyObjective,
  slope: Slope | null,
): (weights: tf.Tensor, ema: tf.Tensor, ...batch: tf.Tensor[]) => tf.Tensor[] {
  const student = gradientFunction(
    network,
    (p, y, t, target, weight, ...inputs) =>
      consistencyLoss(
        predictConsistency(network, preconditioning, p, y, t, inputs as unknown as PredictionInputs),
        target,
        weight,
        huber,
      ),
  );
  const count = network.classes === 0 ? 4 : 5;
  return (weights, ema, data, noise, t, r, weight, ...inputs) => {
    const [atFar, atNear, ofTeacher] = [
      inputs.slice(0, count),
      inputs.slice(count, 2 * count),
      inputs.slice(2 * count),
    ];
    const far = tf.add(data, tf.mul(noise, t));
    const near = tf.add(far, tf.mul(tf.sub(r, t), slope === null ? noise : slope(far, ofTeacher)));
    const averaged = namedParameters(
      network.parameters,
      splitParameters(network.parameters, ema as tf.Tensor1D),
    );
    const target = predictConsistency(
      network,
      preconditioning,
      averaged,
      near,
      r,
      atNear as unknown as PredictionInputs,
    );
    return student(weights, far, t, target, weight, ...atFar);
  };
}

/** ε̂ of the teacher with guidance, both of its passes in one batch; its inputs are [guidance weight, …of 2B rows]. */
function guidedNoise(network: Network, { preconditioning }: ModelConfig, p: Parameters): Slope {
  const noise = (y: tf.Tensor, inputs: readonly tf.Tensor[]) =>
    predictNoise(network, preconditioning, p, y, inputs as unknown as PredictionInputs);
  if (network.classes === 0) return noise;
  return (y, [weight, ...inputs]) => {
    const [conditional, unconditional] = tf.split(noise(tf.concat([y, y], 0), inputs), 2, 0);
    return tf.add(unconditional, tf.mul(tf.sub(conditional, unconditional), weight));
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

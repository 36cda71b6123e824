/**
 * Trains classifiers of digits, clean or noisy: cross-entropy, Adam with a moving average of the weights, randomly shifted
 * images.
 * @module
 */
import { compile } from "../compute/compile.ts";
import { valueAndGradientsOf } from "../compute/gradient.ts";
import { createRng, type Rng } from "../compute/rng.ts";
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { shuffledBatches } from "../data/batches.ts";
import type { ImageDataset } from "../data/dataset.ts";
import {
  flatten,
  initialValues,
  namedParameters,
  type Parameters,
  type ParameterSpec,
  splitParameters,
  unflatten,
  type Weights,
} from "../networks/network.ts";
import {
  NOISY_CLASSIFIER_NOISE,
  NOISY_CLASSIFIER_PARAMETERS,
  noisyClassifierForward,
  noisyClassifierInputs,
  noisyClassifierShapes,
} from "./noisy_classifier.ts";
import {
  type OptimizerConfig,
  type OptimizerState,
  update,
  type UpdateScalars,
  updateScalars,
} from "../training/optimizer.ts";
import {
  CLASSIFIER_CLASSES,
  CLASSIFIER_PARAMETERS,
  CLASSIFIER_SHAPE,
  classifierForward,
} from "./digit_classifier.ts";

/** Everything that determines a run, beside the data. */
export interface ClassifierTraining {
  /** Steps of the whole run. */
  readonly steps: number;
  /** Images in a step. */
  readonly batch: number;
  /** Of everything random. */
  readonly seed: number;
  /** Images are moved by up to so many pixels in each direction. */
  readonly shift: number;
  /** How the weights move. */
  readonly optimizer: OptimizerConfig;
}

/** The recipe of the shipped classifiers. */
export const CLASSIFIER_TRAINING: ClassifierTraining = {
  steps: 4000,
  batch: 128,
  seed: 1,
  shift: 2,
  optimizer: {
    rate: 2e-3,
    warmup: 100,
    decay: "cosine",
    betas: [0.9, 0.99],
    epsilon: 1e-8,
    clip: 5,
    ema: 0.998,
  },
};

/** A classifier to train. */
export interface ClassifierKind {
  /** Its parameters. */
  readonly parameters: readonly ParameterSpec[];
  /** Shapes of the tensors that {@linkcode ClassifierKind.inputs} makes. */
  shapes(rows: number): number[][];
  /** What a step shows it, from images [B, 28, 28, 1] in [−1, 1]. */
  inputs(images: tf.Tensor, rng: Rng): tf.Tensor[];
  /** log p(c | inputs), [B, 10]. */
  logProbabilities(p: Parameters, inputs: readonly tf.Tensor[]): tf.Tensor;
}

/** The classifier that measures samples: it sees images as they are. */
export const cleanDigits: ClassifierKind = {
  parameters: CLASSIFIER_PARAMETERS,
  shapes: (rows) => [[rows, ...CLASSIFIER_SHAPE]],
  inputs: (images) => [images.clone()],
  logProbabilities: (p, [images]) => tf.logSoftmax(classifierForward(p, images).logits),
};

/** The classifier that guides samplers: it sees x_0 + ν ε, ln ν uniform over the noise ratios that it is to know. */
export const noisyDigits: ClassifierKind = {
  parameters: NOISY_CLASSIFIER_PARAMETERS,
  shapes: (rows) => [[rows, ...CLASSIFIER_SHAPE], ...noisyClassifierShapes(rows)],
  inputs: (images, rng) =>
    tf.tidy(() => {
      const { least, most } = NOISY_CLASSIFIER_NOISE;
      const ratios = rng.fork("level").uniformValues([images.shape[0]])
        .map((u) => least * Math.pow(most / least, u));
      const noise = tf.mul(rng.fork("noise").normal(images.shape), column(ratios, images));
      return [tf.add(images, noise), ...noisyClassifierInputs(ratios)];
    }),
  logProbabilities: (p, [y, scale, features]) => noisyClassifierForward(p, y, [scale, features]),
};

/** One step that was done. */
export interface ClassifierStep {
  /** From 1. */
  readonly step: number;
  /** Mean cross-entropy of the batch in nats; null but for every 50th step and the last. */
  readonly loss: number | null;
  /** The averaged weights; only until the next step is asked for. */
  weights(): Promise<Weights>;
}

/** Trains; each iteration is one step. */
export async function* trainClassifier(
  dataset: ImageDataset,
  config: ClassifierTraining = CLASSIFIER_TRAINING,
  kind: ClassifierKind = cleanDigits,
): AsyncGenerator<ClassifierStep, void, void> {
  const rng = createRng(config.seed);
  const batches = shuffledBatches(dataset, config.batch, rng.fork("batches"));
  const initial = flatten(kind.parameters, initialValues(kind.parameters, rng.fork("weights")));
  const state = [initial, initial, initial.map(() => 0), initial.map(() => 0)].map((values) =>
    tf.tensor1d(values)
  );
  const shapes = [
    ...state.map(({ shape }) => shape),
    ...[[], [], []],
    [config.batch, CLASSIFIER_CLASSES],
    ...kind.shapes(config.batch),
  ];
  const run = await compile(
    stepFunction(config.optimizer, kind),
    shapes.map((shape) => ({ shape: [...shape], dtype: "float32" })),
  );
  let tensors: tf.Tensor[] = state;
  try {
    for (let step = 1; step <= config.steps; step++) {
      const batch = batches(step - 1);
      const moved = shiftImages(batch.images, config.shift, rng.fork(`shift ${step}`));
      const images = tf.tensor(moved, [...batch.shape]);
      const { rate, varianceScale, emaShare } = updateScalars(config.optimizer, step, config.steps);
      const inputs = [
        ...[rate, varianceScale, emaShare].map((value) => tf.scalar(value)),
        tf.tensor2d(oneHot(batch.labels), [config.batch, CLASSIFIER_CLASSES]),
        ...kind.inputs(images, rng.fork(`noise ${step}`)),
      ];
      const [loss, ...next] = run.run([...tensors, ...inputs]);
      tf.dispose([tensors, images, inputs]);
      tensors = next;
      const report = step % 50 === 0 || step === config.steps;
      const value = report ? (await loss.data())[0] : null;
      tf.dispose(loss);
      if (value !== null && !Number.isFinite(value)) throw new Error(`the loss is ${value} at step ${step}`);
      yield {
        step,
        loss: value,
        weights: async () => unflatten(kind.parameters, await tensors[1].data<"float32">()),
      };
    }
  } finally {
    run.dispose();
    tf.dispose(tensors);
  }
}

/**
 * (weights, ema, mean, variance, rate, variance scale, ema share, one-hot labels, …inputs) to (loss, the first four's
 * successors).
 */
function stepFunction(
  optimizer: OptimizerConfig,
  kind: ClassifierKind,
): (...inputs: tf.Tensor[]) => tf.Tensor[] {
  return (weights, ema, mean, variance, rate, varianceScale, emaShare, labels, ...inputs) => {
    // Split outside the tape: the gradient of a slice is a padded copy of all parameters.
    const parameters = splitParameters(kind.parameters, weights as tf.Tensor1D);
    const { value, grads } = valueAndGradientsOf((...tensors) => {
      const logs = kind.logProbabilities(namedParameters(kind.parameters, tensors), inputs);
      return tf.neg(tf.mean(tf.sum(tf.mul(labels, logs), 1))) as tf.Scalar;
    }, "the classifier's loss")(parameters);
    const gradient = tf.concat(grads.map((tensor) => tf.reshape(tensor, [-1])), 0) as tf.Tensor1D;
    const state = { weights, ema, mean, variance } as OptimizerState<tf.Tensor1D>;
    const scalars = { rate, varianceScale, emaShare } as UpdateScalars<tf.Scalar>;
    const next = update(optimizer, state, gradient, scalars).state;
    return [value, next.weights, next.ema, next.mean, next.variance];
  };
}

/** Each 28×28 image moved by whole pixels, −shift … shift in both directions; what comes in is black. */
function shiftImages(images: Float32Array, shift: number, rng: Rng): Float32Array {
  const [height, width] = CLASSIFIER_SHAPE;
  const count = images.length / (height * width);
  const moves = rng.uniformValues([count, 2]).map((u) => Math.floor(u * (2 * shift + 1)) - shift);
  return images.map((_, at) => {
    const image = Math.floor(at / (height * width));
    const y = Math.floor(at / width) % height - moves[2 * image];
    const x = at % width - moves[2 * image + 1];
    return y < 0 || y >= height || x < 0 || x >= width ? -1 : images[(image * height + y) * width + x];
  });
}

function oneHot(labels: Int32Array): Float32Array {
  const values = new Float32Array(labels.length * CLASSIFIER_CLASSES);
  labels.forEach((label, row) => values[row * CLASSIFIER_CLASSES + label] = 1);
  return values;
}

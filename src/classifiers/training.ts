/**
 * Trains classifiers of digits, clean or noisy: cross-entropy, Adam with a moving average of the weights, randomly
 * shifted images.
 * @module
 */
import type { ShapesOf } from "../compute/compile_record.ts";
import { createRng, type Rng } from "../compute/rng.ts";
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { shuffledBatches } from "../data/batches.ts";
import type { ImageDataset } from "../data/dataset.ts";
import {
  flatten,
  initialValues,
  type Parameters,
  type ParameterSpec,
  unflatten,
  type Weights,
} from "../networks/network.ts";
import {
  NOISY_CLASSIFIER_NOISE,
  NOISY_CLASSIFIER_PARAMETERS,
  noisyClassifierForward,
  type NoisyClassifierInputs,
  noisyClassifierInputs,
  noisyClassifierShapes,
} from "./noisy_classifier.ts";
import { type OptimizerConfig, scalarTensors, startState, stateTensors } from "../training/optimizer.ts";
import { compileStep, parameterGradient } from "../training/step.ts";
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
  /** Seed of all random numbers. */
  readonly seed: number;
  /** The largest shift of an image in each direction, in pixels. */
  readonly shift: number;
  /** The optimizer's options. */
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
interface ClassifierKind<Inputs extends object = object> {
  /** Its parameters. */
  readonly parameters: readonly ParameterSpec[];
  /** Shapes of the tensors that {@linkcode ClassifierKind.inputs} makes. */
  shapes(rows: number): ShapesOf<Inputs>;
  /** The classifier's inputs in a step, from images [B, 28, 28, 1] in [−1, 1]. */
  inputs(images: tf.Tensor, rng: Rng): Inputs;
  /** log p(c | inputs), [B, 10]. */
  logProbabilities(p: Parameters, inputs: Inputs): tf.Tensor;
}

/** The classifier that measures samples, without noise. */
export const cleanDigits: ClassifierKind<{ images: tf.Tensor }> = {
  parameters: CLASSIFIER_PARAMETERS,
  shapes: (rows) => ({ images: [rows, ...CLASSIFIER_SHAPE] }),
  inputs: (images) => ({ images: images.clone() }),
  logProbabilities: (p, { images }) => tf.logSoftmax(classifierForward(p, images).logits),
};

/** The classifier that guides samplers: of x_0 + ν ε, with ln ν uniform over its range of noise ratios. */
export const noisyDigits: ClassifierKind<NoisyClassifierInputs> = {
  parameters: NOISY_CLASSIFIER_PARAMETERS,
  shapes: noisyClassifierShapes,
  inputs: (images, rng) =>
    tf.tidy(() => {
      const { least, most } = NOISY_CLASSIFIER_NOISE;
      const ratios = rng.fork("level").uniformValues([images.shape[0]])
        .map((u) => least * Math.pow(most / least, u));
      const noise = tf.mul(rng.fork("noise").normal(images.shape), column(ratios, images));
      return noisyClassifierInputs(tf.add(images, noise), ratios);
    }),
  logProbabilities: noisyClassifierForward,
};

/** The result of one training step. */
interface ClassifierStep {
  /** Steps taken, from 1. */
  readonly step: number;
  /** Mean cross-entropy of the batch in nats; null but for every 50th step and the last. */
  readonly loss: number | null;
  /** The averaged weights; callable until the next step begins. */
  weights(): Promise<Weights>;
}

/** Trains a classifier; each iteration is one step. */
export async function* trainClassifier(
  dataset: ImageDataset,
  config: ClassifierTraining = CLASSIFIER_TRAINING,
  kind: ClassifierKind = cleanDigits,
): AsyncGenerator<ClassifierStep, void, void> {
  const rng = createRng(config.seed);
  const batches = shuffledBatches(dataset, config.batch, rng.fork("batches"));
  const initial = flatten(kind.parameters, initialValues(kind.parameters, rng.fork("weights")));
  const run = await compileStep<{ labels: tf.Tensor; inputs: object }>(
    ({ weights }, { labels, inputs }) =>
      parameterGradient(kind.parameters, weights, (p) => {
        const logs = kind.logProbabilities(p, inputs);
        return tf.neg(tf.mean(tf.sum(tf.mul(labels, logs), 1)));
      }),
    config.optimizer,
    initial.length,
    { labels: [config.batch, CLASSIFIER_CLASSES], inputs: kind.shapes(config.batch) },
  );
  let state = stateTensors(startState(initial));
  try {
    for (let step = 1; step <= config.steps; step++) {
      const batch = batches(step - 1);
      const moved = shiftImages(batch.images, config.shift, rng.fork(`shift ${step}`));
      const images = tf.tensor(moved, [...batch.shape]);
      const inputs = {
        state,
        scalars: scalarTensors(config.optimizer, step, config.steps),
        batch: {
          labels: tf.tensor2d(oneHot(batch.labels), [config.batch, CLASSIFIER_CLASSES]),
          inputs: kind.inputs(images, rng.fork(`noise ${step}`)),
        },
      };
      const { loss, norm, ...next } = run.run(inputs);
      tf.dispose([images, inputs, norm]);
      state = next.state;
      const report = step % 50 === 0 || step === config.steps;
      const value = report ? (await loss.data())[0] : null;
      tf.dispose(loss);
      if (value !== null && !Number.isFinite(value)) throw new Error(`the loss is ${value} at step ${step}`);
      yield {
        step,
        loss: value,
        weights: async () => unflatten(kind.parameters, await state.ema.data<"float32">()),
      };
    }
  } finally {
    run.dispose();
    tf.dispose(state);
  }
}

/** Each 28×28 image shifted by whole pixels, −shift … shift in both directions, and filled up with black. */
function shiftImages(images: Float32Array, shift: number, rng: Rng): Float32Array {
  const [height, width] = CLASSIFIER_SHAPE;
  const count = images.length / (height * width);
  const shifts = rng.uniformValues([count, 2]).map((u) => Math.floor(u * (2 * shift + 1)) - shift);
  return images.map((_, at) => {
    const image = Math.floor(at / (height * width));
    const y = Math.floor(at / width) % height - shifts[2 * image];
    const x = at % width - shifts[2 * image + 1];
    return y < 0 || y >= height || x < 0 || x >= width ? -1 : images[(image * height + y) * width + x];
  });
}

function oneHot(labels: Int32Array): Float32Array {
  const values = new Float32Array(labels.length * CLASSIFIER_CLASSES);
  labels.forEach((label, row) => values[row * CLASSIFIER_CLASSES + label] = 1);
  return values;
}

/** Trains the digit classifier: cross-entropy, Adam with a moving average of the weights, randomly shifted images. @module */
import { compile } from "../compute/compile.ts";
import { createRng, type Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { shuffledBatches } from "../data/batches.ts";
import type { ImageDataset } from "../data/dataset.ts";
import { flatten, namedParameters, splitParameters, unflatten, type Weights } from "../networks/network.ts";
import { type OptimizerConfig, type OptimizerState, update, updateScalars } from "../training/optimizer.ts";
import {
  CLASSIFIER_CLASSES,
  CLASSIFIER_PARAMETERS,
  CLASSIFIER_SHAPE,
  classifierForward,
  initialiseClassifier,
} from "./classifier.ts";

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

/** The recipe of the shipped classifier. */
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
): AsyncGenerator<ClassifierStep, void, void> {
  const rng = createRng(config.seed);
  const batches = shuffledBatches(dataset, config.batch, rng.fork("batches"));
  const initial = flatten(CLASSIFIER_PARAMETERS, initialiseClassifier(rng.fork("weights")));
  const state = [initial, initial, initial.map(() => 0), initial.map(() => 0)].map((values) =>
    tf.tensor1d(values)
  );
  const shapes = [...state.map(({ shape }) => shape), [], [], [], [config.batch, ...CLASSIFIER_SHAPE], [
    config.batch,
    CLASSIFIER_CLASSES,
  ]];
  const run = await compile(
    stepFunction(config.optimizer),
    shapes.map((shape) => ({ shape: [...shape], dtype: "float32" })),
  );
  let tensors: tf.Tensor[] = state;
  try {
    for (let step = 1; step <= config.steps; step++) {
      const batch = batches(step - 1);
      const images = shiftImages(batch.images, config.shift, rng.fork(`shift ${step}`));
      const { rate, varianceScale, emaShare } = updateScalars(config.optimizer, step, config.steps);
      const inputs = [
        ...[rate, varianceScale, emaShare].map((value) => tf.scalar(value)),
        tf.tensor(images, [...batch.shape]),
        tf.tensor2d(oneHot(batch.labels), [config.batch, CLASSIFIER_CLASSES]),
      ];
      const [loss, ...next] = run.run([...tensors, ...inputs]);
      tf.dispose([tensors, inputs]);
      tensors = next;
      const report = step % 50 === 0 || step === config.steps;
      const value = report ? (await loss.data())[0] : null;
      tf.dispose(loss);
      if (value !== null && !Number.isFinite(value)) throw new Error(`the loss is ${value} at step ${step}`);
      yield {
        step,
        loss: value,
        weights: async () => unflatten(CLASSIFIER_PARAMETERS, await tensors[1].data<"float32">()),
      };
    }
  } finally {
    run.dispose();
    tf.dispose(tensors);
  }
}

/** (weights, ema, mean, variance, rate, variance scale, ema share, images, one-hot labels) to (loss, the four's successors). */
function stepFunction(optimizer: OptimizerConfig): (...inputs: tf.Tensor[]) => tf.Tensor[] {
  return (weights, ema, mean, variance, rate, varianceScale, emaShare, images, labels) => {
    // Split outside the tape: the gradient of a slice is a padded copy of all parameters.
    const parameters = splitParameters(CLASSIFIER_PARAMETERS, weights as tf.Tensor1D);
    const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => {
      const { logits } = classifierForward(namedParameters(CLASSIFIER_PARAMETERS, tensors), images);
      return tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), 1))) as tf.Scalar;
    })(parameters);
    const gradient = tf.concat(grads.map((tensor) => tf.reshape(tensor, [-1])), 0) as tf.Tensor1D;
    const state = { weights, ema, mean, variance } as OptimizerState<tf.Tensor1D>;
    const scalars = { rate, varianceScale, emaShare } as Parameters<typeof update>[3];
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

/**
 * A small convolutional classifier of 28×28 digits. Its class is compared with the label that a digit was sampled
 * for, and its last hidden layer gives the features of Fréchet distances between sets of digits.
 * @module
 */
import { compile } from "../compute/compile.ts";
import * as tf from "../compute/tf.ts";
import { convolution, dense, silu } from "../networks/layers.ts";
import {
  namedParameters,
  type Parameters,
  type ParameterSpec,
  requireWeights,
  type Weights,
} from "../networks/network.ts";
import type { StorageType } from "../networks/safetensors.ts";
import { readWeights, type WeightsFormat, writeWeights } from "../networks/weights_file.ts";
import { requireFloats, requireNumbers, requireWhole } from "../input/require.ts";
import { sizeOf } from "../math/shape.ts";

/** [height, width, channels] of the images it takes. */
export const CLASSIFIER_SHAPE = [28, 28, 1] as const;
/** The number of classes. */
export const CLASSIFIER_CLASSES = 10;
/** Length of a feature vector. */
export const CLASSIFIER_FEATURES = 64;

const layers = {
  conv0: convolution("conv0", { from: 1, to: 16, size: 5, stride: 2, bias: true }),
  conv1: convolution("conv1", { from: 16, to: 32, stride: 2, bias: true }),
  conv2: convolution("conv2", { from: 32, to: 64, stride: 2, bias: true }),
  hidden: dense("hidden", { from: 4 * 4 * 64, to: CLASSIFIER_FEATURES }),
  output: dense("output", { from: CLASSIFIER_FEATURES, to: CLASSIFIER_CLASSES }),
};

/** Its parameters, in the order of the layers. */
export const CLASSIFIER_PARAMETERS: readonly ParameterSpec[] = Object.values(layers).flatMap(
  ({ parameters }) => parameters,
);

/**
 * Features and logits.
 *
 * @param p The tensors of {@linkcode CLASSIFIER_PARAMETERS} by name.
 * @param x [B, 28, 28, 1] in [−1, 1].
 * @returns Features [B, 64] and logits [B, 10].
 */
export function classifierForward(p: Parameters, x: tf.Tensor): { features: tf.Tensor; logits: tf.Tensor } {
  let h = x;
  for (const layer of [layers.conv0, layers.conv1, layers.conv2]) h = silu(layer.apply(p, h));
  const features = silu(layers.hidden.apply(p, tf.reshape(h, [x.shape[0], -1])));
  return { features, logits: layers.output.apply(p, features) };
}

/** The classifier's output for a set of images. */
export interface Classification {
  /** [N, 64], row-major. */
  readonly features: Float32Array;
  /** [N, 10], row-major. */
  readonly logits: Float32Array;
  /** [N], the class of the largest logit. */
  readonly labels: Uint8Array;
}

/**
 * Classifies images in batches on the current engine.
 *
 * @param images [N, 28, 28, 1] in [−1, 1].
 * @throws {RangeError} When the length is no multiple of 784.
 */
export async function classify(
  weights: Weights,
  images: Float32Array,
  batchSize = 250,
): Promise<Classification> {
  requireWeights("weights", weights, CLASSIFIER_PARAMETERS);
  requireFloats("images", images);
  requireWhole("batchSize", batchSize, 1, 1e6);
  const size = sizeOf(CLASSIFIER_SHAPE);
  const count = images.length / size;
  if (!Number.isInteger(count)) {
    throw new RangeError(`${images.length} values are no whole number of 28×28 images`);
  }
  const features = new Float32Array(count * CLASSIFIER_FEATURES);
  const logits = new Float32Array(count * CLASSIFIER_CLASSES);
  const parameters = CLASSIFIER_PARAMETERS.map(({ name, shape }) =>
    tf.tensor(weights.get(name)!, [...shape])
  );
  const most = Math.min(batchSize, Math.max(count, 1));
  const forward = await compile((x) => {
    const result = classifierForward(namedParameters(CLASSIFIER_PARAMETERS, parameters), x);
    return [result.features, result.logits];
  }, [{ shape: [most, ...CLASSIFIER_SHAPE], dtype: "float32" }]);
  try {
    for (let start = 0; start < count; start += most) {
      // The last batch is filled up with zeros, because compiled functions have fixed shapes.
      const rows = Math.min(most, count - start);
      const batch = new Float32Array(most * size);
      batch.set(images.subarray(start * size, (start + rows) * size));
      const x = tf.tensor(batch, [most, ...CLASSIFIER_SHAPE]);
      const [batchFeatures, batchLogits] = forward.run([x]);
      const take = async (tensor: tf.Tensor, width: number) =>
        (await tensor.data<"float32">()).subarray(0, rows * width);
      features.set(await take(batchFeatures, CLASSIFIER_FEATURES), start * CLASSIFIER_FEATURES);
      logits.set(await take(batchLogits, CLASSIFIER_CLASSES), start * CLASSIFIER_CLASSES);
      tf.dispose([x, batchFeatures, batchLogits]);
    }
  } finally {
    forward.dispose();
    tf.dispose(parameters);
  }
  return { features, logits, labels: largest(logits) };
}

/** The accuracy, the share of equal labels, in [0, 1]. */
export function classAccuracy(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  requireNumbers("found", found, Number.isInteger, "whole numbers");
  requireNumbers("wanted", wanted, Number.isInteger, "whole numbers");
  if (found.length !== wanted.length || found.length === 0) {
    throw new RangeError(`${found.length} labels cannot be compared with ${wanted.length}`);
  }
  let agreeing = 0;
  for (let i = 0; i < found.length; i++) if (found[i] === wanted[i]) agreeing++;
  return agreeing / found.length;
}

const FORMAT: WeightsFormat = {
  format: "score-sde digit classifier 1",
  noun: "a digit classifier",
  parameters: CLASSIFIER_PARAMETERS,
};

/** The bytes of a classifier's file. */
export function writeClassifier(
  weights: Weights,
  metadata: Readonly<Record<string, string>> = {},
  storage: StorageType = "F16",
): Uint8Array<ArrayBuffer> {
  return writeWeights(FORMAT, weights, metadata, storage);
}

/**
 * Reads a classifier's file.
 * @throws {TypeError} When the bytes are not a classifier's file.
 */
export function readClassifier(bytes: Uint8Array): Weights {
  return readWeights(FORMAT, bytes);
}

/** The index of the largest logit of each row. */
function largest(logits: Float32Array): Uint8Array {
  return Uint8Array.from({ length: logits.length / CLASSIFIER_CLASSES }, (_, row) => {
    const scores = logits.subarray(row * CLASSIFIER_CLASSES, (row + 1) * CLASSIFIER_CLASSES);
    return scores.indexOf(Math.max(...scores));
  });
}

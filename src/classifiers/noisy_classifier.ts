/**
 * A classifier of noisy digits, p(c | x_0 + ν ε): its gradient, added to a score, guides a sampler to a class (Song
 * et al. 2021, section 5; Dhariwal & Nichol 2021).
 * @module
 */
import { DifferentiableFunction, type ShapesOf } from "../compute/compile_record.ts";
import { checkLabels } from "../compute/labels.ts";
import type { PerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { quotedShape } from "../input/quoted.ts";
import { fetchShipped } from "../input/shipped_file.ts";
import { edmCoefficients, type Preconditioning } from "../diffusion/preconditioning.ts";
import { convolution, dense, silu } from "../networks/layers.ts";
import {
  namedParameters,
  type Parameters,
  type ParameterSpec,
  requireWeights,
  type Weights,
} from "../networks/network.ts";
import { positionalFeatures } from "../networks/noise_embedding.ts";
import { readWeights, type WeightsFormat, writeWeights } from "../networks/weights_file.ts";

/** [height, width, channels] of the images it takes. */
export const NOISY_CLASSIFIER_SHAPE = [28, 28, 1] as const;
/** The number of classes. */
export const NOISY_CLASSIFIER_CLASSES = 10;
/** The range of noise ratios in training; ratios outside are clamped to it. */
export const NOISY_CLASSIFIER_NOISE = { least: 0.005, most: 80 } as const;

/** MNIST's pixels: every noise level reaches the network with unit variance. */
const PRECONDITIONING: Preconditioning = { sigmaData: 0.616, centre: -0.7386 };
const FEATURES = 32;
const EMBEDDING = 64;
const WIDTHS = [32, 64, 96] as const;

const embedding = dense("embedding", { from: FEATURES, to: EMBEDDING });
const blocks = WIDTHS.map((to, level) => ({
  convolution: convolution(`conv${level}`, {
    from: level === 0 ? NOISY_CLASSIFIER_SHAPE[2] : WIDTHS[level - 1],
    to,
    size: level === 0 ? 5 : 3,
    stride: 2,
    bias: true,
  }),
  film: dense(`film${level}`, { from: EMBEDDING, to: 2 * to, zero: true }),
}));
const hidden = dense("hidden", { from: 4 * 4 * WIDTHS[2], to: 128 });
const output = dense("output", { from: 128, to: NOISY_CLASSIFIER_CLASSES });

/** Its parameters, in the order of the layers. */
export const NOISY_CLASSIFIER_PARAMETERS: readonly ParameterSpec[] = [
  embedding,
  ...blocks.flatMap(({ convolution, film }) => [convolution, film]),
  hidden,
  output,
].flatMap(({ parameters }) => parameters);

const FORMAT: WeightsFormat = {
  format: "score-sde noisy digit classifier 1",
  noun: "a classifier of noisy digits",
  parameters: NOISY_CLASSIFIER_PARAMETERS,
};

/** The bytes of its file. */
export function writeNoisyClassifier(
  weights: Weights,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return writeWeights(FORMAT, weights, metadata);
}

/**
 * Reads its file.
 * @throws {TypeError} When the bytes are not this classifier's file.
 */
export function readNoisyClassifier(bytes: Uint8Array): Weights {
  return readWeights(FORMAT, bytes);
}

/** Tensors, beside the weights, of one evaluation on B rows. */
export interface NoisyClassifierInputs {
  /** Noisy digits, [B, 28, 28, 1]. */
  readonly y: tf.Tensor;
  /** c_in, [B, 1, 1, 1]. */
  readonly scale: tf.Tensor;
  /** [B, 32]. */
  readonly noiseFeatures: tf.Tensor;
}

/** Shapes of {@linkcode NoisyClassifierInputs}. */
export function noisyClassifierShapes(rows: number): ShapesOf<NoisyClassifierInputs> {
  return {
    y: [rows, ...NOISY_CLASSIFIER_SHAPE],
    scale: [rows, 1, 1, 1],
    noiseFeatures: [rows, FEATURES],
  };
}

/** The inputs for noisy digits of noise ratios [B]; a RangeError when one is not positive. */
export function noisyClassifierInputs(y: tf.Tensor, noiseRatio: Float64Array): NoisyClassifierInputs {
  const wrong = noiseRatio.find((ratio) => !(ratio > 0 && ratio < Infinity));
  if (wrong !== undefined) throw new RangeError(`noise ratios must be positive numbers, got ${wrong}`);
  const rows = noiseRatio.length;
  const { least, most } = NOISY_CLASSIFIER_NOISE;
  const logs = noiseRatio.map((ratio) => Math.log(Math.min(most, Math.max(least, ratio))));
  const scales = noiseRatio.map((ratio) => edmCoefficients(PRECONDITIONING.sigmaData, ratio).input);
  return {
    y,
    scale: tf.tensor(Float32Array.from(scales), [rows, 1, 1, 1]),
    noiseFeatures: tf.tensor(positionalFeatures(logs, FEATURES), [rows, FEATURES]),
  };
}

/**
 * log p(c | y), [B, 10].
 *
 * @param p The tensors of {@linkcode NOISY_CLASSIFIER_PARAMETERS} by name.
 */
export function noisyClassifierForward(
  p: Parameters,
  { y, scale, noiseFeatures }: NoisyClassifierInputs,
): tf.Tensor2D {
  const noise = silu(embedding.apply(p, noiseFeatures));
  let h: tf.Tensor = tf.mul(tf.sub(y, PRECONDITIONING.centre), scale);
  for (const { convolution, film } of blocks) {
    const x = convolution.apply(p, h);
    const [gain, shift] = tf.split(tf.reshape(film.apply(p, noise), [x.shape[0], 1, 1, -1]), 2, 3);
    h = silu(tf.add(tf.mul(x, tf.add(gain, 1)), shift));
  }
  const features = silu(hidden.apply(p, tf.reshape(h, [y.shape[0], -1])));
  return tf.logSoftmax(output.apply(p, features)) as tf.Tensor2D;
}

/** The trained classifier with its tensors; the caller disposes it. */
export class NoisyDigitClassifier {
  /** Classes it tells apart. */
  readonly classes: number = NOISY_CLASSIFIER_CLASSES;
  readonly #tensors: tf.Tensor[];
  #disposed = false;
  readonly #compiled = new Map<number, DifferentiableFunction<NoisyClassifierInputs>>();

  /**
   * Puts the weights on the current engine.
   * @param weights Values by parameter name, as `readNoisyClassifier` gives them.
   */
  constructor(weights: Weights) {
    requireWeights("weights", weights, NOISY_CLASSIFIER_PARAMETERS);
    this.#tensors = NOISY_CLASSIFIER_PARAMETERS.map(({ name, shape }) =>
      tf.tensor(weights.get(name)!, [...shape])
    );
  }

  /** Compiles the forward pass and its derivative for batches of `rows`; other sizes run uncompiled. */
  async prepare(rows: number): Promise<void> {
    this.#check();
    if (this.#compiled.has(rows)) return;
    const shapes = noisyClassifierShapes(rows);
    const dy = [rows, NOISY_CLASSIFIER_CLASSES];
    const compiled = new DifferentiableFunction<NoisyClassifierInputs>((x) => this.#forward(x), shapes, dy);
    await compiled.prepare(true);
    this.#compiled.set(rows, compiled);
  }

  /**
   * log p(c | y), differentiable by y.
   *
   * @param y [B, 28, 28, 1], x_0 + ν ε with x_0 in [−1, 1].
   * @param noiseRatio ν, one or [B].
   * @returns [B, 10].
   * @throws {RangeError} When the images have another shape, a noise ratio is not positive, or there is not one for
   * each row.
   * @throws {Error} After dispose.
   */
  logProbabilities(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor2D {
    this.#check(y.shape);
    return tf.tidy(() => {
      const rows = y.shape[0];
      const ratios = typeof noiseRatio === "number" ? new Float64Array(rows).fill(noiseRatio) : noiseRatio;
      if (ratios.length !== rows) {
        throw new RangeError(`expected one noise ratio per row, got ${ratios.length} for ${rows} rows`);
      }
      const inputs = noisyClassifierInputs(y, ratios);
      return (this.#compiled.get(rows)?.run(inputs) ?? this.#forward(inputs)) as tf.Tensor2D;
    });
  }

  /**
   * log p(label | y) of each row, differentiable by y, for classifier guidance.
   *
   * @param labels One a row, whole numbers below 10.
   * @returns [B].
   * @throws {RangeError} As {@linkcode NoisyDigitClassifier.logProbabilities} does, and when a label is not a class
   * or there is not one for each row.
   * @throws {Error} After dispose.
   */
  logProbability(y: tf.Tensor, noiseRatio: PerRow, labels: readonly number[]): tf.Tensor1D {
    checkLabels(labels, NOISY_CLASSIFIER_CLASSES, y.shape[0]);
    return tf.tidy(() => {
      const chosen = tf.oneHot(tf.tensor1d([...labels], "int32"), NOISY_CLASSIFIER_CLASSES).toFloat();
      return tf.sum(tf.mul(this.logProbabilities(y, noiseRatio), chosen), 1);
    });
  }

  /** Frees the weights and the compiled functions; the classifier can no longer be used. */
  dispose(): void {
    this.#disposed = true;
    tf.dispose(this.#tensors);
    for (const compiled of this.#compiled.values()) compiled.dispose();
    this.#compiled.clear();
  }

  #check(shape?: readonly number[]): void {
    if (this.#disposed) throw new Error("the classifier was disposed: load it again");
    if (shape === undefined || String(shape.slice(1)) === String(NOISY_CLASSIFIER_SHAPE)) return;
    throw new RangeError(
      `the classifier takes images of shape [B, ${NOISY_CLASSIFIER_SHAPE.join(", ")}], got ${
        quotedShape(shape)
      }`,
    );
  }

  #forward(inputs: NoisyClassifierInputs): tf.Tensor2D {
    return noisyClassifierForward(namedParameters(NOISY_CLASSIFIER_PARAMETERS, this.#tensors), inputs);
  }
}

/**
 * Fetches the classifier of noisy digits that comes with this project; call `useEngine` first.
 *
 * @throws {Error} When the file cannot be fetched, or its SHA-256 differs from the shipped file's.
 */
export async function loadNoisyClassifier(): Promise<NoisyDigitClassifier> {
  return new NoisyDigitClassifier(
    readNoisyClassifier(await fetchShipped("noisy_classifier.safetensors")),
  );
}

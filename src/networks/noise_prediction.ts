/**
 * The predicted noise ε̂(y, ν) of a preconditioned network, as a pure function of tensors. Sampling and training
 * share it; all that depends on ν alone is computed on the host in float64 and passed in.
 * @module
 */
import type { ShapesOf } from "../compute/compile_record.ts";
import * as tf from "../compute/tf.ts";
import {
  type Preconditioning,
  type PredictionCoefficients,
  predictionCoefficients,
} from "../diffusion/preconditioning.ts";
import type { DataUnits } from "../data/units.ts";
import type { NetworkConfig } from "./registry.ts";
import type { Network, Parameters } from "./network.ts";

/** A model's config: its network and preconditioning; plain JSON. */
export interface ModelConfig {
  /** The network. */
  readonly network: NetworkConfig;
  /** EDM's preconditioning; null when the network's output is ε̂ itself. */
  readonly preconditioning: Preconditioning | null;
  /**
   * Whether the network is a consistency function f = y − ν ε̂ (Song et al. 2023): the end of a probability-flow
   * trajectory and not a conditional mean, so that ε̂ gives no score. Absent for a score network.
   */
  readonly consistency?: true;
  /** The units of the data that the model was trained on; absent for pixels, which are written from 0 to 1. */
  readonly units?: DataUnits;
}

/** Tensors, beside the weights and the noisy input, of one evaluation on B rows. */
export interface PredictionInputs {
  /** c_in, [B, 1, …]. */
  readonly input: tf.Tensor;
  /** Factor of y − centre in ε̂, [B, 1, …]. */
  readonly skip: tf.Tensor;
  /** Factor of the network's output in ε̂, [B, 1, …]. */
  readonly output: tf.Tensor;
  /** [B, F]. */
  readonly noiseFeatures: tf.Tensor2D;
  /** One-hot [B, classes + 1]; absent for a network without labels. */
  readonly classes?: tf.Tensor2D;
}

/**
 * ε̂ = skip · (y − centre) + output · F(input · (y − centre)), with the factors of `predictionCoefficients`.
 *
 * @param y [B, …sampleShape].
 */
export function predictNoise(
  network: Network,
  preconditioning: Preconditioning | null,
  p: Parameters,
  y: tf.Tensor,
  { input, skip, output, noiseFeatures, classes }: PredictionInputs,
): tf.Tensor {
  const centred = preconditioning === null ? y : tf.sub(y, preconditioning.centre);
  const f = network.forward(p, tf.mul(centred, input), noiseFeatures, classes ?? null);
  return tf.add(tf.mul(centred, skip), tf.mul(f, output));
}

/**
 * The consistency function f(y, ν) = y − ν ε̂, which with EDM's preconditioning is D = c_skip y + c_out F: at ν = 0
 * it is y for any output of the network, because c_skip = 1 and c_out = 0 there (Geng et al. 2024, section 3.1).
 *
 * @param y [B, …sampleShape].
 * @param noiseRatio ν, [B, 1, …].
 */
export function predictConsistency(
  network: Network,
  preconditioning: Preconditioning | null,
  p: Parameters,
  y: tf.Tensor,
  noiseRatio: tf.Tensor,
  inputs: PredictionInputs,
): tf.Tensor {
  return tf.sub(y, tf.mul(noiseRatio, predictNoise(network, preconditioning, p, y, inputs)));
}

/**
 * The inputs of {@linkcode predictNoise} for noise ratios [B] and labels [B] (`network.classes` stands for "no label").
 *
 * @throws {RangeError} When a noise ratio is not positive or a label is not one of the network's.
 */
export function predictionInputs(
  network: Network,
  preconditioning: Preconditioning | null,
  noiseRatio: Float64Array,
  labels: ArrayLike<number>,
): PredictionInputs {
  const rows = noiseRatio.length;
  for (const ratio of noiseRatio) {
    if (!(ratio > 0 && ratio < Infinity)) {
      throw new RangeError(`noise ratios must be positive numbers, got ${ratio}`);
    }
  }
  const coefficients = Array.from(noiseRatio, (ratio) => predictionCoefficients(preconditioning, ratio));
  const column = (name: keyof PredictionCoefficients) =>
    tf.tensor(coefficients.map((row) => row[name]), [rows, ...network.sampleShape.map(() => 1)]);
  const features = network.noiseFeatures(noiseRatio.map(Math.log));
  return {
    input: column("input"),
    skip: column("skip"),
    output: column("output"),
    noiseFeatures: tf.tensor2d(features, [rows, network.noiseFeatureCount]),
    ...network.classes > 0 && { classes: oneHot(labels, rows, network.classes) },
  };
}

/** Shapes of {@linkcode PredictionInputs} for a batch of `rows`. */
export function predictionShapes(network: Network, rows: number): ShapesOf<PredictionInputs> {
  const column = [rows, ...network.sampleShape.map(() => 1)];
  return {
    input: column,
    skip: column,
    output: column,
    noiseFeatures: [rows, network.noiseFeatureCount],
    ...network.classes > 0 && { classes: [rows, network.classes + 1] },
  };
}

function oneHot(labels: ArrayLike<number>, rows: number, classes: number): tf.Tensor2D {
  if (labels.length !== rows) {
    throw new RangeError(`expected one label per row, got ${labels.length} for ${rows} rows`);
  }
  const values = new Float32Array(rows * (classes + 1));
  for (let row = 0; row < rows; row++) {
    const label = labels[row];
    if (!Number.isInteger(label) || label < 0 || label > classes) {
      throw new RangeError(`labels must be whole numbers from 0 to ${classes - 1}, got ${label}`);
    }
    values[row * (classes + 1) + label] = 1;
  }
  return tf.tensor2d(values, [rows, classes + 1]);
}

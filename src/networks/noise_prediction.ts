/**
 * The predicted noise ε̂(y, ν) of a preconditioned network, as a pure function of tensors. Sampling and training share
 * it; everything that depends on ν alone is computed on the host in float64 and handed in.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { edmCoefficients, type Preconditioning } from "../diffusion/preconditioning.ts";
import type { NetworkConfig } from "./registry.ts";
import type { Network, Parameters } from "./network.ts";

/** What is needed beside the weights to predict noise; plain JSON. */
export interface ModelConfig {
  /** The network. */
  readonly network: NetworkConfig;
  /** EDM's preconditioning; null when the network's output is ε̂ itself. */
  readonly preconditioning: Preconditioning | null;
  /**
   * Whether the network is a consistency function f = y − ν ε̂ (Song et al. 2023): the end of a probability-flow trajectory, not a
   * mean, so that ε̂ is no score. Absent for a score network.
   */
  readonly consistency?: true;
}

/** Tensors, beside the weights and the noisy input, of one evaluation on B rows; the order is that of the arguments. */
export type PredictionInputs = readonly [
  /** c_in, [B, 1, …]. */
  input: tf.Tensor,
  /** Factor of y − centre in ε̂, [B, 1, …]. */
  skip: tf.Tensor,
  /** Factor of the network's output in ε̂, [B, 1, …]. */
  output: tf.Tensor,
  /** [B, F]. */
  noiseFeatures: tf.Tensor,
  /** One-hot [B, classes + 1]; absent for a network without labels. */
  classes?: tf.Tensor,
];

/**
 * ε̂ = skip · (y − centre) + output · F(input · (y − centre)). With EDM's D this is (y − D)/ν without the difference that
 * has no digits left at small ν: skip = ν/(ν² + σ_d²), output = −σ_d/√(ν² + σ_d²).
 *
 * @param y [B, …sampleShape].
 */
export function predictNoise(
  network: Network,
  preconditioning: Preconditioning | null,
  p: Parameters,
  y: tf.Tensor,
  [input, skip, output, noiseFeatures, classes]: PredictionInputs,
): tf.Tensor {
  const centred = preconditioning === null ? y : tf.sub(y, preconditioning.centre);
  const f = network.forward(
    p,
    tf.mul(centred, input),
    noiseFeatures as tf.Tensor2D,
    (classes ?? null) as tf.Tensor2D | null,
  );
  return tf.add(tf.mul(centred, skip), tf.mul(f, output));
}

/**
 * The consistency function f(y, ν) = y − ν ε̂, which with EDM's preconditioning is D = c_skip y + c_out F: at ν = 0 it is y
 * whatever the network says, for c_skip = 1 and c_out = 0 there (Geng et al. 2024, section 3.1).
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
 * The inputs of {@link predictNoise} for noise ratios [B] and labels [B] (`network.classes` stands for "no label").
 *
 * @throws {RangeError} When a noise ratio is not positive or a label is none of the network's.
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
  const column = (f: (ratio: number) => number) =>
    tf.tensor(Float32Array.from(noiseRatio, f), [rows, ...network.sampleShape.map(() => 1)]);
  const sigma = preconditioning?.sigmaData;
  const edm = (f: (cIn: number, ratio: number, sigma: number) => number, plain: number) =>
    column((ratio) => sigma === undefined ? plain : f(edmCoefficients(sigma, ratio).input, ratio, sigma));
  const features = network.noiseFeatures(noiseRatio.map(Math.log));
  const inputs = [
    edm((cIn) => cIn, 1),
    edm((cIn, ratio) => ratio * cIn * cIn, 0),
    edm((cIn, _, sigma) => -sigma * cIn, 1),
    tf.tensor(features, [rows, network.noiseFeatureCount]),
  ] as const;
  return network.classes === 0 ? inputs : [...inputs, oneHot(labels, rows, network.classes)];
}

/** Shapes of {@link PredictionInputs} for a batch of `rows`. */
export function predictionShapes(network: Network, rows: number): number[][] {
  const column = [rows, ...network.sampleShape.map(() => 1)];
  const shapes = [column, column, column, [rows, network.noiseFeatureCount]];
  return network.classes === 0 ? shapes : [...shapes, [rows, network.classes + 1]];
}

function oneHot(labels: ArrayLike<number>, rows: number, classes: number): tf.Tensor {
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
  return tf.tensor(values, [rows, classes + 1]);
}

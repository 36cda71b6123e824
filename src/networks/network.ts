/**
 * The interface of networks: a plain JSON config, a list of named parameters and a pure function of them.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { requireArray, requireFloats } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { sizeOf } from "../math/shape.ts";

/** One named parameter; it starts as independent draws of N(mean, std²). */
export interface ParameterSpec {
  /** Its name, by its place in the network, such as `down.0.block.1.conv1.weight`. */
  readonly name: string;
  /** Sizes, in the order of TensorFlow: [height, width, in, out] for filters, [in, out] for matrices. */
  readonly shape: readonly number[];
  /** 1 for the gains of normalizations, else 0. */
  readonly mean: number;
  /** 1/√(fan-in) for weights; 0 for offsets, gains and zero-initialized last layers. */
  readonly std: number;
}

/** Parameter tensors by name. */
export type Parameters = Readonly<Record<string, tf.Tensor>>;

/** Parameter values by name, on the host. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** A function of a noisy input, its noise level and optionally its class, with named parameters. */
export interface Network<Config = unknown> {
  /** The config, plain JSON, from which `networkFromConfig` makes the same network. */
  readonly config: Config;
  /** Shape of one sample, such as [28, 28, 1]. */
  readonly sampleShape: readonly number[];
  /** Number of classes; 0 for a network without labels. */
  readonly classes: number;
  /** All parameters, in the order in which {@linkcode unflatten} takes them. */
  readonly parameters: readonly ParameterSpec[];
  /** Initial values, drawn from a fork of `rng` for each name. */
  initialise(rng: Rng): Map<string, Float32Array>;
  /** Features [rows, F], row-major, of ln ν [rows]; computed in float64. */
  noiseFeatures(logNoiseRatio: Float64Array): Float32Array;
  /** F, the features of one row. */
  readonly noiseFeatureCount: number;
  /**
   * The output, of the shape of `x`.
   *
   * @param p Parameter tensors.
   * @param x [B, …sampleShape].
   * @param noiseFeatures [B, F].
   * @param classes One-hot [B, classes + 1] whose last class means "no label"; null for a network without labels.
   */
  forward(p: Parameters, x: tf.Tensor, noiseFeatures: tf.Tensor2D, classes: tf.Tensor2D | null): tf.Tensor;
}

/** Numbers in all parameters. */
export function parameterCount(network: Pick<Network, "parameters">): number {
  return network.parameters.reduce((sum, spec) => sum + sizeOf(spec.shape), 0);
}

/** Draws initial values; a parameter's values depend on the seed and its name alone. */
export function initialValues(specs: readonly ParameterSpec[], rng: Rng): Map<string, Float32Array> {
  return new Map(specs.map(({ name, shape, mean, std }) => {
    const size = sizeOf(shape);
    if (std === 0) return [name, new Float32Array(size).fill(mean)];
    return [name, rng.fork(name).normalValues([1, size]).map((z) => mean + std * z)];
  }));
}

/**
 * All parameters end to end in the order of the specs, [P].
 * @throws {RangeError} When a parameter is missing or has the wrong size.
 */
export function flatten(specs: readonly ParameterSpec[], weights: Weights): Float32Array {
  const flat = new Float32Array(parameterCount({ parameters: specs }));
  let start = 0;
  for (const { name, shape } of specs) {
    const values = weights.get(name);
    const size = sizeOf(shape);
    if (values?.length !== size) {
      const found = values === undefined ? "is missing" : `has ${values.length} values`;
      throw new RangeError(`the parameter ${name} must have ${size} values, but it ${found}`);
    }
    flat.set(values, start);
    start += size;
  }
  return flat;
}

/** The parameters by name, as copies, from their concatenation in the order of the specs. */
export function unflatten(specs: readonly ParameterSpec[], flat: Float32Array): Map<string, Float32Array> {
  requireArray("specs", specs);
  requireFloats("flat", flat);
  const size = parameterCount({ parameters: specs });
  if (flat.length !== size) throw new RangeError(`the parameters have ${size} values, got ${flat.length}`);
  let start = 0;
  return new Map(specs.map(({ name, shape }) => {
    const values = flat.slice(start, start + sizeOf(shape));
    start += values.length;
    return [name, values];
  }));
}

/** Splits a flat parameter tensor [P] into the network's parameters. Its gradient would be slow. */
export function splitParameters(specs: readonly ParameterSpec[], flat: tf.Tensor1D): tf.Tensor[] {
  const pieces = tf.split(flat, specs.map(({ shape }) => sizeOf(shape)), 0);
  return specs.map(({ shape }, i) => tf.reshape(pieces[i], [...shape]));
}

/** Tensors by name, in the order of the specs. */
export function namedParameters(specs: readonly ParameterSpec[], tensors: readonly tf.Tensor[]): Parameters {
  return Object.fromEntries(specs.map(({ name }, i) => [name, tensors[i]]));
}

/** Throws for weights that lack a parameter, or have another number of its values. */
export function requireWeights(name: string, weights: unknown, specs: readonly ParameterSpec[]): void {
  if (!(weights instanceof Map)) {
    throw new TypeError(
      `${name} must be a Map of Float32Array by the parameters' names, got ${quoted(weights)}`,
    );
  }
  for (const { name: parameter, shape } of specs) {
    const values: unknown = weights.get(parameter);
    if (!(values instanceof Float32Array) || values.length !== sizeOf(shape)) {
      const found = values instanceof Float32Array ? values.length : "no";
      throw new RangeError(
        `the weights have ${found} values for ${parameter}, which needs ${sizeOf(shape)}`,
      );
    }
  }
}

/** The largest size of a layer, or number of layers, of a network. */
const LARGEST_SIZE = 2 ** 20;

/** Throws unless the value is a whole number from `least` to 2²⁰. */
export function requireSize(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`${name} must be an integer of at least ${least}, got ${quoted(value)}`);
  }
  if (value > LARGEST_SIZE) throw new RangeError(`${name} must be at most ${LARGEST_SIZE}, got ${value}`);
}

/** Weights of a network of one fixed architecture in a safetensors file; the header names the architecture. @module */
import { quoted, quotedShape } from "../input/quoted.ts";
import type { ParameterSpec, Weights } from "./network.ts";
import {
  type NamedTensor,
  readSafetensors,
  type StorageType,
  tensorNamed,
  writeSafetensors,
} from "./safetensors.ts";

/** A fixed architecture of a network. */
export interface WeightsFormat {
  /** The value of the header's "format", such as "score-sde digit classifier 1". */
  readonly format: string;
  /** Its name in errors, such as "a digit classifier". */
  readonly noun: string;
  /** All its parameters. */
  readonly parameters: readonly ParameterSpec[];
}

/**
 * The bytes of a file.
 * @throws {RangeError} When a parameter is missing or has the wrong size.
 */
export function writeWeights(
  { format, parameters }: WeightsFormat,
  weights: Weights,
  metadata: Readonly<Record<string, string>> = {},
  storage: StorageType = "F16",
): Uint8Array<ArrayBuffer> {
  const tensors = parameters.map(({ name, shape }) =>
    [name, { shape, values: weights.get(name) ?? new Float32Array(0) }] as const
  );
  return writeSafetensors({ tensors: new Map(tensors), metadata: { format, ...metadata } }, storage);
}

/**
 * Reads a file.
 * @throws {TypeError} When the bytes are not a file of this architecture.
 */
export function readWeights({ format, noun, parameters }: WeightsFormat, bytes: Uint8Array): Weights {
  const file = readSafetensors(bytes);
  if (file.metadata.format !== format) {
    throw new TypeError(`not ${noun}: the header does not say "${format}"`);
  }
  return new Map(parameters.map(({ name, shape }) => {
    const tensor = tensorNamed(file, name, `not ${noun}: the parameter`);
    checkTensor(`the parameter ${quoted(name)}`, tensor, shape);
    return [name, tensor.values];
  }));
}

/**
 * Checks the shape and the values of a tensor from a file.
 * @throws {TypeError} When it has another shape, or a number in it is not finite.
 */
export function checkTensor(what: string, { shape, values }: NamedTensor, expected: readonly number[]): void {
  if (shape.length !== expected.length || shape.some((size, axis) => size !== expected[axis])) {
    throw new TypeError(`${what} has shape ${quotedShape(shape)} instead of ${quotedShape(expected)}`);
  }
  const broken = values.find((value) => !Number.isFinite(value));
  if (broken !== undefined) throw new TypeError(`${what} holds ${broken}, where numbers must be finite`);
}

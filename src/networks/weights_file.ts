/** Weights of a network of one fixed form in a safetensors file; the header says which form. @module */
import type { ParameterSpec, Weights } from "./network.ts";
import { readSafetensors, type StorageType, writeSafetensors } from "./safetensors.ts";

/** A form of network. */
export interface WeightsFormat {
  /** What the header's "format" says, such as "score-sde digit classifier 1". */
  readonly format: string;
  /** What to call it in errors, such as "a digit classifier". */
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
 * @throws {TypeError} When the bytes are no such file.
 */
export function readWeights({ format, noun, parameters }: WeightsFormat, bytes: Uint8Array): Weights {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== format) throw new TypeError(`not ${noun}: the header does not say "${format}"`);
  return new Map(parameters.map(({ name, shape }) => {
    const tensor = tensors.get(name);
    if (tensor === undefined || tensor.shape.join() !== shape.join()) {
      throw new TypeError(`the parameter ${name} must have shape [${shape}], found [${tensor?.shape}]`);
    }
    return [name, tensor.values];
  }));
}

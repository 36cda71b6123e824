/**
 * A model in a safetensors file: the weights that sample, under their parameters' names, and the config in the header.
 * A training checkpoint is such a file with more in it.
 * @module
 */
import { networkFromConfig } from "./catalogue.ts";
import { sizeOf, type Weights } from "./network.ts";
import type { ModelConfig } from "./noise_prediction.ts";
import { type NamedTensor, readSafetensors, type StorageType, writeSafetensors } from "./safetensors.ts";

/** A network's config and weights. */
export interface Model {
  /** Network and preconditioning. */
  readonly config: ModelConfig;
  /** Values by parameter name. */
  readonly weights: Weights;
}

/** The header's key and value that tell a model of this project. */
const FORMAT = { key: "format", value: "score-sde model 1" } as const;

/**
 * The bytes of a model.
 *
 * @param extras Further tensors and text pairs, for checkpoints and model cards.
 */
export function writeModel(
  model: Model,
  storage: StorageType = "F32",
  extras: { tensors?: ReadonlyMap<string, NamedTensor>; metadata?: Readonly<Record<string, string>> } = {},
): Uint8Array<ArrayBuffer> {
  const network = networkFromConfig(model.config.network);
  const tensors = new Map<string, NamedTensor>();
  for (const { name, shape } of network.parameters) {
    tensors.set(name, { shape, values: model.weights.get(name) ?? new Float32Array(0) });
  }
  for (const [name, tensor] of extras.tensors ?? []) tensors.set(name, tensor);
  const metadata = { [FORMAT.key]: FORMAT.value, model: JSON.stringify(model.config), ...extras.metadata };
  return writeSafetensors({ tensors, metadata }, storage);
}

/**
 * Reads a model, or the model in a checkpoint.
 *
 * @returns The model, and all tensors and text pairs of the file.
 * @throws {TypeError} When the bytes are no model of this project, with what is wrong.
 */
export function readModel(bytes: Uint8Array): Model & ReturnType<typeof readSafetensors> {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata[FORMAT.key] !== FORMAT.value) {
    throw new TypeError(`not a model of this project: its header does not say "${FORMAT.value}"`);
  }
  const config = parseConfig(metadata.model, tensors);
  const weights = new Map<string, Float32Array>();
  for (const { name, shape } of networkFromConfig(config.network).parameters) {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new TypeError(`the model has no parameter ${name}`);
    if (tensor.values.length !== sizeOf(shape) || tensor.shape.join() !== shape.join()) {
      throw new TypeError(`the model's parameter ${name} has shape [${tensor.shape}] instead of [${shape}]`);
    }
    weights.set(name, tensor.values);
  }
  return { config, weights, tensors, metadata };
}

/**
 * Refuses a network that is larger than its file, before it is built: as many layers or blocks as tensors, no number above that
 * of all values, or of pixels in a row.
 */
function checkSizes(network: unknown, tensors: ReadonlyMap<string, NamedTensor>): void {
  let values = 0;
  for (const tensor of tensors.values()) values += tensor.values.length;
  for (const [name, value] of Object.entries(network ?? {})) {
    const counts = /^(layers|blocks|middleBlocks)$/.test(name);
    const most = counts ? tensors.size : Math.max(values, 65_536);
    const numbers = Array.isArray(value) ? [value.length, ...value] : [value];
    const beyond = numbers.find((number) => typeof number === "number" && !(number <= most));
    if (beyond === undefined) continue;
    throw new TypeError(
      `${name} is ${beyond}, more than the ${counts ? "tensors" : "numbers"} in the file, ${most}`,
    );
  }
}

function parseConfig(text: string | undefined, tensors: ReadonlyMap<string, NamedTensor>): ModelConfig {
  try {
    const config = JSON.parse(text ?? "") as ModelConfig;
    checkSizes(config.network, tensors);
    networkFromConfig(config.network);
    const { preconditioning } = config;
    if (
      preconditioning !== null &&
      !(preconditioning.sigmaData > 0 && Number.isFinite(preconditioning.centre))
    ) {
      throw new TypeError(`its preconditioning is ${JSON.stringify(preconditioning)}`);
    }
    return config;
  } catch (error) {
    throw new TypeError(`the model's config cannot be used: ${(error as Error).message}`);
  }
}

/**
 * A model in a safetensors file: the weights for sampling, under their parameters' names, and the config in the
 * header. A training checkpoint is such a file with further tensors.
 * @module
 */
import { checkFields } from "../input/fields.ts";
import { isObject, parsedField } from "../input/json.ts";
import { quoted } from "../input/quoted.ts";
import { checkPreconditioning } from "../diffusion/preconditioning.ts";
import { checkUnits, type DataUnits } from "../data/units.ts";
import { networkFromConfig } from "./registry.ts";
import { type Network, requireWeights, type Weights } from "./network.ts";
import type { ModelConfig } from "./noise_prediction.ts";
import {
  type NamedTensor,
  readSafetensors,
  type Safetensors,
  type StorageType,
  tensorNamed,
  writeSafetensors,
} from "./safetensors.ts";
import { checkTensor } from "./weights_file.ts";
import { requireOptions } from "../input/require.ts";

/** A network's config and weights. */
export interface Model {
  /** Network and preconditioning. */
  readonly config: ModelConfig;
  /** Values by parameter name. */
  readonly weights: Weights;
}

/** The header's key and value that identify a model of this project. */
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
  requireModelFile(model);
  requireOptions("extras", extras);
  if (extras.metadata !== undefined) requireOptions("metadata", extras.metadata);
  if (extras.tensors !== undefined && !(extras.tensors instanceof Map)) {
    throw new TypeError("the tensors beside the weights must be a Map of tensors by name");
  }
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
 * @param most The most numbers in all tensors together; by default 2²⁸, which take 1 GiB.
 * @returns The model, and all tensors and text pairs of the file.
 * @throws {TypeError} When the bytes are not a model of this project, a field of its config is unknown or out of its
 * range, or a weight is missing, of another shape or not finite.
 */
export function readModel(bytes: Uint8Array, most?: number): Model & Safetensors {
  const file = readSafetensors(bytes, most);
  if (file.metadata[FORMAT.key] !== FORMAT.value) {
    throw new TypeError(`not a model of this project: its header does not say "${FORMAT.value}"`);
  }
  const { config, network } = parseConfig(file);
  const weights = new Map<string, Float32Array>();
  for (const { name, shape } of network.parameters) {
    const tensor = tensorNamed(file, name, "the model's parameter");
    checkTensor(`the model's parameter ${quoted(name)}`, tensor, shape);
    weights.set(name, tensor.values);
  }
  return { config, weights, ...file };
}

/** The fields of each kind of network's config, and those that may be left out. */
const FIELDS: Readonly<Record<string, readonly [required: readonly string[], optional: readonly string[]]>> =
  {
    unet: [
      [
        "kind",
        "height",
        "width",
        "channels",
        "unshuffle",
        "widths",
        "blocks",
        "middleBlocks",
        "groups",
        "embedding",
        "noiseFeatures",
        "attention",
        "classes",
      ],
      ["noiseConditional", "wavePeriods"],
    ],
    tutorial: [["kind", "widths", "embedding", "sigma", "frequencyScale", "frequencySeed"], [
      "frequencies",
      "unitRange",
    ]],
    mlp: [["kind", "dimensions", "hidden", "layers", "noiseFeatures", "classes"], []],
  };

/**
 * Throws, before a network is built, if its config is too large for its file: more layers or blocks than tensors, or
 * a size above the number of all values, or of pixels in a row.
 */
function checkSizes(network: Record<string, unknown>, { tensors }: Safetensors): void {
  let values = 0;
  for (const tensor of tensors.values()) values += tensor.values.length;
  const levels = Array.isArray(network.widths) ? network.widths.length : 1;
  for (const [name, value] of Object.entries(network)) {
    const counts = /^(layers|blocks|middleBlocks)$/.test(name);
    // Each level has this number of blocks on the way down, and again on the way up.
    const most = counts
      ? Math.floor(tensors.size / (name === "blocks" ? Math.max(1, 2 * (levels - 1)) : 1))
      : Math.max(values, 65_536);
    const numbers = Array.isArray(value) ? [value.length, ...value] : [value];
    const beyond = numbers.find((number) => typeof number === "number" && number > most);
    if (beyond === undefined || name === "frequencySeed") continue;
    throw new TypeError(
      `${name} is ${beyond}, more than the ${counts ? "tensors" : "numbers"} in the file allow, ${most}`,
    );
  }
}

/** The config in a file's header, checked against the sizes of the file. */
export function parseConfig(file: Safetensors): { config: ModelConfig; network: Network } {
  try {
    const config = parsedField("it", file.metadata.model) as ModelConfig;
    checkFields("it", config, ["network", "preconditioning"], ["consistency", "units"]);
    if (config.consistency !== undefined && config.consistency !== true) {
      throw new TypeError(`its consistency must be true or absent, got ${quoted(config.consistency)}`);
    }
    if (!isObject(config.network)) throw new TypeError(`its network is ${quoted(config.network)}`);
    const kind = config.network.kind;
    if (kind === undefined) throw new TypeError("its network has no kind");
    if (Object.hasOwn(FIELDS, String(kind))) checkFields(`its ${kind}`, config.network, ...FIELDS[kind]);
    checkSizes(config.network, file);
    if (config.preconditioning !== null) checkPreconditioning(config.preconditioning);
    const network = networkFromConfig(config.network);
    if (config.units !== undefined) requireUnits(config.units, network);
    return { config, network };
  } catch (error) {
    throw new TypeError(`the model's config cannot be used: ${(error as Error).message}`);
  }
}

/** Throws unless units are for all values of a network's samples, or for each coordinate of its points. */
function requireUnits(units: DataUnits, { sampleShape }: Network): void {
  checkUnits(units);
  const { length } = units.offset;
  if (length === 1 || (sampleShape.length === 1 && length === sampleShape[0])) return;
  throw new RangeError(`its units have ${length} offsets, for samples of shape [${sampleShape}]`);
}

/** Throws unless the value is a config with weights. */
export function requireModelFile(model: Model): void {
  requireOptions("model", model);
  requireOptions("config", model.config);
  requireWeights("weights", model.weights, networkFromConfig(model.config.network).parameters);
}

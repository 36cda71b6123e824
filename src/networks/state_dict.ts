/**
 * PyTorch's state_dicts of this project's networks: the same tensors by other names and in another order of axes. Values are
 * moved, never computed with, so that a model comes back bit for bit.
 * @module
 */
import { requireBoolean, requireOptions } from "../input/require.ts";
import { checkFields, checkNumber } from "../input/fields.ts";
import { quoted, quotedShape } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";
import { sameList, sizeOf } from "../math/shape.ts";
import { type Model, parseConfig, requireModelFile } from "./model_file.ts";
import type { ModelConfig } from "./noise_prediction.ts";
import type { Weights } from "./network.ts";
import { networkFromConfig } from "./registry.ts";
import type { NamedTensor, Safetensors } from "./safetensors.ts";
import { FREQUENCIES, scoreNetConfig, scoreNetTensors } from "./score_net.ts";
import { randomFrequencies, type TutorialConfig } from "./tutorial.ts";
import { checkTensor } from "./weights_file.ts";

/**
 * Whose names a state_dict has: `score-net` those of the ScoreNet of Song's MNIST tutorial, `own` those of this project's
 * networks as pytorch/score_sde_torch writes them in PyTorch.
 */
export type StateDictNames = "score-net" | "own";

/** All of them. */
export const stateDictNames: readonly StateDictNames[] = ["score-net", "own"];

/** How a state_dict is to be understood. */
export interface StateDictOptions {
  /**
   * The network and preconditioning that it belongs to; default what the file's header says as `model`, and of a ScoreNet what
   * follows from its tensors.
   */
  readonly config?: ModelConfig;
  /** σ of dx = σ^t dw, on which a ScoreNet without config was trained; default 25, as in the tutorial. */
  readonly sigma?: number;
  /** Whether such a ScoreNet was trained on pixels in [0, 1], the default and the tutorial's, or in [−1, 1]. */
  readonly unitRange?: boolean;
}

/** The order of PyTorch's axes in those of TensorFlow: [height, width, in, out] is [out, in, height, width] there. */
const TO_PYTORCH: Readonly<Record<number, readonly number[]>> = { 2: [1, 0], 4: [3, 2, 0, 1] };
const FROM_PYTORCH: Readonly<Record<number, readonly number[]>> = { 2: [1, 0], 4: [2, 3, 1, 0] };

/** A parameter's place in a state_dict. */
interface Place {
  readonly here: string;
  readonly there: string;
  /** Its shape here. */
  readonly shape: readonly number[];
  readonly change?: "sign" | "halves";
}

/**
 * The state_dict of a model, for PyTorch: values by PyTorch's names, in PyTorch's order of axes.
 *
 * @param names Default `score-net` for a tutorial network that predicts noise itself, `own` for every other model.
 * @throws {RangeError} When `score-net` is asked for another network, or one with preconditioning.
 *
 * @example The first matrix of a perceptron, [in, out] here and [out, in] in PyTorch
 * ```ts
 * import { createRng } from "../compute/rng.ts";
 * import { networkFromConfig } from "./registry.ts";
 * import { modelFromStateDict, stateDict } from "./state_dict.ts";
 * const network = { kind: "mlp", dimensions: 2, hidden: 32, layers: 2, noiseFeatures: 8, classes: 0 } as const;
 * const config = { network, preconditioning: null };
 * const model = { config, weights: networkFromConfig(network).initialise(createRng(0)) };
 * const tensors = stateDict(model);
 * console.assert(String(tensors.get("layers.0.weight")?.shape) === "32,10");
 * const back = modelFromStateDict({ tensors, metadata: {} }, { config });
 * console.assert(String(back.weights.get("head.bias")) === String(model.weights.get("head.bias")));
 * ```
 */
export function stateDict(model: Model, names?: StateDictNames): Map<string, NamedTensor> {
  requireModelFile(model);
  const { config, weights } = model;
  const chosen = names === undefined ? (isScoreNet(config) ? "score-net" : "own") : names;
  checkName("names", chosen, stateDictNames);
  if (chosen === "score-net" && !isScoreNet(config)) {
    throw new RangeError(
      `a ScoreNet is a tutorial network that predicts noise itself, this model is a ${config.network.kind} ${
        config.preconditioning === null ? "of another kind" : "with preconditioning"
      }: take the names "own"`,
    );
  }
  const tensors = new Map(
    placesOf(config, chosen).map(({ here, there, shape, change }) => {
      const tensor = { shape, values: weights.get(here)! };
      return [there, permuted(changed(tensor, change), TO_PYTORCH[shape.length])] as const;
    }),
  );
  if (chosen === "own") return tensors;
  const values = frequenciesOf(config.network as TutorialConfig);
  return new Map([[FREQUENCIES, { shape: [values.length], values }], ...tensors]);
}

/**
 * The model of a state_dict from PyTorch, by the names of `stateDict`. Names may begin with `module.`, as of DataParallel, or
 * `_orig_mod.`, as of torch.compile.
 *
 * @param file The tensors of a safetensors file.
 * @throws {TypeError} In one sentence that names the tensor, when one is missing, is one too many, has another shape or type than
 * float32 and float16, or holds a number that is not finite.
 */
export function modelFromStateDict(file: Safetensors, options: StateDictOptions = {}): Model {
  const { tensors, others } = requireStateDict(file);
  checkFields("options", options, [], ["config", "sigma", "unitRange"]);
  const { sigma = 25, unitRange = true } = options;
  checkNumber("sigma", sigma, { above: 1 });
  requireBoolean("unitRange", unitRange);
  const stated = statedConfig(file, options);
  const prefix = prefixOf([...tensors.keys(), ...others.keys()]);
  const named = new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  const other = new Map([...others].map(([name, type]) => [name.slice(prefix.length), type]));
  const find = (name: string, what: string): NamedTensor => {
    const tensor = named.get(name);
    if (tensor !== undefined) return tensor;
    const type = other.get(name);
    throw new TypeError(
      type === undefined
        ? `the state_dict lacks the tensor ${quoted(prefix + name)} of ${what}`
        : `the tensor ${quoted(prefix + name)} has type ${
          quoted(type)
        }, not F32 or F16: convert it by .float()`,
    );
  };
  const scoreNet = scoreNetTensors.some(({ there }) => named.has(there) || other.has(there));
  if (!scoreNet && stated === undefined) {
    throw new TypeError(
      `the state_dict has no tensor of the tutorial's ScoreNet, such as ${
        quoted(scoreNetTensors[0].there)
      }: of another network its config is needed`,
    );
  }
  const config = scoreNet
    ? configOfScoreNet(find(FREQUENCIES, "the ScoreNet"), named, stated, { sigma, unitRange })
    : stated!;
  const names = scoreNet ? "score-net" : "own";
  const what = scoreNet ? "the ScoreNet" : `the ${config.network.kind} network`;
  const places = placesOf(config, names);
  const known = new Set([...places.map(({ there }) => there), ...scoreNet ? [FREQUENCIES] : []]);
  const extra = [...named.keys(), ...other.keys()].find((name) => !known.has(name));
  if (extra !== undefined) {
    throw new TypeError(`the state_dict has the tensor ${quoted(prefix + extra)}, which ${what} has not`);
  }
  const weights: Weights = new Map(places.map(({ here, there, shape, change }) => {
    const tensor = find(there, what);
    checkTensor(`the tensor ${quoted(prefix + there)}`, tensor, permutedShape(shape));
    return [here, changed(permuted(tensor, FROM_PYTORCH[shape.length]), change).values];
  }));
  return { config, weights };
}

/** The config of the options, or of the file's header. */
function statedConfig(file: Safetensors, { config }: StateDictOptions): ModelConfig | undefined {
  if (config === undefined) return file.metadata?.model === undefined ? undefined : parseConfig(file).config;
  requireOptions("config", config);
  requireOptions("config.network", config.network);
  networkFromConfig(config.network);
  return config;
}

/** A tutorial network whose output is the noise, as that of the tutorial's ScoreNet but for its sign and σ(t). */
function isScoreNet({ network, preconditioning, consistency }: ModelConfig): boolean {
  return network.kind === "tutorial" && preconditioning === null && !consistency;
}

/** W in float32, as PyTorch has it. */
function frequenciesOf(config: TutorialConfig): Float32Array {
  return Float32Array.from(config.frequencies ?? randomFrequencies(config).map((w) => w / (2 * Math.PI)));
}

/** The given config, with the state_dict's frequencies where it has others; else one by the tensors' shapes. */
function configOfScoreNet(
  { shape, values }: NamedTensor,
  tensors: ReadonlyMap<string, NamedTensor>,
  config: ModelConfig | undefined,
  training: { readonly sigma: number; readonly unitRange: boolean },
): ModelConfig {
  checkTensor(`the tensor ${quoted(FREQUENCIES)}`, { shape, values }, [values.length]);
  const frequencies = Array.from(values);
  if (config === undefined) {
    const shapeOf = (name: string) => tensors.get(name)?.shape;
    return {
      network: scoreNetConfig(shapeOf, frequencies, training),
      preconditioning: null,
    };
  }
  if (!isScoreNet(config)) {
    throw new TypeError(
      `the state_dict is of the tutorial's ScoreNet, which predicts noise itself, and the config of a ${
        quoted(config.network?.kind)
      }${config.preconditioning === null ? "" : " with preconditioning"}`,
    );
  }
  const network = config.network as TutorialConfig;
  return sameList(Array.from(frequenciesOf(network)), frequencies)
    ? config
    : { ...config, network: { ...network, embedding: 2 * frequencies.length, frequencies } };
}

function placesOf(config: ModelConfig, names: StateDictNames): Place[] {
  const { parameters } = networkFromConfig(config.network);
  if (names === "own") {
    // A module of PyTorch has methods `half` and `double`, so that its parts cannot have these names.
    return parameters.map(({ name, shape }) => ({
      here: name,
      there: name.replace(/\.(half|double)\./, ".$1_."),
      shape,
    }));
  }
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  return scoreNetTensors.map((row) => ({ ...row, shape: shapes.get(row.here)! }));
}

/** The beginning that all names share, of those that PyTorch's wrappers put there. */
function prefixOf(names: readonly string[]): string {
  let prefix = "";
  for (;;) {
    const next = ["module.", "_orig_mod."].find((word) =>
      names.length > 0 && names.every((name) => name.startsWith(prefix + word))
    );
    if (next === undefined) return prefix;
    prefix += next;
  }
}

/** The shape in PyTorch of a tensor of this shape here. */
function permutedShape(shape: readonly number[]): readonly number[] {
  return TO_PYTORCH[shape.length]?.map((axis) => shape[axis]) ?? shape;
}

/** A tensor with its axes in another order; the same one for undefined. */
function permuted({ shape, values }: NamedTensor, axes: readonly number[] | undefined): NamedTensor {
  if (axes === undefined) return { shape, values: values.slice() };
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const target = axes.map((axis) => shape[axis]);
  const result = new Float32Array(values.length);
  const index = target.map(() => 0);
  for (let i = 0, from = 0; i < result.length; i++) {
    result[i] = values[from];
    for (let axis = target.length - 1; axis >= 0; axis--) {
      from += strides[axes[axis]];
      if (++index[axis] < target[axis]) break;
      from -= target[axis] * strides[axes[axis]];
      index[axis] = 0;
    }
  }
  return { shape: target, values: result };
}

/** A tensor here with its sign changed, or with the halves of its rows in the other order. */
function changed({ shape, values }: NamedTensor, change: Place["change"]): NamedTensor {
  if (change === "sign") return { shape, values: values.map((value) => -value) };
  if (change === undefined) return { shape, values };
  const half = values.length / 2;
  const swapped = new Float32Array(values.length);
  swapped.set(values.subarray(half));
  swapped.set(values.subarray(0, half), half);
  return { shape, values: swapped };
}

function requireStateDict(file: unknown): { tensors: Safetensors["tensors"]; others: Map<string, string> } {
  requireOptions("file", file as object);
  const { tensors, others = new Map() } = file as Safetensors;
  if (!(tensors instanceof Map)) throw new TypeError("tensors must be a Map of tensors by name");
  if (!(others instanceof Map)) throw new TypeError("others must be a Map of types by name");
  for (const [name, tensor] of tensors) {
    const { shape, values } = (tensor ?? {}) as Partial<NamedTensor>;
    if (!Array.isArray(shape) || !(values instanceof Float32Array) || sizeOf(shape) !== values.length) {
      throw new TypeError(
        `the tensor ${quoted(name)} must hold as many float32 values as its shape ${
          quotedShape(shape ?? [])
        }`,
      );
    }
  }
  return { tensors, others };
}

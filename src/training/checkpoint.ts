/**
 * Checkpoints: a model file whose weights are the moving average, with the raw weights, Adam's moments, the step, the
 * seed and the whole config beside them. The same file serves for sampling and for resuming.
 * @module
 */
import type { DatasetIdentity } from "../data/identity.ts";
import { checkFields, checkNumber, checkNumbers } from "../input/fields.ts";
import { isObject, parsedField } from "../input/json.ts";
import { quoted } from "../input/quoted.ts";
import { networkFromConfig } from "../networks/registry.ts";
import { readModel, writeModel } from "../networks/model_file.ts";
import { flatten, unflatten } from "../networks/network.ts";
import { tensorNamed } from "../networks/safetensors.ts";
import { checkTensor } from "../networks/weights_file.ts";
import { checkRecipe } from "./config_check.ts";
import type { TrainingConfig, TrainingState } from "./train.ts";
import { requireOptions, requireText } from "../input/require.ts";

/** The state and config of a training run. */
export interface Checkpoint {
  /** The config of the run. */
  readonly config: TrainingConfig;
  /** The state of the run. */
  readonly state: TrainingState;
  /** Name of the data set. */
  readonly data: string;
  /** The identity of the data set; absent in checkpoints of older versions. */
  readonly dataset?: DatasetIdentity;
  /** Where the data came from, and how much of them was held out; absent for published data and whole folders. */
  readonly source?: DataSource;
  /** The noise plan with the objective's levels, plain JSON; absent without a plan. */
  readonly plan?: Readonly<Record<string, unknown>>;
  /** Changes of the recipe when the run was resumed, in the order of steps; absent without changes. */
  readonly changes?: readonly RecipeChange[];
  /** The teacher's weights, concatenated, of consistency distillation; absent for other objectives. */
  readonly teacher?: Float32Array;
}

/** What is needed beside its path to read data again as a run read them; plain JSON. */
export interface DataSource {
  /** The column, or the file, of the classes; null for none. */
  readonly labels: string | null;
  /** Samples that were not trained on, those that `holdOut` holds out. */
  readonly heldOut: number;
}

/** A change of the recipe when a run was resumed. */
export interface RecipeChange {
  /** Steps taken before the change. */
  readonly step: number;
  /** The changed fields, such as `rate`, with their values before and after. */
  readonly values: Readonly<Record<string, readonly [before: unknown, after: unknown]>>;
}

/** Notes about the run, beside its config, in checkpoints and models: JSON by name. */
const NOTES = ["dataset", "source", "plan", "changes"] as const;

/** The text pairs that a checkpoint, and a model made from it, carry about the run. */
export function runMetadata(checkpoint: Checkpoint): Record<string, string> {
  const notes = NOTES.filter((name) => checkpoint[name] !== undefined)
    .map((name) => [name, JSON.stringify(checkpoint[name])]);
  return { step: String(checkpoint.state.step), data: checkpoint.data, ...Object.fromEntries(notes) };
}

const MOMENTS = ["weights", "mean", "variance"] as const;

/** The bytes of a checkpoint; float32, so a resumed run loses nothing. */
export function writeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  requireOptions("checkpoint", checkpoint);
  requireOptions("config", checkpoint.config);
  requireOptions("state", checkpoint.state);
  const { config: { model, ...training }, state } = checkpoint;
  const { parameters } = networkFromConfig(model.network);
  const tensors = new Map(
    MOMENTS.map((name) => [`training.${name}`, { shape: [state[name].length], values: state[name] }]),
  );
  const { teacher } = checkpoint;
  if (teacher !== undefined) tensors.set("training.teacher", { shape: [teacher.length], values: teacher });
  return writeModel({ config: model, weights: unflatten(parameters, state.ema) }, "F32", {
    tensors,
    metadata: { training: JSON.stringify(training), ...runMetadata(checkpoint) },
  });
}

/**
 * Reads a checkpoint.
 * @param most The most numbers in all tensors together; by default 2²⁸, which take 1 GiB.
 * @throws {TypeError} When the bytes are not a checkpoint, such as a model without training state.
 */
export function readCheckpoint(bytes: Uint8Array, most?: number): Checkpoint {
  const { config: model, weights, ...file } = readModel(bytes, most);
  const { metadata } = file;
  if (metadata.training === undefined) {
    throw new TypeError("this model holds no training state, so it can be sampled but not resumed");
  }
  const ema = flatten(networkFromConfig(model.network).parameters, weights);
  const valuesOf = (name: string) => {
    const what = "the checkpoint's tensor";
    const tensor = tensorNamed(file, `training.${name}`, what);
    checkTensor(`${what} "training.${name}"`, tensor, [ema.length]);
    return tensor.values;
  };
  const moments = MOMENTS.map(valuesOf);
  const negative = moments[2].find((value) => value < 0);
  if (negative !== undefined) {
    throw new TypeError(
      `the checkpoint's tensor "training.variance" must not hold negative numbers, got ${negative}`,
    );
  }
  if (metadata.step === undefined) throw new TypeError("the checkpoint's step is missing");
  const step = Number(metadata.step);
  if (!/^\d+$/.test(metadata.step) || !Number.isSafeInteger(step)) {
    throw new TypeError(`the checkpoint's step must be a whole number, got ${quoted(metadata.step)}`);
  }
  const training = parsedField("the checkpoint's training config", metadata.training);
  try {
    checkRecipe(training);
  } catch (error) {
    throw new TypeError(`the checkpoint's training config cannot be used: ${(error as Error).message}`);
  }
  const notes = NOTES.filter((name) => metadata[name] !== undefined)
    .map((name) => [name, parsedField(`the checkpoint's ${name}`, metadata[name])] as const);
  for (const [name, note] of notes) CHECKS[name](note);
  const distilled = training.objective.kind === "consistency" && training.objective.teacher !== null;
  return {
    ...Object.fromEntries(notes),
    ...distilled && { teacher: valuesOf("teacher") },
    config: { ...training, model },
    state: { step, weights: moments[0], ema, mean: moments[1], variance: moments[2] },
    data: metadata.data ?? "unknown",
  };
}

/**
 * Checks a source that was read from a file.
 * @throws {TypeError | RangeError} When a field is missing, unknown or of another type.
 */
export function checkSource(note: unknown): asserts note is DataSource {
  checkFields("the source of the data", note, ["labels", "heldOut"]);
  if (note.labels !== null) requireText("the labels of the source", note.labels);
  checkNumber("the samples held out of the source", note.heldOut, { least: 0, whole: true });
}

/** The check of each note; a plan is checked where it is used. */
const CHECKS: Readonly<Record<typeof NOTES[number], (note: unknown) => void>> = {
  dataset(note) {
    checkFields("the checkpoint's dataset", note, ["shape", "classes", "counts", "sha256"]);
    checkNumbers("the sizes of the checkpoint's dataset", note.shape, { least: 1, whole: true });
    checkNumbers("the counts of the checkpoint's dataset", note.counts, { least: 0, whole: true });
    if (!Array.isArray(note.classes)) {
      throw new TypeError(
        `the classes of the checkpoint's dataset must be a list, got ${quoted(note.classes)}`,
      );
    }
    for (const name of note.classes) requireText("each class of the checkpoint's dataset", name);
    requireText("the SHA-256 of the checkpoint's dataset", note.sha256);
  },
  source(note) {
    checkSource(note);
  },
  plan(note) {
    if (!isObject(note)) throw new TypeError(`the checkpoint's plan must be an object, got ${quoted(note)}`);
  },
  changes(note) {
    if (!Array.isArray(note)) {
      throw new TypeError(`the checkpoint's changes must be a list, got ${quoted(note)}`);
    }
    for (const change of note) {
      checkFields("each of the checkpoint's changes", change, ["step", "values"]);
      checkNumber("the step of a change", change.step, { least: 0, whole: true });
      if (!isObject(change.values)) {
        throw new TypeError(`a change must have values, got ${quoted(change.values)}`);
      }
    }
  },
};

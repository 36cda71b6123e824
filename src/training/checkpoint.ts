/**
 * Checkpoints: a model file whose weights are the moving average, with the raw weights, Adam's moments, the step, the
 * seed and the whole config beside them. One file samples and resumes.
 * @module
 */
import type { DatasetIdentity } from "../data/identity.ts";
import { networkFromConfig } from "../networks/catalogue.ts";
import { readModel, writeModel } from "../networks/model_file.ts";
import { flatten, parameterCount, unflatten } from "../networks/network.ts";
import type { TrainingConfig, TrainingState } from "./train.ts";

/** A training run at rest. */
export interface Checkpoint {
  /** What determines the run. */
  readonly config: TrainingConfig;
  /** Where it stands. */
  readonly state: TrainingState;
  /** Name of the data set. */
  readonly data: string;
  /** What tells the data from others; absent in checkpoints of older versions. */
  readonly dataset?: DatasetIdentity;
  /** The noise plan that the objective's levels come from, plain JSON; absent when they come from none. */
  readonly plan?: Readonly<Record<string, unknown>>;
  /** Numbers of the recipe that were changed on the way, in the order of steps; absent when none was. */
  readonly changes?: readonly RecipeChange[];
}

/** A change of the recipe when a run was resumed. */
export interface RecipeChange {
  /** Steps done before the change. */
  readonly step: number;
  /** What was changed, such as `rate`, and its values before and after. */
  readonly values: Readonly<Record<string, readonly [before: unknown, after: unknown]>>;
}

/** What a checkpoint and its model say about the run, beside its config: JSON by name, what is absent left out. */
const NOTES = ["dataset", "plan", "changes"] as const;

/** The text pairs that a checkpoint, and a model made from it, carry about the run. */
export function runMetadata(checkpoint: Checkpoint): Record<string, string> {
  const notes = NOTES.filter((name) => checkpoint[name] !== undefined)
    .map((name) => [name, JSON.stringify(checkpoint[name])]);
  return { step: String(checkpoint.state.step), data: checkpoint.data, ...Object.fromEntries(notes) };
}

const MOMENTS = ["weights", "mean", "variance"] as const;

/** The bytes of a checkpoint; float32, so a resumed run loses nothing. */
export function writeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { config: { model, ...training }, state } = checkpoint;
  const { parameters } = networkFromConfig(model.network);
  const tensors = new Map(
    MOMENTS.map((name) => [`training.${name}`, { shape: [state[name].length], values: state[name] }]),
  );
  return writeModel({ config: model, weights: unflatten(parameters, state.ema) }, "F32", {
    tensors,
    metadata: { training: JSON.stringify(training), ...runMetadata(checkpoint) },
  });
}

/**
 * Reads a checkpoint.
 * @throws {TypeError} When the bytes are no checkpoint, with what is wrong; a model without training state is none.
 */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { config: model, weights, tensors, metadata } = readModel(bytes);
  if (metadata.training === undefined) {
    throw new TypeError("this model holds no training state, so it can be sampled but not resumed");
  }
  const network = networkFromConfig(model.network);
  const moments = MOMENTS.map((name) => {
    const tensor = tensors.get(`training.${name}`);
    if (tensor?.values.length !== parameterCount(network)) {
      throw new TypeError(`the checkpoint's training.${name} is missing or has the wrong size`);
    }
    return tensor.values;
  });
  const step = Number(metadata.step);
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new TypeError(`the checkpoint's step is ${metadata.step}`);
  }
  const training = parsed(metadata.training, "training config") as Omit<TrainingConfig, "model">;
  const notes = NOTES.filter((name) => metadata[name] !== undefined)
    .map((name) => [name, parsed(metadata[name], name)]);
  return {
    ...Object.fromEntries(notes),
    config: { ...training, model },
    state: {
      step,
      weights: moments[0],
      ema: flatten(network.parameters, weights),
      mean: moments[1],
      variance: moments[2],
    },
    data: metadata.data ?? "unknown",
  };
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`the checkpoint's ${what} is not JSON: ${(error as Error).message}`);
  }
}

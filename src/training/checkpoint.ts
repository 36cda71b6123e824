/**
 * Checkpoints: a model file whose weights are the moving average, with the raw weights, Adam's moments, the step, the
 * seed and the whole config beside them. One file samples and resumes.
 * @module
 */
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
}

const MOMENTS = ["weights", "mean", "variance"] as const;

/** The bytes of a checkpoint; float32, so a resumed run loses nothing. */
export function writeCheckpoint({ config, state, data }: Checkpoint): Uint8Array<ArrayBuffer> {
  const { model, ...training } = config;
  const { parameters } = networkFromConfig(model.network);
  const tensors = new Map(
    MOMENTS.map((name) => [`training.${name}`, { shape: [state[name].length], values: state[name] }]),
  );
  return writeModel({ config: model, weights: unflatten(parameters, state.ema) }, "F32", {
    tensors,
    metadata: { training: JSON.stringify(training), step: String(state.step), data },
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
  let training: Omit<TrainingConfig, "model">;
  try {
    training = JSON.parse(metadata.training);
  } catch (error) {
    throw new TypeError(`the checkpoint's training config is not JSON: ${(error as Error).message}`);
  }
  return {
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

/**
 * The flags with which a task draws from a model in an ONNX file, and what they stand for.
 * @module
 */
import type { SdeConfig } from "../../src/diffusion/sde.ts";
import {
  type Conditioning,
  conditionings,
  type ImageLayout,
  imageLayouts,
} from "../../src/external/external_model.ts";
import { type Prediction, predictions } from "../../src/diffusion/prediction.ts";
import { readSchedulerConfig, type SchedulerConfig } from "../../src/external/scheduler_config.ts";
import type { SamplingConfig } from "../../src/runs/sampling.ts";
import { samplerInfo } from "../../src/samplers/registry.ts";
import { readWhole } from "../cli/files.ts";
import { choice, deciding, flagName, type FlagValues, messageOf, text, UsageError } from "../cli/flags.ts";

/** diffusers' names of predictions. */
const published = { epsilon: "noise", sample: "data", v_prediction: "velocity" } as const;

const predictionNames = [...Object.keys(published) as (keyof typeof published)[], ...predictions];

/** Flags of a task that draws from ONNX files as well. */
export const externalFlags = {
  prediction: deciding(
    ["external.prediction"],
    choice(predictionNames, {
      help: `what an ONNX model as --checkpoint predicts: ${
        predictionNames.join(", ")
      } (default that of --schedule)`,
      placeholder: "NAME",
    }),
  ),
  conditioning: deciding(
    ["external.conditioning"],
    choice(conditionings, {
      help: `what an ONNX model is told of the noise: ${
        conditionings.join(", ")
      } (default index with --schedule)`,
      placeholder: "NAME",
    }),
  ),
  layout: deciding(
    ["external.layout"],
    choice(imageLayouts, {
      help: "an ONNX model's order of axes (default nchw, PyTorch's)",
    }),
  ),
  schedule: deciding(
    // And the prediction and the conditioning, unless they are given.
    ["sde", "grid"],
    text({
      help:
        "diffusers' scheduler_config.json of an ONNX model, whose chain of steps is taken instead of --sde, and whose choice of " +
        "steps instead of the sampler's grid",
      placeholder: "FILE",
    }),
  ),
};

/** The same for a task that needs derivatives of the model. */
export const gradientFlags = {
  ...externalFlags,
  pullBack: deciding(
    ["external.pullBack"],
    text({
      help:
        "an ONNX file of an ONNX model's vector-Jacobian product (inputs of the model and dy to dx), where its gradient is needed",
      placeholder: "FILE",
    }),
  ),
};

/** How an ONNX file is to be understood, as plain data; its SDE is the one that is reversed. */
export interface ExternalConfig {
  /** What its output is. */
  readonly prediction: Prediction;
  /** What it is told of the noise. */
  readonly conditioning: Conditioning;
  /** The order of its axes. */
  readonly layout: ImageLayout;
  /** An ONNX file of its vector-Jacobian product; absent where none is given. */
  readonly pullBack?: string;
}

/** Whether a checkpoint is an ONNX file, by its name. */
export function isOnnxFile(checkpoint: string | undefined | null): checkpoint is string {
  return checkpoint?.toLowerCase().endsWith(".onnx") ?? false;
}

/** What the flags say of an ONNX file, and its SDE where --schedule has it; null for another checkpoint. */
interface ReadExternal {
  readonly external: ExternalConfig | null;
  readonly sde: SdeConfig | null;
  /** The file of --schedule, or null. */
  readonly scheduler: SchedulerConfig | null;
}

/**
 * Reads the flags, and the file of --schedule.
 * @throws UsageError for these flags without an ONNX file, or too few of them with one
 */
export async function readExternal(
  flags: Partial<FlagValues<typeof gradientFlags>> & {
    readonly checkpoint: string | undefined;
  },
): Promise<ReadExternal> {
  const { checkpoint, prediction, conditioning, layout = "nchw", schedule, pullBack } = flags;
  if (!isOnnxFile(checkpoint)) {
    for (const key of Object.keys(gradientFlags) as (keyof typeof gradientFlags)[]) {
      if (flags[key] === undefined) continue;
      throw new UsageError(
        `${flagName(key)} is for an ONNX file, F.onnx, as --checkpoint, got ${
          checkpoint === undefined ? "none" : `"${checkpoint}"`
        }`,
      );
    }
    return { external: null, sde: null, scheduler: null };
  }
  const scheduler = schedule === undefined ? null : await readSchedule(schedule);
  const own = prediction === undefined
    ? scheduler?.prediction
    : published[prediction as keyof typeof published] ?? prediction;
  const told = conditioning ?? scheduler?.conditioning;
  if (own === undefined || told === undefined) {
    const missing = own === undefined ? "--prediction" : "--conditioning";
    throw new UsageError(`"${checkpoint}" needs ${missing}, or --schedule with a file that says it`);
  }
  return {
    external: {
      prediction: own as Prediction,
      conditioning: told,
      layout,
      ...pullBack !== undefined && { pullBack },
    },
    sde: scheduler?.sde.config ?? null,
    scheduler,
  };
}

/**
 * A sampling under the chain of --schedule. Its grid is the file's too, unless --grid is given or the sampler chooses times of its own.
 * @throws UsageError for more steps than the file has, or a choice of steps that is not read
 */
export function underSchedule(
  sampling: SamplingConfig,
  scheduler: SchedulerConfig | null,
  flags: { readonly grid?: string; readonly steps?: number },
): SamplingConfig {
  if (scheduler === null) return sampling;
  const { sde } = scheduler;
  const { kind } = samplerInfo(sampling.sampler.name);
  if (flags.grid !== undefined || !["one-step", "multistep", "scheduled"].includes(kind)) {
    return { ...sampling, sde: sde.config };
  }
  const steps = flags.steps ?? Math.min(sampling.grid.steps, scheduler.steps - 1);
  try {
    return { ...sampling, sde: sde.config, grid: scheduler.grid(steps) };
  } catch (error) {
    throw new UsageError(`--schedule without --grid: ${messageOf(error)}`);
  }
}

/**
 * Refuses an ONNX file without a pull-back for what needs a gradient, and a pull-back for what does not.
 * @param what What is asked for, such as "--method pigdm".
 * @param others What needs none, for the error.
 */
export function checkPullBack(
  { checkpoint, pullBack }: { readonly checkpoint: string | undefined; readonly pullBack?: string },
  needed: boolean,
  what: string,
  others: string,
): void {
  if (needed && pullBack === undefined && isOnnxFile(checkpoint)) {
    throw new UsageError(
      `${what} needs a gradient: give --pull-back, an ONNX file of the model's vector-Jacobian product${
        others === "" ? "" : `, or use ${others}`
      }`,
    );
  }
  if (!needed && pullBack !== undefined) {
    throw new UsageError(`${what} needs no gradient: leave out --pull-back`);
  }
}

async function readSchedule(path: string): Promise<SchedulerConfig> {
  const bytes = await readWhole(path);
  try {
    return readSchedulerConfig(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UsageError(`"${path}" cannot be used: ${messageOf(error)}`);
  }
}

/**
 * `deno task train`: trains a score network, with checkpoints, metrics and sample grids.
 * @module
 */
import { dirname } from "node:path";
import { datasetIdentity, describeClasses, describeShape } from "../src/data/identity.ts";
import { networkFromConfig } from "../src/networks/registry.ts";
import { type Model, readModel } from "../src/networks/model_file.ts";
import { flatten, parameterCount } from "../src/networks/network.ts";
import { type Checkpoint, readCheckpoint } from "../src/training/checkpoint.ts";
import { initialState, type TrainingConfig } from "../src/training/train.ts";
import { openEngine } from "./cli/engine.ts";
import {
  type Flag,
  type FlagValues,
  integer,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { readPlan } from "./sampling/noise_plan_file.ts";
import { folderName, loadTrainingData } from "./datasets/training_data.ts";
import { checkFits, checkSameData } from "./datasets/training_data_check.ts";
import { TrainingFolder } from "./training/run_folder.ts";
import { checkRecipe, newConfig, recipeFlags, renamedRecipe, resumedConfig } from "./training/recipe.ts";
import { runTraining } from "./training/run.ts";
import { readPlainFile } from "./cli/files.ts";
import { networkFlags } from "./sampling/flags.ts";

/** A flag such as 500, or 20epochs. */
const checkpointEvery: Flag<Interval> = {
  help:
    "steps between checkpoints, each with a sample grid; or 20epochs for so many times through the data (default 500)",
  placeholder: "N|Nepochs",
  domain: { kind: "own", examples: ["250", "2epochs"] },
  fallback: { count: 500, epochs: false },
  parse(text, flag) {
    const [, count, epochs] = /^(\d+)(epochs?)?$/.exec(text) ?? [];
    if (!(Number.isSafeInteger(Number(count)) && Number(count) > 0)) {
      throw new UsageError(
        `${flag} must be a number of steps from 1 up, or of epochs such as 20epochs, got "${text}"`,
      );
    }
    return { count: Number(count), epochs: epochs !== undefined };
  },
};

/** So many steps or epochs. */
interface Interval {
  readonly count: number;
  readonly epochs: boolean;
}

const usage = {
  name: "train",
  purpose:
    "Trains a score network on images and writes a checkpoint, a model to sample from, metrics and sample grids.",
  flags: {
    ...recipeFlags,
    steps: integer({
      help: "steps in all (default 15000); may be changed on --resume, and the cosine of the decay with it",
      min: 1,
    }),
    out: text({ help: "folder to write (default runs/NETWORK-DATA, or the resumed checkpoint's folder)" }),
    resume: text({ help: "checkpoint to go on from", placeholder: "FILE" }),
    engine: networkFlags.engine,
    checkpointEvery,
    keepModels: toggle({
      help:
        "keep the model of every checkpoint as model-STEP.safetensors, for deno task select to choose from",
    }),
    logEvery: integer({ help: "steps between lines of metrics", default: 10, min: 1 }),
  },
  renamed: renamedRecipe,
  examples: [
    "deno task train --data digits --steps 200",
    "deno task train --data mnist --engine onnx --out runs/mnist",
    "deno task train --data photos --size 64 --flip --sde sigma-power --sigma data --checkpoint-every 20epochs --keep-models",
    "deno task train --resume runs/mnist/checkpoint.safetensors",
  ],
};

type Flags = FlagValues<typeof usage.flags>;

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  checkRecipe(flags, flags.resume !== undefined);
  const resumed = flags.resume === undefined ? null : await readResumed(flags.resume);
  const from = await readModelFile(flags.from);
  const plan = flags.plan === undefined ? undefined : await readPlan(flags.plan);
  const data = flags.data ?? resumed?.data ?? "mnist";
  // A place that is known is claimed and tried before the data are read.
  const place = flags.out ?? (flags.resume === undefined ? undefined : dirname(flags.resume));
  using early = place === undefined ? null : await TrainingFolder.open(place, flags.resume ?? null);
  if (
    resumed !== null && early !== null && resumed.state.step >= resumedConfig(resumed, flags).config.steps
  ) {
    return await finish(resumed, early, flags);
  }
  const dataset = await loadTrainingData(data, { ...flags, resumedShape: sampleShapeOf(resumed) });
  const identity = await datasetIdentity(dataset);
  console.error(
    `${dataset.name}: ${dataset.count} images of ${describeShape(dataset.shape)}, ${
      describeClasses(identity)
    }`,
  );
  if (resumed !== null) checkSameData(flags.resume!, resumed, data, identity);
  const kind = flags.network === "tutorial" ? "tutorial" : "unet";
  using late = early === null
    ? await TrainingFolder.open(`runs/${kind}-${folderName(data, dataset)}`, null)
    : null;
  const folder = (early ?? late)!;
  const engine = await openEngine(flags.engine);
  const recipe = resumed === null
    ? { config: await newConfig(flags, dataset, plan, from), changes: [] }
    : resumedConfig(resumed, flags);
  const network = networkFromConfig(recipe.config.model.network);
  checkFits(network, identity, data);
  const begin: Checkpoint = {
    ...resumed,
    config: recipe.config,
    state: resumed?.state ?? initialState(network, recipe.config.seed, from?.weights),
    ...hasTeacher(recipe.config) && resumed === null &&
      { teacher: flatten(network.parameters, from!.weights) },
    data,
    dataset: identity,
    ...plan && { plan: { ...plan } },
    ...recipe.changes.length > 0 && { changes: recipe.changes },
  };
  console.error(
    `training ${
      parameterCount(network)
    } parameters on ${dataset.count} images of ${dataset.name}, engine ${engine.reason}`,
  );
  if (resumed !== null && folder.isOwn(flags.resume!)) await folder.complete(resumed, flags.keepModels);
  const { count, epochs } = flags.checkpointEvery;
  const words = await runTraining(begin, folder, dataset, {
    checkpointEvery: epochs ? Math.max(1, Math.round(count * dataset.count / recipe.config.batch)) : count,
    keepModels: flags.keepModels,
    logEvery: flags.logEvery,
  });
  console.log(`${words}: ${folder.model}`);
}

/** Writes the models of a run whose steps are all done, where a kill left them out. */
async function finish(checkpoint: Checkpoint, folder: TrainingFolder, flags: Flags): Promise<void> {
  const { state, config } = checkpoint;
  const written = folder.isOwn(flags.resume!) ? await folder.complete(checkpoint, flags.keepModels) : [];
  if (written.length > 0) {
    console.log(`all of ${config.steps} steps were done; now written: ${written.join(", ")}`);
    return;
  }
  const steps = flags.steps ?? config.steps;
  throw new UsageError(`${flags.resume} has done ${state.step} of ${steps} steps: raise --steps to go on`);
}

async function readResumed(path: string): Promise<Checkpoint> {
  try {
    return readCheckpoint(await readPlainFile(path));
  } catch (error) {
    const hint = error instanceof Deno.errors.NotFound
      ? " (a run that ended before its first checkpoint is started again by the same command)"
      : "";
    throw new Error(`cannot resume from ${path}: ${(error as Error).message}${hint}`);
  }
}

/** Whether a run has a teacher. */
function hasTeacher({ objective }: TrainingConfig): boolean {
  return objective.kind === "consistency" && objective.teacher !== null;
}

/** The shape of the images that a run was trained on. */
function sampleShapeOf(checkpoint: Checkpoint | null): readonly number[] | undefined {
  return checkpoint === null ? undefined : networkFromConfig(checkpoint.config.model.network).sampleShape;
}

async function readModelFile(path: string | undefined): Promise<Model | undefined> {
  if (path === undefined) return undefined;
  try {
    return readModel(await readPlainFile(path));
  } catch (error) {
    throw new Error(`cannot begin with ${path}: ${(error as Error).message}`);
  }
}

await runScript(main);

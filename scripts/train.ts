/**
 * `deno task train`: trains a score network, with checkpoints, metrics and sample grids.
 * @module
 */
import { dirname } from "node:path";
import { type Dataset, holdOut } from "../src/data/held_out.ts";
import { datasetIdentity, describeClasses, describeSamples } from "../src/data/identity.ts";
import { describeUnits } from "../src/data/units.ts";
import { networkFromConfig } from "../src/networks/registry.ts";
import { type Model, readModel } from "../src/networks/model_file.ts";
import { flatten, parameterCount } from "../src/networks/network.ts";
import { paddedSize } from "../src/networks/unet.ts";
import { type Checkpoint, readCheckpoint } from "../src/training/checkpoint.ts";
import { initialState, type TrainingConfig } from "../src/training/train.ts";
import { openEngine } from "./cli/engine.ts";
import { deciding, type Flag, type FlagValues, integer, text, toggle, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration } from "./cli/terminal.ts";
import { type NoisePlanFile, readPlan } from "./sampling/noise_plan_file.ts";
import { isArrayFile } from "./datasets/array_file.ts";
import { folderName, loadData } from "./datasets/training_data.ts";
import { checkFits, checkSameData } from "./datasets/training_data_check.ts";
import { TrainingFolder } from "./training/run_folder.ts";
import {
  checkRecipe,
  newConfig,
  recipeChanges,
  recipeFlags,
  renamedRecipe,
  resumedConfig,
} from "./training/recipe.ts";
import { writeRecipe } from "./training/recipe_file.ts";
import { runTraining, type TrainingCourse } from "./training/run.ts";
import { readPlainFile } from "./cli/files.ts";
import { type engineNames, networkFlags } from "./sampling/flags.ts";

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
    "Trains a score network on images or points and writes a checkpoint, a model to sample from, metrics and sample grids.",
  flags: {
    ...recipeFlags,
    steps: deciding(
      ["config.steps"],
      integer({
        help: "steps in all (default 15000); may be changed on --resume, and the cosine of the decay with it",
        min: 1,
      }),
    ),
    out: text({ help: "folder to write (default runs/NETWORK-DATA, or the resumed checkpoint's folder)" }),
    resume: deciding(
      ["resume", "config", "size"],
      text({ help: "checkpoint to go on from", placeholder: "FILE" }),
    ),
    engine: networkFlags.engine,
    checkpointEvery,
    keepModels: toggle({
      help:
        "keep the model of every checkpoint as model-STEP.safetensors, for deno task select to choose from",
    }),
    logEvery: integer({ help: "steps between lines of metrics", default: 10, min: 1 }),
    exportRecipe: text({
      help: "write all that the weights depend on, for training in PyTorch, and do not train",
      placeholder: "FILE",
    }),
  },
  renamed: renamedRecipe,
  examples: [
    "deno task train --data digits --steps 200",
    "deno task train --data mnist --engine onnx --out runs/mnist",
    "deno task train --data points.csv --labels species --steps 5000",
    "deno task train --data photos --size 64 --flip --sde sigma-power --sigma data --checkpoint-every 20epochs --keep-models",
    "deno task train --resume runs/mnist/checkpoint.safetensors",
    "deno task train --data mnist --export-recipe recipe.json",
  ],
} as const;

/** A run of `train`, as plain data: a new run, or one that goes on from a checkpoint. */
interface TrainRequest {
  /** All that determines the weights beside the data: of a resumed run what its checkpoint and the flags say together. */
  readonly config: TrainingConfig;
  /** The name of data, or a folder. */
  readonly data: string;
  /** Height and width that the images are scaled to; null for those that they have. */
  readonly size: number | null;
  /** Whether pictures that cannot be read are left out. */
  readonly skipCorrupt: boolean;
  /** The column or the file of the classes of a file of numbers; null for none, or data that have their own. */
  readonly labels: string | null;
  /** Samples that are not trained on. */
  readonly heldOut: number;
  /** The model whose weights a new run begins with, which is the teacher of a consistency function; null for none. */
  readonly from: string | null;
  /** The noise plan that a new run's levels come from; null for none. */
  readonly plan: NoisePlanFile | null;
  /** The checkpoint to go on from; null for a new run. */
  readonly resume: string | null;
  /** The folder to write. */
  readonly out: string;
  /** What computes. */
  readonly engine: typeof engineNames[number];
  /** Steps, or times through the data, between checkpoints. */
  readonly checkpointEvery: Interval;
  /** Whether the model of every checkpoint is kept. */
  readonly keepModels: boolean;
  /** Steps between lines of metrics. */
  readonly logEvery: number;
  /** The recipe to write instead of training; null to train. */
  readonly exportRecipe: string | null;
}

/** What came of a run. */
interface TrainResult extends TrainingCourse {
  /** The model to sample from. */
  readonly model: string;
  /** The files that a run without steps to do lacked, now written; empty where steps were taken. */
  readonly completed: readonly string[];
  /** The files of the recipe that was written instead of training; empty where it was not. */
  readonly exported: readonly string[];
}

/** The data of requests that flags made in this process: they decide a new run's config, and are not read twice. */
const loaded = new WeakMap<TrainRequest, Dataset>();

async function request(flags: FlagValues<typeof usage.flags>): Promise<TrainRequest> {
  checkRecipe(flags, flags.resume !== undefined);
  const { engine, checkpointEvery, keepModels, logEvery, skipCorrupt } = flags;
  const { from = null, resume = null, exportRecipe = null, out } = flags;
  const rest = { skipCorrupt, from, resume, engine, checkpointEvery, keepModels, logEvery, exportRecipe };
  if (resume !== null) {
    const resumed = await readResumed(resume);
    const data = flags.data ?? resumed.data;
    const { sampleShape: [height, width] } = networkFromConfig(resumed.config.model.network);
    return {
      config: resumedConfig(resumed, flags),
      data,
      size: flags.size ?? (height === width && !isArrayFile(data) ? height : null),
      labels: flags.labels ?? resumed.source?.labels ?? null,
      heldOut: resumed.source?.heldOut ?? 0,
      plan: null,
      out: out ?? dirname(resume),
      ...rest,
    };
  }
  const model = from === null ? undefined : await readModelFile(from);
  const plan = flags.plan === undefined ? null : await readPlan(flags.plan);
  if (out !== undefined) await TrainingFolder.refuseFull(out, null);
  const { data = "mnist", size = null, labels = null } = flags;
  const dataset = await loadOf({ data, size, labels, skipCorrupt });
  const config = await newConfig(flags, dataset, plan ?? undefined, model);
  const { kind } = config.model.network;
  const share = flags.holdout ?? (isArrayFile(data) ? 0.1 : 0);
  const request = {
    config,
    data,
    size,
    labels,
    heldOut: Math.floor(share * dataset.count),
    plan,
    out: out ?? `runs/${kind}-${folderName(data, dataset)}`,
    ...rest,
  };
  loaded.set(request, dataset);
  return request;
}

/** The data of a request. */
async function loadOf(
  { data, size, labels, skipCorrupt }: Pick<TrainRequest, "data" | "size" | "labels" | "skipCorrupt">,
): Promise<Dataset> {
  return await loadData(data, labels ?? undefined, { size: size ?? undefined, skipCorrupt });
}

/** What is done to the data for the network, a line each. */
function preparations({ config: { model: { network, units } } }: TrainRequest): string[] {
  const lines = units === undefined
    ? []
    : [`scaled to ${describeUnits(units)}; samples and densities are in the units of the data`];
  if (network.kind !== "unet") return lines;
  const [height, width] = paddedSize(network);
  if (height === network.height && width === network.width) return lines;
  return [
    ...lines,
    `the network computes at ${height}×${width}: it lays a border around images of ${network.height}×${network.width} ` +
    "and cuts it off its samples",
  ];
}

async function carryOut(request: TrainRequest): Promise<TrainResult> {
  const { config, resume, checkpointEvery: { count, epochs }, keepModels, logEvery } = request;
  const resumed = resume === null ? null : await readResumed(resume);
  if (request.exportRecipe !== null) return await exportRecipe(request, resumed, request.exportRecipe);
  // The folder is claimed and tried before a resumed run's data are read.
  using folder = await TrainingFolder.open(request.out, resume);
  if (resumed !== null && resumed.state.step >= config.steps) {
    return await complete(request, resumed, folder);
  }
  const { begin, dataset } = await beginning(request, resumed);
  const engine = await openEngine(request.engine);
  const network = networkFromConfig(config.model.network);
  const { training, heldOut } = request.heldOut === 0
    ? { training: dataset, heldOut: null }
    : holdOut(dataset, request.heldOut);
  const noun = dataset.shape.length === 3 ? "images" : "points";
  console.error(
    `training ${parameterCount(network)} parameters on ${training.count} ${noun} of ${dataset.name}${
      heldOut === null ? "" : `, ${heldOut.count} held out`
    }, engine ${engine.reason}`,
  );
  if (resumed !== null && folder.isOwn(resume!)) await folder.complete(resumed, keepModels);
  const course = await runTraining(begin, folder, training, {
    checkpointEvery: epochs ? Math.max(1, Math.round(count * training.count / config.batch)) : count,
    keepModels,
    logEvery,
  });
  return { ...course, model: folder.model, completed: [], exported: [] };
}

/** What a run begins with, and its data, which are described on stderr. */
async function beginning(
  request: TrainRequest,
  resumed: Checkpoint | null,
): Promise<{ readonly begin: Checkpoint; readonly dataset: Dataset }> {
  const { config, data, resume } = request;
  const from = request.from === null ? undefined : await readModelFile(request.from);
  const dataset = loaded.get(request) ?? await loadOf(request);
  const identity = await datasetIdentity(dataset);
  console.error(
    `${dataset.name}: ${dataset.count} ${describeSamples(dataset.shape)}, ${
      String(identity.classes) === "." ? "no classes" : describeClasses(identity)
    }`,
  );
  for (const line of preparations(request)) console.error(line);
  if (resumed !== null) checkSameData(resume!, resumed, data, identity);
  const network = networkFromConfig(config.model.network);
  checkFits(network, identity, data);
  const changes = resumed === null ? [] : recipeChanges(resumed, config);
  const begin: Checkpoint = {
    ...resumed,
    config,
    state: resumed?.state ?? initialState(network, config.seed, from?.weights),
    ...hasTeacher(config) && resumed === null && { teacher: flatten(network.parameters, from!.weights) },
    data,
    dataset: identity,
    ...(request.labels !== null || request.heldOut > 0 || isArrayFile(data)) &&
      { source: { labels: request.labels, heldOut: request.heldOut } },
    ...request.plan && { plan: { ...request.plan } },
    ...changes.length > 0 && { changes },
  };
  return { begin, dataset };
}

/** Writes the recipe of a run. */
async function exportRecipe(
  request: TrainRequest,
  resumed: Checkpoint | null,
  path: string,
): Promise<TrainResult> {
  const { begin, dataset } = await beginning(request, resumed);
  const exported = await writeRecipe(path, begin, dataset);
  return { steps: 0, seconds: 0, loss: null, model: path, completed: [], exported };
}

/** Writes the models of a run whose steps are all done, where a kill left them out. */
async function complete(
  { config, resume, keepModels }: TrainRequest,
  resumed: Checkpoint,
  folder: TrainingFolder,
): Promise<TrainResult> {
  const completed = folder.isOwn(resume!) ? await folder.complete(resumed, keepModels) : [];
  if (completed.length > 0) {
    return { steps: 0, seconds: 0, loss: null, model: folder.model, completed, exported: [] };
  }
  throw new UsageError(
    `${resume} has done ${resumed.state.step} of ${config.steps} steps: raise --steps to go on`,
  );
}

function report(
  { config }: TrainRequest,
  { steps, seconds, loss, model, completed, exported }: TrainResult,
): void {
  console.log(
    exported.length > 0
      ? `written: ${exported.join(", ")}`
      : completed.length > 0
      ? `all of ${config.steps} steps were done; now written: ${completed.join(", ")}`
      : `${steps} steps in ${formatDuration(seconds)}, loss ${loss?.toFixed(4)}: ${model}`,
  );
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

async function readModelFile(path: string): Promise<Model> {
  try {
    return readModel(await readPlainFile(path));
  } catch (error) {
    throw new Error(`cannot begin with ${path}: ${(error as Error).message}`);
  }
}

/** The task `train`. */
export const task: Task<typeof usage.flags, TrainRequest, TrainResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);

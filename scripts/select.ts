/**
 * Chooses among the models that a training run kept: `deno task select`.
 * @module
 */
import { readModel } from "../src/networks/model_file.ts";
import { runSelection, type SelectionRequest, type SelectionResult } from "../src/runs/selection.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, readWhole } from "./cli/files.ts";
import { deciding, type FlagValues, integer, text, toggle, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { ProgressBar } from "./cli/terminal.ts";
import { columns } from "../src/plots/text_table.ts";
import { loadTrainingData, trainingDataFlags } from "./datasets/training_data.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { eitherFlags, forCheckpoint } from "./sampling/consistency_model.ts";
import {
  type engineNames,
  networkFlags,
  readSampling,
  renamedOptions,
  samplingFlags,
  seedFlag,
} from "./sampling/flags.ts";
import { sigmaFlag, withSigma } from "./sampling/sigma_flag.ts";
import { keptModels } from "./training/kept_models.ts";

const usage = {
  name: "select",
  purpose:
    "Draws images from every model-STEP.safetensors of a run, measures them by the Fréchet distance to the data and copies the " +
    "best model to best.safetensors. The features are colours and contrast of 4×4 parts: they tell checkpoints of one run " +
    "apart, not papers.",
  examples: [
    "deno task select --checkpoints runs/unet-photos",
    "deno task select --checkpoints runs/unet-cifar10 --sde vp --sampler predictor-corrector --steps 1000",
  ],
  flags: {
    checkpoints: deciding(
      ["checkpoints", "models"],
      text({ help: "folder of a run that deno task train --keep-models wrote", placeholder: "FOLDER" }),
    ),
    ...trainingDataFlags,
    count: integer({ help: "how many images of each model", default: 500, min: 100, max: 60_000 }),
    ...samplingFlags,
    ...eitherFlags,
    sde: deciding(["models"], samplingFlags.sde),
    sigma: deciding(["models"], sigmaFlag),
    seed: seedFlag,
    batch: integer({ help: "images drawn at once", default: 50, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: deciding([], toggle({ help: "print the result as JSON" })),
  },
  renamed: renamedOptions,
} as const;

/** A run of `select`, as plain data; the models' names are those of files in the folder. */
interface SelectRequest extends SelectionRequest {
  /** The folder of the models, where the best one is copied to. */
  readonly checkpoints: string;
  /** A name of data, or a folder. */
  readonly data: string;
  /** The height and width that images are scaled to; null for their own. */
  readonly size: number | null;
  /** Whether pictures of a folder that cannot be read are left out. */
  readonly skipCorrupt: boolean;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What a run measured. */
interface SelectResult extends SelectionResult {
  /** The data set's name. */
  readonly dataset: string;
}

async function request(flags: FlagValues<typeof usage.flags>): Promise<SelectRequest> {
  const { checkpoints, skipCorrupt, count, batch, seed, engine } = flags;
  if (checkpoints === undefined) {
    throw new UsageError("--checkpoints FOLDER is needed: the folder of a training run");
  }
  const names = await keptModels(checkpoints);
  const first = `${checkpoints}/${names[0]}`;
  const { sampler } = await forCheckpoint({ checkpoint: first, sampler: flags.sampler });
  const sampling = readSampling({ ...flags, sampler });
  const { config: { network }, metadata } = readModel(await readWhole(first));
  // Images have the size of the run's, where it is one number.
  const trained = network.kind === "unet" && network.height === network.width ? network.height : null;
  const models: { name: string; sde: SelectRequest["models"][number]["sde"] }[] = [];
  for (const name of names) {
    const { sde } = await withSigma(sampling, { ...flags, checkpoint: `${checkpoints}/${name}` });
    models.push({ name, sde });
  }
  return {
    checkpoints,
    models,
    data: flags.data ?? metadata.data ?? "mnist",
    size: flags.size ?? trained,
    skipCorrupt,
    sampler: sampling.sampler,
    grid: sampling.grid,
    count,
    batch,
    seed,
    engine,
  };
}

async function carryOut(request: SelectRequest): Promise<SelectResult> {
  const { checkpoints, models, data, size, skipCorrupt, grid, count, batch } = request;
  const dataset = await loadTrainingData(data, { size: size ?? undefined, skipCorrupt });
  const engine = await openEngine(request.engine);
  const total = models.length * Math.ceil(count / batch) * grid.steps;
  using progress = new ProgressBar({ label: "drawing", total, unit: "steps" });
  const result = await runSelection(request, {
    dataset,
    load: (name) => loadCheckpoint(`${checkpoints}/${name}`, "mnist", "either"),
    engine,
    onStep: (taken) => progress.update(taken),
  });
  await atomicWrite(`${checkpoints}/best.safetensors`, await readWhole(`${checkpoints}/${result.best}`));
  return { ...result, dataset: dataset.name };
}

/** A table, or all of it as JSON. */
function report(
  { checkpoints, count }: SelectRequest,
  { models, best, floor, dataset }: SelectResult,
  { json }: { readonly json: boolean },
): void {
  if (json) {
    console.log(JSON.stringify({ models, best, floor, count, data: dataset }));
    return;
  }
  const rows = models.map(({ name, frechet }) => [name, frechet.toFixed(4)]);
  console.log(
    columns([["model", `Fréchet, ${count} images`], ...rows, ["as many of the data", floor.toFixed(4)]]),
  );
  console.log(`best: ${best}, copied to ${checkpoints}/best.safetensors`);
}

/** The task `select`. */
export const task: Task<typeof usage.flags, SelectRequest, SelectResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);

/**
 * `deno task train`: trains a score network, with checkpoints, metrics and sample grids.
 * @module
 */
import { dirname } from "node:path";
import type { EngineName } from "../src/compute/engine.ts";
import { createRng } from "../src/compute/rng.ts";
import { shuffledBatches } from "../src/data/batches.ts";
import type { ImageDataset } from "../src/data/dataset.ts";
import { networkFromConfig } from "../src/networks/catalogue.ts";
import { readModel } from "../src/networks/model_file.ts";
import { parameterCount, type Weights } from "../src/networks/network.ts";
import { type Checkpoint, readCheckpoint } from "../src/training/checkpoint.ts";
import {
  DivergedError,
  initialState,
  train,
  type TrainingConfig,
  type TrainingState,
} from "../src/training/train.ts";
import { openEngine } from "./engine.ts";
import {
  choice,
  type Flag,
  type FlagValues,
  integer,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "./flags.ts";
import { readPlan } from "./noise_plan_file.ts";
import { formatDuration, ProgressBar } from "./terminal.ts";
import { loadTrainingData, nameOfData } from "./training_data.ts";
import { TrainingFolder } from "./training_folder.ts";
import { checkRecipe, newConfig, recipeFlags } from "./training_recipe.ts";

/** A flag such as 500, or 20epochs. */
const checkpointEvery: Flag<Interval> = {
  help:
    "steps between checkpoints, each with a sample grid; or 20epochs for so many times through the data (default 500)",
  placeholder: "N|Nepochs",
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
      help: "steps in all (default 15000); may be changed on --resume, and the decay with it",
      min: 1,
    }),
    out: text({ help: "folder to write (default runs/NETWORK-DATA, or the resumed checkpoint's folder)" }),
    resume: text({ help: "checkpoint to go on from", placeholder: "FILE" }),
    engine: choice(["auto", "webgpu", "onnx", "wasm", "cpu"], { help: "what computes", default: "auto" }),
    checkpointEvery,
    keepModels: toggle({
      help:
        "keep the model of every checkpoint as model-STEP.safetensors, for deno task select to choose from",
    }),
    logEvery: integer({ help: "steps between lines of metrics", default: 10, min: 1 }),
  },
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
  const known = await readWeights(flags.from);
  const data = flags.data ?? resumed?.data ?? "mnist";
  const plan = flags.plan === undefined ? undefined : await readPlan(flags.plan);
  const dataset = await loadTrainingData(data, { ...flags, resumedShape: shapeOf(resumed) });
  const engine = await openEngine(flags.engine as EngineName);
  const config = resumed === null
    ? await newConfig(flags, dataset, plan)
    : { ...resumed.config, steps: flags.steps ?? resumed.config.steps };
  const network = networkFromConfig(config.model.network);
  const start = resumed?.state ?? initialState(network, config.seed, known);
  const done = start.step;
  if (done >= config.steps) {
    throw new UsageError(`${flags.resume} has done ${done} of ${config.steps} steps: raise --steps to go on`);
  }
  const name = nameOfData(data, dataset);
  const folder = new TrainingFolder(
    flags.out ??
      (flags.resume === undefined ? `runs/${config.model.network.kind}-${name}` : dirname(flags.resume)),
  );
  await folder.open(resumed !== null);
  console.error(
    `training ${
      parameterCount(network)
    } parameters on ${dataset.count} images of ${dataset.name}, engine ${engine.reason}`,
  );
  await run(config, start, folder, data, dataset, flags);
}

async function run(
  config: TrainingConfig,
  begin: TrainingState,
  folder: TrainingFolder,
  data: string,
  dataset: ImageDataset,
  flags: Flags,
): Promise<void> {
  const start = begin.step;
  await folder.rewindMetrics(start);
  using interrupt = new Interrupt();
  using bar = new ProgressBar({ label: "training", total: config.steps, unit: "steps", initial: start });
  const batches = shuffledBatches(dataset, config.batch, createRng(config.seed).fork("batches"));
  const began = performance.now();
  const { count, epochs } = flags.checkpointEvery;
  const interval = epochs ? Math.max(1, Math.round(count * dataset.count / config.batch)) : count;
  let saved: number | null = start === 0 ? null : start;
  let note = "";
  try {
    const options = { resume: begin, reportEvery: flags.logEvery };
    for await (const { step, loss, gradientNorm, rate, snapshot } of train(config, batches, options)) {
      if (loss !== null && gradientNorm !== null) {
        note = `loss ${loss.toFixed(4)}`;
        const seconds = (performance.now() - began) / 1000;
        await folder.appendMetrics({ step, loss, gradientNorm, rate, seconds });
      }
      bar.update(step, note);
      // Signals are delivered only when the event loop turns.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (step % interval === 0 || step === config.steps || interrupt.raised) {
        const checkpoint = { config, state: await snapshot(), data };
        await folder.save(checkpoint, flags.keepModels);
        saved = step;
        if (interrupt.raised) {
          bar.print(`stopped after step ${step}; go on with --resume ${folder.checkpoint}`);
          Deno.exit(130);
        }
        bar.print(`step ${step}: ${note}, ${await folder.drawGrid(checkpoint)}`);
      }
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    const good = saved === null
      ? "there is no checkpoint yet"
      : `the last good checkpoint is ${folder.checkpoint}, step ${saved}`;
    throw new Error(`${error.message}; ${good}`);
  }
  bar.finish();
  const duration = formatDuration((performance.now() - began) / 1000);
  console.log(`${config.steps - start} steps in ${duration}, ${note}: ${folder.model}`);
}

/** Ctrl-C asks to stop after the step; a second one stops at once. */
class Interrupt implements Disposable {
  raised = false;
  readonly #listener = () => {
    if (this.raised) Deno.exit(130);
    this.raised = true;
  };

  constructor() {
    Deno.addSignalListener("SIGINT", this.#listener);
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#listener);
  }
}

async function readResumed(path: string): Promise<Checkpoint> {
  try {
    return readCheckpoint(await Deno.readFile(path));
  } catch (error) {
    throw new Error(`cannot resume from ${path}: ${(error as Error).message}`);
  }
}

/** The shape of the images that a run was trained on. */
function shapeOf(checkpoint: Checkpoint | null): readonly number[] | undefined {
  return checkpoint === null ? undefined : networkFromConfig(checkpoint.config.model.network).sampleShape;
}

async function readWeights(path: string | undefined): Promise<Weights | undefined> {
  if (path === undefined) return undefined;
  try {
    return readModel(await Deno.readFile(path)).weights;
  } catch (error) {
    throw new Error(`cannot begin with ${path}: ${(error as Error).message}`);
  }
}

await runScript(main);

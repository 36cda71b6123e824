/**
 * `deno task train`: trains a score network, with checkpoints, metrics and sample grids.
 * @module
 */
import { dirname } from "node:path";
import type { EngineName } from "../src/compute/engine.ts";
import { createRng } from "../src/compute/rng.ts";
import { shuffledBatches } from "../src/data/batches.ts";
import { type ImageDataset, pixelMoments } from "../src/data/dataset.ts";
import { NETWORK_PRESETS, networkFromConfig } from "../src/networks/catalogue.ts";
import { readModel } from "../src/networks/model_file.ts";
import { parameterCount, type Weights } from "../src/networks/network.ts";
import type { ModelConfig } from "../src/networks/noise_prediction.ts";
import type { ObjectiveConfig } from "../src/objectives/denoising.ts";
import { withSmallestNoise } from "../src/smallest_noise.ts";
import { type Checkpoint, readCheckpoint } from "../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../src/training/optimizer.ts";
import {
  DivergedError,
  initialState,
  train,
  type TrainingConfig,
  type TrainingState,
} from "../src/training/train.ts";
import { chainNames, chainRatios } from "./chains.ts";
import { sdes } from "./drawing.ts";
import { openEngine } from "./engine.ts";
import {
  choice,
  type FlagValues,
  integer,
  number,
  parseFlags,
  runScript,
  text,
  UsageError,
} from "./flags.ts";
import { type NoisePlanFile, planRatios, readPlan } from "./noise_plan_file.ts";
import { formatDuration, ProgressBar } from "./terminal.ts";
import { loadTrainingData, nameOfData } from "./training_data.ts";
import { TrainingFolder } from "./training_folder.ts";

/** Flags that shape the run; a resumed run keeps what its checkpoint says. */
const recipe = {
  data: text({
    help:
      "mnist, digits or coloured-digits (drawn here, no download), or a folder with MNIST's files (default mnist)",
  }),
  network: choice(["digits", "digits-waves", "coloured-digits", "tutorial"], {
    help: "network preset; digits-waves is for likelihoods (default: the data's, or digits)",
  }),
  from: text({
    help: "model whose weights to begin with; what the network has beyond them begins as ever",
    placeholder: "FILE",
  }),
  weighting: choice(["edm", "variance", "likelihood"], {
    help:
      "loss: EDM's log-normal noise levels, or λ=σ² or λ=g² over an SDE's times (default edm; variance with --sde)",
  }),
  sde: choice(["ve", "vp", "subvp", "sigma-power"], {
    help: "SDE whose times are drawn (default vp; sigma-power for the tutorial network)",
  }),
  plan: text({
    help: "train on the levels of this noise plan, of deno task ncsn:plan (NCSN and NCSNv2)",
    placeholder: "FILE",
  }),
  chain: choice(chainNames, { help: "train on the noise levels of a DDPM chain, all alike: L_simple" }),
  times: choice(["uniform", "importance"], {
    help:
      "how times are drawn: evenly, or by importance for the likelihood, with less variance (default uniform)",
  }),
  smallestNoise: number({
    help: "noise ratio at the first time (default the SDE's own)",
    min: 1e-6,
    max: 10,
  }),
  batch: integer({ help: "images in a step (default 64)", min: 1 }),
  rate: number({ help: `learning rate (default ${OPTIMIZER_DEFAULTS.rate})`, min: 1e-9 }),
  warmup: integer({ help: `steps in which the rate rises (default ${OPTIMIZER_DEFAULTS.warmup})`, min: 0 }),
  decay: choice(["cosine", "constant"], {
    help: `how the rate goes on (default ${OPTIMIZER_DEFAULTS.decay})`,
  }),
  labelDropout: number({ help: "probability of hiding a label (default 0.15)", min: 0, max: 1 }),
  seed: integer({ help: "seed of everything random (default 0)", min: 0 }),
};

const usage = {
  name: "train",
  purpose:
    "Trains a score network on images and writes a checkpoint, a model to sample from, metrics and sample grids.",
  flags: {
    ...recipe,
    steps: integer({
      help: "steps in all (default 15000); may be changed on --resume, and the decay with it",
      min: 1,
    }),
    out: text({ help: "folder to write (default runs/NETWORK-DATA, or the resumed checkpoint's folder)" }),
    resume: text({ help: "checkpoint to go on from", placeholder: "FILE" }),
    engine: choice(["auto", "webgpu", "onnx", "wasm", "cpu"], { help: "what computes", default: "auto" }),
    checkpointEvery: integer({
      help: "steps between checkpoints, each with a sample grid",
      default: 500,
      min: 1,
    }),
    logEvery: integer({ help: "steps between lines of metrics", default: 10, min: 1 }),
  },
  examples: [
    "deno task train --data digits --steps 200",
    "deno task train --data mnist --engine onnx --out runs/mnist",
    "deno task train --resume runs/mnist/checkpoint.safetensors",
  ],
};

type Flags = FlagValues<typeof usage.flags>;

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  checkCombination(flags);
  const resumed = flags.resume === undefined ? null : await readResumed(flags.resume);
  const known = await readWeights(flags.from);
  const data = flags.data ?? resumed?.data ?? "mnist";
  const plan = flags.plan === undefined ? undefined : await readPlan(flags.plan);
  const dataset = await loadTrainingData(data);
  const config = resumed === null
    ? newConfig(flags, dataset, plan)
    : { ...resumed.config, steps: flags.steps ?? resumed.config.steps };
  const network = networkFromConfig(config.model.network);
  const start = resumed?.state ?? initialState(network, config.seed, known);
  const done = start.step;
  if (done >= config.steps) {
    throw new UsageError(`${flags.resume} has done ${done} of ${config.steps} steps: raise --steps to go on`);
  }
  const name = nameOfData(data);
  const folder = new TrainingFolder(
    flags.out ??
      (flags.resume === undefined ? `runs/${config.model.network.kind}-${name}` : dirname(flags.resume)),
  );
  await folder.open(resumed !== null);
  const engine = await openEngine(flags.engine as EngineName);
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
      if (step % flags.checkpointEvery === 0 || step === config.steps || interrupt.raised) {
        const checkpoint = { config, state: await snapshot(), data };
        await folder.save(checkpoint);
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

function checkCombination(flags: Flags): void {
  if (flags.weighting === "edm" && flags.sde !== undefined) {
    throw new UsageError(
      "--sde needs --weighting variance or likelihood: EDM's noise levels belong to no SDE",
    );
  }
  for (const name of ["times", "smallestNoise"] as const) {
    if (flags[name] !== undefined && flags.sde === undefined && (flags.weighting ?? "edm") === "edm") {
      throw new UsageError(
        `--${
          name === "times" ? name : "smallest-noise"
        } is of an SDE's times: it needs --sde, or --weighting ` +
          "variance or likelihood",
      );
    }
  }
  const listed = (["plan", "chain"] as const).filter((name) => flags[name] !== undefined);
  const drawn = (["plan", "chain", "weighting", "sde", "times", "smallestNoise"] as const)
    .filter((name) => flags[name] !== undefined);
  if (listed.length > 0 && drawn.length > 1) {
    throw new UsageError(
      `--${listed[0]} says all about noise levels: leave out ${
        drawn.filter((n) => n !== listed[0]).join(", ")
      }`,
    );
  }
  if (flags.network === "tutorial" && listed.length > 0) {
    throw new UsageError(`--${listed[0]} is for the U-Nets, got --network tutorial`);
  }
  if (flags.network === "tutorial" && flags.weighting === "edm") {
    throw new UsageError(
      "--network tutorial needs --weighting variance or likelihood: it has no preconditioning",
    );
  }
  if (flags.resume === undefined) return;
  for (const name of Object.keys(recipe) as (keyof typeof recipe)[]) {
    if (name !== "data" && flags[name] !== undefined) {
      throw new UsageError(`--resume keeps the recipe of its checkpoint: leave out ${name}`);
    }
  }
}

async function readResumed(path: string): Promise<Checkpoint> {
  try {
    return readCheckpoint(await Deno.readFile(path));
  } catch (error) {
    throw new Error(`cannot resume from ${path}: ${(error as Error).message}`);
  }
}

async function readWeights(path: string | undefined): Promise<Weights | undefined> {
  if (path === undefined) return undefined;
  try {
    return readModel(await Deno.readFile(path)).weights;
  } catch (error) {
    throw new Error(`cannot begin with ${path}: ${(error as Error).message}`);
  }
}

function newConfig(flags: Flags, dataset: ImageDataset, plan: NoisePlanFile | undefined): TrainingConfig {
  const moments = pixelMoments(dataset);
  const preconditioning = { sigmaData: round(moments.std), centre: round(moments.mean) };
  const tutorial = flags.network === "tutorial";
  const coloured = dataset.shape[2] === 3;
  const network = NETWORK_PRESETS[flags.network ?? (coloured ? "coloured-digits" : "digits")];
  const model: ModelConfig = plan?.kind === "ncsnv2" && network.kind === "unet"
    // s(x, σ) = s(x)/σ: the noise is what the network says, whatever the level (Song & Ermon 2020, technique 3).
    ? { network: { ...network, noiseConditional: false }, preconditioning: null }
    : { network, preconditioning: tutorial ? null : preconditioning };
  return {
    model,
    objective: levelsOf(flags, plan) ?? objective(flags, tutorial, coloured, preconditioning.sigmaData),
    optimizer: {
      ...OPTIMIZER_DEFAULTS,
      rate: flags.rate ?? OPTIMIZER_DEFAULTS.rate,
      warmup: flags.warmup ?? OPTIMIZER_DEFAULTS.warmup,
      decay: flags.decay ?? OPTIMIZER_DEFAULTS.decay,
    },
    steps: flags.steps ?? 15_000,
    batch: flags.batch ?? 64,
    labelDropout: flags.labelDropout ?? 0.15,
    seed: flags.seed ?? 0,
  };
}

function levelsOf({ chain }: Flags, plan: NoisePlanFile | undefined): ObjectiveConfig | null {
  if (plan !== undefined) return { kind: "levels", ratios: planRatios(plan) };
  return chain === undefined ? null : { kind: "levels", ratios: chainRatios(chain) };
}

function objective(flags: Flags, tutorial: boolean, coloured: boolean, sigmaData: number): ObjectiveConfig {
  if (flags.sde === undefined && !tutorial && (flags.weighting ?? "edm") === "edm") {
    // The colour of a whole ground shows through much more noise than a stroke does.
    return { kind: "edm", ...coloured ? { mean: 0, std: 1.6 } : { mean: -1, std: 1.2 }, sigmaData };
  }
  const whole = sdes[flags.sde ?? (tutorial ? "sigma-power" : "vp")]();
  const sde = flags.smallestNoise === undefined ? whole : withSmallestNoise(whole, flags.smallestNoise);
  const weighting = flags.weighting === "likelihood" ? "likelihood" : "variance";
  return { kind: "sde", sde: sde.config, weighting, ...(flags.times && { times: flags.times }) };
}

/** Four digits after the point: what a model card can quote. */
function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

await runScript(main);

/**
 * Searches for a sampler's best options: `deno task tune`.
 * @module
 */
import { samplerInfo } from "../src/samplers/registry.ts";
import {
  type Combination,
  listCombinations,
  runTuning,
  type Trial,
  type TuningRequest,
  type TuningResult,
} from "../src/runs/tuning.ts";
import { openEngine } from "./cli/engine.ts";
import {
  choice,
  deciding,
  type FlagValues,
  integer,
  list,
  number,
  numbers,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { columns } from "../src/plots/text_table.ts";
import { loadQualityReference } from "./evaluation/digit_quality.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import {
  asUsage,
  dataFlag,
  type engineNames,
  gridFlag,
  networkFlags,
  renamedOptions,
  samplerFlag,
  samplerOptionFlags,
  samplerOptions,
  sdeFlag,
  seedFlag,
} from "./sampling/flags.ts";
import { sdeNameOf, sdes } from "./sampling/sampling.ts";

const usage = {
  name: "tune",
  purpose:
    "Measures a sampler at every combination of steps, signal-to-noise ratio and γ, each with several seeds, and prints " +
    "the best with how sure that is. Song et al. (2021) choose the ratio of predictor-corrector so, in steps of .01.",
  examples: [
    "deno task tune --snr 0.05:0.30:0.01 --steps 50",
    "deno task tune --sampler edm-stochastic --gamma 0:0.4:0.1 --steps 16,32 --metric kernel",
  ],
  flags: {
    checkpoint: networkFlags.checkpoint,
    data: dataFlag,
    sde: sdeFlag,
    sampler: { ...samplerFlag, fallback: "predictor-corrector" },
    steps: list(
      integer({ help: "steps of the time grid (default the sampler's)", min: 1, max: 100_000 }),
      [],
    ),
    grid: deciding(["grid.kind"], gridFlag),
    ...samplerOptionFlags,
    snr: numbers({ help: "signal-to-noise ratios of Langevin corrections", min: 0 }),
    gamma: numbers({
      help: "values of γ, by which edm-stochastic raises the noise ratio before a step",
      min: 0,
      max: 0.4142,
    }),
    metric: choice(["frechet", "kernel"], { help: "what is to be small", default: "frechet" }),
    repeats: integer({ help: "seeds for each combination, the same for all", default: 3, min: 1, max: 100 }),
    guidance: deciding(
      ["guidance.scale"],
      number({ help: "how strongly the label is followed", default: 1 }),
    ),
    count: integer({ help: "digits for each seed", default: 500, min: 20, max: 60_000 }),
    seed: seedFlag,
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: deciding([], toggle({ help: "print all measurements as JSON" })),
  },
  renamed: renamedOptions,
} as const;

/** A run of `tune`, as plain data. */
interface TuneRequest extends TuningRequest {
  /** A file, the name of a network that comes with the project, or null for the one that is tuned unasked. */
  readonly checkpoint: string | null;
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What a run found, how long it took and what computed. */
interface TuneResult extends TuningResult {
  readonly seconds: number;
  readonly engine: string;
}

function request(flags: FlagValues<typeof usage.flags>): TuneRequest {
  const { sampler, snr, gamma, metric, repeats, count, batch, seed } = flags;
  const { grid: { steps, ...grid } } = samplerInfo(sampler);
  const given = Object.entries(samplerOptions({ ...flags, snr: undefined, gamma: undefined }));
  const request: TuneRequest = {
    checkpoint: flags.checkpoint ?? null,
    data: flags.data ?? null,
    sde: sdes[flags.sde]().config,
    sampler: {
      name: sampler,
      options: Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    },
    grid: { ...grid, kind: flags.grid ?? grid.kind },
    steps: flags.steps.length > 0 ? flags.steps : [steps],
    snr,
    gamma,
    metric,
    repeats,
    guidance: { scale: flags.guidance },
    count,
    batch,
    seed,
    engine: flags.engine,
  };
  if (asUsage(() => listCombinations(request)).length > 1) return request;
  throw new UsageError("there is nothing to search: give --snr, --gamma or --steps several values");
}

async function carryOut(request: TuneRequest): Promise<TuneResult> {
  const { count, batch, repeats } = request;
  const started = performance.now();
  const engine = await openEngine(request.engine);
  const noisePredictor = await loadCheckpoint(request.checkpoint ?? undefined);
  const reference = await loadQualityReference(noisePredictor, count, request.data ?? undefined);
  const steps = listCombinations(request).reduce((sum, { steps }) => sum + steps, 0);
  const total = repeats * Math.ceil(count / batch) * steps;
  using progress = new ProgressBar({ label: "tuning", total, unit: "steps" });
  const result = await runTuning(request, {
    noisePredictor,
    reference,
    engine,
    onStep: (taken, combination) => progress.update(taken, combinationText(combination)),
    onTrial: (trial) => progress.print(`${combinationText(trial)}: ${numberText(trial)}`),
  });
  noisePredictor.dispose();
  return { ...result, seconds: (performance.now() - started) / 1000, engine: engine.name };
}

function combinationText({ steps, options }: Combination): string {
  return [`${steps} steps`, ...Object.entries(options).map(([key, value]) => `${key} ${value}`)].join(", ");
}

function numberText({ mean, error }: Pick<Trial, "mean" | "error">): string {
  return error === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${error.toFixed(2)}`;
}

/** The best trial in one sentence, with how many cannot be told from it. */
function verdict({ trials, best, undecided }: TuningResult): string {
  const found = `best: ${combinationText(trials[best])}: ${numberText(trials[best])}`;
  return undecided === null
    ? `${found}, by one seed: --repeats tells how sure that is`
    : `${found}; ${undecided.length} of ${trials.length - 1} others cannot be told from it by these seeds`;
}

/** A table, or all of it as JSON. */
function report(request: TuneRequest, result: TuneResult, { json }: { readonly json: boolean }): void {
  const { sampler, metric, count, repeats, guidance, seed } = request;
  const { trials, best, floor, seconds, engine } = result;
  const sde = sdeNameOf(request.sde);
  if (json) {
    const { steps, options } = trials[best];
    console.log(JSON.stringify({
      sde,
      sampler: sampler.name,
      metric,
      count,
      repeats,
      guidance: guidance.scale,
      seed,
      engine,
      floor,
      trials,
      best: { steps, options },
      seconds,
    }));
    return;
  }
  const name = metric === "frechet" ? "Fréchet distance" : "kernel distance";
  const rows = trials.map((trial, index) => [
    ...[combinationText(trial), String(trial.evaluations), numberText(trial)],
    index === best ? "best" : "",
  ]);
  console.log(columns([[`${sde}, ${sampler.name}`, "evaluations", name, ""], ...rows]));
  console.log(
    `${verdict(result)} (${count} training images read ${
      floor.toFixed(2)
    }); ${repeats} × ${count} digits each, ` +
      `${formatDuration(seconds)} on ${engine}`,
  );
}

/** The task `tune`. */
export const task: Task<typeof usage.flags, TuneRequest, TuneResult> = { usage, request, carryOut, report };

if (import.meta.main) await runTask(task);

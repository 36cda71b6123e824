/**
 * Searches for a sampler's best options: `deno task tune`.
 * @module
 */
import { samplerByName, samplerInfo } from "../src/samplers/registry.ts";
import type { SamplerOptions } from "../src/samplers/sampler_info.ts";
import { columns } from "./cli/text_table.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { createSampling } from "./sampling/sampling.ts";
import { runEvaluation } from "../src/runs/evaluation.ts";
import { loadQualityReference } from "./evaluation/digit_quality.ts";
import {
  asUsage,
  dataFlag,
  gridFlag,
  networkFlags,
  renamedOptions,
  samplerFlag,
  samplerOptionFlags,
  samplerOptions,
  sdeFlag,
  seedFlag,
} from "./sampling/flags.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { openEngine } from "./cli/engine.ts";
import {
  choice,
  type FlagValues,
  integer,
  list,
  number,
  numbers,
  parseFlags,
  runScript,
  toggle,
  UsageError,
} from "./cli/flags.ts";

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
    grid: gridFlag,
    ...samplerOptionFlags,
    snr: numbers({ help: "signal-to-noise ratios of Langevin corrections", min: 0 }),
    gamma: numbers({
      help: "values of γ, by which edm-stochastic raises the noise ratio before a step",
      min: 0,
      max: 0.4142,
    }),
    metric: choice(["frechet", "kernel"], { help: "what is to be small", default: "frechet" }),
    repeats: integer({ help: "seeds for each combination, the same for all", default: 3, min: 1, max: 100 }),
    guidance: number({ help: "how strongly the label is followed", default: 1 }),
    count: integer({ help: "digits for each seed", default: 500, min: 20, max: 60_000 }),
    seed: seedFlag,
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: toggle({ help: "print all measurements as JSON" }),
  },
  renamed: renamedOptions,
} as const;

type Flags = FlagValues<typeof usage.flags>;

/** A combination and what it measured. */
interface Trial {
  readonly steps: number;
  readonly options: SamplerOptions;
  /** The metric for each seed. */
  readonly values: number[];
  evaluations: number;
}

/** All combinations; an option that is not searched is undefined or the one given. */
function listTrials(flags: Flags): Trial[] {
  const { sampler } = flags;
  const given = { ...samplerOptions({ ...flags, snr: undefined, gamma: undefined }) };
  const orNone = (values: readonly number[]) => values.length > 0 ? values : [undefined];
  const steps = flags.steps.length > 0 ? flags.steps : [samplerInfo(sampler).grid.steps];
  return steps.flatMap((steps) =>
    orNone(flags.snr).flatMap((snr) =>
      orNone(flags.gamma).map((gamma) => {
        const options = { ...given, snr, gamma };
        asUsage(() => samplerByName(sampler, options));
        return { steps, options, values: [], evaluations: 0 };
      })
    )
  );
}

/** Mean and its standard error; of one value there is none. */
function meanWithError(values: readonly number[]): { mean: number; error: number | null } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, error: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

function settingText({ steps, options }: Trial): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return [`${steps} steps`, ...given.map(([key, value]) => `${key} ${value}`)].join(", ");
}

function numberText({ mean, error }: { mean: number; error: number | null }): string {
  return error === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${error.toFixed(2)}`;
}

/**
 * The best trial in one sentence, with those that it cannot be told from: their differences, seed by seed, are less than
 * twice their standard error.
 */
function verdict(sorted: readonly Trial[]): string {
  const [best, ...others] = sorted;
  const found = `best: ${settingText(best)}: ${numberText(meanWithError(best.values))}`;
  if (best.values.length === 1) return `${found}, by one seed: --repeats tells how sure that is`;
  const near = others.filter(({ values }) => {
    const { mean, error } = meanWithError(values.map((value, seed) => value - best.values[seed]));
    return mean < 2 * error!;
  });
  return `${found}; ${near.length} of ${others.length} others cannot be told from it by these seeds`;
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const { count, batch, guidance, repeats, metric } = flags;
  const all = listTrials(flags);
  if (all.length === 1) {
    throw new UsageError("there is nothing to search: give --snr, --gamma or --steps several values");
  }
  const started = performance.now();
  const engine = await openEngine(flags.engine);
  const noisePredictor = await loadCheckpoint(flags.checkpoint);
  const reference = await loadQualityReference(noisePredictor, count, flags.data);
  const batches = Math.ceil(count / batch);
  const total = repeats * batches * all.reduce((sum, { steps }) => sum + steps, 0);
  using progress = new ProgressBar({ label: "tuning", total, unit: "steps" });
  let done = 0;
  for (const trial of all) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const onStep = (taken: number) => progress.update(done + taken, settingText(trial));
      const request = {
        ...createSampling({ ...flags, ...trial }),
        guidance: { scale: guidance },
        classifierScale: 0,
        count,
        batch,
        seed: flags.seed + repeat,
      };
      const measured = await runEvaluation(request, { noisePredictor, reference, engine, onStep });
      trial.values.push(metric === "frechet" ? measured.quality.frechet : measured.quality.kernelDistance);
      trial.evaluations = Math.max(trial.evaluations, measured.evaluations);
      done += batches * trial.steps;
    }
    progress.print(`${settingText(trial)}: ${numberText(meanWithError(trial.values))}`);
  }
  noisePredictor.dispose();
  const sorted = all.toSorted((a, b) => meanWithError(a.values).mean - meanWithError(b.values).mean);
  const { frechet, kernelDistance } = reference.reference.floor;
  const floor = metric === "frechet" ? frechet : kernelDistance;
  const { sde, sampler } = flags;
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) {
    const rows = all.map((trial) => ({ ...trial, ...meanWithError(trial.values) }));
    const { steps, options } = sorted[0];
    const settings = {
      sde,
      sampler,
      metric,
      count,
      repeats,
      guidance,
      seed: flags.seed,
      engine: engine.name,
    };
    console.log(JSON.stringify({ ...settings, floor, trials: rows, best: { steps, options }, seconds }));
    return;
  }
  const name = metric === "frechet" ? "Fréchet distance" : "kernel distance";
  const rows = all.map((trial) => [
    ...[settingText(trial), String(trial.evaluations), numberText(meanWithError(trial.values))],
    trial === sorted[0] ? "best" : "",
  ]);
  console.log(columns([[`${sde}, ${sampler}`, "evaluations", name, ""], ...rows]));
  console.log(
    `${verdict(sorted)} (${count} training images read ${
      floor.toFixed(2)
    }); ${repeats} × ${count} digits each, ` +
      `${formatDuration(seconds)} on ${engine.name}`,
  );
}

if (import.meta.main) await runScript(main);

/**
 * Computes noise levels and Langevin steps from data: `deno task ncsn:plan`.
 * @module
 */
import {
  type NcsnScheduleRequest,
  type NcsnScheduleResult,
  runNcsnSchedule,
} from "../src/runs/ncsn_schedule.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import { choice, deciding, type FlagValues, integer, number, onlyWith, text, toggle } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { ProgressBar } from "./cli/terminal.ts";
import { loadTrainingData, trainingDataFlags } from "./datasets/training_data.ts";
import { engineNames } from "./sampling/flags.ts";
import { type NoisePlanFile, PLAN_FORMAT } from "./sampling/noise_plan_file.ts";

const usage = {
  name: "ncsn:plan",
  purpose:
    "Computes a noise plan for annealed Langevin dynamics from data: NCSNv2's noise levels, steps per level and step size (Song & Ermon 2020), or " +
    "the published ones of NCSN (2019). Prints the plan with its reasons and writes it for train and sample.",
  examples: [
    "deno task ncsn:plan --data mnist",
    "deno task train --plan plan.json --out runs/ncsnv2",
    "deno task sample --plan plan.json --checkpoint runs/ncsnv2/model.safetensors --label none --output ncsnv2.png",
  ],
  flags: {
    ...trainingDataFlags,
    limit: onlyWith(
      integer({ help: "number of images to use, from the first on (default all)", min: 2 }),
      "kind",
      ["ncsnv2"],
    ),
    kind: deciding(
      ["kind", "limit", "smallest", "overlap", "stepsPerLevel"],
      choice(["ncsnv2", "ncsn"], { help: "computed, or as published in 2019", default: "ncsnv2" }),
    ),
    smallest: onlyWith(
      number({
        help: "σ_L, for pixels from 0 to 1: noise that cannot be seen",
        default: 0.01,
        min: 1e-5,
        max: 1,
      }),
      "kind",
      ["ncsnv2"],
    ),
    overlap: onlyWith(
      number({
        help: "how much of a level lies where the one before is: technique 2",
        default: 0.5,
        min: 0.01,
        max: 0.98,
      }),
      "kind",
      ["ncsnv2"],
    ),
    moves: deciding(
      ["stepsPerLevel"],
      integer({
        help: "T, Langevin steps at each level; more take longer and are better (default 5; 100 for ncsn)",
        min: 1,
      }),
    ),
    engine: choice(engineNames, { help: "compute engine for the distances", default: "auto" }),
    output: text({ help: "where to write the plan", placeholder: "FILE", default: "plan.json" }),
    json: deciding([], toggle({ help: "print the plan as JSON" })),
  },
} as const;

/** A run of `ncsn:plan`, as plain data. */
type NcsnPlanRequest = NcsnScheduleRequest & {
  /** A name of data, or a folder. */
  readonly data: string;
  /** The height and width that images are scaled to; null for their own. */
  readonly size: number | null;
  /** Whether pictures of a folder that cannot be read are left out. */
  readonly skipCorrupt: boolean;
  /** What computes distances. */
  readonly engine: typeof engineNames[number];
  /** The plan to write. */
  readonly output: string;
};

/** What a run computed. */
interface NcsnPlanResult extends NcsnScheduleResult {
  /** The data set's name. */
  readonly dataset: string;
}

function request(flags: FlagValues<typeof usage.flags>): NcsnPlanRequest {
  const { data = "mnist", size = null, skipCorrupt, engine, output } = flags;
  const { kind, limit = null, smallest, overlap, moves } = flags;
  const schedule: NcsnScheduleRequest = kind === "ncsn"
    ? { kind, stepsPerLevel: moves ?? 100 }
    : { kind, limit, smallest, overlap, stepsPerLevel: moves ?? 5 };
  return { data, size, skipCorrupt, ...schedule, engine, output };
}

async function carryOut(request: NcsnPlanRequest): Promise<NcsnPlanResult> {
  const { data, size, skipCorrupt, output } = request;
  await ensureWritable(output);
  const images = await loadTrainingData(data, { size: size ?? undefined, skipCorrupt });
  if (request.kind === "ncsnv2") await openEngine(request.engine);
  const result = await withProgress((onProgress) => runNcsnSchedule(request, { images, onProgress }));
  const file = fileOf(request, result);
  await atomicWrite(output, new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`));
  return { ...result, dataset: images.name };
}

async function withProgress<T>(action: (onProgress: (share: number) => void) => Promise<T>): Promise<T> {
  using bar = new ProgressBar({ label: "comparing pairs", total: 1000, unit: "‰" });
  return await action((share) => bar.update(Math.round(1000 * share)));
}

/** The plan as it is written. */
function fileOf({ data, kind }: NcsnPlanRequest, { schedule }: NcsnScheduleResult): NoisePlanFile {
  const { largest, smallest, levels, stepsPerLevel: moves, langevinStep: epsilon } = schedule;
  return { format: PLAN_FORMAT, data, kind, largest, smallest, levels, moves, epsilon };
}

/** The plan with its reasons, or alone as JSON. */
function report(
  request: NcsnPlanRequest,
  result: NcsnPlanResult,
  { json }: { readonly json: boolean },
): void {
  if (json) return console.log(JSON.stringify(fileOf(request, result)));
  const reasons = request.kind === "ncsn"
    ? publishedReasons(result)
    : computedReasons(result, request.overlap);
  console.log([...reasons, `written to ${request.output}`].join("\n"));
}

function publishedReasons({ schedule: { ratio, stepsPerLevel }, overlap }: NcsnPlanResult): string[] {
  return [
    "As published in 2019, for any images with pixels from 0 to 1:",
    `σ_1 = 1, σ_10 = .01, ratio ${ratio.toFixed(4)}; neighbouring levels overlap by ` +
    `${overlap < 1e-15 ? "nothing" : overlap.toExponential(1)}, where the plan of 2020 has .5`,
    `T = ${stepsPerLevel} steps at each level, ε = 1e-5 (2e-5 in the paper, which halves it in its steps)`,
  ];
}

function computedReasons(
  { schedule, overlap, dimension, count, pair, dataset }: NcsnPlanResult,
  asked: number,
): string[] {
  const { largest, smallest, levels, stepsPerLevel, langevinStep, ratio, variance } = schedule;
  const digits = (value: number) => value.toPrecision(4);
  return [
    `${count} images of ${dataset}, ${dimension} pixel values from 0 to 1`,
    `σ_1 = ${digits(largest)}: the largest distance between two of them, images ${pair?.join(" and ")} ` +
    "(technique 1)",
    `σ_L = ${smallest}: noise that cannot be seen`,
    `L = ${levels} levels, ratio γ = ${digits(ratio)}: neighbours overlap by ` +
    `${overlap.toFixed(3)} ≥ ${asked} in ${dimension} dimensions (technique 2)`,
    "the network is not told the level: s(x, σ) = s(x)/σ (technique 3)",
    `T = ${stepsPerLevel} steps at each level; ε = ${
      digits(langevinStep)
    } brings a sample of the level before ` +
    `to the variance ${variance.toFixed(4)} σ_i², nearest to σ_i² (technique 4)`,
    "weights are averaged over steps for sampling (technique 5)",
  ];
}

/** The task `ncsn:plan`. */
export const task: Task<typeof usage.flags, NcsnPlanRequest, NcsnPlanResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);

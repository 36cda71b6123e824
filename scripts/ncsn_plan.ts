/**
 * Computes noise levels and Langevin steps from data: `deno task ncsn:plan`.
 * @module
 */
import { type ImageDataset, imageSize, slice } from "../src/data/dataset.ts";
import { largestDistance } from "../src/data/largest_distance.ts";
import { levelOverlap, ncsnSchedule } from "../src/diffusion/ncsn_levels.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import { choice, integer, number, parseFlags, runScript, text, toggle } from "./cli/flags.ts";
import { type NoisePlanFile, PLAN_FORMAT } from "./sampling/noise_plan_file.ts";
import { engineNames } from "./sampling/flags.ts";
import { ProgressBar } from "./cli/terminal.ts";
import { loadTrainingData, trainingDataFlags } from "./datasets/training_data.ts";

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
    limit: integer({ help: "number of images to use, from the first on (default all)", min: 2 }),
    kind: choice(["ncsnv2", "ncsn"], { help: "computed, or as published in 2019", default: "ncsnv2" }),
    smallest: number({
      help: "σ_L, for pixels from 0 to 1: noise that cannot be seen",
      default: 0.01,
      min: 1e-5,
      max: 1,
    }),
    overlap: number({
      help: "how much of a level lies where the one before is: technique 2",
      default: 0.5,
      min: 0.01,
      max: 0.98,
    }),
    moves: integer({
      help: "T, Langevin steps at each level; more take longer and are better (default 5; 100 for ncsn)",
      min: 1,
    }),
    engine: choice(engineNames, { help: "compute engine for the distances", default: "auto" }),
    output: text({ help: "where to write the plan", placeholder: "FILE", default: "plan.json" }),
    json: toggle({ help: "print the plan as JSON" }),
  },
} as const;

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  await ensureWritable(flags.output);
  const { data = "mnist" } = flags;
  const all = await loadTrainingData(data, flags);
  const dataset = slice(all, 0, flags.limit ?? all.count);
  const { plan, reasons } = flags.kind === "ncsn"
    ? publishedPlan(dataset, flags.moves ?? 100)
    : await computePlan(dataset, { ...flags, moves: flags.moves ?? 5 });
  const file: NoisePlanFile = { format: PLAN_FORMAT, data, kind: flags.kind, ...plan };
  await atomicWrite(flags.output, new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`));
  if (flags.json) console.log(JSON.stringify(file));
  else console.log([...reasons, `written to ${flags.output}`].join("\n"));
}

type Levels = Omit<NoisePlanFile, "format" | "data" | "kind">;

interface Explained {
  readonly plan: Levels;
  readonly reasons: readonly string[];
}

/** Song & Ermon 2019, section 5: σ from 1 to .01 in ten levels, T = 100, ε = 2e-5, which is 1e-5 in the plan's steps. */
function publishedPlan(dataset: ImageDataset, moves: number): Explained {
  const plan = { largest: 1, smallest: 0.01, levels: 10, moves, epsilon: 1e-5 };
  const ratio = (plan.largest / plan.smallest) ** (1 / (plan.levels - 1));
  const overlap = levelOverlap(ratio, imageSize(dataset));
  return {
    plan,
    reasons: [
      "As published in 2019, for any images with pixels from 0 to 1:",
      `σ_1 = 1, σ_10 = .01, ratio ${ratio.toFixed(4)}; neighbouring levels overlap by ${
        overlap < 1e-15 ? "nothing" : overlap.toExponential(1)
      }, where the plan ` +
      "of 2020 has .5",
      `T = ${moves} steps at each level, ε = 1e-5 (2e-5 in the paper, which halves it in its steps)`,
    ],
  };
}

async function computePlan(
  dataset: ImageDataset,
  { smallest, overlap, moves, engine: name }: {
    readonly smallest: number;
    readonly overlap: number;
    readonly moves: number;
    readonly engine: typeof engineNames[number];
  },
): Promise<Explained> {
  await openEngine(name);
  const { distance, pair } = await measureDistance(dataset);
  const dimension = imageSize(dataset);
  const { largest, levels, langevinStep: epsilon, ratio, variance } = ncsnSchedule({
    largest: distance,
    smallest,
    dimension,
    overlap,
    stepsPerLevel: moves,
  });
  const digits = (value: number) => value.toPrecision(4);
  return {
    plan: { largest, smallest, levels, moves, epsilon },
    reasons: [
      `${dataset.count} images of ${dataset.name}, ${dimension} pixel values from 0 to 1`,
      `σ_1 = ${digits(distance)}: the largest distance between two of them, images ${
        pair.join(" and ")
      } (technique 1)`,
      `σ_L = ${smallest}: noise that cannot be seen`,
      `L = ${levels} levels, ratio γ = ${digits(ratio)}: neighbours overlap by ` +
      `${levelOverlap(ratio, dimension).toFixed(3)} ≥ ${overlap} in ${dimension} dimensions (technique 2)`,
      "the network is not told the level: s(x, σ) = s(x)/σ (technique 3)",
      `T = ${moves} steps at each level; ε = ${
        digits(epsilon)
      } brings a sample of the level before to the variance ` +
      `${variance.toFixed(4)} σ_i², nearest to σ_i² (technique 4)`,
      "weights are averaged over steps for sampling (technique 5)",
    ],
  };
}

async function measureDistance(dataset: ImageDataset): ReturnType<typeof largestDistance> {
  using bar = new ProgressBar({ label: "comparing pairs", total: 1000, unit: "‰" });
  const result = await largestDistance(dataset, (share) => bar.update(Math.round(1000 * share)));
  bar.finish();
  return result;
}

await runScript(main);

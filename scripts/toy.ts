/**
 * Experiments in the plane, where every score is known: `deno task toy`.
 * @module
 */
import { type ToyName, toyNames } from "../src/distributions/toys.ts";
import { fieldMethods } from "../src/experiments/learned_fields.ts";
import { encodeGif } from "../src/images/gif.ts";
import { encodePng } from "../src/images/png.ts";
import { loadRasterizer, type Rasterizer } from "../src/plots/rasterizer.ts";
import {
  type PlaneExperimentRequest,
  type PlaneExperimentResult,
  type PlaneExperimentResultOf,
  type PlanePicture,
  runPlaneExperiment,
} from "../src/runs/plane_experiment.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite } from "./cli/files.ts";
import {
  choice,
  deciding,
  type Flag,
  type FlagValues,
  integer,
  list,
  messageOf,
  number,
  text,
  toggle,
} from "./cli/flags.ts";
import { runSubtask, type Task } from "./cli/task.ts";
import { formatDuration, formatPercent, ProgressBar } from "./cli/terminal.ts";
import { type engineNames, networkFlags } from "./sampling/flags.ts";

const experiments = ["langevin", "matching", "modes", "densities"] as const;
type Experiment = (typeof experiments)[number];

const usage = {
  name: "toy [langevin|matching|modes|densities|all]",
  purpose:
    "Experiments in the plane, where every score is known. langevin: Langevin dynamics in the exact field against true " +
    "samples; matching: score networks by each score matching beside the true field; modes: the proportions of " +
    "well-separated modes by three samplers; densities: an animation to noise and back. Without a name, all four.",
  examples: ["deno task toy matching --data moons", "deno task toy modes --count 10000 --json"],
  flags: {
    data: choice(toyNames, { help: "the distribution (modes has its own)", default: "mixture" }),
    count: integer({ help: "samples or particles; by default each experiment's own", min: 2, max: 20_000 }),
    steps: integer({
      help: "Langevin steps, training steps or times of the animation; by default each experiment's own",
      min: 2,
      max: 100_000,
    }),
    stepSize: number({
      help: "Langevin's, by default a twentieth of the distribution's narrowest variance",
      min: 1e-8,
    }),
    sigma: number({
      help: "noise level at which score networks are trained",
      default: 0.2,
      min: 0.01,
      max: 5,
    }),
    methods: list(choice(fieldMethods, { help: "how score networks are trained" }), fieldMethods),
    separation: number({ help: "standard deviations between the modes", default: 12, min: 2, max: 16 }),
    weight: number({ help: "probability of the heavier mode", default: 0.8, min: 0.5, max: 0.99 }),
    seed: integer({ help: "the same seed gives the same numbers", default: 0, min: 0 }),
    output: text({ help: "folder for the pictures, made if need be", placeholder: "FOLDER", default: "toy" }),
    engine: networkFlags.engine,
    json: deciding([], toggle({ help: "print the numbers as JSON, one line an experiment" })),
  },
} as const;

type Flags = FlagValues<typeof usage.flags>;

/** The fields of each experiment's request that flags decide; a flag that is not named has no effect on it. */
const fields: Readonly<Record<Experiment, Partial<Record<keyof Flags, readonly string[]>>>> = {
  langevin: {
    data: ["data", "stepSize"],
    count: ["count"],
    steps: ["steps"],
    stepSize: ["stepSize"],
    seed: ["seed"],
  },
  matching: {
    data: ["data"],
    count: ["count"],
    steps: ["steps"],
    sigma: ["sigma"],
    methods: ["methods"],
    seed: ["seed"],
  },
  modes: {
    count: ["count"],
    steps: ["steps"],
    separation: ["separation"],
    weight: ["weight"],
    seed: ["seed"],
  },
  densities: { data: ["data"], count: ["count"], steps: ["moments"], seed: ["seed"] },
};

/** The flags that have an effect on some of the experiments, or on all that the task does. */
function flagsOf(chosen: readonly Experiment[]): typeof usage.flags {
  const taken = Object.entries(usage.flags).flatMap(([name, flag]): [string, Flag<unknown>][] => {
    const key = name as keyof Flags;
    if (experiments.every((experiment) => fields[experiment][key] === undefined)) return [[key, flag]];
    const decided = chosen.flatMap((experiment, at) =>
      (fields[experiment][key] ?? []).map((field) => `experiments.${at}.${field}`)
    );
    return decided.length === 0 ? [] : [[key, deciding(decided, flag as Flag<unknown>)]];
  });
  return Object.fromEntries(taken) as typeof usage.flags;
}

/** Standard deviation of each distribution where it is narrowest. */
const narrowest: Record<ToyName, number> = {
  "mixture": 0.5,
  "banana": 0.3,
  "gaussians": 0.15,
  "moons": 0.05,
  "rings": 0.05,
  "checkerboard": 0.04,
  "swiss-roll": 0.05,
};

/** The request of an experiment, with its own defaults. */
const requests: Readonly<Record<Experiment, (flags: Flags) => PlaneExperimentRequest>> = {
  langevin({ data, count = 2000, steps = 1000, stepSize = 0.05 * narrowest[data] ** 2, seed }) {
    return { experiment: "langevin", data, count, steps, stepSize, seed };
  },
  matching({ data, count = 4000, steps = 1500, sigma, methods, seed }) {
    return { experiment: "matching", data, count, steps, sigma, methods, seed };
  },
  modes({ count = 4000, steps = 2000, separation, weight, seed }) {
    return { experiment: "modes", count, steps, separation, weight, seed };
  },
  densities({ data, count = 300, steps: moments = 20, seed }) {
    return { experiment: "densities", data, count, moments, seed };
  },
};

/** A run of `toy`, as plain data. */
interface ToyRequest {
  /** The experiments, one after the other. */
  readonly experiments: readonly PlaneExperimentRequest[];
  /** The folder for the pictures. */
  readonly output: string;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What an experiment measured, the pictures that were written and how long it took. */
type ToyExperimentResult = PlaneExperimentResult & {
  /** Paths of the pictures. */
  readonly files: readonly string[];
  readonly seconds: number;
};

/** What a run measured, and what computed. */
interface ToyResult {
  /** In the order of the request. */
  readonly experiments: readonly ToyExperimentResult[];
  readonly engine: string;
}

async function carryOut({ experiments, output, engine: name }: ToyRequest): Promise<ToyResult> {
  await Deno.mkdir(output, { recursive: true }).catch((error) => {
    throw new Error(
      `cannot make the folder "${output}": ${messageOf(error)}`,
    );
  });
  const engine = await openEngine(name);
  const rasterize = await loadRasterizer();
  const results: ToyExperimentResult[] = [];
  for (const experiment of experiments) {
    const started = performance.now();
    const result = await withProgress(experiment);
    engine.check();
    const files: string[] = [];
    for (const picture of result.pictures) {
      const { name, bytes } = pictureFile(experiment, picture, rasterize);
      await atomicWrite(`${output}/${name}`, bytes);
      files.push(`${output}/${name}`);
    }
    results.push({ ...result, files, seconds: (performance.now() - started) / 1000 });
  }
  return { experiments: results, engine: engine.name };
}

/** Carries out an experiment under the bar of what takes long in it. */
async function withProgress(request: PlaneExperimentRequest): Promise<PlaneExperimentResult> {
  if (request.experiment !== "matching" && request.experiment !== "densities") {
    return await runPlaneExperiment(request);
  }
  using progress = new ProgressBar(
    request.experiment === "matching"
      ? { label: "training", total: request.methods.length * request.steps, unit: "steps" }
      : { label: "drawing", total: 2 * request.moments, unit: "frames" },
  );
  return await runPlaneExperiment(request, { onStep: (done, method) => progress.update(done, method) });
}

/** A picture's file: PNG, or GIF for an animation. */
function pictureFile(
  request: PlaneExperimentRequest,
  { name, frames }: PlanePicture,
  rasterize: Rasterizer,
): { readonly name: string; readonly bytes: Uint8Array } {
  const data = request.experiment === "modes" ? "" : request.data;
  const stem = [request.experiment, data, name].filter((part) => part !== "").join("_");
  return request.experiment === "densities"
    ? { name: `${stem}.gif`, bytes: encodeGif(frames.map((svg) => rasterize(svg)), { delay: 120 }) }
    : { name: `${stem}.png`, bytes: encodePng(rasterize(frames[0], { scale: 1.25 })) };
}

/** What is said of an experiment. */
interface Said {
  /** For machines. */
  readonly numbers: object;
  /** For people. */
  readonly lines: readonly string[];
}

/** What is said of each experiment. */
const words: {
  readonly [R in PlaneExperimentRequest as R["experiment"]]: (
    request: R,
    result: PlaneExperimentResultOf<R>,
  ) => Said;
} = {
  langevin({ data, count, steps, stepSize, seed }, { curve, floor, modes }) {
    const end = curve[curve.length - 1];
    return {
      numbers: { experiment: "langevin", data, count, steps, stepSize, seed, curve, floor, modes },
      lines: [
        `langevin on ${data}: ${count} particles, ${steps} steps of ${stepSize.toPrecision(3)}`,
        `  energy distance to true samples ${end.energy.toFixed(5)}; true against true ` +
        `${floor.mean.energy.toFixed(5)} ± ${floor.std.energy.toFixed(5)}`,
        `  sliced Wasserstein ${end.sliced.toFixed(4)}; true against true ` +
        `${floor.mean.sliced.toFixed(4)} ± ${floor.std.sliced.toFixed(4)}`,
        ...modes.map(({ share, low, high, weight }, k) =>
          `  mode ${k + 1}: ${formatPercent(share)}, 95% interval ${formatPercent(low)} to ` +
          `${formatPercent(high)}; truth ${formatPercent(weight)}`
        ),
      ],
    };
  },
  matching({ data, sigma, steps, seed }, { levels, share, fields }) {
    return {
      numbers: { experiment: "matching", data, sigma, steps, seed, levels, share, fields },
      lines: [
        `matching on ${data} at σ = ${sigma}: ${steps} steps each; E‖s − s*‖²/E‖s*‖², and the median ‖s − s*‖ in the`,
        `  densest tenth of the square (${formatPercent(share[0])} of the data) and in the sparsest`,
        ...fields.map(({ method, relative, byDensity }) =>
          `  ${method.padEnd(18)} ${formatPercent(relative).padStart(6)}  ${byDensity[0].toFixed(3)}  ` +
          byDensity[byDensity.length - 1].toFixed(3)
        ),
      ],
    };
  },
  modes({ count, steps, separation, weight, seed }, { rows }) {
    return {
      numbers: { experiment: "modes", count, steps, separation, weight, seed, rows },
      lines: [
        `modes: ${
          formatPercent(weight)
        } of the data in one of two modes, ${separation} standard deviations ` +
        `apart; ${count} samples`,
        ...rows.map(({ sampler, share, low, high, evaluations }) =>
          `  ${sampler.padEnd(18)} ${formatPercent(share)}, 95% interval ${formatPercent(low)} to ` +
          `${formatPercent(high)}; ${evaluations} evaluations`
        ),
      ],
    };
  },
  densities({ data, count, moments, seed }, { pictures: [{ frames: { length: frames } }] }) {
    return {
      numbers: { experiment: "densities", data, count, moments, seed, frames },
      lines: [`densities of ${data}: ${frames} frames, ${count} particles`],
    };
  },
};

/** An experiment after the other, as words or a line of JSON each. */
function report(
  request: ToyRequest,
  { experiments, engine }: ToyResult,
  { json }: Pick<Flags, "json">,
): void {
  for (const [at, result] of experiments.entries()) {
    const asked = request.experiments[at];
    const say = words[asked.experiment] as (request: typeof asked, result: PlaneExperimentResult) => Said;
    const { numbers, lines } = say(asked, result);
    const { files, seconds } = result;
    console.log(
      json
        ? JSON.stringify({ ...numbers, files, seconds, engine })
        : [...lines, `  ${files.join(", ")} in ${formatDuration(seconds)} on ${engine}`].join("\n"),
    );
  }
}

/** The task of some experiments, with the flags that have an effect on them. */
function taskOf(
  name: string,
  chosen: readonly Experiment[],
): Task<typeof usage.flags, ToyRequest, ToyResult> {
  return {
    usage: { ...usage, name, flags: flagsOf(chosen) },
    request: (flags) => ({
      experiments: chosen.map((experiment) => requests[experiment](flags)),
      output: flags.output,
      engine: flags.engine,
    }),
    carryOut,
    report,
  };
}

/** The task `toy`: all experiments. */
export const task = taskOf(usage.name, experiments);

/** The task `toy` of one experiment, by the word that follows its name. */
export const subtasks: Readonly<Record<string, typeof task>> = {
  ...Object.fromEntries(experiments.map((name) => [name, taskOf(`toy ${name}`, [name])])),
  all: task,
};

if (import.meta.main) await runSubtask("experiment", subtasks, task);

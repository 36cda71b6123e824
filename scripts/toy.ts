/**
 * Experiments in the plane, where every score is known: `deno task toy`.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import { toyDistribution, type ToyName, toyNames } from "../src/distributions/toys.ts";
import { animationFrames, densityAnimation } from "../src/experiments/density_animation.ts";
import { langevinPicture, measureLangevin } from "../src/experiments/exact_langevin.ts";
import { errorsPicture, fieldsPicture, levelsPicture } from "../src/experiments/field_pictures.ts";
import { fieldMethods, learnFields, measureFields } from "../src/experiments/learned_fields.ts";
import { measureModes, modesPicture } from "../src/experiments/mode_proportions.ts";
import { encodeGif } from "../src/images/gif.ts";
import { encodePng, type Picture } from "../src/images/png.ts";
import { loadRasterizer, type Rasterizer } from "../src/plots/rasterizer.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite } from "./cli/files.ts";
import {
  choice,
  integer,
  list,
  messageOf,
  number,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { formatDuration, formatPercent, ProgressBar } from "./cli/terminal.ts";
import { networkFlags } from "./sampling/flags.ts";

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
    json: toggle({ help: "print the numbers as JSON, one line an experiment" }),
  },
} as const;

type Flags = ReturnType<typeof parseFlags<typeof usage.flags>>;

/** Flags that have an effect on some experiments only. */
const owners: Partial<Record<keyof Flags, readonly Experiment[]>> = {
  data: ["langevin", "matching", "densities"],
  stepSize: ["langevin"],
  sigma: ["matching"],
  methods: ["matching"],
  separation: ["modes"],
  weight: ["modes"],
};

/** The values of the flags, of which only those are known that have an effect on the experiments. */
function readFlags(name: string, chosen: readonly Experiment[], args: readonly string[]): Flags {
  const takes = (key: string) => owners[key as keyof Flags]?.some((owner) => chosen.includes(owner)) ?? true;
  const flags = Object.fromEntries(Object.entries(usage.flags).filter(([key]) => takes(key)));
  return { ...parseFlags(usage, []), ...parseFlags({ ...usage, name, flags }, args) };
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

/** The results of an experiment. */
interface ExperimentResult {
  /** For machines. */
  readonly numbers: unknown;
  /** For people. */
  readonly lines: readonly string[];
  /** Bytes by file name. */
  readonly files: readonly (readonly [name: string, bytes: Uint8Array])[];
}

const SCALE = 1.25;

async function langevin(flags: Flags, rasterize: Rasterizer): Promise<ExperimentResult> {
  const { data, count = 2000, steps = 1000, seed } = flags;
  const stepSize = flags.stepSize ?? 0.05 * narrowest[data] ** 2;
  const distribution = toyDistribution(data);
  const report = await measureLangevin(distribution, { count, steps, stepSize, rng: createRng(seed) });
  const { curve, floor, modes } = report;
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
        `  mode ${k + 1}: ${formatPercent(share)}, 95% interval ${formatPercent(low)} to ${
          formatPercent(high)
        }; truth ${formatPercent(weight)}`
      ),
    ],
    files: [[
      `langevin_${data}.png`,
      encodePng(rasterize(await langevinPicture(distribution, report), { scale: SCALE })),
    ]],
  };
}

async function matching(flags: Flags, rasterize: Rasterizer): Promise<ExperimentResult> {
  const { data, count = 4000, steps = 1500, seed, sigma, methods } = flags;
  const distribution = toyDistribution(data);
  using progress = new ProgressBar({ label: "training", total: methods.length * steps, unit: "steps" });
  const onStep = (method: (typeof methods)[number], done: number) =>
    progress.update(methods.indexOf(method) * steps + done, method);
  const fields = await learnFields(distribution, { sigma, steps, seed, methods, onStep });
  progress.finish();
  const report = await measureFields(distribution, fields, { sigma, seed, count });
  for (const field of fields) field.dispose();
  const drawn = distribution.sample(createRng(seed).fork("picture"), 1000);
  const points = await drawn.data<"float32">();
  const pictures = {
    fields: await fieldsPicture(distribution, report),
    errors: await errorsPicture(distribution, report, points),
    levels: levelsPicture(report),
  };
  drawn.dispose();
  const { levels, share } = report;
  return {
    numbers: {
      experiment: "matching",
      data,
      sigma,
      steps,
      seed,
      levels,
      share,
      fields: report.fields.map(({ method, relative, byLevel, byDensity }) => ({
        method,
        relative,
        byLevel,
        byDensity,
      })),
    },
    lines: [
      `matching on ${data} at σ = ${sigma}: ${steps} steps each; E‖s − s*‖²/E‖s*‖², and the median ‖s − s*‖ in the`,
      `  densest tenth of the square (${formatPercent(share[0])} of the data) and in the sparsest`,
      ...report.fields.map(({ method, relative, byDensity }) =>
        `  ${method.padEnd(18)} ${formatPercent(relative).padStart(6)}  ${byDensity[0].toFixed(3)}  ${
          byDensity[byDensity.length - 1].toFixed(3)
        }`
      ),
    ],
    files: Object.entries(pictures).map(([name, svg]) => [
      `matching_${data}_${name}.png`,
      encodePng(rasterize(svg, { scale: SCALE })),
    ]),
  };
}

async function modes(flags: Flags, rasterize: Rasterizer): Promise<ExperimentResult> {
  const { count = 4000, steps = 2000, seed, separation, weight } = flags;
  const rows = await measureModes({ count, steps, separation, weight, rng: createRng(seed) });
  return {
    numbers: {
      experiment: "modes",
      count,
      steps,
      separation,
      weight,
      seed,
      rows: rows.map(({ sampler, heavier, evaluations }) => ({ sampler, ...heavier, evaluations })),
    },
    lines: [
      `modes: ${
        formatPercent(weight)
      } of the data in one of two modes, ${separation} standard deviations apart; ${count} samples`,
      ...rows.map(({ sampler, heavier: { share, low, high }, evaluations }) =>
        `  ${sampler.padEnd(18)} ${formatPercent(share)}, 95% interval ${formatPercent(low)} to ${
          formatPercent(high)
        }; ` +
        `${evaluations} evaluations`
      ),
    ],
    files: [[
      "modes.png",
      encodePng(rasterize(await modesPicture(rows, { separation, weight }), { scale: SCALE })),
    ]],
  };
}

async function densities(flags: Flags, rasterize: Rasterizer): Promise<ExperimentResult> {
  const { data, count = 300, steps: moments = 20, seed } = flags;
  const distribution = toyDistribution(data);
  const options = { moments, count, rng: createRng(seed) };
  const frames: Picture[] = [];
  using progress = new ProgressBar({ label: "drawing", total: 2 * moments, unit: "frames" });
  for await (
    const svg of animationFrames(distribution, options, await densityAnimation(distribution, options))
  ) {
    frames.push(rasterize(svg));
    progress.update(frames.length);
  }
  progress.finish();
  return {
    numbers: { experiment: "densities", data, count, moments, seed, frames: frames.length },
    lines: [`densities of ${data}: ${frames.length} frames, ${count} particles`],
    files: [[`densities_${data}.gif`, encodeGif(frames, { delay: 120 })]],
  };
}

const run: Record<Experiment, (flags: Flags, rasterize: Rasterizer) => Promise<ExperimentResult>> = {
  langevin,
  matching,
  modes,
  densities,
};

async function main(): Promise<void> {
  const [first, ...rest] = Deno.args;
  const named = first !== undefined && !first.startsWith("-");
  const chosen = named && first !== "all" ? experiments.filter((name) => name === first) : experiments;
  if (chosen.length === 0) {
    throw new UsageError(`the experiment must be one of ${experiments.join(", ")}, all; got "${first}"`);
  }
  const name = named && first !== "all" ? `toy ${first}` : usage.name;
  const flags = readFlags(name, chosen, named ? rest : Deno.args);
  await Deno.mkdir(flags.output, { recursive: true }).catch((error) => {
    throw new Error(
      `cannot make the folder "${flags.output}": ${messageOf(error)}`,
    );
  });
  const engine = await openEngine(flags.engine);
  const rasterize = await loadRasterizer();
  for (const name of chosen) {
    const started = performance.now();
    const { numbers, lines, files } = await run[name](flags, rasterize);
    engine.check();
    for (const [file, bytes] of files) await atomicWrite(`${flags.output}/${file}`, bytes);
    const seconds = (performance.now() - started) / 1000;
    const paths = files.map(([file]) => `${flags.output}/${file}`);
    if (flags.json) {
      console.log(JSON.stringify({ ...numbers as object, files: paths, seconds, engine: engine.name }));
    } else {console.log(
        [...lines, `  ${paths.join(", ")} in ${formatDuration(seconds)} on ${engine.name}`].join("\n"),
      );}
  }
}

if (import.meta.main) await runScript(main);

/**
 * Draws digits from a checkpoint: `deno task sample`.
 * @module
 */
import { type Engine, useEngine } from "../src/compute/engine.ts";
import { createRng, type Rng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { fromModel } from "../src/data/dataset.ts";
import { type ScoreModel, scoreModel } from "../src/denoiser.ts";
import { readModel } from "../src/networks/model_file.ts";
import { type NetworkDenoiser, networkDenoiser } from "../src/networks/network_denoiser.ts";
import { encodeGif } from "../src/pictures/gif.ts";
import { imageGrid } from "../src/pictures/grid.ts";
import { writeNpy } from "../src/pictures/npy.ts";
import { encodePng } from "../src/pictures/png.ts";
import { loadPretrained } from "../src/pretrained.ts";
import { samplerByName, samplerEntry, samplerNames } from "../src/samplers/catalogue.ts";
import { sample } from "../src/samplers/sample.ts";
import type { Sampler } from "../src/samplers/sampler.ts";
import { noiseRatio, type Sde, sigmaPowerSde, subVpSde, veSde, vpSde } from "../src/sde.ts";
import type { GridConfig } from "../src/time_grid.ts";
import { atomicWrite, ensureWritable, readWhole } from "./files.ts";
import { choice, integer, number, parseFlags, runScript, text, toggle, UsageError } from "./flags.ts";
import { formatDuration, ProgressBar } from "./terminal.ts";

const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;
const endings = [".png", ".npy", ".gif"] as const;

/** The most digits that one picture shows. */
const mostInPicture = { ".png": 10_000, ".gif": 400, ".npy": Infinity };

/** The most frames of an animation. */
const mostFrames = 60;

const usage = {
  name: "sample",
  purpose:
    "Draws digits from a trained score network and writes them as a picture, an animation or an array.",
  examples: [
    "deno task sample",
    "deno task sample --label 4 --guidance 2 --output fours.png",
    "deno task sample --sde vp --sampler predictor-corrector --steps 500 --count 16",
    "deno task sample --count 10000 --output digits.npy",
  ],
  flags: {
    checkpoint: text({
      help: "trained weights; by default those that come with the project",
      placeholder: "FILE",
    }),
    sde: choice(["ve", "vp", "subvp", "sigma-power"], {
      help: "the stochastic differential equation to reverse",
      default: "ve",
    }),
    sampler: choice(samplerNames, {
      help: `the algorithm: ${samplerNames.join(", ")}`,
      placeholder: "NAME",
      default: "dpm++2m",
    }),
    steps: integer({ help: "steps of the time grid; the default is the sampler's", min: 1, max: 100_000 }),
    grid: choice(["uniform", "quadratic", "log-snr", "karras"], {
      help: "the time grid; the default is the sampler's",
    }),
    count: integer({ help: "how many digits", default: 64, min: 1, max: 100_000 }),
    seed: integer({ help: "the same seed draws the same digits, however many", default: 0, min: 0 }),
    label: choice([...digits, "random", "none"], {
      help: "which digit; random draws a class for each, none leaves it to the network",
      placeholder: "0-9|random|none",
      default: "random",
    }),
    guidance: number({
      help: "how strongly the label is followed; 1 is the plain conditional model",
      default: 1,
    }),
    snr: number({ help: "signal-to-noise ratio of Langevin corrections", min: 0 }),
    correctorSteps: integer({ help: "Langevin corrections at each noise level", min: 1 }),
    rtol: number({ help: "relative tolerance of adaptive solvers", min: 0 }),
    atol: number({ help: "absolute tolerance of adaptive solvers", min: 0 }),
    denoise: toggle({ help: "leave the noise of the last time in the digits", default: true }),
    engine: choice(["auto", "webgpu", "onnx", "wasm", "cpu"], { help: "what computes", default: "auto" }),
    batch: integer({ help: "digits drawn at once", default: 16, min: 1, max: 4096 }),
    output: text({
      help: ".png: a grid; .gif: its trajectory; .npy: float32 [N, 28, 28, 1] in [0, 1]",
      placeholder: "FILE",
      default: "samples.png",
    }),
    json: toggle({ help: "print the last line as JSON" }),
  },
} as const;

type Flags = ReturnType<typeof parseFlags<typeof usage.flags>>;

/** Everything that is to be done, checked before anything is. */
interface Plan {
  readonly sde: Sde;
  readonly sampler: Sampler;
  readonly grid: GridConfig;
  readonly ending: typeof endings[number];
}

function planFor(flags: Flags): Plan {
  const ending = endings.find((candidate) => flags.output.endsWith(candidate));
  if (ending === undefined) {
    throw new UsageError(`--output must end in ${endings.join(", ")}, got "${flags.output}"`);
  }
  if (flags.count > mostInPicture[ending]) {
    throw new UsageError(
      `a ${ending} shows at most ${mostInPicture[ending]} digits, got --count ${flags.count}`,
    );
  }
  if (flags.label === "none" && flags.guidance !== 1) {
    throw new UsageError(`--guidance needs a label, got ${flags.guidance} with --label none`);
  }
  const { snr, correctorSteps, rtol, atol } = flags;
  const { grid } = samplerEntry(flags.sampler);
  try {
    return {
      sde: sdes[flags.sde](),
      sampler: samplerByName(flags.sampler, { snr, correctorSteps, rtol, atol }),
      grid: { ...grid, kind: flags.grid ?? grid.kind, steps: flags.steps ?? grid.steps },
      ending,
    };
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** VE between the noise ratios that training saw; the others as their papers have them. */
export const sdes: Record<"ve" | "vp" | "subvp" | "sigma-power", () => Sde> = {
  ve: () => veSde({ sigmaMin: 0.005, sigmaMax: 40 }),
  vp: vpSde,
  subvp: subVpSde,
  "sigma-power": sigmaPowerSde,
};

/** The network in a checkpoint, or the one that comes with the project. */
export async function load(checkpoint: string | undefined): Promise<NetworkDenoiser> {
  if (checkpoint === undefined) return await loadPretrained("mnist");
  const bytes = await readWhole(checkpoint);
  try {
    const { config, weights } = readModel(bytes);
    return networkDenoiser(config, weights);
  } catch (error) {
    throw new Error(`"${checkpoint}" cannot be used: ${error instanceof Error ? error.message : error}`);
  }
}

/** The labels of a batch; a sample's own random class does not depend on its batch. */
export function labelsOf(label: string, classes: number, rng: Rng, rows: number): number | null | number[] {
  if (label === "none" || (label === "random" && classes === 0)) return null;
  if (label !== "random") return Number(label);
  const uniforms = rng.fork("labels").uniformValues([rows, 1]);
  return Array.from(uniforms, (u) => Math.floor(u * classes));
}

/** A state on the way, with its noise scaled down so that the whole has the spread of the data. */
function visible(denoiser: NetworkDenoiser, { sde }: ScoreModel, x: tf.Tensor, time: number): tf.Tensor {
  const { sigmaData, centre } = denoiser.config.preconditioning ?? { sigmaData: 0.5, centre: 0 };
  const spread = sigmaData / Math.hypot(sigmaData, noiseRatio(sde, time));
  return tf.tidy(() => tf.add(tf.mul(tf.sub(tf.div(x, sde.alpha(time)), centre), spread), centre));
}

/** The digits, [count, …sampleShape] in [0, 1], and the frames of their trajectory when it is wanted. */
interface Drawn {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly frames: readonly Float32Array[];
  readonly evaluations: number;
}

async function draw(flags: Flags, plan: Plan, denoiser: NetworkDenoiser, engine: Engine): Promise<Drawn> {
  const { sampleShape, classes } = denoiser.network;
  const size = sampleShape.reduce((product, length) => product * length, 1);
  // Every batch has the same number of rows, the last one too: then no rounding depends on how many are asked for.
  const rows = flags.batch;
  const batches = Math.ceil(flags.count / rows);
  const values = new Float32Array(flags.count * size);
  const frames: Float32Array[] = [];
  const stride = Math.ceil(plan.grid.steps / (mostFrames - 1));
  const put = (into: Float32Array, batch: number, from: Float32Array) =>
    into.set(from.subarray(0, Math.min(rows, flags.count - batch * rows) * size), batch * rows * size);
  let evaluations = 0;
  using progress = new ProgressBar({ label: "sampling", total: batches * plan.grid.steps, unit: "steps" });
  for (let batch = 0; batch < batches; batch++) {
    const rng = createRng(flags.seed).startingAt(batch * rows);
    const conditioned = denoiser.withLabels(labelsOf(flags.label, classes, rng, rows), flags.guidance);
    if (batch === 0) await conditioned.prepare(rows);
    const model = scoreModel(conditioned, plan.sde);
    const options = { shape: [rows, ...sampleShape], grid: plan.grid, rng, denoise: flags.denoise };
    for await (const look of sample(model, plan.sampler, options)) {
      if (plan.ending === ".gif" && (look.done || look.step % stride === 0)) {
        const frame = look.done ? look.x.clone() : visible(denoiser, model, look.x, look.time);
        put(
          frames[Math.ceil(look.step / stride)] ??= new Float32Array(values.length),
          batch,
          fromModel(await frame.data<"float32">()),
        );
        frame.dispose();
      }
      if (look.done) {
        put(values, batch, fromModel(await look.x.data<"float32">()));
        look.x.dispose();
        evaluations = Math.max(evaluations, look.evaluations);
      }
      progress.update(batch * plan.grid.steps + look.step);
    }
    engine.check();
  }
  return { shape: [flags.count, ...sampleShape], values, frames, evaluations };
}

function encode(plan: Plan, { shape, values, frames }: Drawn): Uint8Array {
  switch (plan.ending) {
    case ".npy":
      return writeNpy({ shape, values });
    case ".png":
      return encodePng(imageGrid(values, shape));
    case ".gif":
      return encodeGif(frames.map((frame) => imageGrid(frame, shape)), {
        delay: Math.max(30, 2000 / frames.length),
      });
  }
}

if (import.meta.main) {
  await runScript(async () => {
    const flags = parseFlags(usage, Deno.args);
    const plan = planFor(flags);
    await ensureWritable(flags.output);
    const started = performance.now();
    const engine = await useEngine(flags.engine);
    const denoiser = await load(flags.checkpoint);
    const drawn = await draw(flags, plan, denoiser, engine);
    await atomicWrite(flags.output, encode(plan, drawn));
    const summary = {
      count: flags.count,
      sde: flags.sde,
      sampler: flags.sampler,
      grid: plan.grid.kind,
      steps: plan.grid.steps,
      // Guidance asks the network twice, in one batch.
      evaluations: drawn.evaluations * (flags.label !== "none" && flags.guidance !== 1 ? 2 : 1),
      seconds: Number(((performance.now() - started) / 1000).toFixed(2)),
      engine: engine.name,
      file: flags.output,
    };
    console.log(
      flags.json
        ? JSON.stringify(summary)
        : `${summary.count} digits, ${summary.sde}, ${summary.sampler} on a ${summary.grid} grid, ${summary.steps} steps, ` +
          `${summary.evaluations} network evaluations, ${
            formatDuration(summary.seconds)
          } on ${summary.engine}: ${summary.file}`,
    );
  });
}

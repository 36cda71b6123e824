/**
 * Draws digits from a checkpoint: `deno task sample`.
 * @module
 */
import type { Engine } from "../src/compute/engine.ts";
import type { Guidance } from "../src/networks/guidance_interval.ts";
import type { NetworkPredictor } from "../src/networks/network_predictor.ts";
import { imageGrid } from "../src/images/grid.ts";
import { encodePng } from "../src/images/png.ts";
import {
  checkLabel,
  drawBatches,
  type DrawnBatch,
  type DrawOptions,
  openClassifierGuide,
} from "./sampling/draw_batches.ts";
import { fingerprint, loadCheckpoint } from "./sampling/checkpoint.ts";
import { type Part, shardBatches } from "./sampling/run_batches.ts";
import {
  labelFlags,
  networkFlags,
  readLabelGuidance,
  readSampling,
  renamedGuidance,
  renamedOptions,
  samplerOptions,
  samplingFlags,
  seedFlag,
} from "./sampling/flags.ts";
import type { Sampling } from "./sampling/sampling.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { eitherFlags, forCheckpoint } from "./sampling/consistency_model.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable, removeTemporaries } from "./cli/files.ts";
import {
  type Flag,
  type FlagValues,
  integer,
  parseFlags,
  runScript,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { planSampling, readPlan } from "./sampling/noise_plan_file.ts";
import { claimFile, takenOver } from "./cli/output_lock.ts";
import { isFinished, PartialNpy, type RunRecord } from "./sampling/resumable_npy.ts";
import { sigmaFlag, withSigma } from "./sampling/sigma_flag.ts";
import { trajectoryGif } from "./sampling/trajectory_gif.ts";

const endings = [".png", ".npy", ".gif"] as const;

/** The most digits that one picture shows. */
const mostInPicture = { ".png": 10_000, ".gif": 400, ".npy": Infinity };

/** A flag such as 2/8: the second of eight parts. */
const shard: Flag<{ readonly index: number; readonly shards: number } | undefined> = {
  help: "draw only the I-th of N parts, I from 1, for a .npy; `deno task join` puts them together",
  placeholder: "I/N",
  fallback: undefined,
  parse(text, flag) {
    const [, index, shards] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
    if (!(index >= 1 && index <= shards && Number.isSafeInteger(shards))) {
      throw new UsageError(`${flag} must be I/N with I from 1 to N, such as 2/8, got "${text}"`);
    }
    return { index, shards };
  },
};

const usage = {
  name: "sample",
  purpose:
    "Draws digits from a trained score network and writes them as a picture, an animation or an array.",
  examples: [
    "deno task sample",
    "deno task sample --label 4 --guidance 2 --output fours.png",
    "deno task sample --label 4 --classifier-scale 3 --sampler predictor-corrector",
    "deno task sample --sde vp --sampler predictor-corrector --steps 500 --count 16",
    "deno task sample --checkpoint runs/few/model.safetensors --levels 2,0.5",
    "deno task sample --count 10000 --output digits.npy --resume",
    "deno task sample --count 10000 --shard 2/8 --output digits-2.npy --resume",
  ],
  flags: {
    checkpoint: networkFlags.checkpoint,
    ...samplingFlags,
    ...eitherFlags,
    sigma: sigmaFlag,
    plan: text({
      help:
        "noise plan of deno task ncsn:plan: annealed Langevin over its levels, instead of --sde, --sampler, --steps, --grid",
      placeholder: "FILE",
    }),
    count: integer({ help: "how many digits", default: 64, min: 1, max: 10_000_000 }),
    seed: seedFlag,
    ...labelFlags,
    denoise: toggle({ help: "leave the noise of the last time in the digits", default: true }),
    engine: networkFlags.engine,
    batch: integer({ help: "digits drawn at once", default: 16, min: 1, max: 4096 }),
    output: text({
      help: ".png: a grid; .gif: its trajectory; .npy: float32 [N, 28, 28, 1] in [0, 1]",
      placeholder: "FILE",
      default: "samples.png",
    }),
    resume: toggle({ help: "go on with a .npy that was interrupted; from the start if there is none" }),
    shard,
    json: toggle({ help: "print the last line as JSON" }),
  },
  renamed: { ...renamedGuidance, ...renamedOptions },
} as const;

type Flags = Omit<FlagValues<typeof usage.flags>, "sampler"> & { readonly sampler: string };

/** Flags with a label that the network has. */
type Labelled = Flags & { readonly label: string };

/** Everything that is to be done, checked before anything is. */
interface SamplePlan extends Sampling {
  readonly ending: typeof endings[number];
  readonly part: Part;
}

async function planRun(flags: Flags): Promise<SamplePlan> {
  const ending = endings.find((candidate) => flags.output.endsWith(candidate));
  if (ending === undefined) {
    throw new UsageError(`--output must end in ${endings.join(", ")}, got "${flags.output}"`);
  }
  if (flags.count > mostInPicture[ending]) {
    throw new UsageError(
      `a ${ending} shows at most ${mostInPicture[ending]} digits, got --count ${flags.count}`,
    );
  }
  if (ending !== ".npy" && (flags.resume || flags.shard !== undefined)) {
    throw new UsageError(`--resume and --shard need an --output that ends in .npy, got "${flags.output}"`);
  }
  // Refuses guidance that has no effect; whether the network has labels is known later.
  readLabelGuidance({ ...flags, label: flags.label ?? "random" });
  const batches = Math.ceil(flags.count / flags.batch);
  const { index, shards } = flags.shard ?? { index: 1, shards: 1 };
  if (shards > batches) {
    throw new UsageError(
      `--shard splits between batches, and ${flags.count} digits are ${batches} batches of ${flags.batch}: ` +
        `at most ${batches} parts, got ${shards}`,
    );
  }
  const sampling = flags.plan === undefined
    ? await withSigma(readSampling(flags), flags)
    : planSampling(await readPlan(flags.plan));
  return {
    ...sampling,
    ending,
    part: shardBatches(index, shards, flags.count, flags.batch),
  };
}

/** Digits written or to be written: how many, and the most evaluations that one took. */
interface Result {
  readonly samples: number;
  readonly evaluations: number;
}

/** Draws a part batch by batch under a progress bar, beginning with batch `from`. */
async function* drawPart(
  flags: Labelled,
  plan: SamplePlan & { readonly guidance: Guidance },
  noisePredictor: NetworkPredictor,
  engine: Engine,
  from = plan.part.first,
): AsyncGenerator<DrawnBatch> {
  const guide = await openClassifierGuide(noisePredictor, flags.classifierScale);
  const { steps } = plan.grid;
  const done = (from - plan.part.first) * steps;
  const total = (plan.part.end - plan.part.first) * steps;
  using progress = new ProgressBar({ label: "sampling", total, unit: "steps", initial: done });
  const options: DrawOptions = {
    ...flags,
    ...plan,
    guide,
    rows: flags.batch,
    frames: plan.ending === ".gif",
    onStep: (taken) => progress.update(done + taken),
  };
  yield* drawBatches(noisePredictor, engine, { first: from, end: plan.part.end }, options);
  guide?.classifier.dispose();
}

/** Streams an array to the disk: memory holds one batch, however many there are. */
async function streamArray(
  flags: Labelled,
  plan: SamplePlan & { readonly guidance: Guidance },
  noisePredictor: NetworkPredictor,
  engine: Engine,
): Promise<Result> {
  const { part, grid, guidance } = plan;
  const { sde, sampler, label, classifierScale, denoise, seed, count, batch } = flags;
  const first = part.first * batch;
  const samples = Math.min(count, part.end * batch) - first;
  const run: RunRecord = {
    weights: await fingerprint(noisePredictor),
    sde,
    sampler,
    steps: grid.steps,
    grid: grid.kind,
    ...samplerOptions(flags),
    levels: flags.levels.length > 0 ? flags.levels.join(",") : undefined,
    sigma: plan.sde.config.kind === "sigma-power" ? plan.sde.config.sigma : undefined,
    // The names of the interval's ends are those in records of runs that may be resumed.
    seed,
    label,
    guidance: guidance.scale,
    guidanceFrom: guidance.from,
    guidanceTo: guidance.to,
    classifierScale,
    denoise,
    count,
    batch,
    engine: engine.name,
    plan: flags.plan === undefined ? undefined : JSON.stringify(await readPlan(flags.plan)),
    shard: `${flags.shard?.index ?? 1}/${flags.shard?.shards ?? 1}`,
  };
  const shape = [samples, ...noisePredictor.network.sampleShape];
  const output = { path: flags.output, shape, run };
  if (flags.resume && await isFinished(output)) {
    console.error(`"${flags.output}" is finished: all ${samples} digits are there`);
    return { samples, evaluations: 0 };
  }
  using file = await PartialNpy.open({
    ...output,
    resume: flags.resume,
    onDamage: (problem) => console.error(problem),
  });
  if (file.finished > 0) console.error(`going on after ${file.finished} of ${samples} digits`);
  let evaluations = 0;
  const from = file.finished === samples ? part.end : part.first + file.finished / batch;
  for await (const next of drawPart(flags, plan, noisePredictor, engine, from)) {
    await file.append(next.values, next.samples);
    evaluations = Math.max(evaluations, next.evaluations);
  }
  await file.finish();
  return { samples, evaluations };
}

function concatenate(pieces: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let start = 0;
  for (const piece of pieces) {
    whole.set(piece, start);
    start += piece.length;
  }
  return whole;
}

/** Draws a picture or an animation and writes it whole. */
async function drawPicture(
  flags: Labelled,
  plan: SamplePlan & { readonly guidance: Guidance },
  noisePredictor: NetworkPredictor,
  engine: Engine,
): Promise<Result> {
  const batches = await Array.fromAsync(drawPart(flags, plan, noisePredictor, engine));
  const shape = [flags.count, ...noisePredictor.network.sampleShape];
  const bytes = plan.ending === ".png"
    ? encodePng(imageGrid(concatenate(batches.map(({ values }) => values)), shape))
    : trajectoryGif(
      batches[0].frames.map((_, at) => concatenate(batches.map(({ frames }) => frames[at]))),
      shape,
    );
  await atomicWrite(flags.output, bytes);
  return { samples: flags.count, evaluations: Math.max(...batches.map(({ evaluations }) => evaluations)) };
}

if (import.meta.main) {
  await runScript(async () => {
    const given = await forCheckpoint(parseFlags(usage, Deno.args));
    // A batch is filled up with samples that nobody sees: sixteen at most, so that few digits cost no more for a large --batch.
    const flags = { ...given, batch: Math.min(given.batch, 16 * Math.ceil(given.count / 16)) };
    const plan = await planRun(flags);
    await ensureWritable(flags.output);
    using lock = await claimFile(flags.output);
    const words = takenOver(flags.output, lock);
    if (words !== null) console.error(words);
    await removeTemporaries(flags.output);
    const started = performance.now();
    const engine = await openEngine(flags.engine);
    const noisePredictor = await loadCheckpoint(flags.checkpoint, "mnist", "either");
    const label = flags.label ?? (noisePredictor.network.classes > 0 ? "random" : "none");
    checkLabel(label, noisePredictor);
    // A network without labels has no class that guidance could follow.
    const guidance = readLabelGuidance({ ...flags, label });
    const write = plan.ending === ".npy" ? streamArray : drawPicture;
    const result = await write({ ...flags, label }, { ...plan, guidance }, noisePredictor, engine);
    const summary = {
      count: result.samples,
      sde: flags.sde,
      sampler: plan.sampler.name,
      grid: plan.grid.kind,
      steps: plan.grid.steps,
      evaluations: result.evaluations,
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

/**
 * Draws digits from a checkpoint: `deno task sample`.
 * @module
 */
import { writeNumberTable } from "../src/data/csv.ts";
import { fromModel } from "../src/data/dataset.ts";
import { someOf } from "../src/data/held_out.ts";
import { type DataUnits, fromUnits, toUnits } from "../src/data/units.ts";
import { shardBatches } from "../src/runs/batches.ts";
import {
  type DrawnBatch,
  runSampling,
  type SamplingParts,
  type SamplingRequest,
} from "../src/runs/sampling.ts";
import { sampleNames, samplePicture, samplingTitle } from "../src/runs/sample_picture.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable, removeTemporaries } from "./cli/files.ts";
import {
  choice,
  deciding,
  type FlagValues,
  integer,
  messageOf,
  notWith,
  number,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { Interrupt } from "./cli/interrupt.ts";
import { peakMemory } from "./cli/memory.ts";
import { claimFile, takenOver } from "./cli/output_lock.ts";
import { shardFlag } from "./cli/shard_flag.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { checkLabel, fingerprint, hasLabels, loadSampled, openClassifier } from "./sampling/checkpoint.ts";
import {
  type ExternalConfig,
  externalFlags,
  readExternal,
  underSchedule,
} from "./sampling/external_flags.ts";
import { shownChannels } from "./sampling/channels.ts";
import { arePoints, defaultsFor, isOwn, type OwnData, ownDataOf } from "./sampling/own_data.ts";
import { loadArrayFile } from "./datasets/array_file.ts";
import { pointsPng } from "./sampling/point_picture.ts";
import { eitherCheckpoint, eitherFlags, forCheckpoint } from "./sampling/consistency_model.ts";
import { readGuide } from "./sampling/guide.ts";
import { gridWords, sdeNamed, sdeNameOf } from "./sampling/sampling.ts";
import {
  type engineNames,
  labelFlags,
  networkFlags,
  readLabel,
  readLabelGuidance,
  readSampling,
  renamedGuidance,
  renamedOptions,
  samplingFlags,
  seedFlag,
} from "./sampling/flags.ts";
import { planSampling, readPlan } from "./sampling/noise_plan_file.ts";
import { isFinished, PartialNpy, type RunRecord } from "./sampling/resumable_npy.ts";
import { sigmaFlag, withSigma } from "./sampling/sigma_flag.ts";
import { trajectoryGif } from "./sampling/trajectory_gif.ts";

const endings = [".png", ".npy", ".csv", ".gif"] as const;

/** The most samples that one file holds. */
const mostInFile = { ".png": 10_000, ".gif": 400, ".csv": 1_000_000, ".npy": Infinity };

/** The part of the run that is drawn. */
const shard = shardFlag(
  "draw only the I-th of N parts, I from 1, for a .npy; `deno task join` puts them together",
);

const usage = {
  name: "sample",
  purpose:
    "Draws samples from a trained score network and writes them as a picture, an animation, an array or a table.",
  examples: [
    "deno task sample",
    "deno task sample --label 4 --guidance 2 --output fours.png",
    "deno task sample --checkpoint good.safetensors --guide-checkpoint early.safetensors --guidance 2",
    "deno task sample --label 4 --classifier-scale 3 --sampler predictor-corrector",
    "deno task sample --sde vp --sampler predictor-corrector --steps 500 --count 16",
    "deno task sample --checkpoint runs/few/model.safetensors --levels 2,0.5",
    "deno task sample --checkpoint model.onnx --schedule scheduler_config.json",
    "deno task sample --count 10000 --output digits.npy --resume",
    "deno task sample --count 10000 --shard 2/8 --output digits-2.npy --resume",
    "deno task sample --checkpoint runs/mlp-points/model.safetensors --output points.csv",
  ],
  flags: {
    checkpoint: eitherCheckpoint,
    ...externalFlags,
    ...notWith("plan", { ...samplingFlags, ...eitherFlags, sigma: sigmaFlag }),
    plan: deciding(
      ["sde", "sampler", "grid"],
      text({
        help:
          "noise plan of deno task ncsn:plan: annealed Langevin over its levels, instead of --sde, --sampler, --steps, --grid",
        placeholder: "FILE",
      }),
    ),
    count: integer({ help: "how many samples (default 64; of points 1000)", min: 1, max: 10_000_000 }),
    seed: seedFlag,
    ...labelFlags,
    clip: deciding(
      ["clip"],
      choice(["range", "dynamic"], {
        help:
          "keep predicted images in their range: cut them off there, or rescale each by its percentile (default: leave them)",
      }),
    ),
    clipPercentile: deciding(
      ["clip.percentile"],
      number({
        help: "share of values within the range with --clip dynamic (default 0.995)",
        min: 0.01,
        max: 1,
      }),
    ),
    denoise: toggle({ help: "leave the noise of the last time in the digits", default: true }),
    engine: networkFlags.engine,
    batch: integer({ help: "samples drawn at once (default 16; of points 1000)", min: 1, max: 4096 }),
    output: deciding(
      ["output", "frames"],
      text({
        help:
          ".png: a grid, or points beside the data; .gif: a grid's trajectory; .npy: float32 [N, 28, 28, 1] in [0, 1], or in the " +
          "units of one's own data; .csv: points",
        placeholder: "FILE",
        default: "samples.png",
      }),
    ),
    resume: toggle({ help: "go on with a .npy that was interrupted; from the start if there is none" }),
    shard,
    json: deciding([], toggle({ help: "print the last line as JSON" })),
  },
  renamed: { ...renamedGuidance, ...renamedOptions },
} as const;

/** A run of `sample`, as plain data. */
interface SampleRequest extends SamplingRequest {
  /** A class for all, or one drawn for each. */
  readonly label: number | "random" | "none";
  /** A file, or the name of a network that comes with the project. */
  readonly checkpoint: string;
  /** How an ONNX file as checkpoint is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** A worse network that guides, as `checkpoint` has it; null for none. */
  readonly guide: string | null;
  /** What computes. */
  readonly engine: typeof engineNames[number];
  /** The picture, the animation or the array to write. */
  readonly output: string;
  /** Whether to go on with an array that was interrupted. */
  readonly resume: boolean;
}

/** What a run drew. */
interface SampleResult {
  /** Digits written, of this run and of those that it went on with. */
  readonly samples: number;
  /** The most evaluations of the network that one batch took. */
  readonly evaluations: number;
  /** What the run took. */
  readonly seconds: number;
  /** What computed. */
  readonly engine: string;
  /** What the samples are called. */
  readonly noun: "digits" | "points" | "samples";
  /** Of an array: bytes that the process held after a tenth and nine tenths of the batches, and the most that it ever held. */
  readonly memory?: { readonly early: number; readonly late: number; readonly peak: number };
}

type Ending = typeof endings[number];

function endingOf(output: string): Ending {
  const ending = endings.find((candidate) => output.endsWith(candidate));
  if (ending !== undefined) return ending;
  throw new UsageError(`--output must end in ${endings.join(", ")}, got "${output}"`);
}

/** @throws UsageError for a file that cannot hold samples of their shape. */
function checkEnding(ending: Ending, own: OwnData | null, checkpoint: string | undefined): void {
  const points = arePoints(own);
  if (points ? ending === ".gif" : ending === ".csv") {
    throw new UsageError(
      points
        ? `a .gif shows images, "${checkpoint}" draws points: --output must end in .png, .npy or .csv`
        : "a .csv holds points, the checkpoint draws images: --output must end in .png, .npy or .gif",
    );
  }
  if (points && ending === ".png" && own.shape[0] === 1) {
    throw new UsageError(
      "a .png shows points of two coordinates or more, these have one: write a .csv or .npy",
    );
  }
}

/** @throws UsageError for a percentile that nothing asks for. */
function readClip(
  { clip, clipPercentile: percentile }: Pick<FlagValues<typeof usage.flags>, "clip" | "clipPercentile">,
): SamplingRequest["clip"] {
  if (percentile !== undefined && clip !== "dynamic") {
    throw new UsageError(`--clip-percentile is of --clip dynamic, got --clip ${clip ?? "none"}`);
  }
  if (clip === undefined) return null;
  return { kind: clip, ...clip === "dynamic" && { percentile: percentile ?? 0.995 } };
}

async function request(given: FlagValues<typeof usage.flags>): Promise<SampleRequest> {
  const own = await ownDataOf(given.checkpoint);
  const flags = await forCheckpoint(defaultsFor(own, given));
  const { output, resume, count = arePoints(own) ? 1000 : 64 } = flags;
  const ending = endingOf(output);
  checkEnding(ending, own, flags.checkpoint);
  if (count > mostInFile[ending]) {
    throw new UsageError(`a ${ending} shows at most ${mostInFile[ending]} samples, got --count ${count}`);
  }
  if (ending !== ".npy" && (resume || flags.shard !== undefined)) {
    throw new UsageError(`--resume and --shard need an --output that ends in .npy, got "${output}"`);
  }
  // A batch is filled up with samples that nobody sees: sixteen at most, so that few digits cost no more for a large --batch.
  const batch = Math.min(flags.batch ?? (arePoints(own) ? 1000 : 16), 16 * Math.ceil(count / 16));
  const batches = Math.ceil(count / batch);
  const shard = flags.shard ?? { index: 1, shards: 1 };
  if (shard.shards > batches) {
    throw new UsageError(
      `--shard splits between batches, and ${count} digits are ${batches} batches of ${batch}: ` +
        `at most ${batches} parts, got ${shard.shards}`,
    );
  }
  const label = flags.label ?? (await hasLabels(flags.checkpoint) ? "random" : "none");
  const sampling = flags.plan === undefined
    ? await withSigma(readSampling(flags), flags)
    : planSampling(await readPlan(flags.plan));
  if (flags.plan !== undefined && flags.schedule !== undefined) {
    throw new UsageError("--plan and --schedule both say which noise levels there are: leave out one");
  }
  const { external, scheduler } = await readExternal(given);
  const guidance = readLabelGuidance({ ...flags, label });
  return {
    checkpoint: flags.checkpoint,
    external,
    guide: readGuide(given, guidance),
    ...underSchedule(sampling, scheduler, flags),
    label: readLabel(label, own?.classNames ?? null),
    guidance,
    classifierScale: flags.classifierScale ?? 0,
    clip: readClip(flags),
    denoise: flags.denoise,
    count,
    batch,
    seed: flags.seed,
    shard,
    frames: ending === ".gif",
    engine: flags.engine,
    output,
    resume,
  };
}

async function carryOut(request: SampleRequest): Promise<SampleResult> {
  const { output, label, classifierScale } = request;
  await ensureWritable(output);
  using lock = await claimFile(output);
  const words = takenOver(output, lock);
  if (words !== null) console.error(words);
  await removeTemporaries(output);
  const started = performance.now();
  const engine = await openEngine(request.engine);
  const noisePredictor = await loadSampled(request, "mnist", "either", "any");
  checkLabel(label, noisePredictor);
  const classifier = await openClassifier(noisePredictor, classifierScale);
  const write = endingOf(output) === ".npy" ? streamArray : drawWhole;
  const drawn = await write(request, { noisePredictor, classifier, engine });
  classifier?.dispose();
  const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
  const { units } = noisePredictor.config;
  const noun = units === undefined && !isOwn(await ownDataOf(request.checkpoint))
    ? "digits"
    : noisePredictor.network.sampleShape.length === 1
    ? "points"
    : "samples";
  return { ...drawn, seconds, engine: engine.name, noun };
}

type Parts = Required<Pick<SamplingParts, "noisePredictor" | "classifier" | "engine">>;
type Drawn = Pick<SampleResult, "samples" | "evaluations" | "memory">;

/** Thrown to end a run that was asked to stop. */
class Stopped extends Error {}

/** Draws under a progress bar, beginning with a batch; `onStep` is called after each step. */
async function* drawUnderBar(
  request: SampleRequest,
  parts: Parts,
  from = shardBatches(request).first,
  onStep = () => {},
): AsyncGenerator<DrawnBatch> {
  const { first, end } = shardBatches(request);
  const { steps } = request.grid;
  const done = (from - first) * steps;
  const total = (end - first) * steps;
  using progress = new ProgressBar({ label: "sampling", total, unit: "steps", initial: done });
  yield* runSampling(request, {
    ...parts,
    from,
    onStep(taken) {
      progress.update(done + taken);
      onStep();
    },
  });
}

/** Streams an array to the disk: memory holds one batch, however many there are. */
async function streamArray(request: SampleRequest, parts: Parts): Promise<Drawn> {
  const { count, batch, output: path, resume } = request;
  const part = shardBatches(request);
  const samples = Math.min(count, part.end * batch) - part.first * batch;
  const shape = [samples, ...parts.noisePredictor.network.sampleShape];
  const output = { path, shape, run: await recordOf(request, parts) };
  if (resume && await isFinished(output)) {
    console.error(`"${path}" is finished: all ${samples} digits are there`);
    return { samples, evaluations: 0 };
  }
  using file = await PartialNpy.open({ ...output, resume, onDamage: (problem) => console.error(problem) });
  if (file.finished > 0) console.error(`going on after ${file.finished} of ${samples} digits`);
  let evaluations = 0;
  const from = file.finished === samples ? part.end : part.first + file.finished / batch;
  const held: number[] = [];
  using interrupt = new Interrupt();
  const stop = () => {
    if (interrupt.raised && file.finished < samples) throw new Stopped();
  };
  try {
    for await (const next of drawUnderBar(request, parts, from, stop)) {
      await file.append(Float32Array.from(next.values), next.samples);
      evaluations = Math.max(evaluations, next.evaluations);
      held.push(Deno.memoryUsage().rss);
      stop();
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    console.error(`stopped after ${file.finished} of ${samples} digits; go on with --resume`);
    file[Symbol.dispose]();
    Deno.exit(interrupt.exitCode);
  }
  await file.finish();
  const [early = 0, late = 0] = [0.1, 0.9].map((part) => held[Math.floor(part * held.length)]);
  return { samples, evaluations, memory: { early, late, peak: await peakMemory() } };
}

/** All that the bytes of an array depend on, by the names that records of runs have for it. */
async function recordOf(request: SampleRequest, { noisePredictor, engine }: Parts): Promise<RunRecord> {
  const { sde, sampler, grid, guidance, classifierScale, shard } = request;
  const { seed, label, denoise, count, batch } = request;
  return {
    weights: await fingerprint(noisePredictor),
    sde: sdeNameOf(sde),
    sigma: sde.kind === "sigma-power" ? sde.sigma : undefined,
    // Numbers that are not those of the equation's name, as a noise plan's.
    equation: sde.kind === "sigma-power" || sdeNamed(sde) !== undefined ? undefined : JSON.stringify(sde),
    sampler: sampler.name,
    steps: grid.steps,
    grid: grid.kind,
    ...sampler.options,
    levels: grid.ratios?.join(","),
    shift: grid.shift,
    clip: request.clip?.kind,
    clipPercentile: request.clip?.percentile,
    seed,
    label: String(label),
    guidance: guidance.scale,
    guidanceFrom: guidance.from,
    guidanceTo: guidance.to,
    classifierScale,
    denoise,
    count,
    batch,
    engine: engine.name,
    shard: `${shard.index}/${shard.shards}`,
  };
}

function concatenate(pieces: readonly ArrayLike<number>[]): Float64Array {
  const whole = new Float64Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let start = 0;
  for (const piece of pieces) {
    whole.set(piece, start);
    start += piece.length;
  }
  return whole;
}

/** Draws a picture, an animation or a table and writes it whole. */
async function drawWhole(request: SampleRequest, parts: Parts): Promise<Drawn> {
  const { count, output } = request;
  const batches = await Array.fromAsync(drawUnderBar(request, parts));
  const { network: { sampleShape }, config: { units } } = parts.noisePredictor;
  const values = concatenate(batches.map(({ values }) => values));
  const own = await ownDataOf(request.checkpoint);
  const title = samplingTitle(request, sdeNameOf(request.sde));
  const labels = batches[0].labels && batches.flatMap((batch) => batch.labels!);
  const pictures = (values: Float32Array) => shownChannels(values, [count, ...sampleShape]);
  const bytes = endingOf(output) === ".gif"
    ? trajectoryGif(
      batches[0].frames.map((_, at) =>
        pictures(Float32Array.from(concatenate(batches.map(({ frames }) => frames[at]))))[0]
      ),
      pictures(batches[0].frames[0])[1],
      sampleNames(count, { title, labels }),
    )
    : arePoints(own)
    ? endingOf(output) === ".csv" ? tableOf(values, labels, own) : await besideData(values, own)
    : samplePicture(
      ...pictures(units === undefined ? Float32Array.from(values) : fromModel(toUnits(values, units))),
      { title, labels },
    ).toPng();
  await atomicWrite(output, bytes);
  return { samples: count, evaluations: Math.max(...batches.map(({ evaluations }) => evaluations)) };
}

/** Points as a table, with their classes where they were drawn for some. */
function tableOf(
  values: Float64Array,
  labels: readonly number[] | null,
  { units: { columns = [], offset }, classNames }: OwnData & { readonly units: DataUnits },
): Uint8Array<ArrayBuffer> {
  const names = columns.length > 0 ? columns : offset.map((_, at) => `column ${at + 1}`);
  const classes = labels?.map((label) => classNames?.[label] ?? String(label)) ?? null;
  return new TextEncoder().encode(writeNumberTable({ columns: names, values, classes }));
}

/** A picture of points beside those of the data, which are read again where they were. */
async function besideData(
  values: Float64Array,
  own: OwnData & { readonly units: DataUnits },
): Promise<Uint8Array<ArrayBuffer>> {
  const count = values.length / own.shape[0];
  const drawn = { title: `${count} samples`, points: values };
  const data = await loadArrayFile(own.data ?? "", own.source.labels ?? undefined).catch((error) => {
    console.error(`no data beside the samples: ${messageOf(error)}`);
    return null;
  });
  if (data === null || !("values" in data) || String(data.shape) !== String(own.shape)) {
    return await pointsPng([drawn], own.units);
  }
  const some = someOf(data, count);
  const points = fromUnits(some.values, some.units);
  return await pointsPng([{ title: `${some.count} points of ${data.name}`, points }, drawn], own.units);
}

/** The line that a run ends with, as JSON or in words. */
function report(request: SampleRequest, result: SampleResult, { json }: { readonly json: boolean }): void {
  const { sde, sampler, grid, output } = request;
  const summary = {
    count: result.samples,
    sde: sdeNameOf(sde),
    sampler: sampler.name,
    grid: grid.kind,
    steps: grid.steps,
    evaluations: result.evaluations,
    seconds: result.seconds,
    engine: result.engine,
    file: output,
    memory: result.memory,
  };
  console.log(
    json
      ? JSON.stringify(summary)
      : `${summary.count} ${result.noun}, ${summary.sde}, ${summary.sampler} on ${
        gridWords(summary.grid)
      }, ${summary.steps} steps, ` +
        `${summary.evaluations} network evaluations, ${
          formatDuration(summary.seconds)
        } on ${summary.engine}: ${summary.file}`,
  );
}

/** The task `sample`. */
export const task: Task<typeof usage.flags, SampleRequest, SampleResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);

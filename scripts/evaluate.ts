/**
 * Measures a checkpoint of digits: `deno task evaluate`.
 * @module
 */
import { type EvaluationRequest, type EvaluationResult, runEvaluation } from "../src/runs/evaluation.ts";
import { runDataEvaluation } from "../src/runs/data_evaluation.ts";
import type { Engine } from "../src/compute/engine.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import { deciding, type FlagValues, integer, notWith, text, toggle, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, formatPercent, ProgressBar } from "./cli/terminal.ts";
import { columns } from "../src/plots/text_table.ts";
import { nearestNumbers, nearestPicture, nearestText } from "./evaluation/nearest_images.ts";
import { kernelText, loadQualityReference } from "./evaluation/digit_quality.ts";
import { type OwnEvaluation, ownTable } from "./evaluation/own_data.ts";
import { arePoints, defaultsFor, isOwn, ownDataOf } from "./sampling/own_data.ts";
import { loadMeasured } from "./evaluation/measured_data.ts";
import { loadSampled, openClassifier } from "./sampling/checkpoint.ts";
import {
  type ExternalConfig,
  externalFlags,
  readExternal,
  underSchedule,
} from "./sampling/external_flags.ts";
import { eitherCheckpoint, eitherFlags, forCheckpoint } from "./sampling/consistency_model.ts";
import {
  dataFlag,
  type engineNames,
  guidanceFlags,
  networkFlags,
  readGuidance,
  readSampling,
  renamedGuidance,
  renamedOptions,
  samplingFlags,
  seedFlag,
} from "./sampling/flags.ts";
import { guideFlag, readGuide } from "./sampling/guide.ts";
import { gridWords, sdeNameOf } from "./sampling/sampling.ts";

/** Of how many digits the nearest training images are sought. */
const MOST_NEAREST = 1000;

const usage = {
  name: "evaluate",
  purpose:
    "Draws digits of every class in turn and measures them against MNIST's test images on the features of a digit " +
    "classifier: Fréchet and kernel distance, precision and recall, and the share of digits that have the class " +
    "they were drawn for; all beside the same numbers of as many training images. Digits in colours are measured by what " +
    "the pen covers and by their colours, against new digits; points of one's own by sliced Wasserstein and energy distance, and " +
    "images of one's own by a Fréchet distance on the means and deviations of 4×4 parts, against the part that training held out.",
  examples: [
    "deno task evaluate",
    "deno task evaluate --sampler euler-maruyama --sde vp --steps 500 --count 1000",
    "deno task evaluate --checkpoint coloured-digits",
    "deno task evaluate --checkpoint runs/mlp-points/model.safetensors",
  ],
  flags: {
    checkpoint: eitherCheckpoint,
    ...externalFlags,
    data: text({
      help: `${dataFlag.help}; for a checkpoint of one's own data other data of the same kind`,
      placeholder: "FOLDER|FILE",
    }),
    count: integer({
      help: "how many samples (default 5000; of one's own points 1000, images 500)",
      min: 100,
      max: 60_000,
    }),
    ...samplingFlags,
    ...eitherFlags,
    ...guidanceFlags,
    ...notWith("classifierScale", { guideCheckpoint: guideFlag }),
    seed: seedFlag,
    batch: integer({ help: "samples drawn at once (default 64; of points 1000)", min: 1, max: 4096 }),
    nearest: deciding(
      ["nearest", "picture"],
      text({
        help:
          `also how far the first ${MOST_NEAREST} digits are from the nearest training images, and test images likewise; ` +
          "writes a PNG with digits of every class beside those images",
        placeholder: "FILE",
      }),
    ),
    engine: networkFlags.engine,
    json: deciding([], toggle({ help: "print the result as JSON" })),
  },
  renamed: { ...renamedGuidance, ...renamedOptions },
} as const;

/** A run of `evaluate`, as plain data. */
interface EvaluateRequest extends EvaluationRequest {
  /** A file, or the name of a network that comes with the project. */
  readonly checkpoint: string;
  /** How an ONNX file as checkpoint is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** A worse network that guides, as `checkpoint` has it; null for none. */
  readonly guide: string | null;
  /** The PNG of digits beside their nearest training images; null for none. */
  readonly picture: string | null;
  /** Whether samples are measured against the data that the checkpoint was trained on, or others, and not as digits. */
  readonly own: boolean;
  /** The folder with MNIST's files, null where they are found unasked; for one's own data what is measured against. */
  readonly data: string | null;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What a run measured, and what computed. */
type EvaluateResult = (EvaluationResult | OwnEvaluation) & { readonly engine: string };

async function request(given: FlagValues<typeof usage.flags>): Promise<EvaluateRequest> {
  const trained = await ownDataOf(given.checkpoint);
  const flags = await forCheckpoint(defaultsFor(trained, given));
  const { external, scheduler } = await readExternal(given);
  const own = isOwn(trained);
  if (own && flags.nearest !== undefined) {
    throw new UsageError("--nearest is for MNIST's digits, the checkpoint was trained on other data");
  }
  const { count = arePoints(trained) ? 1000 : own ? 500 : 5000 } = flags;
  const guidance = readGuidance(flags);
  return {
    checkpoint: flags.checkpoint,
    external,
    guide: readGuide(given, guidance),
    own,
    data: flags.data ?? (own ? trained.data : null),
    ...underSchedule(readSampling(flags), scheduler, flags),
    guidance,
    classifierScale: flags.classifierScale ?? 0,
    count,
    batch: flags.batch ?? (arePoints(trained) ? 1000 : 64),
    seed: flags.seed,
    nearest: flags.nearest === undefined ? 0 : Math.min(MOST_NEAREST, count),
    picture: flags.nearest ?? null,
    engine: flags.engine,
  };
}

async function carryOut(request: EvaluateRequest): Promise<EvaluateResult> {
  const { count, batch, grid, classifierScale, picture } = request;
  if (picture !== null) await ensureWritable(picture);
  const engine = await openEngine(request.engine);
  if (request.own) return { ...await evaluateOwn(request, engine), engine: engine.name };
  const noisePredictor = await loadSampled(request, "mnist", "either");
  const reference = await loadQualityReference(noisePredictor, count, request.data ?? undefined);
  if (picture !== null && reference.colours !== null) {
    throw new UsageError(
      "--nearest is for MNIST's digits: those in colours are drawn anew for every training step",
    );
  }
  const classifier = await openClassifier(noisePredictor, classifierScale);
  const total = Math.ceil(count / batch) * grid.steps;
  using progress = new ProgressBar({ label: "drawing", total, unit: "steps" });
  const onStep = (taken: number) => progress.update(taken);
  const result = await runEvaluation(request, { noisePredictor, reference, classifier, engine, onStep });
  classifier?.dispose();
  await noisePredictor.dispose();
  if (picture !== null) {
    await atomicWrite(picture, nearestPicture(result.nearest!, noisePredictor.network.sampleShape));
  }
  return { ...result, engine: engine.name };
}

/** Measures samples against the data that the checkpoint was trained on, or others. */
async function evaluateOwn(request: EvaluateRequest, engine: Engine): Promise<OwnEvaluation> {
  const { checkpoint, data, count, batch, grid } = request;
  const trained = await ownDataOf(checkpoint);
  const { names, ...sets } = await loadMeasured(trained!, data!);
  const noisePredictor = await loadSampled(request, "mnist", "either", "any");
  const total = Math.ceil(count / batch) * grid.steps;
  using progress = new ProgressBar({ label: "drawing", total, unit: "steps" });
  const onStep = (taken: number) => progress.update(taken);
  const result = await runDataEvaluation(request, { noisePredictor, ...sets, engine, onStep });
  await noisePredictor.dispose();
  return { ...result, names };
}

/** A table, or all of it as JSON. */
function report(
  request: EvaluateRequest,
  result: EvaluateResult,
  { json }: { readonly json: boolean },
): void {
  const { count, grid, guidance, classifierScale, seed, sampler } = request;
  const { evaluations, seconds, engine } = result;
  const sde = sdeNameOf(request.sde);
  const drawn = `${sde}, ${sampler.name} on ${
    gridWords(grid.kind)
  }, ${grid.steps} steps, ${evaluations} evaluations`;
  if ("distances" in result) {
    const { distances, floor, referenceCount, floorCount, names } = result;
    if (json) {
      const settings = { data: request.data, sde, sampler: sampler.name, grid: grid.kind, steps: grid.steps };
      const measured = { ...distances, floor, referenceCount, floorCount, against: names[0] };
      console.log(
        JSON.stringify({ count, ...measured, ...settings, evaluations, guidance, seed, seconds, engine }),
      );
      return;
    }
    console.log(ownTable(result, count));
    console.log(`${drawn}, drawn in ${formatDuration(seconds)} on ${engine}`);
    return;
  }
  const { quality, floor, colours, nearest } = result;
  if (json) {
    console.log(
      JSON.stringify({
        count,
        ...quality,
        floor,
        ...colours && { colours },
        ...nearest && { nearest: nearestNumbers(nearest) },
        sde,
        sampler: sampler.name,
        grid: grid.kind,
        steps: grid.steps,
        ...sampler.options,
        evaluations,
        guidance,
        classifierScale,
        seed,
        seconds,
        engine,
      }),
    );
    return;
  }
  const rows = [
    ["Fréchet distance", quality.frechet.toFixed(2), floor.frechet.toFixed(2)],
    ["kernel distance", ...[quality, floor].map(kernelText)],
    ["precision", formatPercent(quality.precision), formatPercent(floor.precision)],
    ["recall", formatPercent(quality.recall), formatPercent(floor.recall)],
    ["label accuracy", formatPercent(quality.accuracy), formatPercent(floor.accuracy)],
    ...colours === null ? [] : colourRows(colours),
  ];
  const [test, training] = colours === null
    ? ["test images", "training images"]
    : ["new digits", "other new digits"];
  console.log(columns([[`against ${test}`, `${count} digits`, `${count} ${training}`], ...rows]));
  if (nearest !== null) console.log(nearestText(nearest));
  console.log(
    `${drawn}, ` +
      `guidance ${guidance.scale} from ν = ${guidance.to} to ${guidance.from}` +
      `${classifierScale === 0 ? "" : `, classifier scale ${classifierScale}`}, ` +
      `drawn in ${formatDuration(seconds)} on ${engine}`,
  );
}

/** The rows of a table on digits in colours. */
function colourRows({ quality, floor }: NonNullable<EvaluationResult["colours"]>): string[][] {
  const both = (
    name: string,
    text: (measured: typeof quality) => string,
  ) => [name, text(quality), text(floor)];
  const deviation = (value: number | null) => value === null ? "–" : value.toFixed(4);
  return [
    both("Fréchet distance of colours", ({ frechet }) => frechet.toFixed(4)),
    both("colour's deviation in strokes", ({ stroke }) => deviation(stroke)),
    both("colour's deviation in grounds", ({ ground }) => deviation(ground)),
    both("without a stroke", ({ blank }) => String(blank)),
  ];
}

/** The task `evaluate`. */
export const task: Task<typeof usage.flags, EvaluateRequest, EvaluateResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);

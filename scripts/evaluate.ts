/**
 * Measures a checkpoint of digits: `deno task evaluate`.
 * @module
 */
import { type EvaluationRequest, type EvaluationResult, runEvaluation } from "../src/runs/evaluation.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import { deciding, type FlagValues, integer, text, toggle, UsageError } from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, formatPercent, ProgressBar } from "./cli/terminal.ts";
import { columns } from "../src/plots/text_table.ts";
import { nearestNumbers, nearestPicture, nearestText } from "./evaluation/nearest_images.ts";
import { kernelText, loadQualityReference } from "./evaluation/digit_quality.ts";
import { loadSampled, openClassifier } from "./sampling/checkpoint.ts";
import {
  type ExternalConfig,
  externalFlags,
  readExternal,
  underSchedule,
} from "./sampling/external_flags.ts";
import { eitherFlags, forCheckpoint } from "./sampling/consistency_model.ts";
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
import { sdeNameOf } from "./sampling/sampling.ts";

/** Of how many digits the nearest training images are sought. */
const MOST_NEAREST = 1000;

const usage = {
  name: "evaluate",
  purpose:
    "Draws digits of every class in turn and measures them against MNIST's test images on the features of a digit " +
    "classifier: Fréchet and kernel distance, precision and recall, and the share of digits that have the class " +
    "they were drawn for; all beside the same numbers of as many training images. Digits in colours are measured by what " +
    "the pen covers and by their colours, against new digits.",
  examples: [
    "deno task evaluate",
    "deno task evaluate --sampler euler-maruyama --sde vp --steps 500 --count 1000",
    "deno task evaluate --checkpoint coloured-digits",
  ],
  flags: {
    checkpoint: networkFlags.checkpoint,
    ...externalFlags,
    data: dataFlag,
    count: integer({ help: "how many digits", default: 5000, min: 100, max: 60_000 }),
    ...samplingFlags,
    ...eitherFlags,
    ...guidanceFlags,
    seed: seedFlag,
    batch: integer({ help: "digits drawn at once", default: 64, min: 1, max: 4096 }),
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
  /** A file, the name of a network that comes with the project, or null for the one that is measured unasked. */
  readonly checkpoint: string | null;
  /** How an ONNX file as checkpoint is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** The PNG of digits beside their nearest training images; null for none. */
  readonly picture: string | null;
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What a run measured, and what computed. */
interface EvaluateResult extends EvaluationResult {
  readonly engine: string;
}

async function request(given: FlagValues<typeof usage.flags>): Promise<EvaluateRequest> {
  const flags = await forCheckpoint(given);
  const { external, scheduler } = await readExternal(flags);
  return {
    checkpoint: flags.checkpoint ?? null,
    external,
    data: flags.data ?? null,
    ...underSchedule(readSampling(flags), scheduler, flags),
    guidance: readGuidance(flags),
    classifierScale: flags.classifierScale ?? 0,
    count: flags.count,
    batch: flags.batch,
    seed: flags.seed,
    nearest: flags.nearest === undefined ? 0 : Math.min(MOST_NEAREST, flags.count),
    picture: flags.nearest ?? null,
    engine: flags.engine,
  };
}

async function carryOut(request: EvaluateRequest): Promise<EvaluateResult> {
  const { count, batch, grid, classifierScale, picture } = request;
  if (picture !== null) await ensureWritable(picture);
  const engine = await openEngine(request.engine);
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

/** A table, or all of it as JSON. */
function report(
  request: EvaluateRequest,
  result: EvaluateResult,
  { json }: { readonly json: boolean },
): void {
  const { count, grid, guidance, classifierScale, seed, sampler } = request;
  const { quality, floor, colours, nearest, evaluations, seconds, engine } = result;
  const sde = sdeNameOf(request.sde);
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
    `${sde}, ${sampler.name} on a ${grid.kind} grid, ${grid.steps} steps, ${evaluations} evaluations, ` +
      `guidance ${guidance.scale} from ν = ${guidance.to} to ${guidance.from}` +
      `${classifierScale === 0 ? "" : `, classifier scale ${classifierScale}`}, ` +
      `drawn in ${formatDuration(seconds)} on ${engine}`,
  );
}

/** The rows of a table on digits in colours. */
function colourRows({ quality, floor }: NonNullable<EvaluateResult["colours"]>): string[][] {
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

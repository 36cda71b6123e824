/**
 * Walks between digits along their latent codes: `deno task interpolate`.
 * @module
 */
import { sdeNames } from "../src/diffusion/sde_registry.ts";
import { imageGrid } from "../src/images/grid.ts";
import {
  type InterpolationRequest,
  type InterpolationResult,
  runInterpolation,
} from "../src/runs/interpolation.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import {
  choice,
  deciding,
  type FlagValues,
  integer,
  list,
  number,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration } from "./cli/terminal.ts";
import { loadMnist } from "./datasets/mnist.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { dataFlag, type engineNames, networkFlags } from "./sampling/flags.ts";
import { sdeNameOf, sdes } from "./sampling/sampling.ts";

const usage = {
  name: "interpolate",
  purpose:
    "Encodes test images by the probability flow, goes from each to the next on the sphere between their codes and " +
    "decodes what lies there: one row of the picture for each pair. Says how well decoding undoes encoding.",
  examples: ["deno task interpolate", "deno task interpolate --images 7,3,1 --between 9 --output walk.png"],
  flags: {
    checkpoint: networkFlags.checkpoint,
    data: dataFlag,
    images: list(
      integer({
        help: "places of test images in their file, from 0 on, two or more; not the digits they show",
        min: 0,
      }),
      [0, 1, 2, 3],
    ),
    between: integer({ help: "pictures between two images", default: 6, min: 1, max: 64 }),
    sde: choice(sdeNames, {
      help: "the equation whose flow is followed",
      default: "ve",
    }),
    minNoise: number({
      help: "noise ratio at which codes begin, no smaller than training saw",
      default: 0.005,
      min: 1e-6,
      max: 1,
    }),
    tolerance: number({
      help: "relative and absolute tolerance of the solver's steps",
      default: 3e-7,
      min: 1e-9,
      max: 1,
    }),
    engine: networkFlags.engine,
    output: text({ help: "the picture, .png", placeholder: "FILE", default: "interpolation.png" }),
    json: deciding([], toggle({ help: "print the last line as JSON" })),
  },
  renamed: { smallestNoise: "minNoise" },
} as const;

/** A run of `interpolate`, as plain data. */
interface InterpolateRequest extends InterpolationRequest {
  /** A file, the name of a network that comes with the project, or null for the one that is used unasked. */
  readonly checkpoint: string | null;
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** What computes. */
  readonly engine: typeof engineNames[number];
  /** The picture to write. */
  readonly output: string;
}

/** What a run came to. */
interface InterpolateResult extends Omit<InterpolationResult, "values"> {
  /** What the run took. */
  readonly seconds: number;
  /** What computed. */
  readonly engine: string;
}

function request(flags: FlagValues<typeof usage.flags>): InterpolateRequest {
  const { checkpoint = null, data = null, images, between, minNoise, tolerance, engine, output } = flags;
  if (images.length < 2) throw new UsageError(`--images needs at least two indices, got ${images.length}`);
  if (new Set(images).size < images.length) throw new UsageError(`--images must differ, got ${images}`);
  if (!output.endsWith(".png")) throw new UsageError(`--output must end in .png, got "${output}"`);
  const sde = sdes[flags.sde]().config;
  return { checkpoint, data, images, between, sde, minNoise, tolerance, engine, output };
}

async function carryOut(request: InterpolateRequest): Promise<InterpolateResult> {
  const { images, between, output } = request;
  await ensureWritable(output);
  const started = performance.now();
  const engine = await openEngine(request.engine);
  const noisePredictor = await loadCheckpoint(request.checkpoint ?? undefined);
  const data = await loadMnist("test", { data: request.data ?? undefined });
  const beyond = images.find((index) => index >= data.count);
  if (beyond !== undefined) {
    throw new UsageError(`--images must be below ${data.count}, the number of images, got ${beyond}`);
  }
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(data.shape)) {
    throw new RangeError(
      `the checkpoint is for samples of shape [${sampleShape}], MNIST's have [${data.shape}]`,
    );
  }
  const { values, ...result } = await runInterpolation(request, { noisePredictor, images: data, engine });
  noisePredictor.dispose();
  const columns = between + 2;
  const shape = [(images.length - 1) * columns, ...sampleShape];
  const { labels } = result;
  const grid = imageGrid(values, shape, {
    columns,
    title: `walks between latent codes of ${sdeNameOf(request.sde)}`,
    rowNames: labels.slice(1).map((to, at) => `${labels[at]} to ${to}`),
    columnNames: Array.from({ length: columns }, (_, at) => (at / (columns - 1)).toFixed(2)),
  });
  await atomicWrite(output, grid.toPng());
  return { ...result, seconds: (performance.now() - started) / 1000, engine: engine.name };
}

/** A sentence, or the result as JSON. */
function report(
  request: InterpolateRequest,
  result: InterpolateResult,
  { json }: { readonly json: boolean },
): void {
  const { images, between, tolerance, output: file } = request;
  const { largestError, rootMeanSquareError, labels, seconds, engine } = result;
  const sde = sdeNameOf(request.sde);
  if (json) {
    const errors = { largestError, rootMeanSquareError };
    console.log(JSON.stringify({ ...errors, images, labels, sde, tolerance, seconds, engine, file }));
    return;
  }
  console.log(
    `${images.length - 1} walks of ${between} digits between images that show ${
      labels.join(", ")
    }, ${sde}; ` +
      `decoding undoes encoding to ${largestError.toExponential(1)} of a pixel's range at most, ` +
      `${rootMeanSquareError.toExponential(1)} root mean square; ` +
      `${formatDuration(seconds)} on ${engine}: ${file}`,
  );
}

/** The task `interpolate`. */
export const task: Task<typeof usage.flags, InterpolateRequest, InterpolateResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);

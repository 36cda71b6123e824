/**
 * How likely MNIST's images are under a checkpoint: `deno task likelihood`.
 * @module
 */
import type { MnistSplit } from "../src/data/mnist.ts";
import { sdeNames } from "../src/diffusion/sde_registry.ts";
import {
  type LikelihoodMethod,
  type LikelihoodRequest,
  type LikelihoodResult,
  runLikelihood,
} from "../src/runs/likelihood.ts";
import { type DensityRequest, type DensityResult, runDensity } from "../src/runs/density.ts";
import type { Engine } from "../src/compute/engine.ts";
import type { Dataset } from "../src/data/held_out.ts";
import type { DataUnits } from "../src/data/units.ts";
import type { SampledNetwork } from "../src/runs/sampled_network.ts";
import { openEngine } from "./cli/engine.ts";
import {
  choice,
  deciding,
  type FlagValues,
  integer,
  notWith,
  number,
  onlyWith,
  text,
  toggle,
  UsageError,
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { loadMnist } from "./datasets/mnist.ts";
import { arePoints, isOwn, type OwnData, ownDataOf } from "./sampling/own_data.ts";
import { loadMeasured } from "./evaluation/measured_data.ts";
import { loadSampled } from "./sampling/checkpoint.ts";
import {
  checkPullBack,
  type ExternalConfig,
  gradientFlags,
  readExternal,
} from "./sampling/external_flags.ts";
import { dataFlag, type engineNames, networkFlags } from "./sampling/flags.ts";
import { sdeNameOf, sdes } from "./sampling/sampling.ts";
import { trainedNoise } from "./sampling/sigma_flag.ts";

/** The most coordinates of a point whose trace is computed exactly: as many products an evaluation. */
const MOST_EXACT = 32;

/** Whether units are those of bytes, whose likelihood is of whole numbers. */
function isByteUnits({ offset, scale, columns }: DataUnits): boolean {
  return columns === undefined && offset[0] === 127.5 && scale[0] === 127.5;
}

const usage = {
  name: "likelihood",
  purpose:
    "Bounds the bits that MNIST's images take under a model: log likelihoods by the probability flow with Hutchinson's " +
    "trace estimate, or the denoising loss with likelihood weighting, in bits per dimension. Of points and images of real numbers " +
    "the log density, in nats and in bits, in the units of the data.",
  examples: [
    "deno task likelihood --limit 256",
    "deno task likelihood --method dopri5 --tolerance 1e-4 --limit 32 --probes 4",
    "deno task likelihood --method elbo --sde vp --limit 10000",
  ],
  flags: {
    checkpoint: deciding(
      ["checkpoint", "minNoise"],
      text({
        help: "trained weights: a file, or mnist or mnist-likelihood, which come with the project",
        placeholder: "FILE",
        default: "mnist-likelihood",
      }),
    ),
    data: text({
      help: `${dataFlag.help}; for a checkpoint of one's own data other data of the same kind`,
      placeholder: "FOLDER|FILE",
    }),
    split: choice(["test", "train"], {
      help: "which images; of one's own data test are those that training held out",
      default: "test",
    }),
    limit: integer({ help: "how many images, from the first on", default: 256, min: 1, max: 60_000 }),
    ...gradientFlags,
    schedule: deciding(["sde", "minNoise"], {
      ...gradientFlags.schedule,
      help:
        "diffusers' scheduler_config.json of an ONNX model, whose chain of steps is taken instead of --sde and --min-noise",
    }),
    ...notWith("schedule", {
      sde: choice(sdeNames, {
        help: "the equation whose flow is followed",
        default: "ve",
      }),
      minNoise: number({
        help: "noise ratio at which likelihoods are taken, no smaller than training saw (default .0013 for " +
          "mnist-likelihood, .005 for others, of points .01)",
        min: 1e-6,
        max: 1,
      }),
    }),
    dequantization: deciding(
      ["method.dequantization"],
      onlyWith(
        choice(["truncated-normal", "uniform"], {
          help: "noise that spreads bytes over their bins: the diffusion's first noise, cut off, or uniform",
          default: "truncated-normal",
          renamed: { noise: "truncated-normal" },
        }),
        "method",
        ["rk4", "dopri5"],
      ),
    ),
    method: choice(["rk4", "dopri5", "elbo"], {
      help:
        "Runge-Kutta 4 on a log-SNR grid, Dormand-Prince with adaptive steps, or the bound that training minimizes",
      default: "rk4",
      renamed: { fixed: "rk4", adaptive: "dopri5", bound: "elbo" },
    }),
    steps: deciding(
      ["method.steps"],
      onlyWith(
        integer({ help: "steps of rk4 (default 48)", min: 1, max: 10_000 }),
        "method",
        ["rk4"],
      ),
    ),
    tolerance: deciding(
      ["method.tolerance"],
      onlyWith(
        number({
          help: "relative and absolute tolerance of dopri5 (default 1e-4)",
          min: 1e-9,
          max: 1,
        }),
        "method",
        ["dopri5"],
      ),
    ),
    probes: deciding(
      ["method.probes"],
      onlyWith(
        integer({
          help:
            "random vectors for the trace of each image (default 1; of points of up to 32 coordinates the exact trace)",
          min: 1,
          max: 1000,
        }),
        "method",
        ["rk4", "dopri5"],
      ),
    ),
    draws: deciding(
      ["method.draws"],
      onlyWith(
        integer({ help: "noise levels for the bound of each image (default 16)", min: 2, max: 10_000 }),
        "method",
        ["elbo"],
      ),
    ),
    seed: integer({ help: "the same seed gives the same numbers", default: 0, min: 0 }),
    batch: integer({ help: "images at once (default 32; of points 256)", min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: deciding([], toggle({ help: "print the result as JSON" })),
  },
  renamed: { smallestNoise: "minNoise" },
} as const;

/** A run of `likelihood`, as plain data. */
interface LikelihoodTaskRequest extends LikelihoodRequest {
  /** How the density of real numbers is computed; null for bits of bytes. */
  readonly density: DensityRequest | null;
  /** A file, or the name of a network that comes with the project. */
  readonly checkpoint: string;
  /** How an ONNX file as checkpoint is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** The folder with MNIST's files, null where they are found unasked; for one's own data what is measured. */
  readonly data: string | null;
  /** Which images. */
  readonly split: MnistSplit;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What a run measured. */
type LikelihoodTaskResult = (BitsResult | DensityTaskResult) & Course;

/** Log densities, and what was measured. */
interface DensityTaskResult extends DensityResult {
  /** What the samples are, in words. */
  readonly samples: string;
}

/** Bits, and what is known of them. */
interface BitsResult extends LikelihoodResult {
  /** What the images are, in words. */
  readonly samples: string;
  /** The smallest noise ratio that the network was trained on; null where its file does not say. */
  readonly trainedNoise: number | null;
}

/** How a run went. */
interface Course {
  /** What measuring took. */
  readonly seconds: number;
  /** What computed. */
  readonly engine: string;
}

type Flags = FlagValues<typeof usage.flags>;

async function request(flags: Flags): Promise<LikelihoodTaskRequest> {
  const { checkpoint, split, limit, seed, engine } = flags;
  checkPullBack(flags, flags.method !== "elbo", `--method ${flags.method}`, "--method elbo");
  const { external, sde } = await readExternal(flags);
  const own = await ownDataOf(checkpoint);
  const points = arePoints(own);
  const { minNoise = checkpoint === "mnist-likelihood" ? 0.0013 : points ? 0.01 : 0.005 } = flags;
  const method = methodOf(flags);
  const common = {
    sde: sde ?? sdes[flags.sde]().config,
    limit,
    batch: flags.batch ?? (points ? 256 : 32),
    seed,
  };
  return {
    checkpoint,
    external,
    data: flags.data ?? (isOwn(own) ? own.data : null),
    split,
    ...common,
    minNoise: sde !== null ? null : minNoise,
    method,
    // Bytes have their own units, of the range from 0 to 255.
    density: own === null || own.units === null || isByteUnits(own.units)
      ? null
      : { ...common, minNoise, ...densityOf(method, flags, own) },
    engine,
  };
}

/** The part of a density's request that the method decides. */
function densityOf(
  method: LikelihoodMethod,
  { probes }: Flags,
  { shape }: OwnData,
): Pick<DensityRequest, "method" | "probes"> {
  if (method.kind === "elbo") {
    throw new UsageError(
      "--method elbo is for images of bytes, the checkpoint is of real numbers: take rk4 or dopri5",
    );
  }
  const exact = shape.length === 1 && shape[0] <= MOST_EXACT;
  const { kind } = method;
  return {
    method: kind === "rk4" ? { kind, steps: method.steps } : { kind, tolerance: method.tolerance },
    probes: probes ?? (exact ? 0 : 1),
  };
}

/** The method; with 48 steps Runge-Kutta 4 is within half a percent of its limit with the shipped networks. */
function methodOf(flags: Flags): LikelihoodMethod {
  const { method: kind, dequantization, steps = 48, tolerance = 1e-4, probes = 1, draws = 16 } = flags;
  switch (kind) {
    case "rk4":
      return { kind, steps, probes, dequantization };
    case "dopri5":
      return { kind, tolerance, probes, dequantization };
    case "elbo":
      return { kind, draws };
  }
}

async function carryOut(request: LikelihoodTaskRequest): Promise<LikelihoodTaskResult> {
  const { checkpoint, limit, density } = request;
  const engine = await openEngine(request.engine);
  const noisePredictor = await loadSampled(request, undefined, undefined, "any");
  const [images, samples] = await loadSplit(request);
  if (density !== null) return await measureDensity(density, { noisePredictor, images, samples, engine });
  if ("values" in images) {
    throw new Error(`"${request.data}" holds real numbers, and the checkpoint was trained on bytes`);
  }
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(images.shape)) {
    throw new RangeError(
      `the checkpoint is for samples of shape [${sampleShape}], MNIST's have [${images.shape}]`,
    );
  }
  const started = performance.now();
  const total = Math.min(limit, images.count);
  using progress = new ProgressBar({ label: "likelihood", total, unit: "images" });
  progress.update(0);
  const onBatch = (done: number, mean: number) => progress.update(done, `${mean.toFixed(3)} bits/dim`);
  const result = await runLikelihood(request, { noisePredictor, images, engine, onBatch });
  await noisePredictor.dispose();
  return {
    ...result,
    samples,
    trainedNoise: await trainedNoise(checkpoint) ?? null,
    seconds: (performance.now() - started) / 1000,
    engine: engine.name,
  };
}

/** The samples that are measured, and what they are called. */
async function loadSplit({ checkpoint, data, split }: LikelihoodTaskRequest): Promise<[Dataset, string]> {
  const own = await ownDataOf(checkpoint);
  if (!isOwn(own)) return [await loadMnist(split, { data: data ?? undefined }), `${split} images`];
  const { reference, others, names: [held, rest] } = await loadMeasured(own, data!);
  const noun = own.shape.length === 3 ? "images" : "points";
  return split === "test" ? [reference, `${noun}, ${held}`] : [others, `${noun} ${rest}`];
}

/** Measures log densities under a progress bar. */
async function measureDensity(
  request: DensityRequest,
  { noisePredictor, images, samples, engine }: {
    readonly noisePredictor: SampledNetwork;
    readonly images: Dataset;
    readonly samples: string;
    readonly engine: Engine;
  },
): Promise<LikelihoodTaskResult> {
  if (!("values" in images)) {
    throw new Error("the checkpoint was trained on real numbers, --data holds bytes");
  }
  const started = performance.now();
  const total = Math.min(request.limit, images.count);
  using progress = new ProgressBar({ label: "likelihood", total, unit: "samples" });
  progress.update(0);
  const onBatch = (done: number, mean: number) => progress.update(done, `${mean.toFixed(3)} nats`);
  const result = await runDensity(request, { noisePredictor, samples: images, engine, onBatch });
  await noisePredictor.dispose();
  return { ...result, samples, seconds: (performance.now() - started) / 1000, engine: engine.name };
}

/**
 * Why a number of bits is not one to believe, in sentences; empty where nothing speaks against it.
 * @param trained The smallest noise ratio that the network was trained on, or undefined where its file does not say.
 */
export function doubts(mean: number, minNoise: number | null, trained: number | undefined): string[] {
  const found: string[] = [];
  if (trained !== undefined && minNoise !== null && minNoise < trained * (1 - 1e-9)) {
    found.push(
      `the network was not trained on noise ratios below ${
        Number(trained.toPrecision(3))
      }, but --min-noise is ${minNoise}: ` +
        "this is no likelihood",
    );
  }
  if (mean <= 0) {
    found.push(
      `bits per dimension of bytes cannot be ${
        mean.toFixed(3)
      }, below zero: take more --steps or a smaller --tolerance`,
    );
  }
  return found;
}

/** A sentence, or the result as JSON. */
function report(
  request: LikelihoodTaskRequest,
  result: LikelihoodTaskResult,
  { json }: { readonly json: boolean },
): void {
  const { split, minNoise, method, seed } = request;
  if ("logDensities" in result) return reportDensity(request.density!, result, json);
  const { bits, bitsPerDimension, standardError, probeError, variances, evaluations, seconds } = result;
  const sde = sdeNameOf(request.sde);
  const warnings = doubts(bitsPerDimension, minNoise, result.trainedNoise ?? undefined);
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (json) {
    const measured = { bitsPerDimension, standardError, probeError, variances, warnings };
    const dequantization = method.kind === "elbo" ? null : method.dequantization;
    const settings = { split, count: bits.length, sde, minNoise, method: method.kind, dequantization, seed };
    console.log(JSON.stringify({ ...measured, ...settings, evaluations, seconds, engine: result.engine }));
    return;
  }
  const spread = standardError === null ? "" : ` ± ${standardError.toFixed(3)}`;
  const ofProbes = probeError === null ? "" : ` (${probeError.toFixed(4)} of it by the trace estimate)`;
  console.log(
    `${
      bitsPerDimension.toFixed(3)
    }${spread} bits per dimension${ofProbes}; ${bits.length} ${result.samples}, ` +
      `${sde}${minNoise === null ? "" : ` from noise ratio ${minNoise}`}, ${
        inWords(method)
      }, at most ${evaluations} evaluations, ` +
      `${formatDuration(seconds)} on ${result.engine}`,
  );
  if (variances === null) return;
  const { importance, uniform } = variances;
  console.log(
    `variance of an image's loss from one time: ${
      importance.toPrecision(3)
    } (bits per dimension)² with times ` +
      `drawn by importance, ${uniform.toPrecision(3)} uniformly, ${(uniform / importance).toPrecision(3)} ` +
      "times as much",
  );
}

/** Log densities in a sentence or as JSON. */
function reportDensity(
  { minNoise, method, probes, seed, sde }: DensityRequest,
  { logDensities, ...result }: DensityTaskResult & Course,
  json: boolean,
): void {
  const count = logDensities.length;
  const name = sdeNameOf(sde);
  if (json) {
    console.log(JSON.stringify({ ...result, count, sde: name, minNoise, method: method.kind, probes, seed }));
    return;
  }
  const { mean, standardError, natsPerDimension, bitsPerDimension, samples, evaluations, seconds } = result;
  const spread = standardError === null ? "" : ` ± ${standardError.toFixed(3)}`;
  const solver = method.kind === "rk4"
    ? `${method.steps} steps of Runge-Kutta 4`
    : `adaptive steps at ${method.tolerance}`;
  console.log(
    `log density ${mean.toFixed(3)}${spread} nats, ${natsPerDimension.toFixed(3)} nats and ${
      bitsPerDimension.toFixed(3)
    } bits per dimension, in the units of the data; ${count} ${samples}, ${name} from noise ratio ${minNoise}, ${solver}, ${
      probes === 0 ? "exact trace" : `${probes} probes of the trace`
    }, at most ${evaluations} evaluations, ${formatDuration(seconds)} on ${result.engine}`,
  );
}

function inWords(method: LikelihoodMethod): string {
  switch (method.kind) {
    case "rk4":
      return `${method.steps} steps of Runge-Kutta 4, ${method.dequantization} dequantization`;
    case "dopri5":
      return `adaptive steps at ${method.tolerance}, ${method.dequantization} dequantization`;
    case "elbo":
      return "bound by the denoising loss";
  }
}

/** The task `likelihood`. */
export const task: Task<typeof usage.flags, LikelihoodTaskRequest, LikelihoodTaskResult> = {
  usage,
  request,
  carryOut,
  report,
};

if (import.meta.main) await runTask(task);

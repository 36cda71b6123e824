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
} from "./cli/flags.ts";
import { runTask, type Task } from "./cli/task.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { loadMnist } from "./datasets/mnist.ts";
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

const usage = {
  name: "likelihood",
  purpose:
    "Bounds the bits that MNIST's images take under a model: log likelihoods by the probability flow with Hutchinson's " +
    "trace estimate, or the denoising loss with likelihood weighting, in bits per dimension.",
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
    data: dataFlag,
    split: choice(["test", "train"], { help: "which images", default: "test" }),
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
          "mnist-likelihood, .005 for others)",
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
        integer({ help: "random vectors for the trace of each image (default 1)", min: 1, max: 1000 }),
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
    batch: integer({ help: "images at once", default: 32, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: deciding([], toggle({ help: "print the result as JSON" })),
  },
  renamed: { smallestNoise: "minNoise" },
} as const;

/** A run of `likelihood`, as plain data. */
interface LikelihoodTaskRequest extends LikelihoodRequest {
  /** A file, or the name of a network that comes with the project. */
  readonly checkpoint: string;
  /** How an ONNX file as checkpoint is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** Which images. */
  readonly split: MnistSplit;
  /** What computes. */
  readonly engine: typeof engineNames[number];
}

/** What a run measured. */
interface LikelihoodTaskResult extends LikelihoodResult {
  /** The smallest noise ratio that the network was trained on; null where its file does not say. */
  readonly trainedNoise: number | null;
  /** What measuring took. */
  readonly seconds: number;
  /** What computed. */
  readonly engine: string;
}

type Flags = FlagValues<typeof usage.flags>;

async function request(flags: Flags): Promise<LikelihoodTaskRequest> {
  const { checkpoint, data = null, split, limit, batch, seed, engine } = flags;
  checkPullBack(flags, flags.method !== "elbo", `--method ${flags.method}`, "--method elbo");
  const { external, sde } = await readExternal(flags);
  return {
    checkpoint,
    external,
    data,
    split,
    sde: sde ?? sdes[flags.sde]().config,
    minNoise: sde !== null ? null : flags.minNoise ?? (checkpoint === "mnist-likelihood" ? 0.0013 : 0.005),
    method: methodOf(flags),
    limit,
    batch,
    seed,
    engine,
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
  const { checkpoint, split, limit } = request;
  const engine = await openEngine(request.engine);
  const noisePredictor = await loadSampled(request);
  const images = await loadMnist(split, { data: request.data ?? undefined });
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
    trainedNoise: await trainedNoise(checkpoint) ?? null,
    seconds: (performance.now() - started) / 1000,
    engine: engine.name,
  };
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
    }${spread} bits per dimension${ofProbes}; ${bits.length} ${split} images, ` +
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

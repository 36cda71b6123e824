/**
 * How likely MNIST's images are under a checkpoint: `deno task likelihood`.
 * @module
 */

import type { Engine } from "../src/compute/engine.ts";
import { createRng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { type ImageDataset, imageSize, slice, toModel } from "../src/data/dataset.ts";
import { type ScoreModel, scoreModel } from "../src/diffusion/noise_predictor.ts";
import {
  bitsPerDimension,
  decoderNats,
  dequantize,
  truncatedNormalDequantize,
  unitWidthBin,
} from "../src/likelihood/dequantization.ts";
import { logLikelihood } from "../src/likelihood/log_likelihood.ts";
import { continuousElbo } from "../src/likelihood/continuous_bound.ts";
import type { NetworkPredictor } from "../src/networks/network_predictor.ts";
import type { FlowMethod } from "../src/likelihood/probability_flow.ts";
import { withMinimumNoise } from "../src/diffusion/sde_registry.ts";
import { sizeOf } from "../src/math/shape.ts";
import {
  choice,
  type FlagValues,
  integer,
  number,
  onlyWith,
  parseFlags,
  runScript,
  text,
  toggle,
} from "./cli/flags.ts";
import { loadMnist } from "./datasets/mnist.ts";
import { loadCheckpoint } from "./sampling/checkpoint.ts";
import { sdes } from "./sampling/sampling.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { openEngine } from "./cli/engine.ts";
import { trainedNoise } from "./sampling/sigma_flag.ts";
import { sdeNames } from "../src/diffusion/sde_registry.ts";
import { dataFlag, networkFlags } from "./sampling/flags.ts";

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
    checkpoint: text({
      help: "trained weights: a file, or mnist or mnist-likelihood, which come with the project",
      placeholder: "FILE",
      default: "mnist-likelihood",
    }),
    data: dataFlag,
    split: choice(["test", "train"], { help: "which images", default: "test" }),
    limit: integer({ help: "how many images, from the first on", default: 256, min: 1, max: 60_000 }),
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
    dequantization: choice(["truncated-normal", "uniform"], {
      help: "noise that spreads bytes over their bins: the diffusion's first noise, cut off, or uniform",
      default: "truncated-normal",
      renamed: { noise: "truncated-normal" },
    }),
    method: choice(["rk4", "dopri5", "elbo"], {
      help:
        "Runge-Kutta 4 on a log-SNR grid, Dormand-Prince with adaptive steps, or the bound that training minimizes",
      default: "rk4",
      renamed: { fixed: "rk4", adaptive: "dopri5", bound: "elbo" },
    }),
    steps: onlyWith(
      integer({ help: "steps of rk4 (default 48)", min: 1, max: 10_000 }),
      "method",
      ["rk4"],
    ),
    tolerance: onlyWith(
      number({
        help: "relative and absolute tolerance of dopri5 (default 1e-4)",
        min: 1e-9,
        max: 1,
      }),
      "method",
      ["dopri5"],
    ),
    probes: onlyWith(
      integer({ help: "random vectors for the trace of each image (default 1)", min: 1, max: 1000 }),
      "method",
      ["rk4", "dopri5"],
    ),
    draws: onlyWith(
      integer({ help: "noise levels for the bound of each image (default 16)", min: 2, max: 10_000 }),
      "method",
      ["elbo"],
    ),
    seed: integer({ help: "the same seed gives the same numbers", default: 0, min: 0 }),
    batch: integer({ help: "images at once", default: 32, min: 1, max: 4096 }),
    engine: networkFlags.engine,
    json: toggle({ help: "print the result as JSON" }),
  },
  renamed: { smallestNoise: "minNoise" },
} as const;

type Flags = FlagValues<typeof usage.flags>;

/** Steps of Runge-Kutta 4: at 48 it is within half a percent of its limit with the shipped networks. */
const DEFAULT_STEPS = 48;

/** The noise ratio of `--min-noise`, by default the smallest of the training. */
function minNoiseFor({ minNoise, checkpoint }: Flags): number {
  return minNoise ?? (checkpoint === "mnist-likelihood" ? 0.0013 : 0.005);
}

/** What one batch gives: bits per dimension of each image, and what its method adds. */
interface BatchBits {
  readonly bits: readonly number[];
  /** Standard error over probes, in bits per dimension. */
  readonly probeErrors?: readonly number[];
  readonly evaluations?: number;
  /** Variances of the estimate from one noise level, in (bits per dimension)². */
  readonly variances?: { readonly importance: readonly number[]; readonly uniform: readonly number[] };
}

/** Bits of a batch of bytes [rows, …]; row 0 is image `first`. */
type Method = (bytes: Uint8Array, shape: readonly number[], first: number) => Promise<BatchBits>;

function flowBits(model: ScoreModel, flags: Flags): Method {
  const { steps = DEFAULT_STEPS, tolerance = 1e-4, probes = 1, seed } = flags;
  const method: FlowMethod = flags.method === "dopri5"
    ? { kind: "dopri5", rtol: tolerance, atol: tolerance }
    : { kind: "rk4", grid: { kind: "log-snr", steps } };
  return async (bytes, shape, first) => {
    const dimension = sizeOf(shape.slice(1));
    const rng = createRng(seed).startingAt(first);
    const [noise, trace] = [rng.fork("dequantization"), { rng: rng.fork("probes"), probes }];
    const uniform = flags.dequantization === "uniform";
    const { x, logDensity: logNoise } = uniform
      ? { x: dequantize(bytes, shape, noise), logDensity: null }
      : truncatedNormalDequantize(bytes, shape, noise, model.sde);
    const { logDensity, standardError, evaluations } = await logLikelihood(model, x, { trace, method });
    x.dispose();
    const bits = Array.from(
      logDensity,
      (value, row) =>
        logNoise === null
          ? bitsPerDimension(value, dimension)
          : bitsPerDimension(value - logNoise[row], dimension, unitWidthBin),
    );
    const probeErrors = Array.from(standardError, (error) => error / dimension / Math.LN2);
    return { bits, evaluations, ...(probes > 1 && { probeErrors }) };
  };
}

function elboBits(model: ScoreModel, { draws = 16, seed }: Flags): Method {
  return async (bytes, shape, first) => {
    const dimension = sizeOf(shape.slice(1));
    const rng = createRng(seed).startingAt(first);
    const x0 = tf.tensor(toModel(bytes), [...shape]);
    const estimate = (times: "importance" | "uniform") =>
      continuousElbo(model, x0, { rng: rng.fork(times), draws, times });
    const [important, uniform] = [await estimate("importance"), await estimate("uniform")];
    x0.dispose();
    const cost = decoderNats(model.sde);
    const bits = Array.from(important.bound, (nats) => (nats / dimension + cost) / Math.LN2);
    const scaled = (values: Float64Array) => Array.from(values, (v) => v / (dimension * Math.LN2) ** 2);
    const variances = { importance: scaled(important.variance), uniform: scaled(uniform.variance) };
    return { bits, variances, evaluations: 2 * draws };
  };
}

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  const engine = await openEngine(flags.engine);
  const noisePredictor = await loadCheckpoint(flags.checkpoint);
  const images = slice(await loadMnist(flags.split, { data: flags.data }), 0, flags.limit);
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(images.shape)) {
    throw new RangeError(
      `the checkpoint is for samples of shape [${sampleShape}], MNIST's have [${images.shape}]`,
    );
  }
  const started = performance.now();
  const results = await measure(noisePredictor, images, engine, flags);
  noisePredictor.dispose();
  report(results, flags, engine, (performance.now() - started) / 1000, await trainedNoise(flags.checkpoint));
}

/** All batches, with progress. */
async function measure(
  noisePredictor: NetworkPredictor,
  images: ImageDataset,
  engine: Engine,
  flags: Flags,
): Promise<BatchBits[]> {
  const model = scoreModel(noisePredictor, withMinimumNoise(sdes[flags.sde](), minNoiseFor(flags)));
  const method = flags.method === "elbo" ? elboBits(model, flags) : flowBits(model, flags);
  const size = imageSize(images);
  const results: BatchBits[] = [];
  using progress = new ProgressBar({ label: "likelihood", total: images.count, unit: "images" });
  progress.update(0);
  for (let first = 0; first < images.count; first += flags.batch) {
    const rows = Math.min(flags.batch, images.count - first);
    await noisePredictor.prepare(rows, { gradients: flags.method !== "elbo" });
    const bytes = images.images.subarray(first * size, (first + rows) * size);
    results.push(await method(bytes, [rows, ...images.shape], first));
    engine.check();
    const { mean } = meanWithError(results.flatMap(({ bits }) => bits));
    progress.update(first + rows, `${mean.toFixed(3)} bits/dim`);
  }
  return results;
}

/**
 * Why a number of bits is not one to believe, in sentences; empty where nothing speaks against it.
 * @param trained The smallest noise ratio that the network was trained on, or undefined where its file does not say.
 */
export function doubts(mean: number, minNoise: number, trained: number | undefined): string[] {
  const found: string[] = [];
  if (trained !== undefined && minNoise < trained * (1 - 1e-9)) {
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

function report(
  results: readonly BatchBits[],
  flags: Flags,
  engine: Engine,
  seconds: number,
  trained: number | undefined,
): void {
  const { split, sde, method, seed } = flags;
  const minNoise = minNoiseFor(flags);
  const bits = results.flatMap((batch) => batch.bits);
  const { mean, error } = meanWithError(bits);
  const probeErrors = results.flatMap((batch) => batch.probeErrors ?? []);
  const probeError = probeErrors.length === 0 ? null : Math.hypot(...probeErrors) / bits.length;
  const average = (times: "importance" | "uniform") =>
    meanWithError(results.flatMap(({ variances }) => variances?.[times] ?? [])).mean;
  const variances = method === "elbo"
    ? { importance: average("importance"), uniform: average("uniform") }
    : null;
  const evaluations = Math.max(...results.map((batch) => batch.evaluations ?? 0));
  const warnings = doubts(mean, minNoise, trained);
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (flags.json) {
    const result = {
      bitsPerDimension: mean,
      standardError: bits.length === 1 ? null : error,
      probeError,
      variances,
      warnings,
    };
    const dequantization = method === "elbo" ? null : flags.dequantization;
    const settings = { split, count: bits.length, sde, minNoise, method, dequantization, seed };
    console.log(JSON.stringify({ ...result, ...settings, evaluations, seconds, engine: engine.name }));
    return;
  }
  const spread = bits.length === 1 ? "" : ` ± ${error.toFixed(3)}`;
  const ofProbes = probeError === null ? "" : ` (${probeError.toFixed(4)} of it by the trace estimate)`;
  const how = {
    rk4: `${flags.steps ?? DEFAULT_STEPS} steps of Runge-Kutta 4, ${flags.dequantization} dequantization`,
    dopri5: `adaptive steps at ${flags.tolerance ?? 1e-4}, ${flags.dequantization} dequantization`,
    elbo: "bound by the denoising loss",
  };
  console.log(
    `${
      mean.toFixed(3)
    }${spread} bits per dimension${ofProbes}; ${bits.length} ${split} images, ${sde} from noise ` +
      `ratio ${minNoise}, ${how[method]}, at most ${evaluations} evaluations, ${
        formatDuration(seconds)
      } on ` +
      engine.name,
  );
  if (variances === null) return;
  const { importance, uniform } = variances;
  console.log(
    `variance of an image's loss from one time: ${
      importance.toPrecision(3)
    } (bits per dimension)² with times drawn by ` +
      `importance, ${uniform.toPrecision(3)} uniformly, ${
        (uniform / importance).toPrecision(3)
      } times as much`,
  );
}

/** Mean and its standard error. */
function meanWithError(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

if (import.meta.main) await runScript(main);

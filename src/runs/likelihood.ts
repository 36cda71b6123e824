/**
 * Measuring the bits that images take under a network as one call.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import { createRng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type ImageDataset, imageSize, slice, toModel } from "../data/dataset.ts";
import { type AnyScoreModel, scoreModel } from "../diffusion/noise_predictor.ts";
import type { SdeConfig } from "../diffusion/sde.ts";
import { sdeFromConfig, withMinimumNoise } from "../diffusion/sde_registry.ts";
import { checkName } from "../input/option_name.ts";
import { requireBetween, requireFunction, requireOptions, requireWhole } from "../input/require.ts";
import { continuousElbo } from "../likelihood/continuous_bound.ts";
import {
  bitsPerDimension,
  decoderNats,
  dequantize,
  truncatedNormalDequantize,
  unitWidthBin,
} from "../likelihood/dequantization.ts";
import { logLikelihood } from "../likelihood/log_likelihood.ts";
import type { FlowMethod } from "../likelihood/probability_flow.ts";
import { sizeOf } from "../math/shape.ts";
import { requireSampleShape } from "./sample_shape.ts";
import { requireSignal } from "../input/require_parts.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/** Noise that spreads bytes over their bins: the diffusion's first noise, cut off at the bin's borders, or uniform noise. */
export type Dequantization = "truncated-normal" | "uniform";

/** How bits are computed, as plain data. */
export type LikelihoodMethod =
  /** The probability flow by Runge–Kutta 4 on a log-SNR grid. */
  | {
    readonly kind: "rk4";
    /** Steps of the grid, from 1 to 10,000. */
    readonly steps: number;
    /** Random vectors for the trace of each image, from 1 to 1,000. */
    readonly probes: number;
    /** How bytes become numbers. */
    readonly dequantization: Dequantization;
  }
  /** The probability flow by Dormand–Prince with adaptive steps. */
  | {
    readonly kind: "dopri5";
    /** Relative and absolute tolerance, from 1e-9 to 1. */
    readonly tolerance: number;
    /** Random vectors for the trace of each image, from 1 to 1,000. */
    readonly probes: number;
    /** How bytes become numbers. */
    readonly dequantization: Dequantization;
  }
  /** The denoising loss with likelihood weighting, an upper bound. */
  | {
    readonly kind: "elbo";
    /** Noise levels for each image, from 2 to 10,000. */
    readonly draws: number;
  };

/** Images to measure, as plain data. */
export interface LikelihoodRequest {
  /** The SDE whose flow is followed. */
  readonly sde: SdeConfig;
  /** Noise ratio at which likelihoods are taken, above 0 and below the SDE's at tMax: it takes the place of the SDE's own start, which null keeps, and a chain in discrete time must. */
  readonly minNoise: number | null;
  /** How bits are computed. */
  readonly method: LikelihoodMethod;
  /** How many images at most, from the first on. */
  readonly limit: number;
  /** Images at once. An image has the same bits in any batch, up to rounding. */
  readonly batch: number;
  /** The seed of all that is random, an integer in [0, 2⁵³). */
  readonly seed: number;
}

/** What measuring needs beside the request. */
export interface LikelihoodParts {
  /** The network. */
  readonly noisePredictor: SampledNetwork;
  /** The images, of the shape of the network's samples. */
  readonly images: ImageDataset;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** Called after every batch with the number of images so far and their mean bits per dimension. */
  readonly onBatch?: (images: number, bitsPerDimension: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What images take. */
export interface LikelihoodResult {
  /** Bits per dimension of each image, in their order. */
  readonly bits: readonly number[];
  /** Their mean. */
  readonly bitsPerDimension: number;
  /** The standard error of the mean; null for a single image. */
  readonly standardError: number | null;
  /** The part of it that the trace's estimate has; null for the bound and for a single probe. */
  readonly probeError: number | null;
  /** Mean variance of an image's bound from one noise level, in (bits per dimension)², by how times are drawn; null for the flow. */
  readonly variances: { readonly importance: number; readonly uniform: number } | null;
  /** Evaluations of the network that an image took; the slowest batch's. */
  readonly evaluations: number;
}

/** What one batch gives: bits per dimension of each image, and what its method adds. */
interface BatchBits {
  readonly bits: readonly number[];
  readonly evaluations: number;
  /** Standard error over probes, in bits per dimension. */
  readonly probeErrors?: readonly number[];
  /** Variances of the estimate from one noise level, in (bits per dimension)². */
  readonly variances?: { readonly importance: readonly number[]; readonly uniform: readonly number[] };
}

/** Bits of a batch of bytes [rows, …]; row 0 is image `first`. */
type Bits = (bytes: Uint8Array, shape: readonly number[], first: number) => Promise<BatchBits>;

/**
 * Measures the bits per dimension that images take.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is computed.
 * @throws {Error} Where the flow's state stops being finite, or Dormand–Prince does not arrive in its attempts.
 */
export async function runLikelihood(
  request: LikelihoodRequest,
  parts: LikelihoodParts,
): Promise<LikelihoodResult> {
  requireOptions("parts", parts);
  const { noisePredictor, engine, onBatch = () => {}, signal } = parts;
  requireSampleShape(noisePredictor, parts.images);
  requireFunction("onBatch", onBatch);
  requireSignal("signal", signal);
  checkRequest(request);
  const { method, limit, batch, seed } = request;
  const sde = sdeFromConfig(request.sde);
  const model = scoreModel(
    noisePredictor,
    request.minNoise === null ? sde : withMinimumNoise(sde, request.minNoise),
  );
  const images = slice(parts.images, 0, limit);
  const bitsOf = method.kind === "elbo"
    ? elboBits(model, method.draws, seed, signal)
    : flowBits(model, method, seed, signal);
  const size = imageSize(images);
  const results: BatchBits[] = [];
  for (let first = 0; first < images.count; first += batch) {
    const rows = Math.min(batch, images.count - first);
    await noisePredictor.prepare(rows, { gradients: method.kind !== "elbo" });
    const bytes = images.images.subarray(first * size, (first + rows) * size);
    results.push(await bitsOf(bytes, [rows, ...images.shape], first));
    engine?.check();
    onBatch(first + rows, meanWithError(results.flatMap(({ bits }) => bits)).mean);
  }
  return summary(results);
}

/** @throws {RangeError | TypeError} for a request that cannot be carried out. */
function checkRequest(request: LikelihoodRequest): void {
  requireOptions("a request", request);
  const { method, limit, batch, seed } = request;
  requireOptions("method", method);
  checkName("the kind of a likelihood's method", method.kind, ["rk4", "dopri5", "elbo"]);
  if (method.kind === "elbo") {
    requireWhole("method.draws", method.draws, 2, 10_000);
  } else {
    requireWhole("method.probes", method.probes, 1, 1000);
    checkName("method.dequantization", method.dequantization, ["truncated-normal", "uniform"]);
    if (method.kind === "rk4") requireWhole("method.steps", method.steps, 1, 10_000);
    else requireBetween("method.tolerance", method.tolerance, 1e-9, 1);
  }
  requireWhole("limit", limit, 1);
  requireWhole("batch", batch, 1);
  createRng(seed);
}

function flowBits(
  model: AnyScoreModel,
  request: Exclude<LikelihoodMethod, { readonly kind: "elbo" }>,
  seed: number,
  signal: AbortSignal | undefined,
): Bits {
  const { probes } = request;
  const method: FlowMethod = request.kind === "dopri5"
    ? { kind: "dopri5", rtol: request.tolerance, atol: request.tolerance }
    : { kind: "rk4", grid: { kind: "log-snr", steps: request.steps } };
  return async (bytes, shape, first) => {
    const dimension = sizeOf(shape.slice(1));
    const rng = createRng(seed).startingAt(first);
    const [noise, trace] = [rng.fork("dequantization"), { rng: rng.fork("probes"), probes }];
    const { x, logDensity: logNoise } = request.dequantization === "uniform"
      ? { x: dequantize(bytes, shape, noise), logDensity: null }
      : truncatedNormalDequantize(bytes, shape, noise, model.sde);
    const { logDensity, standardError, evaluations } = await logLikelihood(model, x, {
      trace,
      method,
      signal,
    })
      .finally(() => x.dispose());
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

function elboBits(model: AnyScoreModel, draws: number, seed: number, signal: AbortSignal | undefined): Bits {
  return async (bytes, shape, first) => {
    const dimension = sizeOf(shape.slice(1));
    const rng = createRng(seed).startingAt(first);
    const x0 = tf.tensor(toModel(bytes), [...shape]);
    const estimate = (times: "importance" | "uniform") =>
      continuousElbo(model, x0, { rng: rng.fork(times), draws, times, signal });
    const both = async () => [await estimate("importance"), await estimate("uniform")];
    const [important, uniform] = await both().finally(() => x0.dispose());
    const cost = decoderNats(model.sde);
    const bits = Array.from(important.bound, (nats) => (nats / dimension + cost) / Math.LN2);
    const scaled = (values: Float64Array) => Array.from(values, (v) => v / (dimension * Math.LN2) ** 2);
    const variances = { importance: scaled(important.variance), uniform: scaled(uniform.variance) };
    return { bits, variances, evaluations: 2 * draws };
  };
}

function summary(results: readonly BatchBits[]): LikelihoodResult {
  const bits = results.flatMap((batch) => batch.bits);
  const { mean, error } = meanWithError(bits);
  const probeErrors = results.flatMap((batch) => batch.probeErrors ?? []);
  const average = (times: "importance" | "uniform") =>
    meanWithError(results.flatMap(({ variances }) => variances?.[times] ?? [])).mean;
  return {
    bits,
    bitsPerDimension: mean,
    standardError: bits.length === 1 ? null : error,
    probeError: probeErrors.length === 0 ? null : Math.hypot(...probeErrors) / bits.length,
    variances: results.some(({ variances }) => variances !== undefined)
      ? { importance: average("importance"), uniform: average("uniform") }
      : null,
    evaluations: Math.max(...results.map((batch) => batch.evaluations)),
  };
}

/** Mean and its standard error. */
function meanWithError(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

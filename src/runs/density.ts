/**
 * Measuring the log density of points and of images of real numbers under a network as one call, in the units of the data.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import { createRng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { ArrayDataset } from "../data/array_dataset.ts";
import { logVolume } from "../data/units.ts";
import { scoreModel } from "../diffusion/noise_predictor.ts";
import type { SdeConfig } from "../diffusion/sde.ts";
import { sdeFromConfig, withMinimumNoise } from "../diffusion/sde_registry.ts";
import { checkName } from "../input/option_name.ts";
import { requireBetween, requireFunction, requireOptions, requireWhole } from "../input/require.ts";
import { requireNetworkPredictor, requireSamples } from "../input/require_parts.ts";
import { logLikelihood } from "../likelihood/log_likelihood.ts";
import type { FlowMethod } from "../likelihood/probability_flow.ts";
import { sizeOf } from "../math/shape.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/** How the probability flow is followed, as plain data. */
export type DensityMethod =
  /** By Runge–Kutta 4 on a log-SNR grid of 1 to 10,000 steps. */
  | { readonly kind: "rk4"; readonly steps: number }
  /** By Dormand–Prince with a relative and absolute tolerance from 1e-9 to 1. */
  | { readonly kind: "dopri5"; readonly tolerance: number };

/** Samples to measure, as plain data. */
export interface DensityRequest {
  /** The SDE whose flow is followed; no chain in discrete time. */
  readonly sde: SdeConfig;
  /** Noise ratio, in model units, at which densities are taken: it takes the place of the SDE's own start. */
  readonly minNoise: number;
  /** How the flow is followed. */
  readonly method: DensityMethod;
  /** Random vectors for the trace of each sample, from 1 to 1,000; 0 for the exact trace, a product for each value. */
  readonly probes: number;
  /** How many samples at most, from the first on. */
  readonly limit: number;
  /** Samples at once. */
  readonly batch: number;
  /** The seed of the trace's estimate, an integer in [0, 2⁵³). */
  readonly seed: number;
}

/** What measuring needs beside the request. */
export interface DensityParts {
  /** The network. */
  readonly noisePredictor: SampledNetwork;
  /** The samples, in the units of the network's config where it has any. */
  readonly samples: ArrayDataset;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** Called after every batch with the number of samples so far and their mean log density in nats. */
  readonly onBatch?: (samples: number, mean: number) => void;
}

/** Log densities in the units of the data. */
export interface DensityResult {
  /** log p(x) of each sample, in nats. */
  readonly logDensities: readonly number[];
  /** Their mean. */
  readonly mean: number;
  /** The standard error of the mean; null for a single sample. */
  readonly standardError: number | null;
  /** The mean divided by the values of a sample. */
  readonly natsPerDimension: number;
  /** −log₂ p(x) by values of a sample. */
  readonly bitsPerDimension: number;
  /** Evaluations of the network that a sample took; the slowest batch's. */
  readonly evaluations: number;
}

/**
 * Measures log densities in the units of the data: log p(x) = log p(v) − Σ ln scale for x = offset + scale · v.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is computed.
 * @throws {Error} Where the flow's state stops being finite, or Dormand–Prince does not arrive in its attempts.
 */
export async function runDensity(request: DensityRequest, parts: DensityParts): Promise<DensityResult> {
  requireOptions("parts", parts);
  const { noisePredictor, samples, engine, onBatch = () => {} } = parts;
  requireNetworkPredictor("noisePredictor", noisePredictor);
  requireSamples("samples", samples);
  requireFunction("onBatch", onBatch);
  const method = checkedMethod(request);
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(samples.shape)) {
    throw new RangeError(`the network is for samples of shape [${sampleShape}], got [${samples.shape}]`);
  }
  if (samples.count === 0) throw new RangeError("samples must hold at least one, got none");
  const { limit, batch, probes, seed } = request;
  const model = scoreModel(noisePredictor, withMinimumNoise(sdeFromConfig(request.sde), request.minNoise));
  const size = sizeOf(sampleShape);
  const { units } = noisePredictor.config;
  const volume = units === undefined ? 0 : logVolume(units, size);
  const count = Math.min(limit, samples.count);
  const logDensities: number[] = [];
  let evaluations = 0;
  for (let first = 0; first < count; first += batch) {
    const rows = Math.min(batch, count - first);
    await noisePredictor.prepare(rows, { gradients: true });
    const values = samples.values.subarray(first * size, (first + rows) * size);
    const x = tf.tensor(values, [rows, ...sampleShape]);
    const rng = createRng(seed).startingAt(first).fork("probes");
    const measured = await logLikelihood(model, x, {
      method,
      trace: probes === 0 ? "exact" : { rng, probes },
    }).finally(() => x.dispose());
    engine?.check();
    logDensities.push(...Array.from(measured.logDensity, (value) => value - volume));
    evaluations = Math.max(evaluations, measured.evaluations);
    onBatch(first + rows, meanOf(logDensities));
  }
  const mean = meanOf(logDensities);
  const squares = logDensities.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    logDensities,
    mean,
    standardError: count === 1 ? null : Math.sqrt(squares / (count - 1) / count),
    natsPerDimension: mean / size,
    bitsPerDimension: -mean / size / Math.LN2,
    evaluations,
  };
}

function checkedMethod(request: DensityRequest): FlowMethod {
  requireOptions("a request", request);
  const { method, limit, batch, probes, seed } = request;
  requireOptions("method", method);
  checkName("the kind of a density's method", method.kind, ["rk4", "dopri5"]);
  requireWhole("probes", probes, 0, 1000);
  requireWhole("limit", limit, 1);
  requireWhole("batch", batch, 1);
  createRng(seed);
  if (method.kind === "rk4") {
    requireWhole("method.steps", method.steps, 1, 10_000);
    return { kind: "rk4", grid: { kind: "log-snr", steps: method.steps } };
  }
  requireBetween("method.tolerance", method.tolerance, 1e-9, 1);
  return { kind: "dopri5", rtol: method.tolerance, atol: method.tolerance };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

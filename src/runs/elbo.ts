/**
 * Bounding the bits that images take under a chain in discrete time, term by term, as one call.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import { createRng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type ImageDataset, imageSize, slice, toModel } from "../data/dataset.ts";
import { scoreModel } from "../diffusion/noise_predictor.ts";
import { discreteDdpm } from "../diffusion/sde.ts";
import { timeGrid } from "../diffusion/time_grid.ts";
import { checkName } from "../input/option_name.ts";
import { requireFunction, requireOptions, requireWhole } from "../input/require.ts";
import { requireDataset, requireSignal } from "../input/require_parts.ts";
import { discreteElbo, learnVariances, type StepVariances } from "../likelihood/discrete_bound.ts";
import type { NetworkPredictor } from "../networks/network_predictor.ts";
import { requireSampleShape } from "./sample_shape.ts";

/** Images to bound, as plain data. */
export interface ElboRequest {
  /** β_1 … β_N, the variances of the forward steps, two or more from 0 to 1. */
  readonly betas: readonly number[];
  /**
   * The variances of the model's steps: the posterior's β̃, the forward step's β, or those that make the bound least on a batch of
   * training images.
   */
  readonly variances: "posterior" | "forward" | "learned";
  /** How many images at most, from the first on. */
  readonly limit: number;
  /**
   * Images at once, and how many training images variances are learned on. With other variances an image has the same bits in any
   * batch, up to rounding.
   */
  readonly batch: number;
  /** The seed of all that is random, an integer in [0, 2⁵³). */
  readonly seed: number;
}

/** What bounding needs beside the request. */
export interface ElboParts {
  /** The network. */
  readonly noisePredictor: NetworkPredictor;
  /** The images, of the shape of the network's samples. */
  readonly images: ImageDataset;
  /** The training images that variances are learned on; needed where the request's are "learned". */
  readonly training?: ImageDataset | null;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** Called after every step of the chain with the number of steps so far: N for each batch, and N for variances that are learned. */
  readonly onStep?: (steps: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The bound, in bits per dimension. */
export interface ElboResult {
  /** The bound of each image, in their order. */
  readonly bits: readonly number[];
  /** Their mean. */
  readonly bitsPerDimension: number;
  /** The standard error of the mean; 0 for a single image. */
  readonly standardError: number;
  /** L_T, the mean over images. */
  readonly prior: number;
  /** L_0. */
  readonly reconstruction: number;
  /** L_{N−1} … L_1, from the noise down. */
  readonly steps: readonly number[];
}

/**
 * Bounds the bits per dimension that images take (Sohl-Dickstein et al. 2015; Ho et al. 2020, eq. 5).
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is computed.
 */
export async function runElbo(request: ElboRequest, parts: ElboParts): Promise<ElboResult> {
  requireOptions("parts", parts);
  const { noisePredictor, training = null, engine, onStep = () => {}, signal } = parts;
  requireSampleShape(noisePredictor, parts.images);
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  requireOptions("a request", request);
  const { betas, limit, batch } = request;
  checkName("variances", request.variances, ["posterior", "forward", "learned"]);
  requireWhole("limit", limit, 1);
  requireWhole("batch", batch, 1);
  const model = scoreModel(noisePredictor, discreteDdpm(betas));
  const times = timeGrid(model.sde, { kind: "uniform", steps: betas.length - 1 });
  const images = slice(parts.images, 0, limit);
  const dimension = imageSize(images);
  const rows = Math.min(batch, images.count);
  const rng = createRng(request.seed);
  if (request.variances === "learned") requireTraining(training, images, rows);
  await noisePredictor.prepare(rows);
  let before = 0;
  let variances: StepVariances;
  if (request.variances === "learned") {
    const known = slice(training!, 0, rows);
    const x = tf.tensor(toModel(known.images), [rows, ...known.shape]);
    try {
      variances = await learnVariances(model, x, { times, rng: rng.fork("learning"), onStep, signal });
    } finally {
      x.dispose();
    }
    before = times.length;
  } else variances = request.variances;
  const totals: number[] = [];
  const priors: number[] = [];
  const reconstructions: number[] = [];
  const steps = new Array<number>(times.length - 1).fill(0);
  const bits = (nats: number) => nats / dimension / Math.LN2;
  for (let first = 0; first < images.count; first += rows) {
    const own = slice(images, first, first + rows);
    const bytes = new Uint8Array(rows * dimension); // the last batch is filled up with black
    bytes.set(own.images);
    const x = tf.tensor(toModel(bytes), [rows, ...images.shape]);
    const bound = await discreteElbo(model, x, {
      ...{ times, variances, signal },
      rng: rng.startingAt(first),
      onStep: (step) => onStep(before + step),
    }).finally(() => x.dispose());
    before += times.length;
    engine?.check();
    for (let row = 0; row < own.count; row++) {
      totals.push(bits(bound.total[row]));
      priors.push(bits(bound.prior[row]));
      reconstructions.push(bits(bound.reconstruction[row]));
      bound.steps.forEach((step, i) => steps[i] += bits(step[row]) / images.count);
    }
  }
  const total = mean(totals);
  return {
    bits: totals,
    bitsPerDimension: total,
    standardError: Math.sqrt(
      mean(totals.map((value) => (value - total) ** 2)) / Math.max(1, totals.length - 1),
    ),
    prior: mean(priors),
    reconstruction: mean(reconstructions),
    steps,
  };
}

/** @throws {RangeError | TypeError} unless there is a batch of training images like those that are bounded. */
function requireTraining(
  training: ImageDataset | null,
  images: ImageDataset,
  rows: number,
): asserts training is ImageDataset {
  if (training === null) throw new TypeError('variances "learned" need training images, which are not given');
  requireDataset("training", training);
  if (String(training.shape) !== String(images.shape)) {
    throw new RangeError(
      `training images must have the shape [${images.shape}] of the others, got [${training.shape}]`,
    );
  }
  if (training.count < rows) {
    throw new RangeError(`variances are learned on ${rows} training images, got ${training.count}`);
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Drawing samples from a network as one call: a request of plain data, and the batches that come of it, one after the other,
 * so that memory holds one batch however many there are.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { NoisyDigitClassifier } from "../classifiers/noisy_classifier.ts";
import { type ClipOptions, clippedModel } from "../conditioning/clipped.ts";
import { classifierGuided } from "../conditioning/guidance.ts";
import { fromModel } from "../data/dataset.ts";
import { fromUnits } from "../data/units.ts";
import { type AnyScoreModel, type NoisePredictor, scoreModel } from "../diffusion/noise_predictor.ts";
import { noiseRatio, type Sde, type SdeConfig } from "../diffusion/sde.ts";
import { sdeFromConfig } from "../diffusion/sde_registry.ts";
import { type GridConfig, timeGrid } from "../diffusion/time_grid.ts";
import {
  requireBoolean,
  requireFinite,
  requireFunction,
  requireOptions,
  requireWhole,
} from "../input/require.ts";
import { checkName } from "../input/option_name.ts";
import { quoted } from "../input/quoted.ts";
import { requireNetworkPredictor, requireSignal } from "../input/require_parts.ts";
import { checkedGuidance, type Guidance } from "../networks/guidance_interval.ts";
import { samplerByName } from "../samplers/registry.ts";
import type { SampleStep } from "../samplers/sample.ts";
import type { SamplerOptions } from "../samplers/sampler_info.ts";
import type { Sampler } from "../samplers/sampler.ts";
import { runBatches, type SampleBatch, type Shard, shardBatches } from "./batches.ts";
import type { Awaitable } from "../compute/tidied.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/** The most frames of an animation. */
const MOST_FRAMES = 60;

/** An SDE, a sampler and a time grid as plain data. */
export interface SamplingConfig {
  /** The SDE that is reversed. */
  readonly sde: SdeConfig;
  /** A sampler by its name, with those of its options that are not left to their defaults. */
  readonly sampler: { readonly name: string; readonly options: SamplerOptions };
  /** The times that it visits. */
  readonly grid: GridConfig;
}

/** The same with what it names. */
export interface Sampling {
  /** The SDE that is reversed. */
  readonly sde: Sde;
  /** The sampler. */
  readonly sampler: Sampler;
  /** The times that it visits. */
  readonly grid: GridConfig;
}

/**
 * The SDE and the sampler that a config names.
 * @throws {RangeError | TypeError} for a name that does not exist, an option that the sampler does not accept, a grid that the SDE
 * cannot have, or a value out of its range
 */
export function openSampling(config: SamplingConfig): Sampling {
  requireOptions("a sampling", config);
  requireOptions("sampler", config.sampler);
  requireOptions("grid", config.grid);
  const sde = sdeFromConfig(config.sde);
  timeGrid(sde, config.grid); // refuses a grid that this SDE cannot have
  const { name, options } = config.sampler;
  return { sde, sampler: samplerByName(name, options), grid: config.grid };
}

/** Samples to draw, as plain data: JSON keeps it whole. */
export interface SamplingRequest extends SamplingConfig {
  /**
   * A class by its number, "random" for one drawn for each sample, "cycle" for sample i to have class i modulo their number, a list
   * of `count` classes, one for each sample, or "none".
   */
  readonly label: number | "random" | "cycle" | "none" | readonly number[];
  /** How the network follows its labels; scale 0 is the unconditional model, 1 the conditional one. */
  readonly guidance: Guidance;
  /** How strongly the gradient of a classifier of noisy samples is followed to the label; 0 for none. */
  readonly classifierScale: number;
  /**
   * How the predicted data of images are kept in their range: cut off there, or for `dynamic` thresholding with this percentile
   * (default 0.995, Imagen's). Absent or null to leave them as they are.
   */
  readonly clip?: { readonly kind: "range" | "dynamic"; readonly percentile?: number } | null;
  /** Whether the noise of the last time is removed. */
  readonly denoise: boolean;
  /** Samples of the whole run, of which a shard is a part. */
  readonly count: number;
  /** Samples in a batch: every batch is computed with as many, the last one too, and what is too many is dropped. */
  readonly batch: number;
  /** The seed of all that is random. Sample i is the same for any count, batch and shard, up to rounding. */
  readonly seed: number;
  /** The part to draw, its index from 1. */
  readonly shard: Shard;
  /** Whether states on the way are wanted, 60 at most. */
  readonly frames: boolean;
}

/** What a run needs beside its request. */
export interface SamplingParts {
  /** The network. */
  readonly noisePredictor: SampledNetwork;
  /** The classifier that is followed; needed where `classifierScale` is not 0. */
  readonly classifier?: NoisyDigitClassifier | null;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** The index of the batch to begin with, to go on with a run that was interrupted; default the part's first. */
  readonly from?: number;
  /** Called after every step with the number of steps taken, all batches of this call together. */
  readonly onStep?: (steps: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The labels of a batch: one for all, "none", "random" for classes drawn at random, "cycle" for one class after the other, or a
 * list of the whole run's. A sample's own class does not depend on its batch.
 */
export function drawLabels(
  label: SamplingRequest["label"],
  classes: number,
  rng: Rng,
  rows: number,
): number | null | number[] {
  if (label === "none" || (classes === 0 && (label === "random" || label === "cycle"))) return null;
  if (label === "cycle") return Array.from({ length: rows }, (_, row) => (rng.firstSample + row) % classes);
  if (typeof label === "number") return label;
  if (label !== "random") {
    return Array.from({ length: rows }, (_, row) => label[Math.min(rng.firstSample + row, label.length - 1)]);
  }
  const uniforms = rng.fork("labels").uniformValues([rows, 1]);
  return Array.from(uniforms, (u) => Math.floor(u * classes));
}

/**
 * A finished batch; evaluations are network calls: one with guidance is two. Values are in [0, 1], but of a network
 * whose config has units they are in the units of the data, images within the range of the data.
 */
export interface DrawnBatch extends Omit<SampleBatch, "values"> {
  /** [samples, …sampleShape]. */
  readonly values: Float32Array | Float64Array;
  /** As many values a frame; empty unless they are wanted. */
  readonly frames: readonly Float32Array[];
  /** [samples], their classes; null where they have none. */
  readonly labels: readonly number[] | null;
}

/**
 * Draws samples batch by batch.
 *
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is drawn.
 */
export async function* runSampling(
  request: SamplingRequest,
  parts: SamplingParts,
): AsyncGenerator<DrawnBatch, void, void> {
  requireOptions("parts", parts);
  const { noisePredictor, classifier = null, engine, onStep = () => {}, signal } = parts;
  requireNetworkPredictor("noisePredictor", noisePredictor);
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  checkSamplingRequest(request, noisePredictor, classifier);
  const { sde, sampler, grid } = openSampling(request);
  const { batch: rows, denoise, count, seed, guidance, classifierScale } = request;
  const { sampleShape, classes } = noisePredictor.network;
  const clip = clipOptions(request, noisePredictor);
  const stride = Math.ceil(grid.steps / (MOST_FRAMES - 1));
  const part = shardBatches(request);
  const from = parts.from ?? part.first;
  const guided = classifier !== null && classifierScale !== 0;
  let evaluations = 0;
  let frames: Float32Array[] = [];
  let labels: ReturnType<typeof drawLabels> = null;
  const options = { grid, seed, count, rows, onStep, signal };
  const batches = runBatches(engine, sampleShape, { ...part, first: from }, options, async (first, rng) => {
    evaluations = 0;
    frames = [];
    labels = drawLabels(request.label, guided ? classifier.classes : classes, rng, rows);
    const unconditional = noisePredictor.guide === undefined && (classes === 0 || guidance.scale === 0);
    const conditioned = unconditional ? noisePredictor : noisePredictor.withLabels(labels, guidance);
    if (first === from * rows) {
      await conditioned.prepare(rows);
      if (guided) await classifier.prepare(rows);
    }
    const counted: NoisePredictor<Awaitable<tf.Tensor>> = {
      ...conditioned.consistency && { consistency: conditioned.consistency },
      predictNoise(y, noiseRatio) {
        evaluations += conditioned.calls(noiseRatio);
        return conditioned.predictNoise(y, noiseRatio);
      },
    };
    const unguided = scoreModel(counted, sde);
    const unclipped = !guided || labels === null
      ? unguided
      : classifierGuided(unguided, classifier, labels, classifierScale);
    const model = clip === null ? unclipped : clippedModel(unclipped, clip);
    const watch = async ({ step, x, time }: SampleStep) => {
      if (!request.frames || step % stride !== 0) return;
      const state = rescaleNoise(noisePredictor, model, x, time);
      frames.push(fromModel(await state.data<"float32">()));
      state.dispose();
    };
    return { model, sampler, denoise, watch };
  });
  for await (const { first, samples, values: drawn } of batches) {
    const pictures = fromModel(drawn);
    const kept = frames.map((frame) => frame.subarray(0, pictures.length));
    const of = labels as number | null | number[]; // assigned while the batch was drawn
    yield {
      first,
      samples,
      values: inUnits(drawn, noisePredictor) ?? pictures,
      evaluations,
      frames: request.frames ? [...kept, pictures] : [],
      labels: typeof of === "number" ? new Array(samples).fill(of) : of?.slice(0, samples) ?? null,
    };
  }
}

/** The percentile of images' predicted data in [−1, 1] for `clippedModel`; null for none. */
function clipOptions({ clip }: SamplingRequest, { network }: SampledNetwork): ClipOptions | null {
  if (clip === undefined || clip === null) return null;
  requireOptions("clip", clip);
  checkName("the kind of clip", clip.kind, ["range", "dynamic"]);
  if (network.sampleShape.length === 1) {
    throw new RangeError("clip is for images, whose values have a range, and this network draws points");
  }
  if (clip.kind === "dynamic") return { percentile: clip.percentile ?? 0.995 };
  if (clip.percentile === undefined) return {};
  throw new RangeError(`clip's percentile is for dynamic thresholding, got ${quoted(clip.percentile)}`);
}

/** Model values in the units of the data, images cut off at the ends of its range; null for a network without units. */
function inUnits(values: Float32Array, { config, network }: SampledNetwork): Float64Array | null {
  if (config.units === undefined) return null;
  const images = network.sampleShape.length > 1;
  return fromUnits(images ? values.map((v) => Math.min(1, Math.max(-1, v))) : values, config.units);
}

/**
 * Refuses a request that cannot be carried out on a network.
 * @throws {RangeError | TypeError} In one sentence with the value and what is allowed.
 */
function checkSamplingRequest(
  request: SamplingRequest,
  noisePredictor: SampledNetwork,
  classifier: NoisyDigitClassifier | null,
): void {
  requireOptions("a sampling request", request);
  requireOptions("sampler", request.sampler);
  const { label, guidance, classifierScale, seed, denoise, frames } = request;
  shardBatches(request);
  requireWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  requireFinite("classifierScale", classifierScale);
  requireBoolean("denoise", denoise);
  requireBoolean("frames", frames);
  requireOptions("guidance", guidance);
  checkedGuidance(guidance);
  if (classifierScale !== 0 && classifier === null) {
    throw new TypeError(`classifierScale ${classifierScale} needs a classifier, which is not given`);
  }
  const classes = classifierScale === 0 ? noisePredictor.network.classes : classifier!.classes;
  if (label === "none" || label === "random" || label === "cycle") return;
  if (typeof label === "number" && Number.isInteger(label) && label >= 0 && label < classes) return;
  if (Array.isArray(label)) {
    if (label.length !== request.count) {
      throw new RangeError(
        `label must list a class for each of ${request.count} samples, got ${label.length}`,
      );
    }
    const wrong = label.find((one) => !(Number.isInteger(one) && one >= 0 && one < classes));
    if (wrong === undefined) return;
    throw new RangeError(`the classes of label must be from 0 to ${classes - 1}, got ${quoted(wrong)}`);
  }
  const numbers = classes === 0 ? "" : `a class from 0 to ${classes - 1}, `;
  throw new RangeError(`label must be ${numbers}"random", "cycle" or "none", got ${quoted(label)}`);
}

/** A state on the way, with its noise scaled down so that the whole has the spread of the data. */
function rescaleNoise(
  noisePredictor: SampledNetwork,
  { sde }: AnyScoreModel,
  x: tf.Tensor,
  time: number,
): tf.Tensor {
  const { sigmaData, centre } = noisePredictor.config.preconditioning ?? { sigmaData: 0.5, centre: 0 };
  const spread = sigmaData / Math.hypot(sigmaData, noiseRatio(sde, time));
  return tf.tidy(() => tf.add(tf.mul(tf.sub(tf.div(x, sde.alpha(time)), centre), spread), centre));
}

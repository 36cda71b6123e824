/**
 * Measuring a network's digits as one call: it draws digits of every class in turn and compares them with real ones.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import type { NoisyDigitClassifier } from "../classifiers/noisy_classifier.ts";
import { type ImageDataset, imageSize, modelToBytes, slice, toModel } from "../data/dataset.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { requireDataset, requireNetworkPredictor } from "../input/require_parts.ts";
import { sizeOf } from "../math/shape.ts";
import {
  type ColourQuality,
  colourQuality,
  type ColourReference,
  colourReference,
} from "../metrics/coloured_digit_quality.ts";
import {
  type DigitQuality,
  digitQuality,
  type DigitReference,
  digitReference,
} from "../metrics/digit_quality.ts";
import { nearestNeighbours } from "../metrics/nearest_neighbours.ts";
import { penCoverage } from "../metrics/pen_coverage.ts";
import { toUnits } from "../data/units.ts";
import type { Guidance } from "../networks/guidance_interval.ts";
import type { Weights } from "../networks/network.ts";
import { runSampling, type SamplingConfig } from "./sampling.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/** Digits to draw and to measure, as plain data. */
export interface EvaluationRequest extends DrawingRequest {
  /** Of how many digits, the first ones, the nearest training images are sought; default 0, which digits in colours need. */
  readonly nearest?: number;
}

/** Digits to draw, as plain data; digit i has class i modulo the number of classes. */
export interface DrawingRequest extends SamplingConfig {
  /** How the network follows its labels. */
  readonly guidance: Guidance;
  /** How strongly the gradient of a classifier of noisy digits is followed to the class; 0 for none. */
  readonly classifierScale: number;
  /** How many digits. */
  readonly count: number;
  /** Digits drawn at once. */
  readonly batch: number;
  /** The seed of all that is random. */
  readonly seed: number;
}

/** What drawing needs beside the request. */
export interface DigitsParts {
  /** The network. */
  readonly noisePredictor: SampledNetwork;
  /** The classifier of noisy digits that is followed; needed where `classifierScale` is not 0. */
  readonly classifier?: NoisyDigitClassifier | null;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** Called after every step with the number of steps so far, all batches together. */
  readonly onStep?: (steps: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Drawn digits. */
export interface Digits {
  /** [count, …sampleShape] in [−1, 1]. */
  readonly images: Float32Array;
  /** The class of each; null where the network has none. */
  readonly labels: Uint8Array | null;
  /** Calls of the network that each took, two for an evaluation with guidance; the slowest batch's. */
  readonly evaluations: number;
  /** What drawing them took. */
  readonly seconds: number;
}

/**
 * Draws digits of every class in turn.
 * @throws {RangeError | TypeError} As {@linkcode runSampling} does.
 */
export async function drawDigits(request: DrawingRequest, parts: DigitsParts): Promise<Digits> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  requireNetworkPredictor("noisePredictor", parts.noisePredictor);
  const { sampleShape, classes } = parts.noisePredictor.network;
  const { count } = request;
  // Images in memory: a million digits are 3 GB.
  requireWhole("count", count, 1, 1_000_000);
  const size = sizeOf(sampleShape);
  const { units } = parts.noisePredictor.config;
  const images = new Float32Array(count * size);
  let evaluations = 0;
  const started = performance.now();
  const drawn = runSampling({
    ...request,
    label: "cycle",
    denoise: true,
    shard: { index: 1, shards: 1 },
    frames: false,
  }, parts);
  for await (const batch of drawn) {
    const values = units === undefined
      ? batch.values.map((value) => 2 * value - 1)
      : toUnits(batch.values, units);
    images.set(values, batch.first * size);
    evaluations = Math.max(evaluations, batch.evaluations);
  }
  return {
    images,
    labels: classes === 0 ? null : Uint8Array.from({ length: count }, (_, i) => i % classes),
    evaluations,
    seconds: (performance.now() - started) / 1000,
  };
}

/** The classifier and the real digits that drawn digits are compared with. */
export interface QualityReference {
  /** The classifier on whose features digits are compared. */
  readonly classifier: Weights;
  /** The real digits' numbers, and those of as many training images as digits are drawn. */
  readonly reference: DigitReference;
  /** The same of their colours; null for grey digits. */
  readonly colours: ColourReference | null;
  /** The images themselves. */
  readonly sets: { readonly train: ImageDataset; readonly test: ImageDataset };
}

/**
 * Prepares to measure `count` digits of a network. Of digits in colours the classifier sees what the pen covers, as
 * {@linkcode penCoverage} finds it, and their colours are measured apart.
 * @param sets Training and test images, of MNIST or of digits in colours.
 * @throws {RangeError} When the network's samples have another shape than the images.
 */
export async function openQualityReference(
  noisePredictor: SampledNetwork,
  classifier: Weights,
  sets: { readonly train: ImageDataset; readonly test: ImageDataset },
  count: number,
): Promise<QualityReference> {
  requireNetworkPredictor("noisePredictor", noisePredictor);
  requireOptions("sets", sets);
  requireDataset("sets.train", sets.train);
  requireDataset("sets.test", sets.test);
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(sets.test.shape)) {
    throw new RangeError(
      `the checkpoint is for samples of shape [${sampleShape}], MNIST's have [${sets.test.shape}]`,
    );
  }
  requireWhole("count", count, 10, sets.train.count);
  if (sets.test.shape[2] === 1) {
    return { classifier, reference: await digitReference(classifier, sets, count), colours: null, sets };
  }
  const grey = { train: penCoverage(sets.train), test: penCoverage(sets.test) };
  return {
    classifier,
    reference: await digitReference(classifier, grey, count),
    colours: colourReference(sets, count),
    sets,
  };
}

/**
 * Drawn digits beside their nearest training images. Digits that a network has learnt by heart are nearer to training
 * images than test images are.
 */
export interface NearestImages {
  /** [n, height, width, 1], 0 to 255: the first digits that were drawn. */
  readonly digits: Uint8Array;
  /** [n]: the training image that is nearest to each. */
  readonly indices: Int32Array;
  /** [n, height, width, 1], 0 to 255: those images. */
  readonly images: Uint8Array;
  /** [n]: the distances to them, Euclidean, of pixels in [0, 1]. */
  readonly distances: Float64Array;
  /** [n or fewer]: the same distances of as many test images, evenly spaced. */
  readonly testDistances: Float64Array;
}

/** What a network's digits measure. */
export interface EvaluationResult {
  /** The digits' numbers. */
  readonly quality: DigitQuality;
  /** The same numbers of as many training images. */
  readonly floor: DigitQuality;
  /** The digits' colours, and those of as many digits of the data; null for grey digits. */
  readonly colours: { readonly quality: ColourQuality; readonly floor: ColourQuality } | null;
  /** The nearest training images; null where they are not sought. */
  readonly nearest: NearestImages | null;
  /** Network evaluations that each digit took. */
  readonly evaluations: number;
  /** What drawing took. */
  readonly seconds: number;
}

/** Draws digits and measures them. */
export async function runEvaluation(
  request: EvaluationRequest,
  parts: DigitsParts & { readonly reference: QualityReference },
): Promise<EvaluationResult> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  requireOptions("reference", parts.reference);
  const { classifier, reference, colours, sets } = parts.reference;
  const { nearest: sought = 0 } = request;
  requireWhole("count", request.count, 1);
  requireWhole("nearest", sought, 0, (colours ?? null) === null ? request.count : 0);
  const { images, labels, evaluations, seconds } = await drawDigits(request, parts);
  parts.signal?.throwIfAborted();
  const coloured = (colours ?? null) === null ? null : colouredImages(images, request.count);
  const grey = coloured === null ? images : toModel(penCoverage(coloured).images);
  const quality = await digitQuality(classifier, grey, labels, reference);
  const nearest = sought === 0 ? null : await nearestImages(images, sought, sets);
  parts.engine?.check();
  return {
    quality,
    floor: reference.floor,
    colours: coloured === null
      ? null
      : { quality: colourQuality(coloured, colours!.moments), floor: colours!.floor },
    nearest,
    evaluations,
    seconds,
  };
}

/** The nearest training images of the first `count` digits, [N, height, width, 1] in [−1, 1], and of test images. */
async function nearestImages(
  images: Float32Array,
  count: number,
  { train, test }: QualityReference["sets"],
): Promise<NearestImages> {
  const size = imageSize(train);
  const digits = modelToBytes(images.subarray(0, count * size));
  const spaced = Math.min(count, test.count);
  const chosen = new Uint8Array(spaced * size);
  for (let i = 0; i < spaced; i++) {
    const at = Math.floor(i * test.count / spaced);
    chosen.set(slice(test, at, at + 1).images, i * size);
  }
  // Bytes, so that squares and products are whole numbers.
  const [drawn, real] = [
    await nearestNeighbours(digits, train.images, size),
    await nearestNeighbours(chosen, train.images, size),
  ];
  const found = new Uint8Array(count * size);
  drawn.indices.forEach((at, i) => found.set(slice(train, at, at + 1).images, i * size));
  return {
    digits,
    indices: drawn.indices,
    images: found,
    distances: drawn.distances.map((distance) => distance / 255),
    testDistances: real.distances.map((distance) => distance / 255),
  };
}

/** Digits in colours, [count, 28, 28, 3] in [−1, 1], as bytes. */
function colouredImages(images: Float32Array, count: number): ImageDataset {
  const labels = new Uint8Array(count);
  return {
    name: "drawn digits",
    count,
    shape: [28, 28, 3],
    classes: 1,
    images: modelToBytes(images),
    labels,
  };
}

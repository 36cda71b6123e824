/**
 * Measuring a network's digits as one call: it draws digits of every class in turn and compares them with real ones.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import type { NoisyDigitClassifier } from "../classifiers/noisy_classifier.ts";
import { type ImageDataset, modelToBytes, toModel } from "../data/dataset.ts";
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
import { penCoverage } from "../metrics/pen_coverage.ts";
import type { Guidance } from "../networks/guidance_interval.ts";
import type { Weights } from "../networks/network.ts";
import { runSampling, type SamplingConfig } from "./sampling.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/** Digits to draw, as plain data; digit i has class i modulo the number of classes. */
export interface EvaluationRequest extends SamplingConfig {
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
export async function drawDigits(request: EvaluationRequest, parts: DigitsParts): Promise<Digits> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  requireNetworkPredictor("noisePredictor", parts.noisePredictor);
  const { sampleShape, classes } = parts.noisePredictor.network;
  const { count } = request;
  // Images in memory: a million digits are 3 GB.
  requireWhole("count", count, 1, 1_000_000);
  const size = sizeOf(sampleShape);
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
    images.set(batch.values.map((value) => 2 * value - 1), batch.first * size);
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
    return { classifier, reference: await digitReference(classifier, sets, count), colours: null };
  }
  const grey = { train: penCoverage(sets.train), test: penCoverage(sets.test) };
  return {
    classifier,
    reference: await digitReference(classifier, grey, count),
    colours: colourReference(sets, count),
  };
}

/** What a network's digits measure. */
export interface EvaluationResult {
  /** The digits' numbers. */
  readonly quality: DigitQuality;
  /** The same numbers of as many training images. */
  readonly floor: DigitQuality;
  /** The digits' colours, and those of as many digits of the data; null for grey digits. */
  readonly colours: { readonly quality: ColourQuality; readonly floor: ColourQuality } | null;
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
  requireOptions("parts", parts);
  requireOptions("reference", parts.reference);
  const { classifier, reference, colours } = parts.reference;
  const { images, labels, evaluations, seconds } = await drawDigits(request, parts);
  const coloured = (colours ?? null) === null ? null : colouredImages(images, request.count);
  const grey = coloured === null ? images : toModel(penCoverage(coloured).images);
  const quality = await digitQuality(classifier, grey, labels, reference);
  parts.engine?.check();
  return {
    quality,
    floor: reference.floor,
    colours: coloured === null
      ? null
      : { quality: colourQuality(coloured, colours!.moments), floor: colours!.floor },
    evaluations,
    seconds,
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

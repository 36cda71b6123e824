/**
 * Draws digits of every class in turn and measures them: what `evaluate`, `compare` and `tune` share.
 * @module
 */
import type { Engine } from "../../src/compute/engine.ts";
import { readClassifier } from "../../src/classifiers/digit_classifier.ts";
import { sizeOf } from "../../src/math/shape.ts";
import {
  type DigitQuality,
  digitQuality,
  type DigitReference,
  digitReference,
} from "../../src/metrics/digit_quality.ts";
import type { Weights } from "../../src/networks/network.ts";
import type { Guidance } from "../../src/networks/guidance_interval.ts";
import type { NetworkPredictor } from "../../src/networks/network_predictor.ts";
import { type ClassifierGuide, drawBatches } from "../sampling/draw_batches.ts";
import { shardBatches } from "../sampling/run_batches.ts";
import type { Sampling } from "../sampling/sampling.ts";
import { readWhole } from "../cli/files.ts";
import { loadMnist } from "../datasets/mnist.ts";

/** How many digits are drawn, and how they are guided to their classes. */
export interface DigitsOptions {
  readonly count: number;
  /** Digits drawn at once. */
  readonly batch: number;
  readonly seed: number;
  readonly guidance: number | Guidance;
  /** What leads to the class beside the network itself; default nothing. */
  readonly guide?: ClassifierGuide | null;
  /** Told after every step how many were taken, all batches together. */
  readonly onStep?: (steps: number) => void;
}

/** Drawn digits. */
interface Digits {
  /** [count, …sampleShape] in [−1, 1]. */
  readonly images: Float32Array;
  /** The class of each; null where the network has none. */
  readonly labels: Uint8Array | null;
  /** Calls of the network that each took, two for an evaluation with guidance; the slowest batch's. */
  readonly evaluations: number;
  /** What drawing them took. */
  readonly seconds: number;
}

/** Draws digits; digit i has class i modulo the number of classes and its own noise, whatever the batch and the sampler. */
export async function drawDigits(
  noisePredictor: NetworkPredictor,
  engine: Engine,
  sampling: Sampling,
  options: DigitsOptions,
): Promise<Digits> {
  const { sampleShape, classes } = noisePredictor.network;
  const { count, batch: rows, onStep = () => {} } = options;
  const size = sizeOf(sampleShape);
  const images = new Float32Array(count * size);
  let evaluations = 0;
  const started = performance.now();
  const drawn = drawBatches(noisePredictor, engine, shardBatches(1, 1, count, rows), {
    ...options,
    ...sampling,
    rows,
    onStep,
    label: "cycle",
    denoise: true,
    frames: false,
  });
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

/** The classifier that comes with the project, on whose features digits are measured. */
export async function loadDigitClassifier(): Promise<Weights> {
  return readClassifier(
    await readWhole(new URL("../../fixtures/models/classifier.safetensors", import.meta.url)),
  );
}

/** A kernel distance with its standard error as text. */
export function kernelText({ kernelDistance, kernelError }: DigitQuality): string {
  return `${kernelDistance.toFixed(3)} ± ${kernelError.toFixed(3)}`;
}

/** The classifier and the real digits that drawn digits are compared with. */
export interface QualityReference {
  readonly classifier: Weights;
  readonly reference: DigitReference;
}

/**
 * Reads the classifier and MNIST and prepares to measure `count` digits of a network.
 * @throws RangeError when the network's samples are no digits
 */
export async function openQualityReference(
  noisePredictor: NetworkPredictor,
  count: number,
  data: string | undefined,
): Promise<QualityReference> {
  const [train, test] = [await loadMnist("train", { data }), await loadMnist("test", { data })];
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(test.shape)) {
    throw new RangeError(
      `the checkpoint is for samples of shape [${sampleShape}], MNIST's have [${test.shape}]`,
    );
  }
  const classifier = await loadDigitClassifier();
  return { classifier, reference: await digitReference(classifier, { train, test }, count) };
}

/** The result of a setting. */
interface Measurement {
  readonly quality: DigitQuality;
  /** Network evaluations that each digit took. */
  readonly evaluations: number;
  /** What drawing took. */
  readonly seconds: number;
}

/** Draws digits and measures them. */
export async function measure(
  noisePredictor: NetworkPredictor,
  engine: Engine,
  sampling: Sampling,
  { classifier, reference }: QualityReference,
  options: DigitsOptions,
): Promise<Measurement> {
  const { images, labels, evaluations, seconds } = await drawDigits(
    noisePredictor,
    engine,
    sampling,
    options,
  );
  const quality = await digitQuality(classifier, images, labels, reference);
  engine.check();
  return { quality, evaluations, seconds };
}

/**
 * Training a classifier of digits as one call: the one whose features measure samples, or the one of noisy digits that guides
 * samplers; and how it does on digits that it has not seen.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import { createRng } from "../compute/rng.ts";
import {
  classAccuracy,
  CLASSIFIER_CLASSES,
  CLASSIFIER_SHAPE,
  classify,
} from "../classifiers/digit_classifier.ts";
import { type NoisyAccuracy, noisyAccuracy } from "../classifiers/noisy_accuracy.ts";
import { NoisyDigitClassifier } from "../classifiers/noisy_classifier.ts";
import {
  type ClassifierTraining,
  cleanDigits,
  noisyDigits,
  trainClassifier,
} from "../classifiers/training.ts";
import { type ImageDataset, toModel } from "../data/dataset.ts";
import { requireBoolean, requireFunction, requireOptions, requireWhole } from "../input/require.ts";
import { requireDataset, requireLabels, requireSignal } from "../input/require_parts.ts";
import type { Weights } from "../networks/network.ts";
import { checkOptimizer } from "../training/optimizer.ts";

/** Noise ratios at which the classifier of noisy digits is tried. */
const TEST_NOISE_RATIOS = [0.01, 0.1, 0.3, 0.6, 1, 1.5, 2, 3, 5, 10, 40];

/** A classifier to train, as plain data. */
export interface ClassifierTrainingRequest extends ClassifierTraining {
  /** Whether it is the classifier of noisy digits that guides samplers, not the one that measures them. */
  readonly noisy: boolean;
}

/** What a training needs beside its request. */
export interface ClassifierTrainingParts {
  /** Digits of 28 × 28 grey pixels to learn from. */
  readonly train: ImageDataset;
  /** Others to try the classifier on. */
  readonly test: ImageDataset;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** Called after every step; the loss in nats is there at every 50th step and the last, else null. */
  readonly onStep?: (step: number, loss: number | null) => void;
  /** Ends the run once it is aborted: with the signal's reason, in the place of the next step or of the tests. */
  readonly signal?: AbortSignal;
}

/** A trained classifier and what it knows. */
export interface ClassifierTrainingResult {
  /** The moving average of the weights after the last step. */
  readonly weights: Weights;
  /** Share of the test digits, in [0, 1], whose class it finds; null for the classifier of noisy digits. */
  readonly accuracy: number | null;
  /** How it does on the test digits at rising noise ratios; none for the classifier of digits without noise. */
  readonly levels: readonly (readonly [noiseRatio: number, NoisyAccuracy])[];
  /** What training took. */
  readonly seconds: number;
}

/**
 * Trains a classifier of digits and tries it.
 * @throws {RangeError | TypeError} When the request or the data cannot be used, before the first step.
 * @throws {Error} When the loss is not finite.
 */
export async function runClassifierTraining(
  request: ClassifierTrainingRequest,
  parts: ClassifierTrainingParts,
): Promise<ClassifierTrainingResult> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  const { noisy, steps, batch, seed, shift, optimizer } = request;
  const { train, test, engine, onStep = () => {}, signal } = parts;
  requireBoolean("noisy", noisy);
  requireWhole("steps", steps, 1);
  requireWhole("batch", batch, 1, 65_536);
  requireWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  requireWhole("shift", shift, 0, 27);
  checkOptimizer(optimizer);
  requireDigits("train", train);
  requireDigits("test", test);
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  signal?.throwIfAborted();
  const started = performance.now();
  const weights = await trainedWeights(request, train, (step, loss) => {
    onStep(step, loss);
    signal?.throwIfAborted();
  });
  const seconds = (performance.now() - started) / 1000;
  const result = noisy
    ? { weights, accuracy: null, levels: await testLevels(weights, test), seconds }
    : { weights, accuracy: await testAccuracy(weights, test), levels: [], seconds };
  engine?.check();
  return result;
}

function requireDigits(name: string, dataset: ImageDataset): void {
  requireDataset(name, dataset);
  requireLabels(name, dataset);
  requireWhole(`the count of ${name}`, dataset.count, 1);
  if (String(dataset.shape) !== String(CLASSIFIER_SHAPE)) {
    throw new RangeError(
      `${name} must have images of shape [${CLASSIFIER_SHAPE}], as digits have, got [${dataset.shape}]`,
    );
  }
  const other = dataset.labels.subarray(0, dataset.count).find((label) => label >= CLASSIFIER_CLASSES);
  if (other === undefined) return;
  throw new RangeError(`${name} must have labels from 0 to ${CLASSIFIER_CLASSES - 1}, got ${other}`);
}

/** The moving average after the last step. */
async function trainedWeights(
  request: ClassifierTrainingRequest,
  train: ImageDataset,
  onStep: (step: number, loss: number | null) => void,
): Promise<Weights> {
  const kind = request.noisy ? noisyDigits : cleanDigits;
  for await (const { step, loss, weights } of trainClassifier(train, request, kind)) {
    onStep(step, loss);
    if (step === request.steps) return await weights();
  }
  throw new Error("the training stopped before its last step");
}

async function testAccuracy(weights: Weights, test: ImageDataset): Promise<number> {
  const { labels } = await classify(weights, toModel(test.images));
  return classAccuracy(labels, test.labels);
}

/** How well noisy digits are known at each level. */
async function testLevels(
  weights: Weights,
  test: ImageDataset,
): Promise<(readonly [number, NoisyAccuracy])[]> {
  const classifier = new NoisyDigitClassifier(weights);
  await classifier.prepare(250);
  const levels: (readonly [number, NoisyAccuracy])[] = [];
  for (const noiseRatio of TEST_NOISE_RATIOS) {
    levels.push([noiseRatio, await noisyAccuracy(classifier, test, noiseRatio, createRng(0))]);
  }
  classifier.dispose();
  return levels;
}

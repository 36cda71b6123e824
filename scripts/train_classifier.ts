/**
 * Trains the digit classifier that measures samples, or with `--noisy` the one that guides samplers, and writes it to a
 * file; the shipped ones are `fixtures/models/classifier.safetensors` and `fixtures/models/noisy_classifier.safetensors`.
 * @module
 */
import { type ImageDataset, toModel } from "../src/data/dataset.ts";
import { classAccuracy, classify, writeClassifier } from "../src/classifiers/digit_classifier.ts";
import {
  CLASSIFIER_TRAINING,
  type ClassifierTraining,
  cleanDigits,
  noisyDigits,
  trainClassifier,
} from "../src/classifiers/training.ts";
import { type NoisyAccuracy, noisyAccuracy } from "../src/classifiers/noisy_accuracy.ts";
import type { Weights } from "../src/networks/network.ts";
import { NoisyDigitClassifier, writeNoisyClassifier } from "../src/classifiers/noisy_classifier.ts";
import { createRng } from "../src/compute/rng.ts";
import { openEngine } from "./cli/engine.ts";
import { atomicWrite, ensureWritable } from "./cli/files.ts";
import { integer, parseFlags, runScript, text, toggle } from "./cli/flags.ts";
import { loadMnist } from "./datasets/mnist.ts";
import { formatDuration, ProgressBar } from "./cli/terminal.ts";
import { dataFlag, networkFlags } from "./sampling/flags.ts";

const usage = {
  name: "train:classifier",
  purpose:
    "Trains the digit classifier on MNIST's 60,000 training images and tries it on the 10,000 test images.",
  flags: {
    noisy: toggle({
      help: "the classifier of noisy digits that guides samplers, not the one that measures them",
    }),
    data: dataFlag,
    output: text({ help: "file to write", default: "classifier.safetensors" }),
    steps: integer({ help: "training steps", default: CLASSIFIER_TRAINING.steps, min: 1 }),
    seed: integer({ help: "seed of everything random", default: CLASSIFIER_TRAINING.seed, min: 0 }),
    engine: networkFlags.engine,
  },
};

/** Noise ratios at which the classifier of noisy digits is tried. */
const TEST_NOISE_RATIOS = [0.01, 0.1, 0.3, 0.6, 1, 1.5, 2, 3, 5, 10, 40];

async function main(): Promise<void> {
  const flags = parseFlags(usage, Deno.args);
  await ensureWritable(flags.output);
  const engine = await openEngine(flags.engine);
  const train = await loadMnist("train", { data: flags.data });
  const test = await loadMnist("test", { data: flags.data });
  const config = { ...CLASSIFIER_TRAINING, steps: flags.steps, seed: flags.seed };
  console.error(`training on ${engine.reason}`);
  const started = performance.now();
  const weights = await trainWeights(train, config, flags.noisy);
  const duration = formatDuration((performance.now() - started) / 1000);
  const card = { training: JSON.stringify(config), data: train.name };
  if (flags.noisy) {
    const levels = await testLevels(weights, test);
    const metadata = { ...card, test: JSON.stringify(levels) };
    await atomicWrite(flags.output, writeNoisyClassifier(weights, metadata));
    for (const [noiseRatio, { accuracy, confidence, crossEntropy }] of levels) {
      console.log(
        `noise ratio ${noiseRatio}: accuracy ${(100 * accuracy).toFixed(2)}%, mean confidence ${
          (100 * confidence).toFixed(2)
        }%, cross-entropy ${crossEntropy.toFixed(4)} nats`,
      );
    }
    console.log(`${config.steps} steps in ${duration} on ${engine.name}, written to ${flags.output}`);
    return;
  }
  const { labels } = await classify(weights, toModel(test.images));
  const accuracy = classAccuracy(labels, test.labels);
  await atomicWrite(flags.output, writeClassifier(weights, { ...card, testAccuracy: String(accuracy) }));
  console.log(
    `test accuracy ${
      (100 * accuracy).toFixed(2)
    }% after ${config.steps} steps in ${duration} on ${engine.name}, written to ${flags.output}`,
  );
}

/** The averaged weights after the last step. */
async function trainWeights(
  train: ImageDataset,
  config: ClassifierTraining,
  noisy: boolean,
): Promise<Weights> {
  using progress = new ProgressBar({ label: "training", total: config.steps, unit: "steps" });
  for await (
    const { step, loss, weights } of trainClassifier(train, config, noisy ? noisyDigits : cleanDigits)
  ) {
    if (loss !== null) progress.update(step, `loss ${loss.toFixed(4)}`);
    if (step === config.steps) return await weights();
  }
  throw new Error("the training stopped before its last step");
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

if (import.meta.main) await runScript(main);

/**
 * The classifier and the real digits that drawn digits are measured with; a kernel distance in words.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import { colouredDigits } from "../../src/data/coloured_digits.ts";
import { readClassifier } from "../../src/classifiers/digit_classifier.ts";
import type { DigitQuality } from "../../src/metrics/digit_quality.ts";
import type { Weights } from "../../src/networks/network.ts";
import type { SampledNetwork } from "../../src/runs/sampled_network.ts";
import { openQualityReference, type QualityReference } from "../../src/runs/evaluation.ts";
import { readWhole } from "../cli/files.ts";
import { UsageError } from "../cli/flags.ts";
import { loadMnist } from "../datasets/mnist.ts";

/** The classifier that comes with the project, on whose features digits are measured. */
export async function loadDigitClassifier(): Promise<Weights> {
  return readClassifier(
    await readWhole(new URL("../../fixtures/models/classifier.safetensors", import.meta.url)),
  );
}

/** [height, width, channels] of digits in colours. */
const COLOURED_SHAPE = [28, 28, 3];
/** How many digits in colours stand for MNIST's test images. */
const COLOURED_TEST_DIGITS = 5000;

/**
 * Reads the classifier and MNIST and prepares to measure `count` digits of a network; of one for digits in colours
 * against new ones, which no network was trained on.
 * @throws RangeError when the network's samples are no digits, UsageError for data beside digits in colours
 */
export async function loadQualityReference(
  noisePredictor: SampledNetwork,
  count: number,
  data: string | undefined,
): Promise<QualityReference> {
  const classifier = await loadDigitClassifier();
  if (String(noisePredictor.network.sampleShape) !== String(COLOURED_SHAPE)) {
    const sets = { train: await loadMnist("train", { data }), test: await loadMnist("test", { data }) };
    return await openQualityReference(noisePredictor, classifier, sets, count);
  }
  if (data !== undefined) {
    throw new UsageError(
      `--data "${data}" has MNIST's grey digits, and the checkpoint's are in colours, measured against drawn ones: leave it out`,
    );
  }
  // The training data have seed 0.
  const sets = {
    train: colouredDigits(count, createRng(1)),
    test: colouredDigits(COLOURED_TEST_DIGITS, createRng(2)),
  };
  return await openQualityReference(noisePredictor, classifier, sets, count);
}

/** A kernel distance with its standard error as text. */
export function kernelText({ kernelDistance, kernelError }: DigitQuality): string {
  return `${kernelDistance.toFixed(3)} ± ${kernelError.toFixed(3)}`;
}

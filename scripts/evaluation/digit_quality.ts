/**
 * The classifier and MNIST's images that digits are measured with, from files; a kernel distance in words.
 * @module
 */
import { readClassifier } from "../../src/classifiers/digit_classifier.ts";
import type { DigitQuality } from "../../src/metrics/digit_quality.ts";
import type { Weights } from "../../src/networks/network.ts";
import type { NetworkPredictor } from "../../src/networks/network_predictor.ts";
import { openQualityReference, type QualityReference } from "../../src/runs/evaluation.ts";
import { readWhole } from "../cli/files.ts";
import { loadMnist } from "../datasets/mnist.ts";

/** The classifier that comes with the project, on whose features digits are measured. */
export async function loadDigitClassifier(): Promise<Weights> {
  return readClassifier(
    await readWhole(new URL("../../fixtures/models/classifier.safetensors", import.meta.url)),
  );
}

/**
 * Reads the classifier and MNIST and prepares to measure `count` digits of a network.
 * @throws RangeError when the network's samples are no digits
 */
export async function loadQualityReference(
  noisePredictor: NetworkPredictor,
  count: number,
  data: string | undefined,
): Promise<QualityReference> {
  const sets = { train: await loadMnist("train", { data }), test: await loadMnist("test", { data }) };
  return await openQualityReference(noisePredictor, await loadDigitClassifier(), sets, count);
}

/** A kernel distance with its standard error as text. */
export function kernelText({ kernelDistance, kernelError }: DigitQuality): string {
  return `${kernelDistance.toFixed(3)} ± ${kernelError.toFixed(3)}`;
}

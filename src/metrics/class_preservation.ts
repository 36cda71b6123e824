/**
 * How often imputed digits keep the class of the original, and how many classes the samples of one digit have. @module
 */
import { modelToBytes, toModel } from "../data/dataset.ts";
import type { Weights } from "../networks/network.ts";
import { CLASSIFIER_CLASSES, classify } from "../classifiers/digit_classifier.ts";

/** Classes of samples compared with the labels of the digits that they were drawn for. */
export interface ClassPreservation {
  /** Share of the samples that have their digit's class. */
  readonly kept: number;
  /**
   * Share of the digits whose class is the most frequent among their samples; of equally frequent ones the least
   * counts.
   */
  readonly keptByVote: number;
  /** The share of samples with their digit's class, for each class; null for a class without digits. */
  readonly perClass: readonly (number | null)[];
  /** Mean number of classes among the samples of one digit. */
  readonly classes: number;
}

/**
 * Classifies samples, rounded to bytes, and compares their classes with the true ones.
 *
 * @param classifier The weights of the digit classifier.
 * @param values [digits, samples, 28, 28, 1] in [−1, 1].
 * @param labels [digits], the true classes.
 */
export async function classPreservation(
  classifier: Weights,
  values: Float32Array,
  labels: Uint8Array,
): Promise<ClassPreservation> {
  const found = (await classify(classifier, toModel(modelToBytes(values)))).labels;
  const samples = found.length / labels.length;
  const right = new Float64Array(CLASSIFIER_CLASSES);
  const all = new Float64Array(CLASSIFIER_CLASSES);
  let [distinct, votes] = [0, 0];
  labels.forEach((label, digit) => {
    const own = found.subarray(digit * samples, (digit + 1) * samples);
    all[label] += samples;
    right[label] += own.filter((other) => other === label).length;
    distinct += new Set(own).size;
    const counts = all.map((_, other) => own.filter((found) => found === other).length);
    if (counts.indexOf(Math.max(...counts)) === label) votes++;
  });
  return {
    kept: right.reduce((sum, n) => sum + n, 0) / found.length,
    keptByVote: votes / labels.length,
    perClass: Array.from(all, (n, label) => n === 0 ? null : right[label] / n),
    classes: distinct / labels.length,
  };
}

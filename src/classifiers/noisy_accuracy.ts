/** The accuracy, confidence and cross-entropy of a classifier of noisy digits at one noise level. @module */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type ImageDataset, slice, toModel } from "../data/dataset.ts";
import { NOISY_CLASSIFIER_CLASSES, type NoisyDigitClassifier } from "./noisy_classifier.ts";

/** Measures of a classifier on labelled noisy digits. */
export interface NoisyAccuracy {
  /** Accuracy: the share of the digits whose most probable class is their label. */
  readonly accuracy: number;
  /** Mean probability of the most probable class; equal to the accuracy if the classifier is calibrated. */
  readonly confidence: number;
  /** Mean −log p(c | y) of the true classes, in nats. */
  readonly crossEntropy: number;
}

/**
 * Classifies every digit of a data set with noise of ratio ν.
 *
 * @param noiseRatio ν, positive.
 * @param rng Its fork gives digit i the noise of sample i, whatever the batch size.
 */
export async function noisyAccuracy(
  classifier: NoisyDigitClassifier,
  digits: ImageDataset,
  noiseRatio: number,
  rng: Rng,
  batchSize = 250,
): Promise<NoisyAccuracy> {
  const sums = { accuracy: 0, confidence: 0, crossEntropy: 0 };
  const noise = rng.fork("noisy digits");
  for (let first = 0; first < digits.count; first += batchSize) {
    const batch = slice(digits, first, first + batchSize);
    const shape = [batch.count, ...batch.shape];
    const logs = tf.tidy(() => {
      const clean = tf.tensor(toModel(batch.images), shape);
      const drawn = noise.startingAt(first).normal(shape);
      return classifier.logProbabilities(tf.add(clean, tf.mul(drawn, noiseRatio)), noiseRatio);
    });
    const values = await logs.data<"float32">();
    logs.dispose();
    for (let row = 0; row < batch.count; row++) {
      const scores = values.subarray(row * NOISY_CLASSIFIER_CLASSES, (row + 1) * NOISY_CLASSIFIER_CLASSES);
      const most = Math.max(...scores);
      sums.accuracy += scores.indexOf(most) === batch.labels[row] ? 1 : 0;
      sums.confidence += Math.exp(most);
      sums.crossEntropy -= scores[batch.labels[row]];
    }
  }
  return {
    accuracy: sums.accuracy / digits.count,
    confidence: sums.confidence / digits.count,
    crossEntropy: sums.crossEntropy / digits.count,
  };
}

/** How good drawn digits are: near to MNIST's test images as a set, and each what it was asked to be. @module */
import { type ImageDataset, modelToBytes, slice, toModel } from "../data/dataset.ts";
import type { Weights } from "../networks/network.ts";
import { classAccuracy, CLASSIFIER_FEATURES, classify } from "./classifier.ts";
import { type FeatureMoments, featureMoments, frechetDistance } from "./frechet.ts";

/** What digits are measured against. */
export interface DigitReference {
  /** Moments of all test images' features. */
  readonly test: FeatureMoments;
  /** Fréchet distance of `count` training images to them: what perfect samples would read. */
  readonly floor: number;
}

/** The measured quality of a set of digits. */
export interface DigitQuality {
  /** Fréchet distance, on the classifier's features, to all test images; lower is better. */
  readonly frechet: number;
  /** Share of the digits, in [0, 1], that the classifier takes for what was asked for; null without labels. */
  readonly accuracy: number | null;
}

/**
 * Prepares to measure sets of `count` digits.
 *
 * @param classifier The weights of the digit classifier.
 * @throws {RangeError} When there are not so many training images.
 */
export async function digitReference(
  classifier: Weights,
  data: { readonly train: ImageDataset; readonly test: ImageDataset },
  count: number,
): Promise<DigitReference> {
  if (count > data.train.count) {
    throw new RangeError(
      `at most ${data.train.count} digits can be compared with the training images, got ${count}`,
    );
  }
  const test = await moments(classifier, toModel(data.test.images));
  const train = await moments(classifier, toModel(slice(data.train, 0, count).images));
  return { test, floor: frechetDistance(train, test) };
}

/**
 * Measures digits. They are rounded to bytes first, as in a picture file and in MNIST itself.
 *
 * @param classifier The weights of the digit classifier.
 * @param images [N, 28, 28, 1] in [−1, 1], N ≥ 2.
 * @param labels [N], what each was asked to be; null when nothing was asked for.
 */
export async function digitQuality(
  classifier: Weights,
  images: Float32Array,
  labels: ArrayLike<number> | null,
  reference: DigitReference,
): Promise<DigitQuality> {
  const drawn = await classify(classifier, toModel(modelToBytes(images)));
  return {
    frechet: frechetDistance(featureMoments(drawn.features, CLASSIFIER_FEATURES), reference.test),
    accuracy: labels === null ? null : classAccuracy(drawn.labels, labels),
  };
}

async function moments(classifier: Weights, images: Float32Array): Promise<FeatureMoments> {
  const { features } = await classify(classifier, images);
  return featureMoments(features, CLASSIFIER_FEATURES);
}

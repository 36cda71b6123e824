/**
 * The quality of sampled digits: distances to MNIST's test images, and the share that have the class of their label.
 * @module
 */
import { type ImageDataset, modelToBytes, slice, toModel } from "../data/dataset.ts";
import type { Weights } from "../networks/network.ts";
import { classAccuracy, CLASSIFIER_FEATURES, classify } from "../classifiers/digit_classifier.ts";
import { type FeatureMoments, featureMoments, frechetDistance } from "./frechet.ts";
import { kernelDistance, type KernelMoments, kernelMoments } from "./kernel_distance.ts";
import { type Manifold, manifold, manifoldFraction } from "./precision_recall.ts";

/** The reference that digits are measured against. */
export interface DigitReference {
  /** Moments of all test images' features. */
  readonly moments: FeatureMoments;
  /** Moments of the same features for the kernel distance. */
  readonly kernel: KernelMoments;
  /** Manifold of as many test images as there are digits, or of all. */
  readonly manifold: Manifold;
  /** The quality of `count` training images, which perfect samples would have. */
  readonly floor: DigitQuality;
}

/** The measured quality of a set of digits, on the classifier's features, against test images. */
export interface DigitQuality {
  /** Fréchet distance to all test images; lower is better, and smaller sets have larger distances. */
  readonly frechet: number;
  /** Kernel distance to all test images; around zero for a perfect set of any size. */
  readonly kernelDistance: number;
  /** Its standard error. */
  readonly kernelError: number;
  /** Share of the digits, in [0, 1], that lie in the manifold of as many test images. */
  readonly precision: number;
  /** Share of as many test images, in [0, 1], that lie in the manifold of the digits. */
  readonly recall: number;
  /** Share of the digits, in [0, 1], that the classifier assigns to their label; null without labels. */
  readonly accuracy: number | null;
}

/**
 * Computes the reference for sets of `count` digits.
 *
 * @param classifier The weights of the digit classifier.
 * @throws {RangeError} When there are not so many training images, or fewer digits than the metrics need, which is 10.
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
  const { features } = await classify(classifier, toModel(data.test.images));
  const test = {
    moments: featureMoments(features, CLASSIFIER_FEATURES),
    kernel: kernelMoments(features, CLASSIFIER_FEATURES),
    manifold: manifold(spaced(features, count), CLASSIFIER_FEATURES),
  };
  const train = slice(data.train, 0, count);
  return { ...test, floor: await quality(classifier, toModel(train.images), train.labels, test) };
}

/**
 * Measures digits, which are rounded to bytes first, as in picture files and in MNIST.
 *
 * @param classifier The weights of the digit classifier.
 * @param images [N, 28, 28, 1] in [−1, 1], N ≥ 10. They must not be sorted by class, or the standard error is wrong.
 * @param labels [N], the labels that the digits were sampled for; null for none.
 */
export async function digitQuality(
  classifier: Weights,
  images: Float32Array,
  labels: ArrayLike<number> | null,
  reference: DigitReference,
): Promise<DigitQuality> {
  return await quality(classifier, toModel(modelToBytes(images)), labels, reference);
}

async function quality(
  classifier: Weights,
  images: Float32Array,
  labels: ArrayLike<number> | null,
  test: Omit<DigitReference, "floor">,
): Promise<DigitQuality> {
  const found = await classify(classifier, images);
  const kernel = kernelDistance(kernelMoments(found.features, CLASSIFIER_FEATURES), test.kernel);
  const testPoints = test.manifold.points;
  const points = found.features.subarray(0, testPoints.length);
  return {
    frechet: frechetDistance(featureMoments(found.features, CLASSIFIER_FEATURES), test.moments),
    kernelDistance: kernel.distance,
    kernelError: kernel.standardError,
    precision: manifoldFraction(points, test.manifold),
    recall: manifoldFraction(testPoints, manifold(points, CLASSIFIER_FEATURES)),
    accuracy: labels === null ? null : classAccuracy(found.labels, labels),
  };
}

/** `count` of the test images' feature vectors, evenly spaced, because MNIST's later ones are harder; or all. */
function spaced(features: Float32Array, count: number): Float32Array {
  const rows = features.length / CLASSIFIER_FEATURES;
  if (count >= rows) return features;
  const chosen = new Float32Array(count * CLASSIFIER_FEATURES);
  for (let i = 0; i < count; i++) {
    const from = Math.floor(i * rows / count) * CLASSIFIER_FEATURES;
    chosen.set(features.subarray(from, from + CLASSIFIER_FEATURES), i * CLASSIFIER_FEATURES);
  }
  return chosen;
}

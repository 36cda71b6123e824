/**
 * What posterior samplers are given of an image: a linear measurement as plain data, and what it is in tensors.
 * @module
 */
import { createRng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { Known } from "../conditioning/imputation.ts";
import { maskByName, maskFromPicture, type MaskName, randomMask } from "../conditioning/masks.ts";
import type { LinearOperator } from "../conditioning/observation.ts";
import {
  blurOperator,
  gaussianKernel,
  greyOperator,
  maskOperator,
  poolingOperator,
  randomProjection,
} from "../conditioning/operators.ts";
import { greyBasis, greyMask } from "../conditioning/orthogonal_basis.ts";
import type { Picture } from "../images/png.ts";
import { quoted } from "../input/quoted.ts";
import { requireBetween, requireOptions, requireText, requireWhole } from "../input/require.ts";

/** The grey of hidden pixels in a picture, in model units: between black and white. */
const HIDDEN = -0.3;

/** What is seen of an image, before noise. */
export type Measurement =
  /** The pixels that a mask leaves, by its name. */
  | { readonly kind: "mask"; readonly mask: MaskName }
  /** Pixels at random; the fraction, from 0 to 1, is that of the hidden ones. */
  | { readonly kind: "random-mask"; readonly hiddenFraction: number }
  /** The pixels where a picture of the model's size is bright; the picture is a part, and this is where it was found. */
  | { readonly kind: "picture-mask"; readonly path: string }
  /** The mean of each pixel's three channels. */
  | { readonly kind: "grey" }
  /** The means of square blocks whose side, in pixels, divides the image's sides. */
  | { readonly kind: "pooling"; readonly factor: number }
  /** The image under a Gaussian blur; its standard deviation is in pixels, from 0.1 to 20. */
  | { readonly kind: "blur"; readonly std: number }
  /** Projections on random directions, 1 to 10000. */
  | { readonly kind: "projection"; readonly directions: number };

/** A measurement in a few words, for what is written in pictures. */
export function measurementWords(measurement: Measurement): string {
  switch (measurement.kind) {
    case "mask":
      return `${measurement.mask} hidden`;
    case "random-mask":
      return `${Math.round(100 * measurement.hiddenFraction)}% of the pixels hidden`;
    case "picture-mask":
      return "a picture's dark part hidden";
    case "grey":
      return "colours hidden";
    case "pooling":
      return `means of ${measurement.factor}×${measurement.factor} pixels`;
    case "blur":
      return `blur of ${measurement.std} pixels`;
    case "projection":
      return `${measurement.directions} random projections`;
  }
}

/** How images are measured: y = A x + σ z. */
export interface MeasurementModel {
  /** A. */
  readonly operator: LinearOperator;
  /** σ, in model units, whose range is 2. */
  readonly noiseStd: number;
  /** The mask, and its basis, of an operator that only hides values; null for other operators. */
  readonly known: Pick<Known, "mask" | "basis"> | null;
}

/** What a measurement depends on. */
export interface MeasurementOptions {
  /** [height, width, channels] of an image. */
  readonly shape: readonly number[];
  /** Standard deviation of the noise in units of a pixel's range, from 0 to 100. */
  readonly noise: number;
  /** The seed of masks and directions at random. */
  readonly seed: number;
  /** The picture of a `picture-mask`: dark pixels are hidden. */
  readonly picture?: Picture;
}

/**
 * The operator and the noise of a measurement.
 * @throws {RangeError | TypeError} for a measurement that there is not, a value out of its range, or images that it cannot measure
 */
export function openMeasurement(measurement: Measurement, options: MeasurementOptions): MeasurementModel {
  requireOptions("a measurement", measurement);
  requireOptions("options", options);
  const { shape, noise, seed, picture } = options;
  requireBetween("noise", noise, 0, 100);
  requireWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  const noiseStd = 2 * noise;
  const masked = (mask: Float32Array) => ({ operator: maskOperator(shape, mask), noiseStd, known: { mask } });
  const lossy = (operator: LinearOperator) => ({ operator, noiseStd, known: null });
  switch (measurement.kind) {
    case "mask":
      return masked(maskByName(measurement.mask, shape));
    case "random-mask":
      return masked(randomMask(shape, measurement.hiddenFraction, createRng(seed)));
    case "picture-mask":
      requireText("path", measurement.path);
      return masked(maskFromPicture(picture!, shape));
    case "grey": {
      const operator = greyOperator(shape);
      if (shape[2] !== 3) {
        throw new RangeError(`colours need a checkpoint of three channels, this one has ${shape[2]}`);
      }
      return { operator, noiseStd, known: { mask: greyMask(shape), basis: greyBasis() } };
    }
    case "pooling":
      return lossy(poolingOperator(shape, measurement.factor));
    case "blur":
      requireBetween("std", measurement.std, 0.1, 20);
      return lossy(blurOperator(shape, gaussianKernel(measurement.std)));
    case "projection":
      requireWhole("directions", measurement.directions, 1, 10_000);
      return lossy(randomProjection(createRng(seed).fork("projection"), shape, measurement.directions));
  }
  const { kind } = measurement as { kind: unknown };
  const kinds = "mask, random-mask, picture-mask, grey, pooling, blur or projection";
  throw new RangeError(`a measurement's kind must be ${kinds}, got ${quoted(kind)}`);
}

/**
 * The measurements of images, [count, …operator.outputShape], owned by the caller. Image i has noise of its own.
 * @param images [count, …operator.inputShape] in model units
 */
export function measureImages(
  images: Float32Array,
  count: number,
  { operator, noiseStd }: MeasurementModel,
  seed: number,
): tf.Tensor {
  return tf.tidy(() => {
    const seen = operator.apply(tf.tensor(images, [count, ...operator.inputShape]));
    if (noiseStd === 0) return seen;
    return tf.add(seen, tf.mul(createRng(seed).fork("observation").normal(seen.shape), noiseStd));
  });
}

/** Measurements as images in model units: hidden pixels grey, the grey of colours, or Aᵀ y as bright as it would be of a white image. */
export async function showMeasurements(
  images: Float32Array,
  measured: tf.Tensor,
  { operator, known }: MeasurementModel,
): Promise<Float32Array> {
  if (known?.basis !== undefined) {
    return images.map((_, at) => {
      const pixel = 3 * Math.floor(at / 3);
      return (images[pixel] + images[pixel + 1] + images[pixel + 2]) / 3;
    });
  }
  if (known !== null) {
    return images.map((value, at) => known.mask[at % known.mask.length] === 1 ? value : HIDDEN);
  }
  const shown = tf.tidy(() => {
    const white = operator.adjoint(operator.apply(tf.ones([1, ...operator.inputShape])));
    // A random projection turns white into noise: there the typical length of Aᵀ A x is right.
    const gain = operator.outputShape.length === 1 ? tf.scalar(1) : tf.div(1, tf.maximum(white, 1e-3));
    return tf.mul(operator.adjoint(measured), gain);
  });
  const values = await shown.data<"float32">();
  shown.dispose();
  return Float32Array.from(values);
}

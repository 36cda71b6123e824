/** What is measured of coloured digits beside their shapes: how even their colours are, and which they are. @module */
import { type ImageDataset, slice } from "../data/dataset.ts";
import { type ColourDeviation, colourDeviation } from "./colour_deviation.ts";
import { type FeatureMoments, featureMoments, frechetDistance } from "./frechet.ts";
import { patchStatistics } from "./pooled_features.ts";

/** The measured colours of a set of digits. */
export interface ColourQuality extends ColourDeviation {
  /**
   * Fréchet distance of pooled features to the test digits; lower is better, and smaller sets have larger distances.
   */
  readonly frechet: number;
}

/** The reference that colours are measured against. */
export interface ColourReference {
  /** Moments of all test digits' pooled features. */
  readonly moments: FeatureMoments;
  /** The colours of `count` other digits of the data, which perfect samples would have. */
  readonly floor: ColourQuality;
}

/**
 * Computes the reference for sets of `count` digits in colours.
 * @param data Two sets of RGB digits; the first has at least `count`.
 */
export function colourReference(
  data: { readonly train: ImageDataset; readonly test: ImageDataset },
  count: number,
): ColourReference {
  const moments = pooledMoments(data.test);
  return { moments, floor: colourQuality(slice(data.train, 0, count), moments) };
}

/**
 * Measures the colours of digits.
 * @param digits RGB images, at least two.
 * @param moments Those of the reference.
 */
export function colourQuality(digits: ImageDataset, moments: FeatureMoments): ColourQuality {
  return { frechet: frechetDistance(pooledMoments(digits), moments), ...colourDeviation(digits) };
}

function pooledMoments(images: ImageDataset): FeatureMoments {
  const { features, dimension } = patchStatistics(images);
  return featureMoments(features, dimension);
}

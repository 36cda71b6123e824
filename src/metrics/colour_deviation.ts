/** How much colours vary within strokes and within grounds, on images of two colours. @module */
import { type ImageDataset, imageSize } from "../data/dataset.ts";
import { requireColourImages } from "./colour_images.ts";
import { colourRegions, meanColour } from "./colour_regions.ts";

/** Standard deviations of colour in units of a pixel's range, which is 0 to 1. */
export interface ColourDeviation {
  /** Mean over the images of the deviation within the stroke; null where no image has one. */
  readonly stroke: number | null;
  /** Mean over the images of the deviation within the ground. */
  readonly ground: number;
  /** Number of images that have one colour, and so no stroke. */
  readonly blank: number;
}

/**
 * Measures how even the colours of digits and of their grounds are. An image is divided into two groups by the two-means
 * of its colours, the larger of which is the ground. Of the ground count the pixels whose neighbours, of which there are
 * eight, all belong to it; of the stroke those without a neighbour whose colour is over a tenth farther from the
 * ground's, so that the edge between, which the pen covers in part, is left out. The deviation within each is the root
 * mean square difference of the channels from their means. Digits of one colour on grounds of one colour read 0, but for
 * pens so thin that they cover no pixel whole.
 *
 * @example A digit's stroke has one colour
 * ```ts
 * import { createRng } from "../compute/rng.ts";
 * import { colouredDigits } from "../data/coloured_digits.ts";
 * import { colourDeviation } from "./colour_deviation.ts";
 * const { stroke, ground } = colourDeviation(colouredDigits(20, createRng(0)));
 * console.assert(stroke! < 0.02 && ground === 0);
 * ```
 * @param dataset RGB images, at least one.
 * @throws {RangeError} When images have another number of channels, or there are none.
 */
export function colourDeviation(dataset: ImageDataset): ColourDeviation {
  requireColourImages("dataset", dataset);
  const [height, width] = dataset.shape;
  const size = imageSize(dataset);
  let [stroke, ground, blank] = [0, 0, 0];
  for (let at = 0; at < dataset.count; at++) {
    const image = dataset.images.subarray(at * size, (at + 1) * size);
    const regions = colourRegions(image, height, width);
    ground += deviation(image, regions.ground) / dataset.count;
    if (regions.stroke.length === 0) blank++;
    else stroke += deviation(image, regions.stroke);
  }
  const drawn = dataset.count - blank;
  return { stroke: drawn === 0 ? null : stroke / drawn, ground, blank };
}

/** Root mean square difference of the channels from their means over some pixels, in units of a byte's range. */
function deviation(image: Uint8Array, pixels: readonly number[]): number {
  const mean = meanColour(image, pixels);
  let squares = 0;
  for (const pixel of pixels) {
    for (let c = 0; c < 3; c++) squares += (image[3 * pixel + c] - mean[c]) ** 2;
  }
  return Math.sqrt(squares / (3 * pixels.length)) / 255;
}

/** The grey digits that coloured ones were made of, from their colours alone. @module */
import { type ImageDataset, imageSize } from "../data/dataset.ts";
import { requireColourImages } from "./colour_images.ts";
import { colourRegions, meanColour } from "./colour_regions.ts";

/**
 * The share of each pixel that the pen covers, as a byte: 0 for the ground's mean colour, 255 for the stroke's, and
 * between them by the place on the line from one to the other, at its nearest. So a classifier of grey digits can take
 * coloured ones, whichever of the colours is the brighter. An image of one colour becomes black.
 *
 * @param dataset RGB images, at least one; labels are kept.
 * @throws {RangeError} When images have another number of channels, or there are none.
 */
export function penCoverage(dataset: ImageDataset): ImageDataset {
  requireColourImages("dataset", dataset);
  const [height, width] = dataset.shape;
  const pixels = height * width;
  const size = imageSize(dataset);
  const images = new Uint8Array(dataset.count * pixels);
  for (let at = 0; at < dataset.count; at++) {
    const image = dataset.images.subarray(at * size, (at + 1) * size);
    const regions = colourRegions(image, height, width);
    if (regions.stroke.length === 0) continue;
    const ground = meanColour(image, regions.ground);
    const line = meanColour(image, regions.stroke).map((value, c) => value - ground[c]);
    const square = line.reduce((sum, value) => sum + value ** 2, 0);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const product = line.reduce((sum, value, c) => sum + value * (image[3 * pixel + c] - ground[c]), 0);
      images[at * pixels + pixel] = Math.round(255 * Math.min(1, Math.max(0, product / square)));
    }
  }
  return { ...dataset, shape: [height, width, 1], images };
}

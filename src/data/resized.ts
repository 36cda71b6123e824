/** Data sets at another size. @module */
import { resizePicture } from "../images/resize.ts";
import { type ImageDataset, imageSize } from "./dataset.ts";

/**
 * The images scaled to squares, each new pixel the mean of the area that it covers; images that are not square are
 * stretched.
 *
 * @param size New height and width.
 * @returns [N, size, size, channels].
 * @throws {RangeError} When the size is not a positive integer.
 */
export function resizedDataset(dataset: ImageDataset, size: number): ImageDataset {
  const [height, width, channels] = dataset.shape;
  const images = new Uint8Array(dataset.count * size * size * channels);
  const old = imageSize(dataset);
  for (let i = 0; i < dataset.count; i++) {
    const image = dataset.images.subarray(i * old, (i + 1) * old);
    const data = new Uint8Array(width * height * 4).fill(255);
    for (let at = 0; at < old; at++) data[4 * Math.floor(at / channels) + at % channels] = image[at];
    const resized = resizePicture({ width, height, data }, size, size).data;
    for (let at = 0; at < size * size * channels; at++) {
      images[i * size * size * channels + at] = resized[4 * Math.floor(at / channels) + at % channels];
    }
  }
  return { ...dataset, shape: [size, size, channels], images };
}

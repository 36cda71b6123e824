/** Per-patch mean and standard deviation of each channel: hand-made features for a Fréchet distance. @module */
import { type ImageDataset, imageSize } from "../data/dataset.ts";
import { requireDataset } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** The features of {@linkcode patchStatistics}. */
export interface PatchStatistics {
  /** [N, dimension]. */
  readonly features: Float64Array;
  /** 2 · cells² · channels. */
  readonly dimension: number;
}

/**
 * Mean and standard deviation of each channel in each of cells × cells parts of an image, in units in which a pixel
 * is from 0 to 1. A Fréchet distance on them depends on colours, layout and contrast, not on shapes: it serves to
 * compare checkpoints of one run, and cannot be compared with distances on the features of Inception.
 *
 * @param dataset N images; where `cells` does not divide the height or width, parts differ by a pixel.
 * @param cells Parts in a column and in a row; at most the height and the width. Default 4.
 * @throws {RangeError} When there are more parts than pixels.
 */
export function patchStatistics(dataset: ImageDataset, cells = 4): PatchStatistics {
  requireDataset("dataset", dataset);
  const [height, width, channels] = dataset.shape;
  if (!(Number.isInteger(cells) && cells >= 1 && cells <= Math.min(height, width))) {
    throw new RangeError(
      `images of ${height}×${width} have 1 to ${Math.min(height, width)} parts a side, got ${quoted(cells)}`,
    );
  }
  const dimension = 2 * cells * cells * channels;
  const features = new Float64Array(dataset.count * dimension);
  const size = imageSize(dataset);
  const edge = (part: number, length: number) => Math.floor(part * length / cells);
  let at = 0;
  for (let image = 0; image < dataset.count; image++) {
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        const [top, bottom] = [edge(row, height), edge(row + 1, height)];
        const [left, right] = [edge(column, width), edge(column + 1, width)];
        const pixels = (bottom - top) * (right - left);
        for (let c = 0; c < channels; c++) {
          let [sum, squares] = [0, 0];
          for (let y = top; y < bottom; y++) {
            for (let x = left; x < right; x++) {
              const value = dataset.images[image * size + (y * width + x) * channels + c] / 255;
              sum += value;
              squares += value * value;
            }
          }
          const mean = sum / pixels;
          features[at++] = mean;
          features[at++] = Math.sqrt(Math.max(0, squares / pixels - mean * mean));
        }
      }
    }
  }
  return { features, dimension };
}

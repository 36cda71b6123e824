/** What measures of colours need of images. @module */
import type { ImageDataset } from "../data/dataset.ts";
import { requireDataset } from "../input/require_parts.ts";

/** @throws {RangeError} When images do not have three channels, or there are none. */
export function requireColourImages(name: string, dataset: ImageDataset): void {
  requireDataset(name, dataset);
  const { shape, count } = dataset;
  if (shape[2] !== 3) throw new RangeError(`${name} must have images of 3 channels, got ${shape[2]}`);
  if (count === 0) throw new RangeError(`${name} must have at least one image, got none`);
}

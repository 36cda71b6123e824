/**
 * Labelled images in memory, and the scalings between bytes, model values and picture values.
 * @module
 */
import { requireBytes, requireFloats } from "../input/require.ts";
import { requireSamples } from "../input/require_parts.ts";
import type { ArrayDataset } from "./array_dataset.ts";
import type { DataUnits } from "./units.ts";

/** Labelled images. */
export interface ImageDataset {
  /** For progress lines and model cards. */
  readonly name: string;
  /** Number of images, N. */
  readonly count: number;
  /** [height, width, channels] of one image. */
  readonly shape: readonly [number, number, number];
  /** Number of classes; labels are below it. */
  readonly classes: number;
  /** [classes] names of the classes, in the order of labels; by default a class is named by its label. */
  readonly classNames?: readonly string[];
  /** [N, height, width, channels], 0 to 255. */
  readonly images: Uint8Array;
  /** [N]. */
  readonly labels: Uint8Array;
  /** The units in which samples are written; absent where pixels are written from 0 to 1. */
  readonly units?: DataUnits;
}

const MODEL_VALUES = Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1);

/** Bytes 0…255 to model values in [−1, 1]: b / 127.5 − 1. */
export function toModel(images: Uint8Array): Float32Array {
  requireBytes("images", images);
  const values = new Float32Array(images.length);
  for (let i = 0; i < images.length; i++) values[i] = MODEL_VALUES[images[i]];
  return values;
}

/** Model values to picture values: (v + 1) / 2, clamped to [0, 1]. */
export function fromModel(values: Float32Array): Float32Array {
  requireFloats("values", values);
  return values.map((value) => Math.min(1, Math.max(0, (value + 1) / 2)));
}

/** Model values to bytes 0…255, rounded and clamped. */
export function modelToBytes(values: Float32Array): Uint8Array {
  requireFloats("values", values);
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    bytes[i] = Math.round(Math.min(255, Math.max(0, (values[i] + 1) * 127.5)));
  }
  return bytes;
}

/** The images `from` … `to`−1 (views, not copies). */
export function slice(dataset: ImageDataset, from: number, to: number): ImageDataset {
  const [start, end] = [Math.max(0, from), Math.min(dataset.count, to)];
  const size = imageSize(dataset);
  return {
    ...dataset,
    count: end - start,
    images: dataset.images.subarray(start * size, end * size),
    labels: dataset.labels.subarray(start, end),
  };
}

/** Values in one image: height × width × channels. */
export function imageSize(dataset: ImageDataset): number {
  return dataset.shape[0] * dataset.shape[1] * dataset.shape[2];
}

/** Mean and standard deviation over all pixels of all images, in model units, for preconditioning. */
export function pixelMoments(dataset: ImageDataset | ArrayDataset): { mean: number; std: number } {
  requireSamples("dataset", dataset);
  if (dataset.count === 0) throw new RangeError("moments need at least one image, got none");
  if ("values" in dataset) return momentsOf(dataset.values);
  const histogram = new Float64Array(256);
  for (const byte of dataset.images) histogram[byte]++;
  const total = dataset.images.length;
  const mean = histogram.reduce((sum, n, byte) => sum + n * (byte / 127.5 - 1), 0) / total;
  const variance = histogram.reduce((sum, n, byte) => sum + n * (byte / 127.5 - 1 - mean) ** 2, 0) / total;
  return { mean, std: Math.sqrt(variance) };
}

function momentsOf(values: Float32Array): { mean: number; std: number } {
  let [mean, square] = [0, 0];
  for (const value of values) mean += value / values.length;
  for (const value of values) square += (value - mean) ** 2 / values.length;
  return { mean, std: Math.sqrt(square) };
}

/** The largest Euclidean distance between two images of a data set: NCSNv2's first noise level. @module */
import * as tf from "../compute/tf.ts";
import { type ImageDataset, imageSize } from "./dataset.ts";
import { requireFunction } from "../input/require.ts";
import { requireDataset, requireSignal } from "../input/require_parts.ts";

/** Two images and their distance. */
export interface FarthestPair {
  /** Their distance, in units in which a pixel is from 0 to 1. */
  readonly distance: number;
  /** Their indices in the data set. */
  readonly pair: readonly [number, number];
}

/** Images in a block: large enough for products to be fast, small enough for memory. */
const BLOCK_SIZE = 1000;

/**
 * The two images farthest from each other. All pairs are compared, in blocks, by |x|² + |y|² − 2 x·y; but points at
 * distances r and r' from the mean are at most r + r' apart, so blocks below the largest distance found are left out.
 *
 * @param onProgress Called with the share of all pairs of blocks, from 0 to 1, that have been compared.
 * @param signal Ends the comparison once it is aborted, with its reason, before the next blocks.
 * @throws {RangeError} When there are fewer than two images.
 */
export async function largestDistance(
  dataset: ImageDataset,
  onProgress: (share: number) => void = () => {},
  signal?: AbortSignal,
): Promise<FarthestPair> {
  requireDataset("dataset", dataset);
  requireFunction("onProgress", onProgress);
  requireSignal("signal", signal);
  const { count } = dataset;
  if (count < 2) throw new RangeError(`a distance needs at least two images, got ${count}`);
  const { order, radius, mean } = outermostFirst(dataset);
  const blocks = Math.ceil(count / BLOCK_SIZE);
  let best = 0;
  let pair: readonly [number, number] = [order[0], order[1]];
  for (let i = 0; i < blocks; i++) {
    signal?.throwIfAborted();
    const rows = order.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE);
    const a = centred(dataset, mean, rows);
    for (let j = 0; j <= i; j++) {
      // Each block's first point is its outermost; rounding is far below 1e-3.
      if (radius[rows[0]] + radius[order[j * BLOCK_SIZE]] < best - 1e-3) break;
      const columns = order.subarray(j * BLOCK_SIZE, (j + 1) * BLOCK_SIZE);
      const b = i === j ? a : centred(dataset, mean, columns);
      const [squared, at] = await farthest(a, b);
      if (i !== j) b.dispose();
      if (squared > best ** 2) {
        best = Math.sqrt(squared);
        pair = [columns[at % columns.length], rows[Math.floor(at / columns.length)]];
      }
    }
    a.dispose();
    onProgress((i + 1) * (i + 2) / (blocks * (blocks + 1)));
  }
  return { distance: distanceOf(dataset, pair), pair };
}

/** Indices by distance from the mean, the outermost first. */
function outermostFirst(
  dataset: ImageDataset,
): { order: Int32Array; radius: Float64Array; mean: Float64Array } {
  const { count, images } = dataset;
  const size = imageSize(dataset);
  const mean = new Float64Array(size);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < size; k++) mean[k] += images[i * size + k] / (255 * count);
  }
  const radius = Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += (images[i * size + k] / 255 - mean[k]) ** 2;
    return Math.sqrt(sum);
  });
  const order = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => radius[b] - radius[a]);
  return { order, radius, mean };
}

/** Images minus the mean, [rows, D]. */
function centred(dataset: ImageDataset, mean: Float64Array, rows: Int32Array): tf.Tensor2D {
  const size = imageSize(dataset);
  const values = new Float32Array(rows.length * size);
  for (const [row, index] of rows.entries()) {
    for (let k = 0; k < size; k++) {
      values[row * size + k] = dataset.images[index * size + k] / 255 - mean[k];
    }
  }
  return tf.tensor2d(values, [rows.length, size]);
}

/**
 * The largest squared distance between a row of a and one of b, and its flat index: row of a times rows of b plus row
 * of b.
 */
async function farthest(a: tf.Tensor2D, b: tf.Tensor2D): Promise<[squared: number, at: number]> {
  const [squared, at] = tf.tidy(() => {
    const norms = (x: tf.Tensor2D) => tf.sum(tf.square(x), 1);
    const products = tf.matMul(a, b, false, true);
    const distances = tf.sub(tf.add(tf.reshape(norms(a), [-1, 1]), norms(b)), tf.mul(products, 2));
    const flat = tf.reshape(distances, [-1]);
    return [tf.max(flat), tf.argMax(flat)];
  });
  const values: [number, number] = [(await squared.data())[0], (await at.data())[0]];
  tf.dispose([squared, at]);
  return values;
}

/** The exact distance of two images, from their bytes. */
function distanceOf(dataset: ImageDataset, [a, b]: readonly [number, number]): number {
  const size = imageSize(dataset);
  let sum = 0;
  for (let k = 0; k < size; k++) {
    sum += (dataset.images[a * size + k] - dataset.images[b * size + k]) ** 2;
  }
  return Math.sqrt(sum) / 255;
}

/**
 * Training batches as a function of the step alone, so that a resumed run has those of an uninterrupted one. @module
 */
import type { Rng } from "../compute/rng.ts";
import type { ArrayDataset } from "./array_dataset.ts";
import { type ImageDataset, toModel } from "./dataset.ts";
import { requireWhole } from "../input/require.ts";
import { requireLabels, requireRng, requireSamples } from "../input/require_parts.ts";
import { sizeOf } from "../math/shape.ts";

/** One batch. */
export interface Batch {
  /** [batch, height, width, channels] in [−1, 1], or model values [batch, …shape] of an `ArrayDataset`. */
  readonly images: Float32Array;
  /** Of `images`. */
  readonly shape: readonly number[];
  /** [batch] class of each image. */
  readonly labels: Int32Array;
  /** [batch] index of each image in the data set. */
  readonly indices: Int32Array;
}

/**
 * Shuffled batches: image p of the run is image π_e(p mod N) of the data set, with a fresh permutation π_e for each
 * epoch e = ⌊p / N⌋, and batch `step` (from 0) holds p = step·batch … step·batch + batch − 1. A batch may cross into
 * the next epoch.
 *
 * @param rng Each epoch's permutation comes from a fork of it; the generator itself does not advance.
 * @throws {RangeError} When the batch size is not a positive integer or the data set is empty.
 */
export function shuffledBatches(
  dataset: ImageDataset | ArrayDataset,
  batchSize: number,
  rng: Rng,
): (step: number) => Batch {
  requireSamples("dataset", dataset);
  requireLabels("dataset", dataset);
  requireWhole("the batch size", batchSize, 1, 1e7);
  requireRng("rng", rng);
  if (dataset.count < 1) throw new RangeError(`the data set ${dataset.name} has no images`);
  const size = sizeOf(dataset.shape);
  const values = "values" in dataset ? dataset.values : dataset.images;
  let epoch = -1;
  let permutation = new Int32Array(0);
  return (step) => {
    requireWhole("step", step);
    const rows = values instanceof Uint8Array
      ? new Uint8Array(batchSize * size)
      : new Float32Array(batchSize * size);
    const labels = new Int32Array(batchSize);
    const indices = new Int32Array(batchSize);
    for (let row = 0; row < batchSize; row++) {
      const position = step * batchSize + row;
      const wanted = Math.floor(position / dataset.count);
      if (wanted !== epoch) {
        permutation = epochPermutation(dataset.count, rng, wanted);
        epoch = wanted;
      }
      const index = permutation[position - wanted * dataset.count];
      rows.set(values.subarray(index * size, (index + 1) * size), row * size);
      labels[row] = dataset.labels[index];
      indices[row] = index;
    }
    return {
      images: rows instanceof Uint8Array ? toModel(rows) : rows,
      shape: [batchSize, ...dataset.shape],
      labels,
      indices,
    };
  };
}

/** The order of an epoch: 0 … count−1 sorted by independent uniform numbers, which makes all orders equally likely. */
function epochPermutation(count: number, rng: Rng, epoch: number): Int32Array<ArrayBuffer> {
  const keys = rng.fork(`epoch ${epoch}`).startingAt(0).uniformValues([count]);
  return Int32Array.from({ length: count }, (_, index) => index).sort((a, b) => keys[a] - keys[b]);
}

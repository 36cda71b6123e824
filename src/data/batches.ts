/**
 * Training batches as a function of the step alone, so that a resumed run has those of an uninterrupted one. @module
 */
import type { Rng } from "../compute/rng.ts";
import { type ImageDataset, imageSize, toModel } from "./dataset.ts";
import { requireWhole } from "../input/require.ts";
import { requireDataset, requireLabels, requireRng } from "../input/require_parts.ts";

/** One batch. */
export interface Batch {
  /** [batch, height, width, channels] in [−1, 1]. */
  readonly images: Float32Array;
  /** [batch, height, width, channels]. */
  readonly shape: readonly [number, number, number, number];
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
  dataset: ImageDataset,
  batchSize: number,
  rng: Rng,
): (step: number) => Batch {
  requireDataset("dataset", dataset);
  requireLabels("dataset", dataset);
  requireWhole("the batch size", batchSize, 1, 1e7);
  requireRng("rng", rng);
  if (dataset.count < 1) throw new RangeError(`the data set ${dataset.name} has no images`);
  const size = imageSize(dataset);
  let epoch = -1;
  let permutation = new Int32Array(0);
  return (step) => {
    requireWhole("step", step);
    const bytes = new Uint8Array(batchSize * size);
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
      bytes.set(dataset.images.subarray(index * size, (index + 1) * size), row * size);
      labels[row] = dataset.labels[index];
      indices[row] = index;
    }
    return { images: toModel(bytes), shape: [batchSize, ...dataset.shape], labels, indices };
  };
}

/** The order of an epoch: 0 … count−1 sorted by independent uniform numbers, which makes all orders equally likely. */
function epochPermutation(count: number, rng: Rng, epoch: number): Int32Array<ArrayBuffer> {
  const keys = rng.fork(`epoch ${epoch}`).startingAt(0).uniformValues([count]);
  return Int32Array.from({ length: count }, (_, index) => index).sort((a, b) => keys[a] - keys[b]);
}

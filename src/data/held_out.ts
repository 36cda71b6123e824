/** The part of a data set that is not trained on. @module */
import { createRng } from "../compute/rng.ts";
import { requireWhole } from "../input/require.ts";
import { requireLabels, requireSamples } from "../input/require_parts.ts";
import { sizeOf } from "../math/shape.ts";
import type { ArrayDataset } from "./array_dataset.ts";
import type { ImageDataset } from "./dataset.ts";

/** Any data set. */
export type Dataset = ImageDataset | ArrayDataset;

/** A data set in two parts. */
export interface DatasetParts<D extends Dataset = Dataset> {
  /** What is trained on. */
  readonly training: D;
  /** What is not. */
  readonly heldOut: D;
}

/**
 * Divides a data set at random, always alike for one number of samples: a file may be sorted, and a run that goes on, or
 * measures, must hold out the same samples. Both parts keep the order of the data.
 *
 * @param heldOut Samples that are held out, fewer than all.
 * @throws {RangeError} When there are not that many and one more.
 */
export function holdOut<D extends Dataset>(dataset: D, heldOut: number): DatasetParts<D> {
  requireSamples("dataset", dataset);
  requireLabels("dataset", dataset);
  requireWhole("heldOut", heldOut, 0, Math.max(0, dataset.count - 1));
  const keys = createRng(0).fork("held out").uniformValues([dataset.count]);
  const order = Int32Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b]);
  const part = (from: number, to: number) => subset(dataset, order.subarray(from, to).toSorted());
  return { heldOut: part(0, heldOut), training: part(heldOut, dataset.count) };
}

/**
 * Samples drawn at random without repetition, always alike for one number of samples; all when there are no more.
 * @param count How many.
 */
export function someOf<D extends Dataset>(dataset: D, count: number): D {
  return count >= dataset.count ? dataset : holdOut(dataset, count).heldOut;
}

/** The samples of some indices. */
function subset<D extends Dataset>(dataset: D, indices: Int32Array): D {
  const size = sizeOf(dataset.shape);
  const gather = <A extends Uint8Array | Float32Array>(from: A, to: A) => {
    indices.forEach((index, row) => to.set(from.subarray(index * size, (index + 1) * size), row * size));
    return to;
  };
  const length = indices.length * size;
  return {
    ...dataset,
    count: indices.length,
    labels: Uint8Array.from(indices, (index) => dataset.labels[index]),
    ..."values" in dataset
      ? { values: gather(dataset.values, new Float32Array(length)) }
      : { images: gather(dataset.images, new Uint8Array(length)) },
  };
}

/**
 * Data sets of images as bytes: procedural digits, MNIST's and CIFAR-10's files, folders of pictures; of points and
 * images as numbers: arrays and tables; their batches, and their scaling for models.
 *
 * @example Two shuffled batches of drawn digits
 * ```ts
 * import { createRng } from "../../mod.ts";
 * import { proceduralDigits, shuffledBatches } from "./mod.ts";
 * const digits = proceduralDigits(100, createRng(0));
 * const batchAt = shuffledBatches(digits, 8, createRng(1));
 * for (const step of [0, 1]) console.assert(batchAt(step).images.length === 8 * 28 * 28);
 * ```
 * @module
 */

// Data sets.
export type { ImageDataset } from "./dataset.ts";
export { proceduralDigits } from "./digits.ts";
export { colouredDigits } from "./coloured_digits.ts";
export { idxDataset } from "./mnist.ts";
export { cifar10Dataset } from "./cifar10.ts";
export { type ImageFile, imageFolderDataset, type ImageFolderOptions } from "./image_folder.ts";
export {
  type ArrayDataset,
  arrayDataset,
  type ArrayDatasetOptions,
  type NumberArray,
} from "./array_dataset.ts";
export { type NumberTable, readNumberTable } from "./csv.ts";

export { type Dataset, type DatasetParts, holdOut } from "./held_out.ts";

// Batches and scalings for models.
export { type Batch, shuffledBatches } from "./batches.ts";
export { fromModel, modelToBytes, toModel } from "./dataset.ts";
export { type DataUnits, fromUnits, logVolume, toUnits } from "./units.ts";

// Measurements.
export { pixelMoments } from "./dataset.ts";
export { type FarthestPair, largestDistance } from "./largest_distance.ts";
export { datasetChange, type DatasetIdentity, datasetIdentity } from "./identity.ts";

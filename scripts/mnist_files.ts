/**
 * Where MNIST is on this machine: a folder, the cache, or a download from its public mirrors.
 * @module
 */
import type { ImageDataset } from "../src/data/dataset.ts";
import {
  idxDataset,
  MNIST_FILES,
  MNIST_MIRRORS,
  type MnistFile,
  type MnistSplit,
} from "../src/data/mnist.ts";
import { cached, cacheFolder, type DataPlaces, type PublishedFile, readFrom } from "./data_files.ts";

/**
 * Loads one split of MNIST.
 *
 * @throws {Error} When a given folder lacks the files, or they are nowhere and no mirror answers with the right bytes; the
 * message says how to get them.
 */
export async function loadMnist(split: MnistSplit, places: DataPlaces = {}): Promise<ImageDataset> {
  const { images, labels } = MNIST_FILES[split];
  return await idxDataset(await findFile(images, places), await findFile(labels, places), `mnist ${split}`);
}

/** The uncompressed bytes of one file, from wherever it is; see {@linkcode loadMnist}. */
export async function findFile(file: MnistFile, places: DataPlaces): Promise<Uint8Array> {
  const data = places.data ?? Deno.env.get("SCORE_SDE_DATA");
  if (data !== undefined && data !== "") {
    const found = await readFrom([`${data}/mnist`, data], file.name);
    if (found !== undefined) return found;
    if (places.data !== undefined) {
      throw new Error(`no ${file.name}.gz or ${file.name} in ${data} or ${data}/mnist`);
    }
  }
  const published: PublishedFile = {
    name: `${file.name}.gz`,
    sha256: file.sha256,
    digestOf: "unpacked",
    mirrors: MNIST_MIRRORS,
    advice:
      `MNIST is not on this machine and could not be downloaded: put ${file.name}.gz and its three sisters into a folder ` +
      "and pass --data FOLDER (or set SCORE_SDE_DATA); to train without a download there is deno task train --data digits",
  };
  return await cached(published, places.cache ?? cacheFolder("mnist"), places);
}

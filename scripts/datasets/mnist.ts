/**
 * Where MNIST is on this machine: a folder, the cache, or a download from its public mirrors.
 * @module
 */
import type { ImageDataset } from "../../src/data/dataset.ts";
import {
  idxDataset,
  MNIST_FILES,
  MNIST_MIRRORS,
  type MnistFile,
  type MnistSplit,
} from "../../src/data/mnist.ts";
import { readIdx } from "../../src/data/idx.ts";
import { findIdx } from "./idx_files.ts";
import {
  dataCacheFolder,
  type DataPlaces,
  type PublishedFile,
  readFrom,
  readPublished,
} from "./published_files.ts";

/**
 * Loads one split of MNIST.
 *
 * @throws {Error} When a given folder lacks the files, or they are nowhere and no mirror answers with the right bytes; the
 * message says how to get them.
 */
export async function loadMnist(
  split: MnistSplit,
  places: DataPlaces & {
    /** What the files' names begin with, of several data sets in one folder. */
    readonly prefix?: string;
  } = {},
): Promise<ImageDataset> {
  const data = places.data ?? Deno.env.get("SCORE_SDE_DATA");
  if (data !== undefined && data !== "") {
    const { prefix } = places;
    const images = await findIdx(data, split, "images", prefix);
    const labels = await findIdx(data, split, "labels", prefix);
    if (images !== null && labels !== null) {
      const name = `${images.prefix === "" ? "mnist" : images.prefix} ${split}`;
      return await labelledFrom(images.bytes, labels.bytes, name);
    }
  }
  if (places.data !== undefined && await isFile(places.data)) {
    throw new Error(`digits are read from a folder with MNIST's files, got the file "${places.data}"`);
  }
  const { images, labels } = MNIST_FILES[split];
  return await idxDataset(await findFile(images, places), await findFile(labels, places), `mnist ${split}`);
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((stat) => stat.isFile, () => false);
}

/**
 * A data set whose labels need not be 0 to 9: ten classes where they are, else as many as there are from the smallest label
 * to the largest. EMNIST's letters are labelled from 1, and its images lie on their sides.
 */
async function labelledFrom(images: Uint8Array, labels: Uint8Array, name: string): Promise<ImageDataset> {
  const { values } = readIdx(labels, `${name} labels`);
  const largest = values.reduce((most, label) => Math.max(most, label), 0);
  if (largest < 10) {
    const whole = await idxDataset(images, labels, name);
    return name.startsWith("emnist") ? { ...whole, images: transposed(whole) } : whole;
  }
  const smallest = values.reduce((least, label) => Math.min(least, label), 255);
  const classes = largest - smallest + 1;
  const whole = await idxDataset(images, labels, name, largest + 1);
  return {
    ...whole,
    classes,
    classNames: Array.from(
      { length: classes },
      (_, label) => classes === 26 ? String.fromCharCode(65 + label) : String(smallest + label),
    ),
    labels: whole.labels.map((label) => label - smallest),
    images: name.startsWith("emnist") ? transposed(whole) : whole.images,
  };
}

/** Images with rows and columns exchanged. */
function transposed({ count, shape: [height, width], images }: ImageDataset): Uint8Array {
  if (height !== width) throw new Error(`EMNIST's images are square, got ${height}×${width}`);
  return images.map((_, at) => {
    const pixel = at % (height * width);
    return images[at - pixel + (pixel % width) * width + Math.floor(pixel / width)];
  }).subarray(0, count * height * width);
}

/**
 * The uncompressed bytes of one file: of a given folder, else of the cache or a mirror. A folder of SCORE_SDE_DATA that lacks images
 * or labels is not asked for the others: they may be of another data set.
 */
export async function findFile(file: MnistFile, places: DataPlaces): Promise<Uint8Array> {
  const { data } = places;
  if (data !== undefined && data !== "") {
    const found = await readFrom([`${data}/mnist`, data], file.name);
    if (found !== undefined) return found;
    throw new Error(`no ${file.name}.gz or ${file.name} in ${data} or ${data}/mnist`);
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
  return await readPublished(published, places.cache ?? dataCacheFolder("mnist"), places);
}

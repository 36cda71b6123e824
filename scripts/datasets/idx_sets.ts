/**
 * Data sets in MNIST's format that have a name: where their files are kept, and what their classes are called.
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { loadMnist } from "./mnist.ts";

/** A data set by its name. */
interface IdxSet {
  /** Names of its folder below that of all data, torchvision's first. */
  readonly folders: readonly string[];
  /** Names of its classes; absent where labels are numbers or letters. */
  readonly classNames?: readonly string[];
}

const SETS: Readonly<Record<string, IdxSet>> = {
  "fashion-mnist": {
    folders: ["FashionMNIST", "fashion-mnist", "fashion_mnist", "fashionmnist"],
    classNames: [
      ..."T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot".split(","),
    ],
  },
  kmnist: {
    folders: ["KMNIST", "kmnist", "kuzushiji-mnist"],
    classNames: [..."o,ki,su,tsu,na,ha,ma,ya,re,wo".split(",")],
  },
  ...Object.fromEntries(
    ["letters", "digits", "mnist", "balanced", "bymerge", "byclass"].map((split) => [
      `emnist-${split}`,
      { folders: [`emnist-${split}`, "EMNIST", "emnist", "gzip"] },
    ]),
  ),
};

/** Names of the data sets. */
export const idxSetNames: readonly string[] = Object.keys(SETS);

/**
 * The training images of a named data set, from the folder that SCORE_SDE_DATA names.
 * @throws {Error} with one sentence that says where the files are looked for
 */
export async function loadIdxSet(name: string): Promise<ImageDataset> {
  const all = Deno.env.get("SCORE_SDE_DATA");
  const { folders } = SETS[name];
  if (all === undefined || all === "") {
    throw new Error(`--data ${name} is looked for in the folder that SCORE_SDE_DATA names, which is not set`);
  }
  for (const folder of folders) {
    const path = `${all}/${folder}`;
    if (!await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) continue;
    return named(await loadMnist("train", { data: path, prefix: prefixOf(name) }), name);
  }
  throw new Error(`"${all}" has no folder ${folders.join(", ")} with the files of ${name}`);
}

/** The data set of a folder with the names that it has where the path says which one it is, such as FashionMNIST/raw. */
export function namedByPath(dataset: ImageDataset, folder: string): ImageDataset {
  const path = resolve(folder);
  for (const part of [basename(path), basename(dirname(path))]) {
    for (const [name, { folders, classNames }] of Object.entries(SETS)) {
      if (classNames !== undefined && folders.includes(part)) return named(dataset, name);
    }
  }
  return dataset;
}

function prefixOf(name: string): string | undefined {
  return name.startsWith("emnist-") ? name : undefined;
}

function named(dataset: ImageDataset, name: string): ImageDataset {
  const { classNames } = SETS[name];
  return {
    ...dataset,
    name: `${name} train`,
    ...classNames !== undefined && classNames.length === dataset.classes && { classNames },
  };
}

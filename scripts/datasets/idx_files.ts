/**
 * Files in MNIST's format under the names that people have them: with a dash or a dot before idx, gzipped or not, with a
 * prefix (emnist-letters-…), in a folder of the file's own name (Kaggle) or in MNIST/raw (torchvision).
 * @module
 */
import { MNIST_FILES, type MnistSplit } from "../../src/data/mnist.ts";
import { gunzip } from "../../src/data/gzip.ts";
import { readWhole } from "../cli/files.ts";

/** What the files of a split are called, after a prefix. */
const NAMES: Readonly<Record<MnistSplit, Readonly<Record<"images" | "labels", RegExp>>>> = {
  train: {
    images: /^(.*-)?train-images[-.]idx3-ubyte(\.gz)?$/,
    labels: /^(.*-)?train-labels[-.]idx1-ubyte(\.gz)?$/,
  },
  test: {
    images: /^(.*-)?(t10k|test)-images[-.]idx3-ubyte(\.gz)?$/,
    labels: /^(.*-)?(t10k|test)-labels[-.]idx1-ubyte(\.gz)?$/,
  },
};

/** A file that was found, uncompressed. */
interface IdxFile {
  readonly bytes: Uint8Array;
  /** What its name begins with before "train" or "t10k", such as "emnist-letters"; empty for MNIST's own. */
  readonly prefix: string;
}

/**
 * The images or labels of a split, of a data set's prefix where one is given, in a folder or where data sets keep them below it; null where there are none.
 * @throws {Error} when a folder has those of several data sets, which are named
 */
export async function findIdx(
  folder: string,
  split: MnistSplit,
  part: "images" | "labels",
  prefix?: string,
): Promise<IdxFile | null> {
  const pattern = NAMES[split][part];
  const wanted = {
    test: (name: string) => pattern.test(name) && (prefix ?? prefixOf(name)) === prefixOf(name),
  };
  for (const below of ["/mnist", "", "/MNIST/raw", "/raw", "/FashionMNIST/raw", "/KMNIST/raw"]) {
    const names = await Array.fromAsync(Deno.readDir(folder + below), ({ name }) => name).catch(() => []);
    const found = names.filter((name) => wanted.test(name)).sort();
    const own = found.filter((name) => name.startsWith(MNIST_FILES[split][part].name.slice(0, 5)));
    const prefixes = new Set(found.map(prefixOf));
    if (own.length === 0 && prefixes.size > 1) {
      throw new Error(
        `"${folder}${below}" holds several data sets: ${
          [...prefixes].join(", ")
        }; put the one that is meant into a folder of its own`,
      );
    }
    const name = own[0] ?? found[0];
    if (name === undefined) continue;
    const path = `${folder}${below}/${name}`;
    const inside = (await Deno.stat(path)).isDirectory
      ? (await Array.fromAsync(Deno.readDir(path), (entry) => entry.name)).find((entry) => wanted.test(entry))
      : undefined;
    const file = inside === undefined ? path : `${path}/${inside}`;
    return { bytes: await gunzip(await readWhole(file), file), prefix: prefixOf(name) };
  }
  return null;
}

function prefixOf(name: string): string {
  return name.replace(/-?(train|t10k|test)-(images|labels)[-.]idx\d-ubyte(\.gz)?$/, "");
}

/**
 * The data that `--data` names.
 * @module
 */
import { basename, resolve } from "node:path";
import { createRng } from "../../src/compute/rng.ts";
import { CIFAR10_FILES } from "../../src/data/cifar10.ts";
import { colouredDigits } from "../../src/data/coloured_digits.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { proceduralDigits } from "../../src/data/digits.ts";
import type { Dataset } from "../../src/data/held_out.ts";
import { imageFolderDataset } from "../../src/data/image_folder.ts";
import { MNIST_FILES } from "../../src/data/mnist.ts";
import { resizedDataset } from "../../src/data/resized.ts";
import { isArrayFile, loadArrayFile } from "./array_file.ts";
import { loadCifar10 } from "./cifar10.ts";
import { integer, messageOf, text, toggle, UsageError } from "../cli/flags.ts";
import { abbreviateList, findPictures, imageFiles, MOST_PIXELS } from "./image_folder.ts";
import { ProgressBar } from "../cli/terminal.ts";
import { idxSetNames, loadIdxSet, namedByPath } from "./idx_sets.ts";
import { findIdx } from "./idx_files.ts";
import { loadMnist } from "./mnist.ts";

/** Data that have a name: drawn by this program, or published. */
const NAMED: Readonly<Record<string, () => ImageDataset | Promise<ImageDataset>>> = {
  "mnist": () => loadMnist("train"),
  "cifar10": () => loadCifar10("train"),
  "digits": () => proceduralDigits(20_000, createRng(0)),
  "coloured-digits": () => colouredDigits(40_000, createRng(0)),
  ...Object.fromEntries(idxSetNames.map((name) => [name, () => loadIdxSet(name)])),
};

/** Which data, and how pictures in a folder become images. */
export const trainingDataFlags = {
  data: text({
    help:
      "mnist, cifar10, digits or coloured-digits (drawn here, no download), fashion-mnist, kmnist or emnist-letters and its " +
      "sisters (in SCORE_SDE_DATA), or a folder: of MNIST's files, CIFAR-10's, or " +
      "PNG and JPEG pictures of up to 64 megapixels in folders named after their classes (default mnist)",
  }),
  size: integer({
    help: "scale images to this height and width; of a folder's pictures the middle square",
    min: 1,
    max: 1024,
  }),
  skipCorrupt: toggle({ help: "leave out pictures of a folder that cannot be read, and say which" }),
};

/** How pictures in a folder become images; other data are as they are. */
export interface FolderOptions {
  readonly size?: number;
  readonly skipCorrupt?: boolean;
  /** The shape of a resumed run's images: if they are square, their height is the default of `size`. */
  readonly resumedShape?: readonly number[];
}

/** The name of the data in the path of a run's folder. */
export function folderName(data: string, dataset: Dataset): string {
  return Object.hasOwn(NAMED, data) ? data : dataset.name.split(" ")[0];
}

/**
 * The data of a name, a folder or a file of numbers.
 * @param labels Of a file of numbers, where its classes are.
 * @throws {Error} with one sentence, when they cannot be loaded
 */
export async function loadData(
  data: string,
  labels: string | undefined,
  options: FolderOptions = {},
): Promise<Dataset> {
  if (Object.hasOwn(NAMED, data) || !isArrayFile(data)) {
    if (labels === undefined) return await loadTrainingData(data, options);
    throw new UsageError(`--labels is for a .npy or .csv file, got --data ${data}`);
  }
  if (options.skipCorrupt) {
    throw new UsageError(`--skip-corrupt is for a folder of pictures, got --data ${data}`);
  }
  const dataset = await loadArrayFile(data, labels);
  const { size } = options;
  if (size === undefined || String(dataset.shape.slice(0, 2)) === String([size, size])) return dataset;
  if (!("values" in dataset)) return resizedDataset(dataset, size);
  throw new UsageError(`--size is for pictures and images of bytes, got --data ${data}`);
}

/**
 * The training images of a name or a folder.
 * @throws {Error} with one sentence, when they cannot be loaded
 */
export async function loadTrainingData(data: string, options: FolderOptions = {}): Promise<ImageDataset> {
  if (!(Object.hasOwn(NAMED, data)) && await kindOf(data) === "images") {
    return await loadImages(data, options);
  }
  if (options.skipCorrupt) {
    throw new UsageError(`--skip-corrupt is for a folder of pictures, got --data ${data}`);
  }
  const whole = Object.hasOwn(NAMED, data)
    ? await NAMED[data]()
    : await kindOf(data) === "cifar10"
    ? await loadCifar10("train", { data })
    : namedByPath(await loadMnist("train", { data }), data);
  const { size, resumedShape: [height, width] = [] } = options;
  const wanted = size ?? (height === width ? height : undefined);
  return wanted === undefined || (whole.shape[0] === wanted && whole.shape[1] === wanted)
    ? whole
    : resizedDataset(whole, wanted);
}

/** What a folder holds, by the files that are in it: pictures unless they are MNIST's or CIFAR-10's. */
async function kindOf(folder: string): Promise<"mnist" | "cifar10" | "images"> {
  const names = new Set<string>();
  for (const within of ["", "/mnist", "/cifar-10-batches-bin"]) {
    try {
      for await (const { name } of Deno.readDir(folder + within)) names.add(name.replace(/\.gz$/, ""));
    } catch (error) {
      if (within === "") {
        const known = Object.keys(NAMED).join(", ");
        throw new Error(
          `--data must be ${known}, a folder, or a file of numbers that ends in .npy, .csv, .tsv or .txt, got "${folder}" (${
            messageOf(error)
          })`,
        );
      }
    }
  }
  if (names.has(MNIST_FILES.train.images.name) || names.has(MNIST_FILES.train.labels.name)) return "mnist";
  if (await findIdx(folder, "train", "images") !== null) return "mnist";
  return CIFAR10_FILES.train.some((name) => names.has(name)) ? "cifar10" : "images";
}

async function loadImages(folder: string, options: FolderOptions): Promise<ImageDataset> {
  const { skipCorrupt, resumedShape: [height, width] = [] } = options;
  const size = options.size ?? (height === width ? height : undefined);
  const { paths, others, unreachable, runs } = await findPictures(folder);
  if (runs.length > 0) {
    console.error(`left out of "${folder}", as a training run writes there: ${abbreviateList(runs)}`);
  }
  for (
    const [problem, left] of [
      [others, "in formats that are not read (PNG and JPEG are)"],
      [unreachable, "whose names are not UTF-8, or which are links to nothing"],
    ] as const
  ) {
    if (problem.length === 0) continue;
    const words = `"${folder}" has ${problem.length} files ${left}: ${abbreviateList(problem)}`;
    if (!skipCorrupt) throw new Error(`${words}: convert or remove them, or --skip-corrupt`);
    console.error(`skipped: ${words}`);
  }
  if (paths.length === 0) {
    throw new Error(`"${folder}" holds no PNG or JPEG picture, and no file of MNIST or CIFAR-10`);
  }
  const name = basename(resolve(folder)).replaceAll(/\s/g, "-");
  try {
    using bar = new ProgressBar({ label: `reading ${name}`, total: paths.length, unit: "pictures" });
    return await imageFolderDataset(imageFiles(folder, paths), {
      size,
      name,
      most: MOST_PIXELS,
      onProgress: (files: number) => bar.update(files),
      ...skipCorrupt && { onCorrupt: (problem: string) => bar.print(`skipped ${problem}`) },
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const hint = size === undefined && /must be alike/.test(error.message)
      ? ": give --size"
      : /not a complete|begins like|can hold|megapixels/.test(error.message)
      ? ": remove it, or --skip-corrupt"
      : "";
    throw new Error(`"${folder}": ${error.message}${hint}`);
  }
}

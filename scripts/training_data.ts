/**
 * The data that `--data` names.
 * @module
 */
import { createRng } from "../src/compute/rng.ts";
import { colouredDigits } from "../src/data/coloured_digits.ts";
import type { ImageDataset } from "../src/data/dataset.ts";
import { proceduralDigits } from "../src/data/digits.ts";
import { loadMnist } from "./mnist_files.ts";

/** Data that this program draws itself. */
const DRAWN: Readonly<Record<string, () => ImageDataset>> = {
  "digits": () => proceduralDigits(20_000, createRng(0)),
  "coloured-digits": () => colouredDigits(40_000, createRng(0)),
};

/** What stands for the data in the name of a folder. */
export function nameOfData(data: string): string {
  return data in DRAWN ? data : "mnist";
}

/**
 * The training images that a name or a folder stands for.
 * @throws {Error} with one sentence, when they cannot be had
 */
export async function loadTrainingData(data: string): Promise<ImageDataset> {
  return DRAWN[data]?.() ?? await loadMnist("train", data === "mnist" ? {} : { data });
}

/** A few digits in the stead of MNIST's, and folders of them under MNIST's names. @module */
import { createRng } from "../../src/compute/rng.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { proceduralDigits } from "../../src/data/digits.ts";
import { writeIdx } from "./file_writers.ts";

/** Training and test digits, as many as are given. */
export function smallMnist(
  counts: { readonly train: number; readonly test: number },
): { readonly train: ImageDataset; readonly test: ImageDataset } {
  return {
    train: { ...proceduralDigits(counts.train, createRng(1)), name: "mnist train" },
    test: { ...proceduralDigits(counts.test, createRng(2)), name: "mnist test" },
  };
}

/** Writes digits under the names that MNIST's files have. */
export async function writeMnist(folder: string, sets: ReturnType<typeof smallMnist>): Promise<void> {
  for (const [split, prefix] of [["train", "train"], ["test", "t10k"]] as const) {
    const { images, labels, count } = sets[split];
    const pixels = writeIdx({ shape: [count, 28, 28], values: images });
    await Deno.writeFile(`${folder}/${prefix}-images-idx3-ubyte`, pixels);
    await Deno.writeFile(
      `${folder}/${prefix}-labels-idx1-ubyte`,
      writeIdx({ shape: [count], values: labels }),
    );
  }
}

/** Digits in the place of MNIST's files, for claims about tasks. @module */
import type { ImageDataset } from "../../src/data/dataset.ts";
import { MNIST_FILES, type MnistSplit } from "../../src/data/mnist.ts";
import { writeIdx } from "./file_writers.ts";

/** Writes images and labels as the files of one of MNIST's splits into a folder. */
export async function writeMnist(folder: string, split: MnistSplit, digits: ImageDataset): Promise<void> {
  const { images, labels } = MNIST_FILES[split];
  const shape = [digits.count, ...digits.shape.slice(0, 2)];
  await Deno.writeFile(`${folder}/${images.name}`, writeIdx({ shape, values: digits.images }));
  await Deno.writeFile(
    `${folder}/${labels.name}`,
    writeIdx({ shape: [digits.count], values: digits.labels }),
  );
}

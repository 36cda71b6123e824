/** CIFAR-10 from the bytes of its binary version. @module */
import type { ImageDataset } from "./dataset.ts";
import { gunzip } from "./gzip.ts";
import { requireArray, requireBytes, requireOptions, requireText } from "../input/require.ts";

/** Names of the files with the 50,000 training images and the 10,000 test images, 10,000 images each. */
export const CIFAR10_FILES: Readonly<Record<"train" | "test", readonly string[]>> = {
  train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  test: ["test_batch.bin"],
};

/** The archive that holds the files, in the folder `cifar-10-batches-bin`, and the SHA-256 of its packed bytes. */
export const CIFAR10_ARCHIVE = {
  name: "cifar-10-binary.tar.gz",
  sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
} as const;

/** Public folders that hold the archive. */
export const CIFAR10_MIRRORS: readonly string[] = [
  "https://www.cs.toronto.edu/~kriz/",
  "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
];

/** The names of the classes, in the order of labels. */
const CIFAR10_CLASSES: readonly string[] = [
  ..."airplane automobile bird cat deer dog frog horse ship truck".split(" "),
];

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

/**
 * A data set from the bytes of one or several files, plain or gzipped, one after the other. A file is records of 3073
 * bytes: the label, then 32×32 red, green and blue values, each plane row by row; a file may have any whole number of
 * records, so parts of the published ones are read too.
 *
 * @param files The whole files; `name` is a file's name in errors.
 * @returns [N, 32, 32, 3], red, green and blue of each pixel beside each other.
 * @param most The most bytes that a gzipped file may hold; by default as many as `gunzip` allows.
 * @throws {RangeError} When there is no file, one is empty, is cut in the middle of a record, or has a label above 9.
 */
export async function cifar10Dataset(
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  name = "cifar10",
  most?: number,
): Promise<ImageDataset> {
  requireArray("files", files);
  requireText("name", name);
  if (files.length === 0) throw new RangeError(`${name}: there are no files`);
  for (const file of files) {
    requireOptions("a file", file);
    requireText("the name of a file", file.name);
    requireBytes(file.name, file.bytes);
  }
  const plain = await Promise.all(files.map(async (file) => {
    const bytes = await gunzip(file.bytes, file.name, most);
    checkRecords(bytes, file.name);
    return bytes;
  }));
  const count = plain.reduce((sum, bytes) => sum + bytes.length / RECORD, 0);
  const images = new Uint8Array(count * 3 * PLANE);
  const labels = new Uint8Array(count);
  let image = 0;
  for (const bytes of plain) {
    for (let start = 0; start < bytes.length; start += RECORD, image++) {
      labels[image] = bytes[start];
      const to = image * 3 * PLANE;
      for (let pixel = 0; pixel < PLANE; pixel++) {
        for (let c = 0; c < 3; c++) images[to + 3 * pixel + c] = bytes[start + 1 + c * PLANE + pixel];
      }
    }
  }
  return {
    name,
    count,
    shape: [SIDE, SIDE, 3],
    classes: CIFAR10_CLASSES.length,
    classNames: CIFAR10_CLASSES,
    images,
    labels,
  };
}

function checkRecords(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) throw new RangeError(`${name}: 0 bytes, where a record has ${RECORD}`);
  const rest = bytes.length % RECORD;
  if (rest !== 0) {
    const whole = (bytes.length - rest) / RECORD;
    throw new RangeError(
      `${name}: truncated, ${bytes.length} bytes are ${whole} records of ${RECORD} and ${rest} bytes more`,
    );
  }
  for (let start = 0; start < bytes.length; start += RECORD) {
    if (bytes[start] >= CIFAR10_CLASSES.length) {
      throw new RangeError(
        `${name}: record ${start / RECORD}, at byte ${start}, has the label ${
          bytes[start]
        }, allowed are 0 to ` +
          `${CIFAR10_CLASSES.length - 1}`,
      );
    }
  }
}

/** MNIST from the bytes of its IDX files. @module */
import { quotedShape } from "../input/quoted.ts";
import type { ImageDataset } from "./dataset.ts";
import { gunzip } from "./gzip.ts";
import { readIdx } from "./idx.ts";
import { requireBytes, requireText, requireWhole } from "../input/require.ts";

/** The two parts of MNIST: 60,000 training and 10,000 test images. */
export type MnistSplit = "train" | "test";

/** One file of MNIST, which is distributed with `.gz` appended to its name. */
export interface MnistFile {
  /** The name without `.gz`. */
  readonly name: string;
  /** SHA-256 of the uncompressed bytes, in hexadecimal; how they were compressed does not matter. */
  readonly sha256: string;
}

/** Image and label file of each split. */
export const MNIST_FILES: Readonly<Record<MnistSplit, { images: MnistFile; labels: MnistFile }>> = {
  train: {
    images: {
      name: "train-images-idx3-ubyte",
      sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    labels: {
      name: "train-labels-idx1-ubyte",
      sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
  },
  test: {
    images: {
      name: "t10k-images-idx3-ubyte",
      sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    labels: {
      name: "t10k-labels-idx1-ubyte",
      sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
};

/** Public folders that hold the four files, each name with `.gz` appended. */
export const MNIST_MIRRORS: readonly string[] = [
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
  "https://storage.googleapis.com/cvdf-datasets/mnist/",
];

/**
 * A data set from an IDX image file and its label file, plain or gzipped.
 *
 * @param images IDX of shape [N, rows, columns].
 * @param labels IDX of shape [N], values below `classes`.
 * @throws {RangeError} When either is damaged or has another shape, or their counts differ.
 */
export async function idxDataset(
  images: Uint8Array,
  labels: Uint8Array,
  name = "mnist",
  classes = 10,
): Promise<ImageDataset> {
  requireBytes("images", images);
  requireBytes("labels", labels);
  requireText("name", name);
  requireWhole("classes", classes, 1, 256);
  const pictures = readIdx(await gunzip(images, `${name} images`), `${name} images`);
  const answers = readIdx(await gunzip(labels, `${name} labels`), `${name} labels`);
  if (pictures.shape.length !== 3) {
    throw new RangeError(
      `${name} images: expected the shape [count, rows, columns], got ${quotedShape(pictures.shape)}`,
    );
  }
  if (pictures.values.length === 0) {
    throw new RangeError(`${name} images: the shape ${quotedShape(pictures.shape)} has no pixels`);
  }
  if (answers.shape.length !== 1 || answers.shape[0] !== pictures.shape[0]) {
    throw new RangeError(
      `${name}: labels of shape ${quotedShape(answers.shape)} do not belong to ${pictures.shape[0]} images`,
    );
  }
  const wrong = answers.values.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new RangeError(
      `${name} labels: label ${wrong} is ${answers.values[wrong]}, allowed are 0 to ${classes - 1}`,
    );
  }
  const [count, height, width] = pictures.shape;
  return {
    name,
    count,
    shape: [height, width, 1],
    classes,
    images: pictures.values,
    labels: answers.values,
  };
}

/** MNIST's four files by the names under which they are published. http://yann.lecun.com/exdb/mnist/ @module */

/** The names without .gz, by split. */
export const mnistFiles = {
  train: { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
  test: { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
} as const;

/**
 * Functions for tracing on images whose channels fill blocks of a runtime's fastest kernels, alone and beside images that are
 * stored otherwise.
 * @module
 */
import { groupNorm } from "../../src/compute/group_norm.ts";
import * as tf from "../../src/compute/tf.ts";
import { fromConvolution, type TraceCase } from "./trace_case.ts";

const image = [3, 5, 4, 32];
const filter = [3, 3, 32, 32];

function normalization(rows: number, groups: number, activation: "silu" | "none"): TraceCase {
  return {
    name: `group norm of blocks in ${groups} groups, ${rows} rows of scales, ${activation}`,
    shapes: [image, [rows, 32], [rows, 32]],
    apply: (x, scale, offset) =>
      fromConvolution(
        groupNorm(fromConvolution(x), scale as tf.Tensor2D, offset as tf.Tensor2D, groups, activation),
      ),
  };
}

function transposed(
  shape: number[],
  filter: number[],
  size: readonly [number, number],
  strides: number | [number, number],
  pad: "same" | "valid",
): TraceCase {
  return {
    name: `conv2dTranspose of [${shape}] with [${filter}] to ${size}, strides ${strides}, ${pad}`,
    shapes: [shape, filter],
    apply: (x, w) =>
      tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [shape[0], ...size, filter[2]], strides, pad),
  };
}

/** Operations on blocks. */
export const blocks: TraceCase[] = [
  normalization(1, 8, "silu"),
  normalization(3, 2, "silu"),
  normalization(3, 1, "none"),
  normalization(1, 32, "none"),
  {
    name: "a residual sum",
    shapes: [image, filter],
    apply: (x, w) => {
      const start = fromConvolution(x);
      return tf.add(tf.conv2d(tf.sigmoid(start), w as tf.Tensor4D, 1, "same"), start);
    },
  },
  {
    name: "sums of convolutions that are used again",
    shapes: [image, filter],
    apply: (x, w) => {
      const h = tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
      const twice = tf.add(h, h);
      return [tf.mul(tf.add(h, fromConvolution(x)), h), twice, tf.add(twice, x)];
    },
  },
  {
    name: "arithmetic with numbers, channels, samples and other storage",
    shapes: [image, [32], [3, 1, 1, 32], [5, 4, 1], image],
    apply: (x, perChannel, perSample, perPixel, plain) => {
      const y = fromConvolution(x);
      const shifted = tf.add(perSample, tf.add(y, perChannel));
      return [
        tf.mul(tf.add(tf.mul(shifted, 1.5), tf.scalar(2)), y),
        tf.add(y, perPixel),
        tf.sub(plain, y),
        tf.mul(y, perChannel),
        tf.add(y, tf.ones([1, 1, 1, 32])),
      ];
    },
  },
  {
    name: "images of one channel with numbers of each sample",
    shapes: [[3, 5, 4, 1], [3, 1, 1, 1]],
    apply: (x, perSample) => tf.add(tf.mul(x, perSample), tf.square(x)),
  },
  {
    name: "joined with blocks and without",
    shapes: [image, [3, 5, 4, 16], [3, 5, 4, 3]],
    apply: (a, b, c) => {
      const both = tf.concat([fromConvolution(a), fromConvolution(b)], 3);
      return [fromConvolution(both), tf.concat([both, c], 3), tf.concat([fromConvolution(a), a], 1)];
    },
  },
  {
    name: "enlarged",
    shapes: [image],
    apply: (x) => fromConvolution(tf.image.resizeNearestNeighbor(fromConvolution(x), [10, 12])),
    // The cpu backend's gradient is wrong for more than one image.
    reference: "wasm",
  },
  {
    name: "cut out",
    shapes: [image],
    apply: (x) => {
      const y = fromConvolution(x);
      return [
        fromConvolution(tf.slice(y, [1, 2, 1, 16], [2, 2, 3, 16])),
        tf.slice(y, [0, 1, 0, 16], [2, 3, 4, 8]),
        ...tf.split(y, [16, 16], 3),
        ...tf.split(y, [20, 12], 3),
        ...tf.split(y, [2, 3], 1),
        tf.reverse(y, [1]),
      ];
    },
  },
  {
    name: "sums over pixels",
    shapes: [image],
    apply: (x) => {
      const y = fromConvolution(x);
      return [tf.sum(y, [1, 2]), tf.sum(y, [1, 2], true), tf.sum(y, [1])];
    },
  },
  transposed([3, 4, 5, 6], [3, 3, 16, 6], [8, 10], 2, "same"),
  transposed([3, 4, 5, 32], [3, 3, 32, 32], [10, 12], 2, "valid"),
  transposed([3, 4, 5, 16], [3, 3, 16, 16], [9, 11], 2, "valid"),
  transposed([2, 3, 3, 16], [4, 5, 16, 16], [9, 6], [3, 2], "same"),
  transposed([2, 3, 3, 16], [1, 1, 16, 16], [5, 6], 2, "valid"),
  transposed([3, 6, 5, 32], [3, 3, 1, 32], [8, 7], 1, "valid"),
  transposed([3, 4, 5, 16], [3, 3, 2, 16], [10, 12], 2, "valid"),
  transposed([3, 4, 5, 16], [3, 3, 2, 16], [7, 10], 2, "same"),
];

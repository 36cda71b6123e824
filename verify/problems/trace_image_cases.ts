/**
 * Functions for tracing that move, convolve, pool or normalize images, at odd shapes.
 * @module
 */
import { groupNorm } from "../../src/compute/group_norm.ts";
import * as tf from "../../src/compute/tf.ts";
import { fromConvolution, type TraceCase } from "./trace_case.ts";

const image = [2, 4, 6, 5];
const images = [image];
const odd = [3, 5, 7];

/** Moving elements. */
export const movement: TraceCase[] = [
  {
    name: "reshape of an image",
    shapes: images,
    apply: (x) => {
      const y = fromConvolution(x);
      const shapes = [[2, 24, 5], [8, 6, 5], [2, 4, 6, 1, 5], [2, 2, 2, 6, 5], [48, 5], [240], [2, 1, 4, 30]];
      return shapes.map((shape) => tf.mul(tf.reshape(y, shape), 1.5));
    },
  },
  {
    name: "pixels folded and unfolded",
    shapes: images,
    apply: (x) => {
      const cells = tf.transpose(tf.reshape(fromConvolution(x), [2, 2, 2, 3, 2, 5]), [0, 1, 3, 2, 4, 5]);
      return tf.reshape(cells, [2, 2, 3, 20]);
    },
  },
  { name: "transpose", shapes: images, apply: (x) => tf.transpose(fromConvolution(x), [3, 1, 0, 2]) },
  {
    name: "expandDims and squeeze",
    shapes: images,
    apply: (x) => tf.expandDims(tf.mean(fromConvolution(x), 1, true), -1),
  },
  { name: "slice", shapes: images, apply: (x) => tf.slice(fromConvolution(x), [0, 1, 2, 0], [-1, 2, 3, 4]) },
  {
    name: "strided slice",
    shapes: images,
    apply: (x) => tf.stridedSlice(fromConvolution(x), [1, 3, 0, 4], [2, 0, 5, 0], [1, -1, 2, -2]),
    differentiable: false,
  },
  {
    name: "pad",
    shapes: images,
    apply: (x) => tf.pad(fromConvolution(x), [[0, 1], [2, 0], [1, 1], [0, 3]], 0.5),
  },
  {
    name: "mirrorPad",
    shapes: images,
    apply: (x) => tf.mirrorPad(fromConvolution(x), [[0, 0], [2, 1], [1, 2], [0, 0]], "reflect"),
    differentiable: false,
  },
  { name: "concat", shapes: [image, [2, 4, 6, 3]], apply: (a, b) => tf.concat([fromConvolution(a), b], 3) },
  { name: "split", shapes: images, apply: (x) => tf.split(fromConvolution(x), [1, 3, 1], 3) },
  { name: "stack", shapes: [odd, odd], apply: (a, b) => tf.stack([a, b], 1) },
  { name: "unstack", shapes: images, apply: (x) => tf.unstack(fromConvolution(x), 2) },
  { name: "tile", shapes: images, apply: (x) => tf.tile(fromConvolution(x), [1, 2, 1, 3]) },
  { name: "reverse", shapes: images, apply: (x) => tf.reverse(fromConvolution(x), [1, 3]) },
  {
    name: "gather",
    shapes: images,
    apply: (x) => tf.gather(fromConvolution(x), tf.tensor1d([3, 0, 3], "int32"), 1),
  },
  { name: "broadcastTo", shapes: [[4, 1, 5]], apply: (x) => tf.broadcastTo(x, [2, 4, 6, 5]) },
  {
    name: "made from nothing",
    shapes: [[4]],
    apply: (x) => {
      const labels = tf.cast(tf.range(0, 4), "int32");
      return [
        tf.mul(x, tf.oneHot(labels, 6).toFloat().sum(1)),
        tf.mul(x, tf.linspace(0, 1, 4)),
        tf.fill([2, 3], 0.5),
        tf.zeros([2]),
        tf.ones([2, 2]),
        tf.oneHot(labels, 6, 2, -1),
      ];
    },
  },
  {
    name: "depthToSpace",
    shapes: [[2, 3, 5, 8]],
    apply: (x) => tf.depthToSpace(x as tf.Tensor4D, 2),
    differentiable: false,
  },
];

function convolution(
  shape: number[],
  filter: number[],
  stride: number,
  pad: "same" | "valid" | number,
  dilation = 1,
): TraceCase {
  return {
    name: `conv2d of [${shape}] with [${filter}], stride ${stride}, pad ${pad}, dilation ${dilation}`,
    shapes: [shape, filter],
    // Behind it another convolution, so that its gradient comes in the storage order of convolutions.
    apply: (x, w) =>
      fromConvolution(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, "NHWC", dilation)),
    differentiable: dilation === 1,
  };
}

/** Convolving, pooling and resizing. */
export const convolutions: TraceCase[] = [
  convolution([3, 5, 7, 2], [3, 3, 2, 4], 1, "same"),
  convolution([3, 5, 7, 2], [3, 2, 2, 4], 1, "valid"),
  convolution([3, 6, 7, 2], [5, 2, 2, 4], 1, "same"),
  convolution([2, 7, 6, 16], [5, 2, 16, 3], 2, "same"),
  convolution([3, 8, 6, 5], [3, 3, 5, 7], 2, "same"),
  convolution([3, 7, 9, 5], [3, 3, 5, 7], 2, 1),
  convolution([3, 7, 8, 5], [2, 3, 5, 7], 2, "valid"),
  convolution([2, 9, 8, 3], [3, 3, 3, 4], 1, "same", 2),
  convolution([5, 4, 4, 6], [1, 1, 6, 3], 1, "same"),
  convolution([5, 5, 4, 6], [1, 1, 6, 3], 2, "valid"),
  // Full, partly filled and several blocks of channels and batches.
  convolution([16, 6, 5, 16], [3, 3, 16, 32], 1, "same"),
  convolution([20, 6, 5, 20], [3, 3, 20, 24], 1, "same"),
  convolution([32, 6, 6, 32], [3, 3, 32, 16], 2, "same"),
  convolution([17, 6, 6, 3], [3, 3, 3, 33], 1, "same"),
  convolution([16, 4, 4, 32], [1, 1, 32, 48], 1, "same"),
  {
    name: "conv2dTranspose",
    shapes: [[3, 4, 5, 6], [3, 3, 4, 6]],
    apply: (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [3, 8, 10, 4], 2, "same"),
  },
  {
    name: "fused conv2d",
    shapes: [[3, 5, 7, 2], [3, 3, 2, 4], [4]],
    apply: (x, filter, bias) =>
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 1,
        pad: "same",
        bias,
        activation: "elu",
      }),
    differentiable: false,
  },
  {
    name: "pooling",
    shapes: [[2, 6, 4, 5]],
    apply: (x) =>
      tf.add(tf.avgPool(x as tf.Tensor4D, 2, 2, "valid"), tf.maxPool(x as tf.Tensor4D, 2, 2, "valid")),
  },
  {
    name: "pooling over the edge",
    shapes: [[2, 7, 5, 3]],
    apply: (x) => [tf.avgPool(x as tf.Tensor4D, 3, 2, "same"), tf.maxPool(x as tf.Tensor4D, 3, 1, "same")],
    differentiable: false,
  },
  {
    name: "overlapping maxima",
    shapes: [[2, 7, 5, 3]],
    apply: (x) => tf.maxPool(x as tf.Tensor4D, 3, 2, "valid"),
  },
  {
    name: "nearest neighbours",
    shapes: [[3, 4, 5, 2]],
    apply: (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [8, 15]),
    // The cpu backend's gradient is wrong for more than one image.
    reference: "wasm",
  },
];

function normalization(
  shape: number[],
  rows: number,
  groups: number,
  activation: "silu" | "none",
): TraceCase {
  return {
    name: `group norm of [${shape}] in ${groups} groups, ${rows} rows of scales, ${activation}`,
    shapes: [shape, [rows, shape[3]], [rows, shape[3]]],
    apply: (x, scale, offset) =>
      groupNorm(x as tf.Tensor4D, scale as tf.Tensor2D, offset as tf.Tensor2D, groups, activation),
  };
}

/** Normalizing. */
export const normalizations: TraceCase[] = [
  normalization([3, 5, 7, 6], 1, 3, "silu"),
  normalization([3, 5, 7, 6], 3, 2, "silu"),
  normalization([2, 3, 3, 4], 2, 4, "none"),
  normalization([1, 4, 4, 8], 1, 1, "none"),
];

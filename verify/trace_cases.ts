/**
 * Small functions of tensors that together use every kernel that can be traced, at odd shapes.
 * @module
 */
import { groupNorm } from "../src/compute/group_norm.ts";
import * as tf from "../src/compute/tf.ts";

/** A function to be held against its eager self. */
export interface TraceCase {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly apply: (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Values are uniform in this interval; (−2, 2) by default. */
  readonly interval?: readonly [number, number];
  /** Whether the gradient is held too; it is that of a weighted sum of the first output. */
  readonly differentiable?: boolean;
  /** Who computes eagerly: cpu, except where its kernel is absent or wrong. */
  readonly reference?: "cpu" | "wasm";
}

/** 1×1 convolution that leaves its image as it is, so that what follows meets the storage order of convolutions. */
function fromConvolution(x: tf.Tensor): tf.Tensor4D {
  const channels = x.shape[3]!;
  const filter = tf.reshape(tf.eye(channels), [1, 1, channels, channels]) as tf.Tensor4D;
  return tf.conv2d(x as tf.Tensor4D, filter, 1, "same");
}

const odd = [3, 5, 7];
const image = [2, 4, 6, 5];
const images = [image];

function unary(
  names: readonly string[],
  interval?: readonly [number, number],
  differentiable = true,
): TraceCase[] {
  const operations = tf as unknown as Record<string, (x: tf.Tensor) => tf.Tensor>;
  return names.map((name) => ({
    name,
    shapes: [odd],
    apply: (x) => operations[name](x),
    interval,
    differentiable,
  }));
}

function binary(
  names: readonly string[],
  interval?: readonly [number, number],
  differentiable = true,
): TraceCase[] {
  const operations = tf as unknown as Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor>;
  return names.flatMap((name) => [
    { name, shapes: [odd, odd], apply: (a, b) => operations[name](a, b), interval, differentiable },
    {
      name: `${name}, broadcast against an image`,
      shapes: [image, [6, 1], [5], []],
      apply: (a, b, c, d) => {
        const first = operations[name](fromConvolution(a), b).toFloat();
        return operations[name](operations[name](first, c).toFloat(), d);
      },
      interval,
      differentiable,
    },
  ]);
}

const INFINITE = () => tf.tensor([1, -2, 0, Infinity, -Infinity, NaN, 3], [7]);

const elementwise: TraceCase[] = [
  ...unary(["abs", "neg", "exp", "expm1", "square", "sin", "cos", "sinh", "cosh", "tanh", "atan", "erf"]),
  ...unary(["sigmoid", "softplus", "relu", "relu6", "elu", "selu", "leakyRelu", "step"]),
  ...unary(["sign", "floor", "ceil", "round", "zerosLike", "onesLike"], [-2, 2], false),
  ...unary(["log", "log1p", "sqrt", "rsqrt", "reciprocal"], [0.1, 3]),
  ...unary(["tan", "asin", "acos"], [-0.9, 0.9]),
  ...binary(["add", "sub", "mul"]),
  ...binary(["div", "pow"], [0.5, 1.5]),
  // TensorFlow.js' gradients of these do not broadcast.
  ...binary(["maximum", "minimum", "squaredDifference"], [-2, 2], false),
  {
    name: "gradients of extremes",
    shapes: [odd, odd],
    apply: (a, b) => [tf.maximum(a, b), tf.minimum(a, b)],
  },
  { name: "gradient of squared difference", shapes: [odd, odd], apply: (a, b) => tf.squaredDifference(a, b) },
  ...binary(["mod"], [0.3, 3], false),
  // The cpu backend makes integers of floats here.
  ...binary(["floorDiv"], [0.3, 3], false).map((c): TraceCase => ({ ...c, reference: "wasm" })),
  ...binary(["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"], [-2, 2], false),
  {
    name: "tiny expm1 and log1p",
    shapes: [odd],
    apply: (x) => [tf.expm1(x), tf.log1p(x)],
    interval: [-1e-6, 1e-6],
  },
  {
    name: "logical operations and choice",
    shapes: [odd, odd],
    apply: (a, b) => {
      const [p, q] = [tf.greater(a, 0), tf.greater(b, 0)];
      const mixed = tf.logicalAnd(tf.logicalOr(p, tf.logicalNot(q)), tf.logicalXor(p, q));
      return [tf.where(mixed, a, b), mixed, tf.any(mixed, 1), tf.all(p, 2)];
    },
    differentiable: false,
  },
  {
    name: "choice",
    shapes: [odd, odd],
    apply: (a, b) => {
      const even = tf.equal(tf.mod(tf.range(0, 7), tf.scalar(2)), 0);
      return tf.where(even, a, b);
    },
  },
  {
    name: "what is not finite",
    shapes: [[7]],
    apply: (x) => {
      const y = tf.add(x, INFINITE());
      return [tf.isNaN(y), tf.isInf(y), tf.isFinite(y), tf.log1p(INFINITE())];
    },
    differentiable: false,
  },
  {
    name: "integers",
    shapes: [odd],
    apply: (x) => {
      const n = tf.cast(tf.mul(x, 10), "int32");
      const three = tf.scalar(-3, "int32");
      return [
        n,
        tf.floorDiv(n, three),
        tf.mod(n, three),
        tf.sum(n, 1),
        tf.cast(n, "bool"),
        tf.maximum(n, three),
      ];
    },
    differentiable: false,
  },
  { name: "clip", shapes: [odd], apply: (x) => tf.clipByValue(x, -0.5, 0.7) },
  { name: "prelu", shapes: [odd, [7]], apply: (x, alpha) => tf.prelu(x, alpha) },
  { name: "many added", shapes: [odd, odd, odd], apply: (a, b, c) => tf.addN([a, b, c]) },
  { name: "one raised to 2", shapes: [odd], apply: (x) => tf.pow(x, tf.scalar(2)) },
];

const reductions: TraceCase[] = [
  ...["sum", "mean", "max", "min"].flatMap((name): TraceCase[] => {
    const reduce =
      (tf as unknown as Record<string, (x: tf.Tensor, axis?: number[], keep?: boolean) => tf.Tensor>)[name];
    return [
      { name, shapes: [odd], apply: (x) => [reduce(x, [1]), reduce(x, [0, 2], true), reduce(x)] },
      { name: `${name} of an image`, shapes: images, apply: (x) => reduce(fromConvolution(x), [1, 3]) },
    ];
  }),
  { name: "prod", shapes: [odd], apply: (x) => tf.prod(x, 1), differentiable: false },
  {
    name: "argMax and argMin",
    shapes: images,
    apply: (x) => [tf.argMax(fromConvolution(x), 2), tf.argMin(x, 3)],
    differentiable: false,
  },
  { name: "softmax", shapes: images, apply: (x) => tf.softmax(fromConvolution(x)) },
  { name: "logSoftmax", shapes: [odd], apply: (x) => tf.logSoftmax(x) },
  { name: "cumsum", shapes: images, apply: (x) => tf.cumsum(fromConvolution(x), 3, true) },
  {
    name: "cumsum along other axes",
    shapes: images,
    apply: (x) => [tf.cumsum(fromConvolution(x), 2), tf.cumsum(x, 1, true, true)],
    // TensorFlow.js' gradient is for the last axis only.
    differentiable: false,
  },
  ...[[false, false], [false, true], [true, false], [true, true]].map(([a, b]): TraceCase => ({
    name: `matMul${a ? " of a transposed" : ""}${b ? " with b transposed" : ""}`,
    shapes: [a ? [4, 7, 5] : [4, 5, 7], b ? [4, 3, 7] : [4, 7, 3], a ? [7, 5] : [5, 7]],
    apply: (x, y, z) => [
      tf.matMul(x, y, a, b),
      tf.matMul(z, tf.reshape(tf.slice(y, [1, 0, 0], [1, -1, -1]), y.shape.slice(1)), a, b),
    ],
  })),
  {
    name: "fused matMul",
    shapes: [[5, 7], [3, 7], [3]],
    apply: (a, b, bias) =>
      tf.fused.matMul({
        a: a as tf.Tensor2D,
        b: b as tf.Tensor2D,
        transposeB: true,
        bias,
        activation: "relu",
      }),
  },
];

const movement: TraceCase[] = [
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
    apply: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, "NHWC", dilation),
    differentiable: dilation === 1,
  };
}

const convolutions: TraceCase[] = [
  convolution([3, 5, 7, 2], [3, 3, 2, 4], 1, "same"),
  convolution([3, 5, 7, 2], [3, 2, 2, 4], 1, "valid"),
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

const normalizations: TraceCase[] = [
  normalization([3, 5, 7, 6], 1, 3, "silu"),
  normalization([3, 5, 7, 6], 3, 2, "silu"),
  normalization([2, 3, 3, 4], 2, 4, "none"),
  normalization([1, 4, 4, 8], 1, 1, "none"),
];

/** All cases, by what they are about. */
export const traceCases: Readonly<Record<string, readonly TraceCase[]>> = {
  "element-wise": elementwise,
  "reducing or multiplying": reductions,
  "moving": movement,
  "convolving or pooling": convolutions,
  "normalizing": normalizations,
};

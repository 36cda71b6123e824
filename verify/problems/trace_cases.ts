/**
 * Small functions of tensors that together use every kernel that can be traced, at odd shapes.
 * @module
 */
import * as tf from "../../src/compute/tf.ts";
import { fromConvolution, type TraceCase } from "./trace_case.ts";
import { blocks } from "./trace_block_cases.ts";
import { convolutions, movement, normalizations } from "./trace_image_cases.ts";

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
  {
    name: "operands that change nothing, and their places",
    shapes: [odd],
    apply: (x) => [tf.add(0, x), tf.sub(x, 0), tf.sub(0, x), tf.mul(1, x), tf.div(x, 1), tf.div(1, x)],
    interval: [0.5, 2],
  },
  {
    name: "one operation with two settings",
    shapes: [odd],
    apply: (x) => [tf.leakyRelu(x, 0.1), tf.leakyRelu(x, 0.3)],
  },
  {
    name: "a reduced image against the image",
    shapes: [image],
    apply: (x) => {
      const y = fromConvolution(x);
      return tf.mul(y, tf.mean(y, 0));
    },
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

/** All cases, by what they are about. */
export const traceCases: Readonly<Record<string, readonly TraceCase[]>> = {
  "element-wise": elementwise,
  "reducing or multiplying": reductions,
  "data movement": movement,
  "convolving or pooling": convolutions,
  "normalizing": normalizations,
  "channel-blocked": blocks,
};

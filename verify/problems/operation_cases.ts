/**
 * Every operation that the networks and their training use, in tensors and in float64, on small shapes with the
 * corners that matter: batches, odd sizes, channels that are no multiple of four.
 * @module
 */
import { groupNorm } from "../../src/compute/group_norm.ts";
import * as tf from "../../src/compute/tf.ts";
import {
  type Array64,
  at,
  convolve,
  convolveTransposed,
  map,
  multiply,
  normalizeGroups,
  silu,
  sizeOf,
  softmax,
  tabulate,
  zip,
} from "../reference/float64_operations.ts";

/** One operation on inputs of given shapes. */
export interface OperationCase {
  readonly kind: "convolution" | "normalization" | "rearrangement" | "attention" | "arithmetic";
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  /** The inputs are |z| + ½ in place of normal z. */
  readonly positive?: boolean;
  operation(...inputs: tf.Tensor[]): tf.Tensor;
  reference(...inputs: Array64[]): Array64;
}

const as4D = (x: tf.Tensor) => x as tf.Tensor4D;

function convolution(
  [height, width, from, to, size]: readonly number[],
  stride: number,
  padding: "same" | "valid",
): OperationCase {
  return {
    kind: "convolution",
    name: `convolution ${size}×${size} of ${height}×${width}, ${from} → ${to}, stride ${stride}, ${padding}`,
    shapes: [[2, height, width, from], [size, size, from, to]],
    operation: (x, filter) => tf.conv2d(as4D(x), as4D(filter), stride, padding),
    reference: (x, filter) => convolve(x, filter, stride, padding),
  };
}

function transposedConvolution(
  [height, width, from, to]: number[],
  shape: number[],
  stride: number,
): OperationCase {
  return {
    kind: "convolution",
    name: `transposed convolution 3×3 of ${height}×${width}, ${from} → ${to}, stride ${stride}, valid`,
    shapes: [[2, height, width, from], [3, 3, to, from]],
    operation: (x, filter) => {
      return tf.conv2dTranspose(
        as4D(x),
        as4D(filter),
        shape as [number, number, number, number],
        stride,
        "valid",
      );
    },
    reference: (x, filter) => convolveTransposed(x, filter, shape, stride, "valid"),
  };
}

function normalization(
  [height, width, channels, groups, rows]: number[],
  activation: "silu" | "none",
): OperationCase {
  return {
    kind: "normalization",
    name: `group norm of ${channels} channels in ${groups}, scale [${rows}, C], ${activation}`,
    shapes: [[3, height, width, channels], [rows, channels], [rows, channels]],
    operation: (x, scale, offset) =>
      groupNorm(as4D(x), scale as tf.Tensor2D, offset as tf.Tensor2D, groups, activation),
    reference: (x, scale, offset) => {
      const y = normalizeGroups(x, scale, offset, groups);
      return activation === "silu" ? map(y, silu) : y;
    },
  };
}

type Unary = [name: string, operation: (x: tf.Tensor) => tf.Tensor, reference: (value: number) => number];

function elementwise([name, operation, reference]: Unary, positive = false): OperationCase {
  return {
    kind: "arithmetic",
    name,
    shapes: [[3, 7]],
    positive,
    operation,
    reference: (x) => map(x, reference),
  };
}

type Binary = [name: string, operation: typeof tf.add, reference: (a: number, b: number) => number];

function broadcast(
  [name, operation, reference]: Binary,
  shape: readonly number[],
  positive = false,
): OperationCase {
  return {
    kind: "arithmetic",
    name: `${name} [2, 3, 3, 5] with [${shape}]`,
    shapes: [[2, 3, 3, 5], shape],
    positive,
    operation: (x, y) => operation(x, y),
    reference: (x, y) => {
      const aligned = { shape: [...Array(4 - shape.length).fill(1), ...shape], values: y.values };
      return zip(x, aligned, reference);
    },
  };
}

const add: Binary = ["add", tf.add, (a, b) => a + b];
const mul: Binary = ["multiply", tf.mul, (a, b) => a * b];

/** All of them. */
export const operationCases: readonly OperationCase[] = [
  convolution([5, 6, 3, 4, 3], 1, "same"),
  convolution([6, 4, 4, 8, 3], 2, "same"),
  convolution([7, 5, 3, 5, 3], 2, "same"),
  convolution([6, 5, 2, 3, 3], 1, "valid"),
  convolution([8, 7, 3, 4, 3], 2, "valid"),
  convolution([4, 3, 5, 6, 1], 1, "same"),
  transposedConvolution([3, 2, 4, 3], [2, 5, 4, 3], 1),
  transposedConvolution([3, 3, 4, 2], [2, 8, 7, 2], 2),
  normalization([3, 2, 8, 2, 1], "none"),
  normalization([2, 3, 8, 2, 3], "silu"),
  normalization([3, 3, 6, 3, 1], "silu"),
  normalization([2, 2, 9, 3, 3], "silu"),
  {
    kind: "rearrangement",
    name: "nearest upsampling by 2",
    shapes: [[3, 2, 3, 5]],
    operation: (x) => tf.image.resizeNearestNeighbor(as4D(x), [2 * x.shape[1]!, 2 * x.shape[2]!]),
    reference: (x) => {
      const [batch, height, width, channels] = x.shape;
      return tabulate([batch, 2 * height, 2 * width, channels], (b, i, j, c) => at(x, b, i >> 1, j >> 1, c));
    },
  },
  {
    kind: "rearrangement",
    name: "pixel unshuffle by 2",
    shapes: [[2, 4, 6, 3]],
    operation: (x) =>
      tf.transpose(tf.reshape(x, [2, 2, 2, 3, 2, 3]), [0, 1, 3, 2, 4, 5]).reshape([2, 2, 3, 12]),
    reference: (x) => {
      return tabulate([2, 2, 3, 12], (b, i, j, k) => {
        return at(x, b, 2 * i + Math.floor(k / 6), 2 * j + Math.floor(k / 3) % 2, k % 3);
      });
    },
  },
  {
    kind: "rearrangement",
    name: "concatenation of channels",
    shapes: [[2, 2, 3, 3], [2, 2, 3, 5]],
    operation: (x, y) => tf.concat([x, y], 3),
    reference: (x, y) =>
      tabulate([2, 2, 3, 8], (...[b, i, j, c]) => c < 3 ? at(x, b, i, j, c) : at(y, b, i, j, c - 3)),
  },
  {
    kind: "rearrangement",
    name: "the last of three parts, and a slice",
    shapes: [[2, 3, 9]],
    operation: (x) => tf.slice(tf.split(x, 3, 2)[2], [0, 1, 1], [2, 2, 2]),
    reference: (x) => tabulate([2, 2, 2], (b, i, j) => at(x, b, i + 1, j + 7)),
  },
  {
    kind: "rearrangement",
    name: "zeros around a vector, broadcast to rows",
    shapes: [[5]],
    operation: (x) => tf.broadcastTo(tf.pad1d(x as tf.Tensor1D, [1, 2]), [3, 8]),
    reference: (x) => tabulate([3, 8], (_, j) => j >= 1 && j <= 5 ? x.values[j - 1] : 0),
  },
  {
    kind: "attention",
    name: "matrix product",
    shapes: [[5, 7], [7, 6]],
    operation: (x, y) => tf.matMul(x as tf.Tensor2D, y as tf.Tensor2D),
    reference: (x, y) => {
      const product = multiply({ shape: [1, 5, 7], values: x.values }, {
        shape: [1, 7, 6],
        values: y.values,
      });
      return { shape: [5, 6], values: product.values };
    },
  },
  {
    kind: "attention",
    name: "softmax attention",
    shapes: [[2, 6, 5], [2, 6, 5], [2, 6, 5]],
    operation: (query, key, value) => tf.matMul(tf.softmax(tf.matMul(query, key, false, true)), value),
    reference: (query, key, value) => multiply(softmax(multiply(query, key, true)), value),
  },
  {
    kind: "attention",
    name: "log of softmax",
    shapes: [[1, 4, 6]],
    operation: (x) => tf.logSoftmax(x, 2),
    reference: (x) => map(softmax(x), Math.log),
  },
  broadcast(add, [2, 1, 1, 5]),
  broadcast(add, [5]),
  broadcast(mul, [2, 1, 1, 1]),
  broadcast(mul, [2, 3, 3, 5]),
  broadcast(["subtract", tf.sub, (a, b) => a - b], [2, 1, 1, 5]),
  broadcast(["divide", tf.div, (a, b) => a / b], [2, 1, 1, 1], true),
  broadcast(["minimum", tf.minimum, Math.min], [2, 3, 3, 5]),
  broadcast(["maximum", tf.maximum, Math.max], [2, 3, 3, 5]),
  elementwise(["SiLU", (x) => tf.mul(x, tf.sigmoid(x)), silu]),
  elementwise(["exp", tf.exp, Math.exp]),
  elementwise(["square", tf.square, (v) => v * v]),
  elementwise(["tanh", tf.tanh, Math.tanh]),
  elementwise(["log", tf.log, Math.log], true),
  elementwise(["square root", tf.sqrt, Math.sqrt], true),
  {
    kind: "arithmetic",
    name: "mean over pixels",
    shapes: [[3, 4, 5]],
    operation: (x) => tf.mean(x, 1),
    reference: (x) =>
      tabulate([3, 5], (b, j) => [0, 1, 2, 3].reduce((sum, i) => sum + at(x, b, i, j) / 4, 0)),
  },
  {
    kind: "arithmetic",
    name: "sum of everything",
    shapes: [[3, 4, 5]],
    operation: (x) => tf.sum(x),
    reference: (x) => ({
      shape: [],
      values: Float64Array.of(x.values.reduce((sum, value) => sum + value, 0)),
    }),
  },
];

/** A case's inputs as float64 arrays of float32 numbers, from values drawn for each shape. */
export function caseInputs(
  { shapes, positive }: OperationCase,
  draw: (shape: readonly number[]) => Float32Array,
): Array64[] {
  return shapes.map((shape) => {
    const values = draw([1, sizeOf(shape)]);
    return { shape, values: Float64Array.from(positive ? values.map((v) => Math.abs(v) + 0.5) : values) };
  });
}

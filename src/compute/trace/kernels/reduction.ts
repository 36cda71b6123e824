/**
 * Reductions, softmax, cumulative sums and matrix products.
 * @module
 */
import { sameList } from "../../../math/shape.ts";
import * as tf from "../../tf.ts";
import { blocksOf, pixelMeans } from "../blocks.ts";
import type { Graph, Value } from "../graph.ts";
import { axesOf, type TraceKernel, type TraceKernels } from "../kernel.ts";
import { filled, identity, natural, reshaped, stored, type Traced } from "../traced.ts";
import { cast, mapValues } from "./elementwise.ts";

/** Reduces axes away, or to length 1; the rest keeps its storage order. */
function reduced(op: string, x: Traced, axes: readonly number[], keepDims = false): Traced {
  if (keepDims) {
    const shape = reducedShape(x.shape, axes, true);
    const storedAxes = identity(x.perm.length).filter((index) => axes.includes(x.perm[index]));
    const storedShape = x.perm.map((axis) => shape[axis]);
    const inputs = [stored(x, x.perm), x.graph.integers(storedAxes)];
    const value = x.graph.node(op, inputs, storedShape, { attributes: { keepdims: 1 } });
    return { graph: x.graph, shape, perm: x.perm, value };
  }
  const kept = identity(x.shape.length).filter((axis) => !axes.includes(axis));
  const perm = x.perm.filter((axis) => !axes.includes(axis)).map((axis) => kept.indexOf(axis));
  const shape = kept.map((axis) => x.shape[axis]);
  const value = x.fill === undefined ? x.value : stored(x, x.perm);
  const storedAxes = identity(x.perm.length).filter((index) => axes.includes(x.perm[index]));
  if (storedAxes.length === 0) return { ...x, value, fill: undefined };
  const storedShape = perm.map((axis) => shape[axis]);
  const result = x.graph.node(op, [value, x.graph.integers(storedAxes)], storedShape, {
    attributes: { keepdims: 0 },
  });
  return { graph: x.graph, shape, perm, value: result };
}

/** The sum over height and width of an image in blocks, as in gradients of biases; null for other sums. */
function sumOfPixels(x: Traced, axes: readonly number[], keepDims: boolean): Traced | null {
  const blocks = blocksOf(x);
  if (blocks === undefined || !sameList(axes, [1, 2])) return null;
  const { graph, shape: [batch, height, width, channels] } = x;
  const sum = graph.node("Mul", [pixelMeans(graph, blocks), graph.scalar(height * width)], [batch, channels]);
  return reshaped(natural(graph, sum), reducedShape(x.shape, axes, keepDims));
}

function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  return keepDims
    ? shape.map((length, axis) => axes.includes(axis) ? 1 : length)
    : shape.filter((_, axis) => !axes.includes(axis));
}

function reduction(op: string): TraceKernel {
  return ({ x }, { axis, keepDims }: tf.SumAttrs) => reduced(op, x, axesOf(axis, x.shape.length), keepDims);
}

/** All and Any: a minimum or maximum over 0 and 1. */
function logicalReduction(op: string): TraceKernel {
  return ({ x }, { axis }: tf.AllAttrs) =>
    cast(reduced(op, cast(x, "int32"), axesOf(axis, x.shape.length)), "bool");
}

function extremeIndex(op: string): TraceKernel {
  return ({ x }, { axis }: tf.ArgMaxAttrs) => {
    const [along] = axesOf(axis, x.shape.length);
    const shape = x.shape.filter((_, index) => index !== along);
    const attributes = { axis: along, keepdims: 0 };
    const value = x.graph.node(op, [stored(x)], shape, { type: "int64", attributes });
    return cast(natural(x.graph, value), "int32");
  };
}

/** a·b over the last two axes, with leading axes broadcast. */
function matrixProduct(a: Traced, b: Traced, transposeA: boolean, transposeB: boolean): Traced {
  const rank = Math.max(a.shape.length, b.shape.length);
  const swap = (x: Traced, swapped: boolean): Value => {
    const perm = identity(x.shape.length);
    if (swapped) perm.push(...perm.splice(-2).reverse());
    return stored(x, perm);
  };
  const left = swap(a, transposeA);
  const right = swap(b, transposeB);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape([...a.shape.slice(0, -2)], [
    ...b.shape.slice(0, -2),
  ]);
  const shape = [...batch, left.shape.at(-2)!, right.shape.at(-1)!];
  if (rank === 2) return natural(a.graph, a.graph.node("Gemm", [left, right], shape));
  return natural(a.graph, a.graph.node("MatMul", [left, right], shape));
}

/** The activation of a fused kernel. */
export function activated(
  x: Traced,
  activation: unknown,
  preluWeights?: Traced,
  leakyAlpha?: number,
): Traced {
  const apply = (op: string, attributes = {}) =>
    mapValues([x], (values, shape) => x.graph.node(op, values, shape, { attributes }));
  switch (activation) {
    case undefined:
    case null:
    case "linear":
      return x;
    case "relu":
      return apply("Relu");
    case "elu":
      return apply("Elu");
    case "sigmoid":
      return apply("Sigmoid");
    case "leakyrelu":
      return apply("LeakyRelu", { alpha: { float: leakyAlpha! } });
    case "relu6":
      return mapValues(
        [x],
        ([value], shape) => x.graph.node("Clip", [value, x.graph.scalar(0), x.graph.scalar(6)], shape),
      );
    case "prelu":
      return mapValues([x, preluWeights!], (values, shape) => x.graph.node("PRelu", values, shape));
    default:
      throw new TypeError(`the fused activation ${activation} has no traced form`);
  }
}

function cumulative(graph: Graph, x: Traced, axis: number, exclusive: boolean, reverse: boolean): Traced {
  const index = graph.scalar(x.perm.indexOf(axis), "int64");
  const attributes = { exclusive: Number(exclusive), reverse: Number(reverse) };
  return { ...x, value: graph.node("CumSum", [stored(x, x.perm), index], x.value.shape, { attributes }) };
}

/** Reductions and products. */
export const reductionKernels: TraceKernels = {
  Sum: ({ x }, { axis, keepDims }: tf.SumAttrs) => {
    const axes = axesOf(axis, x.shape.length);
    if (x.fill === 0) {
      return filled(x.graph, reducedShape(x.shape, axes, keepDims), 0, x.value.type);
    }
    return sumOfPixels(x, axes, keepDims) ?? reduced("ReduceSum", x, axes, keepDims);
  },
  Mean: reduction("ReduceMean"),
  Prod: reduction("ReduceProd"),
  Max: ({ x }, { reductionIndices, keepDims }: tf.MaxAttrs) =>
    reduced("ReduceMax", x, axesOf(reductionIndices, x.shape.length), keepDims),
  Min: reduction("ReduceMin"),
  All: logicalReduction("ReduceMin"),
  Any: logicalReduction("ReduceMax"),
  ArgMax: extremeIndex("ArgMax"),
  ArgMin: extremeIndex("ArgMin"),
  Softmax: ({ logits }, { dim }: tf.SoftmaxAttrs) => {
    const [axis] = axesOf(dim, logits.shape.length);
    return natural(
      logits.graph,
      logits.graph.node("Softmax", [stored(logits)], logits.shape, { attributes: { axis } }),
    );
  },
  Cumsum: ({ x }, { axis, exclusive, reverse }: tf.CumsumAttrs) =>
    cumulative(x.graph, x, axesOf(axis, x.shape.length)[0], exclusive, reverse),
  BatchMatMul: ({ a, b }, { transposeA, transposeB }: tf.BatchMatMulAttrs) =>
    matrixProduct(a, b, transposeA, transposeB),
  _FusedMatMul: ({ a, b, bias, preluActivationWeights }, attributes: tf._FusedMatMulAttrs) => {
    const { transposeA, transposeB, activation, leakyreluAlpha } = attributes;
    const product = matrixProduct(a, b, transposeA, transposeB);
    const biased = bias === undefined
      ? product
      : mapValues([product, bias], (values, shape) => a.graph.node("Add", values, shape));
    return activated(biased, activation, preluActivationWeights, leakyreluAlpha);
  },
};

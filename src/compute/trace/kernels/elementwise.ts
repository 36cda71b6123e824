/**
 * Element-wise kernels: arithmetic, comparisons, activations, casts and selection.
 * @module
 */
import { sameList, sizeOf } from "../../../math/shape.ts";
import * as tf from "../../tf.ts";
import { blocksOf, fromBlocks, perChannel } from "../blocks.ts";
import type { Value } from "../graph.ts";
import type { TraceKernel, TraceKernels } from "../kernel.ts";
import type { OnnxAttribute, OnnxType } from "../../onnx/writer.ts";
import { filled, identity, NCHW, operand, stored, type Traced } from "../traced.ts";

/** Applies a function of values to tensors broadcast against each other, in the storage order of the largest. */
export function mapValues(
  tensors: readonly Traced[],
  record: (values: Value[], storedShape: number[]) => Value,
): Traced {
  const graph = tensors[0].graph;
  const shape = tensors.map((x) => [...x.shape]).reduce((a, b) =>
    tf.broadcast_util.assertAndGetBroadcastShape(a, b)
  );
  const leader = tensors.filter((x) => x.shape.length === shape.length && x.fill === undefined)
    .toSorted((a, b) => sizeOf(b.shape) - sizeOf(a.shape))[0];
  const together = leader === undefined ? null : allBlocks(tensors, leader);
  if (together !== null) {
    return fromBlocks(graph, record(together, NCHW.map((axis) => shape[axis])));
  }
  const perm = onesFirst(leader?.perm ?? identity(shape.length), shape);
  const storedShape = perm.map((axis) => shape[axis]);
  const values = tensors.map((x) => operand(x, perm));
  // Scalars may represent whole tensors: the shape must come from another operand.
  const reach = values.map((value) => [...value.shape]).reduce(
    (a, b) => tf.broadcast_util.assertAndGetBroadcastShape(a, b),
    [],
  );
  if (!sameList(reach, storedShape)) values[0] = graph.expand(values[0], storedShape);
  return { graph, shape, perm, value: record(values, storedShape) };
}

/**
 * The order with a last axis of length 1 moved to the front: the runtime broadcasts slowly, element by element, along
 * it.
 */
function onesFirst(perm: readonly number[], shape: readonly number[]): readonly number[] {
  const last = perm[perm.length - 1];
  return shape[last] === 1 && sizeOf(shape) > 1 ? onesFirst([last, ...perm.slice(0, -1)], shape) : perm;
}

/** The operands in blocks, if each has blocks or is a number. */
function allBlocks(tensors: readonly Traced[], leader: Traced): Value[] | null {
  if (blocksOf(leader) === undefined) return null;
  const values = tensors.map((x) =>
    x.fill !== undefined || sizeOf(x.shape) === 1
      ? operand(x, [])
      : sameList(x.shape, leader.shape)
      ? blocksOf(x)
      : undefined
  );
  return values.every((value) => value !== undefined) ? values : null;
}

function unary(op: string, attributes: Record<string, OnnxAttribute> = {}): TraceKernel {
  return ({ x }) => mapValues([x], ([value], shape) => x.graph.node(op, [value], shape, { attributes }));
}

/** A function of one tensor written as several nodes; `c` makes a constant of its type. */
function composed(
  record: (apply: (op: string, ...inputs: Value[]) => Value, x: Value, c: (value: number) => Value) => Value,
): TraceKernel {
  return ({ x }) =>
    mapValues([x], ([value], shape) => {
      const apply = (op: string, ...inputs: Value[]) => x.graph.node(op, inputs, shape);
      return record(apply, value, (number) => x.graph.scalar(number, value.type));
    });
}

function binary(op: string): TraceKernel {
  return ({ a, b }) => mapValues([a, b], (values, shape) => a.graph.node(op, values, shape));
}

/** A binary kernel with a neutral operand, such as 0 of a sum. */
function binaryWithNeutral(op: string, neutral: number, commutes: boolean): TraceKernel {
  const general = binary(op);
  return (inputs, attributes) => {
    const { a, b } = inputs;
    const shape = tf.broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);
    if (b.fill === neutral && sameList(a.shape, shape)) return a;
    if (commutes && a.fill === neutral && sameList(b.shape, shape)) return b;
    return general(inputs, attributes);
  };
}

const add = binaryWithNeutral("Add", 0, true);

/** An image in blocks plus a number for each channel, or for each of each sample; null for other tensors. */
function shifted(image: Traced, offset: Traced): Traced | null {
  const blocks = blocksOf(image);
  if (blocks === undefined || offset.fill !== undefined) return null;
  const [batch, , , channels] = image.shape;
  const [samples, height, width, last] = [...[1, 1, 1].slice(offset.shape.length - 1), ...offset.shape];
  if (height !== 1 || width !== 1 || last !== channels || (samples !== 1 && samples !== batch)) return null;
  const graph = image.graph;
  const ones = graph.expand(graph.scalar(1), [batch, channels]);
  const rows = graph.expand(graph.reshape(stored(offset), [samples, channels]), [batch, channels]);
  return fromBlocks(graph, perChannel(graph, blocks, ones, rows));
}

/** Booleans are compared as integers, which ONNX defines for every comparison. */
function comparable(x: Traced): Traced {
  return x.value.type === "bool" ? cast(x, "int32") : x;
}

function comparison(op: string, negated = false): TraceKernel {
  return ({ a, b }) =>
    mapValues([comparable(a), comparable(b)], (values, shape) => {
      const result = a.graph.node(op, values, shape, { type: "bool" });
      return negated ? a.graph.node("Not", [result], shape) : result;
    });
}

function logical(op: string): TraceKernel {
  return ({ a, b }) =>
    mapValues([cast(a, "bool"), cast(b, "bool")], (values, shape) => a.graph.node(op, values, shape));
}

const ONNX_TYPE: Readonly<Record<OnnxType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** The tensor in another element type. */
export function cast(x: Traced, type: OnnxType): Traced {
  if (x.value.type === type) return x;
  if (x.fill !== undefined) {
    const fill = type === "float32" ? x.fill : type === "bool" ? Number(x.fill !== 0) : Math.trunc(x.fill);
    return filled(x.graph, x.shape, fill, type);
  }
  const value = x.graph.node("Cast", [x.value], x.value.shape, { type, attributes: { to: ONNX_TYPE[type] } });
  return { ...x, value };
}

/** The graph's type for a TensorFlow.js type. */
export function onnxType(dtype: unknown): OnnxType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new TypeError(`a traced tensor must be float32, int32 or bool, got ${dtype}`);
}

/** Element-wise kernels. */
export const elementwiseKernels: TraceKernels = {
  Add: (inputs, attributes) => {
    const { a, b } = inputs;
    return shifted(a, b) ?? shifted(b, a) ?? add(inputs, attributes);
  },
  Sub: binaryWithNeutral("Sub", 0, false),
  Multiply: binaryWithNeutral("Mul", 1, true),
  RealDiv: binaryWithNeutral("Div", 1, false),
  Maximum: binary("Max"),
  Minimum: binary("Min"),
  Pow: ({ a, b }) => {
    if (b.fill === 2) {
      return mapValues([a, b], ([value], shape) => a.graph.node("Mul", [value, value], shape));
    }
    return mapValues([a, b], (values, shape) => a.graph.node("Pow", values, shape));
  },
  Prelu: ({ x, alpha }) => mapValues([x, alpha], (values, shape) => x.graph.node("PRelu", values, shape)),
  SquaredDifference: ({ a, b }) =>
    mapValues([a, b], (values, shape) => {
      const difference = a.graph.node("Sub", values, shape);
      return a.graph.node("Mul", [difference, difference], shape);
    }),
  FloorDiv: ({ a, b }) => mapValues([a, b], (values, shape) => floorDivide(a, values, shape)),
  // The result has the divisor's sign.
  Mod: ({ a, b }) =>
    mapValues([a, b], (values, shape) => {
      if (a.value.type === "int32") return a.graph.node("Mod", values, shape);
      const quotient = a.graph.node("Floor", [a.graph.node("Div", values, shape)], shape);
      return a.graph.node("Sub", [values[0], a.graph.node("Mul", [values[1], quotient], shape)], shape);
    }),
  AddN: (inputs) => {
    const tensors = Object.values(inputs);
    return mapValues(tensors, (values, shape) => tensors[0].graph.node("Sum", values, shape));
  },

  Equal: comparison("Equal"),
  NotEqual: comparison("Equal", true),
  Less: comparison("Less"),
  LessEqual: comparison("LessOrEqual"),
  Greater: comparison("Greater"),
  GreaterEqual: comparison("GreaterOrEqual"),
  LogicalAnd: logical("And"),
  LogicalOr: logical("Or"),
  LogicalNot: ({ x }) => mapValues([cast(x, "bool")], (values, shape) => x.graph.node("Not", values, shape)),
  IsNan: ({ x }) => mapValues([x], (values, shape) => x.graph.node("IsNaN", values, shape, { type: "bool" })),
  IsInf: ({ x }) => mapValues([x], (values, shape) => x.graph.node("IsInf", values, shape, { type: "bool" })),
  IsFinite: ({ x }) =>
    mapValues([x], ([value], shape) => {
      // x − x is 0 exactly when x is finite.
      const zero = x.graph.node("Sub", [value, value], shape);
      return x.graph.node("Equal", [zero, x.graph.scalar(0)], shape, { type: "bool" });
    }),
  Select: ({ condition, t, e }) =>
    mapValues(
      [cast(condition, "bool"), t, e],
      (values, shape) => t.graph.node("Where", values, shape, { type: t.value.type }),
    ),

  Identity: ({ x }) => x,
  Cast: ({ x }, { dtype }: tf.CastAttrs) => cast(x, onnxType(dtype)),
  ZerosLike: ({ x }) => filled(x.graph, x.shape, 0, x.value.type),
  OnesLike: ({ x }) => filled(x.graph, x.shape, 1, x.value.type),

  Abs: unary("Abs"),
  Neg: unary("Neg"),
  Sign: unary("Sign"),
  Floor: unary("Floor"),
  Ceil: unary("Ceil"),
  Round: unary("Round"),
  Exp: unary("Exp"),
  Log: unary("Log"),
  Sqrt: unary("Sqrt"),
  Reciprocal: unary("Reciprocal"),
  Rsqrt: composed((apply, x) => apply("Reciprocal", apply("Sqrt", x))),
  Square: composed((apply, x) => apply("Mul", x, x)),
  // e^x − 1 = tanh(x/2)·(e^x + 1) keeps its digits near 0; for large x it is e^x itself.
  Expm1: composed((apply, x, c) =>
    apply("Mul", apply("Tanh", apply("Mul", x, c(0.5))), apply("Add", apply("Exp", x), c(1)))
  ),
  // ln(1 + x) = x·ln(u)/(u − 1) with u = 1 + x as rounded (Kahan); x itself where u = 1.
  Log1p: ({ x }) =>
    mapValues([x], ([value], shape) => {
      const g = x.graph;
      const u = g.node("Add", [value, g.scalar(1)], shape);
      const excess = g.node("Sub", [u, g.scalar(1)], shape);
      const log = g.node("Log", [u], shape);
      const corrected = g.node("Mul", [log, g.node("Div", [value, excess], shape)], shape);
      const tiny = g.node("Equal", [excess, g.scalar(0)], shape, { type: "bool" });
      const infinite = g.node("IsInf", [u], shape, { type: "bool" });
      const kept = g.node("Where", [infinite, log, corrected], shape, { type: "float32" });
      return g.node("Where", [tiny, value, kept], shape, { type: "float32" });
    }),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Tan: unary("Tan"),
  Asin: unary("Asin"),
  Acos: unary("Acos"),
  Atan: unary("Atan"),
  Sinh: unary("Sinh"),
  Cosh: unary("Cosh"),
  Tanh: unary("Tanh"),
  Erf: unary("Erf"),
  Sigmoid: unary("Sigmoid"),
  Softplus: unary("Softplus"),
  Relu: unary("Relu"),
  Elu: unary("Elu"),
  Selu: unary("Selu"),
  Relu6: ({ x }) =>
    mapValues(
      [x],
      ([value], shape) => x.graph.node("Clip", [value, x.graph.scalar(0), x.graph.scalar(6)], shape),
    ),
  LeakyRelu: ({ x }, { alpha }: tf.LeakyReluAttrs) =>
    unary("LeakyRelu", { alpha: { float: alpha } })({ x }, {}),
  ClipByValue: ({ x }, { clipValueMin, clipValueMax }: tf.ClipByValueAttrs) =>
    mapValues([x], ([value], shape) => {
      const limits = [clipValueMin, clipValueMax].map((limit) => x.graph.scalar(limit, value.type));
      return x.graph.node("Clip", [value, ...limits], shape);
    }),
  Step: ({ x }, { alpha }: tf.StepAttrs) =>
    mapValues([x], ([value], shape) => {
      const positive = x.graph.node("Greater", [value, x.graph.scalar(0)], shape, { type: "bool" });
      const choice = [positive, x.graph.scalar(1), x.graph.scalar(alpha)];
      return x.graph.node("Where", choice, shape, { type: "float32" });
    }),
  EluGrad: ({ dy, y }) =>
    mapValues([dy, y], ([gradient, value], shape) => {
      const g = dy.graph;
      const positive = g.node("Greater", [value, g.scalar(0)], shape, { type: "bool" });
      const slope = g.node(
        "Where",
        [positive, g.scalar(1), g.node("Add", [value, g.scalar(1)], shape)],
        shape,
        {
          type: "float32",
        },
      );
      return g.node("Mul", [gradient, slope], shape);
    }),
};

function floorDivide(a: Traced, values: Value[], shape: number[]): Value {
  const g = a.graph;
  if (a.value.type === "float32") return g.node("Floor", [g.node("Div", values, shape)], shape);
  // Integer division rounds towards 0 in ONNX, towards −∞ here: (a − mod(a, b)) / b is exact.
  const remainder = g.node("Mod", values, shape);
  return g.node("Div", [g.node("Sub", [values[0], remainder], shape), values[1]], shape);
}

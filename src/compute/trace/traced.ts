/**
 * A tensor of a recording: its shape in TensorFlow.js, and its storage in the graph. The order of the storage's axes
 * is free, so that a transposition copies nothing and convolutions have their channels first.
 * @module
 */
import { sameList, sizeOf } from "../../math/shape.ts";
import type { Graph, Value } from "./graph.ts";
import type { OnnxType } from "../onnx/writer.ts";

/** Storage axis i holds axis `perm[i]` of `shape`. */
export interface Traced {
  readonly graph: Graph;
  readonly shape: readonly number[];
  readonly perm: readonly number[];
  readonly value: Value;
  /** Set when all elements are this number; `value` is then a scalar. */
  readonly fill?: number;
}

/** Batch, channels, height, width of an NHWC tensor. */
export const NCHW: readonly number[] = [0, 3, 1, 2];

/** The identity permutation of the axes. */
export function identity(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** A value stored in its natural order. */
export function natural(graph: Graph, value: Value): Traced {
  return { graph, shape: value.shape, perm: identity(value.shape.length), value };
}

/** A value stored in the given order; the tensor's shape follows. */
export function inOrder(graph: Graph, value: Value, perm: readonly number[]): Traced {
  const shape = new Array<number>(perm.length);
  perm.forEach((axis, index) => shape[axis] = value.shape[index]);
  return { graph, shape, perm, value };
}

/** A tensor of one repeated number. */
export function filled(graph: Graph, shape: readonly number[], fill: number, type: OnnxType): Traced {
  return { graph, shape, perm: identity(shape.length), value: graph.scalar(fill, type), fill };
}

/** The tensor's storage in the given order of axes; natural by default. */
export function stored(x: Traced, perm: readonly number[] = identity(x.shape.length)): Value {
  if (x.fill !== undefined) return x.graph.expand(x.value, perm.map((axis) => x.shape[axis]));
  if (sameList(x.perm, perm)) return x.value;
  return x.graph.transpose(x.value, perm.map((axis) => x.perm.indexOf(axis)));
}

/** The tensor as an operand of an element-wise operation on storage of that order; broadcasts as a NumPy operand. */
export function operand(x: Traced, perm: readonly number[]): Value {
  if (x.fill !== undefined) return x.value;
  if (sizeOf(x.shape) === 1) return x.graph.reshape(x.value, []);
  const missing = perm.length - x.shape.length;
  if (missing === 0) return stored(x, perm);
  // Leading axes of length 1, as in broadcasting.
  const leading = new Array<number>(missing).fill(1);
  const value = x.graph.reshape(x.value, [...leading, ...x.value.shape]);
  const order = [...identity(missing), ...x.perm.map((axis) => axis + missing)];
  return stored({ graph: x.graph, shape: [...leading, ...x.shape], perm: order, value }, perm);
}

/** The same elements with another shape; rearranged only if the storage order requires it. */
export function reshaped(x: Traced, shape: readonly number[]): Traced {
  if (x.fill !== undefined) return { ...x, shape, perm: identity(shape.length) };
  const perm = orderAfterReshape(x, shape);
  if (perm !== null) {
    return { graph: x.graph, shape, perm, value: x.graph.reshape(x.value, perm.map((axis) => shape[axis])) };
  }
  return natural(x.graph, x.graph.reshape(stored(x), shape));
}

/** The storage order with which the reshape changes no storage, or null if there is none. */
function orderAfterReshape(x: Traced, shape: readonly number[]): number[] | null {
  if (sizeOf(shape) === 0) return null;
  // Blocks of axes with equal products: the old axes of a block must be adjacent in storage, in order.
  const blocks: { old: number[]; new: number[] }[] = [];
  const ones: number[] = [];
  let i = 0;
  let j = 0;
  while (i < x.shape.length || j < shape.length) {
    if (i < x.shape.length && x.shape[i] === 1) {
      i++;
      continue;
    }
    if (j < shape.length && shape[j] === 1) {
      ones.push(j++);
      continue;
    }
    const block = { old: [i], new: [j] };
    let before = x.shape[i++];
    let after = shape[j++];
    while (before !== after) {
      if (before < after) {
        if (x.shape[i] !== 1) block.old.push(i);
        before *= x.shape[i++];
      } else {
        block.new.push(j);
        after *= shape[j++];
      }
    }
    blocks.push(block);
  }
  const storedAxes = x.perm.filter((axis) => x.shape[axis] !== 1);
  const perm: number[] = [];
  for (let position = 0; position < storedAxes.length;) {
    const block = blocks.find((candidate) => candidate.old[0] === storedAxes[position]);
    if (block === undefined) return null;
    if (!sameList(block.old, storedAxes.slice(position, position + block.old.length))) return null;
    perm.push(...block.new);
    position += block.old.length;
  }
  // Axes of length 1 may be anywhere: they follow the axis before them, so that a natural order stays natural.
  for (const axis of ones) perm.splice(perm.indexOf(axis - 1) + 1, 0, axis);
  return perm;
}

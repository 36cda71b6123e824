/**
 * Sums and means on the wasm backend, accumulated in float64: TensorFlow.js adds sequentially in float32, which loses
 * four digits over a million elements, and transposes the tensor first.
 * @module
 */
import { sizeOf } from "../../math/shape.ts";
import type { BackendWasm } from "./backend.ts";
import * as tf from "../tf.ts";
import { allocate, type WasmKernels } from "./kernels.ts";

/** Attributes of the kernels Sum and Mean. */
export type ReductionAttributes = Pick<tf.SumAttrs, "axis" | "keepDims">;

/** factor · Σ x over the axes, float32. */
export function sumOver(
  backend: BackendWasm,
  kernels: WasmKernels,
  x: tf.TensorInfo,
  { axis, keepDims }: ReductionAttributes,
  isMean: boolean,
): tf.TensorInfo {
  const axes = new Set(tf.util.parseAxisParam(axis, x.shape));
  const kept = x.shape.map((size, i) => axes.has(i) ? 1 : size);
  const count = [...axes].reduce((product, i) => product * x.shape[i], 1);
  let factor = isMean ? 1 / count : 1;
  let shape = x.shape;
  let sum = x;
  // Each run of neighbouring axes is one middle axis; the last run first.
  for (const [first, end] of runs(axes).reverse()) {
    const [outer, middle, inner] = [shape.slice(0, first), shape.slice(first, end), shape.slice(end)].map(
      sizeOf,
    );
    shape = [...shape.slice(0, first), ...kept.slice(first, end), ...shape.slice(end)];
    const next = allocate(backend, shape);
    kernels.sumMiddle(
      backend.getMemoryOffset(sum.dataId),
      backend.getMemoryOffset(next.dataId),
      outer,
      middle,
      inner,
      factor,
    );
    if (sum !== x) backend.disposeData(sum.dataId);
    [sum, factor] = [next, 1];
  }
  if (sum === x) backend.incRef(x.dataId);
  return { ...sum, shape: keepDims ? kept : x.shape.filter((_, i) => !axes.has(i)) };
}

/** [first, end) of the runs of neighbouring axes, in order. */
function runs(axes: ReadonlySet<number>): [number, number][] {
  const starts = [...axes].filter((axis) => !axes.has(axis - 1)).sort((a, b) => a - b);
  return starts.map((first) => {
    let end = first;
    while (axes.has(end)) end++;
    return [first, end];
  });
}

/**
 * Slices, splits and concatenations on the wasm backend as runs of copies: TensorFlow.js copies the whole input for
 * each slice there, and each row by a call from JavaScript.
 * @module
 */
import { sizeOf } from "../../math/shape.ts";
import type { BackendWasm } from "./backend.ts";
import * as tf from "../tf.ts";
import { allocate, BYTES, type WasmKernels } from "./kernels.ts";

/** The part of x from `begin` of `size`, as the kernel Slice takes them. */
export function sliced(
  backend: BackendWasm,
  kernels: WasmKernels,
  x: tf.TensorInfo,
  attributes: tf.SliceAttrs,
): tf.TensorInfo {
  const [begin, size] = tf.slice_util.parseSliceParams(x, attributes.begin, attributes.size);
  const part = allocate(backend, size, x.dtype);
  // A contiguous run ends with the last axis that is cut; the axis before it counts the runs.
  let cut = x.shape.length - 1;
  while (cut > 0 && size[cut] === x.shape[cut]) cut--;
  const run = sizeOf(size.slice(cut)) * BYTES;
  const rows = cut > 0 ? size[cut - 1] : 1;
  const stride = sizeOf(x.shape.slice(cut)) * BYTES;
  const from = backend.getMemoryOffset(x.dataId);
  let to = backend.getMemoryOffset(part.dataId);
  const outer = size.slice(0, Math.max(cut - 1, 0));
  const index = outer.map(() => 0);
  for (let n = sizeOf(outer); n > 0; n--, to += rows * run) {
    const offset = x.shape.reduce((sum, length, axis) => sum * length + begin[axis] + (index[axis] ?? 0), 0);
    kernels.copyRows(from + offset * BYTES, to, rows, run, stride, run);
    for (let axis = outer.length - 1; axis >= 0 && ++index[axis] === outer[axis]; axis--) index[axis] = 0;
  }
  return part;
}

/** The parts of x along an axis, as the kernel SplitV takes them. */
export function split(
  backend: BackendWasm,
  kernels: WasmKernels,
  x: tf.TensorInfo,
  { numOrSizeSplits, axis }: tf.SplitVAttrs,
): tf.TensorInfo[] {
  const [along] = tf.util.parseAxisParam(axis, x.shape);
  const sizes = tf.backend_util.prepareSplitSize(x, numOrSizeSplits, along);
  const outer = sizeOf(x.shape.slice(0, along));
  const row = sizeOf(x.shape.slice(along)) * BYTES;
  let from = backend.getMemoryOffset(x.dataId);
  return sizes.map((size) => {
    const part = allocate(backend, x.shape.with(along, size), x.dtype);
    const run = sizeOf(part.shape.slice(along)) * BYTES;
    kernels.copyRows(from, backend.getMemoryOffset(part.dataId), outer, run, row, run);
    from += run;
    return part;
  });
}

/** The parts joined along an axis, as the kernel Concat takes it. */
export function joined(
  backend: BackendWasm,
  kernels: WasmKernels,
  parts: tf.TensorInfo[],
  { axis }: tf.ConcatAttrs,
): tf.TensorInfo {
  const shapes = parts.map((part) => part.shape);
  const [along] = tf.util.parseAxisParam(axis, shapes[0]);
  tf.backend_util.assertParamsConsistent(shapes, along);
  const whole = allocate(backend, tf.backend_util.computeOutShape(shapes, along), parts[0].dtype);
  const outer = sizeOf(whole.shape.slice(0, along));
  const row = sizeOf(whole.shape.slice(along)) * BYTES;
  let to = backend.getMemoryOffset(whole.dataId);
  for (const part of parts) {
    const run = sizeOf(part.shape.slice(along)) * BYTES;
    kernels.copyRows(backend.getMemoryOffset(part.dataId), to, outer, run, run, row);
    to += run;
  }
  return whole;
}

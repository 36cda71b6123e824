/**
 * Matrix products on the wasm backend: TensorFlow.js multiplies one pair of untransposed matrices by XNNPACK, but
 * batches and transposed factors by a plain loop.
 * @module
 */
import { sizeOf } from "../../math/shape.ts";
import type { BackendWasm } from "./backend.ts";
import type * as tf from "../tf.ts";
import { allocate, BYTES, type WasmKernels } from "./kernels.ts";

/** A function of [1, n, k] and [1, k, m]. */
type Product = (a: tf.TensorInfo, b: tf.TensorInfo) => tf.TensorInfo;

/**
 * The products of a [..., n, k] and b [..., k, m], or of their transposes; a single matrix is multiplied with each of
 * a batch.
 * @throws {RangeError} When both are batches, of different sizes.
 */
export function multiplied(
  backend: BackendWasm,
  kernels: WasmKernels,
  product: Product,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  { transposeA, transposeB }: tf.BatchMatMulAttrs,
): tf.TensorInfo {
  const left = transposeA ? transposed(backend, kernels, a) : a;
  const right = transposeB ? transposed(backend, kernels, b) : b;
  const [n, k] = left.shape.slice(-2), [, m] = right.shape.slice(-2);
  const [lefts, rights] = [left, right].map(({ shape }) => sizeOf(shape.slice(0, -2)));
  if (lefts > 1 && rights > 1 && lefts !== rights) {
    throw new RangeError(
      `on wasm matrices are multiplied one by one or in equal batches, got ${lefts} and ${rights}`,
    );
  }
  const batch = Math.max(lefts, rights);
  const outer = (lefts < rights || left.shape.length < right.shape.length ? right : left).shape.slice(0, -2);
  let result: tf.TensorInfo;
  if (batch === 1) {
    result = {
      ...product({ ...left, shape: [1, n, k] }, { ...right, shape: [1, k, m] }),
      shape: [...outer, n, m],
    };
  } else {
    result = allocate(backend, [...outer, n, m]);
    const target = backend.getMemoryOffset(result.dataId);
    const bytes = n * m * BYTES;
    for (let i = 0; i < batch; i++) {
      const x = view(backend, left, [1, n, k], lefts > 1 ? i : 0);
      const y = view(backend, right, [1, k, m], rights > 1 ? i : 0);
      const z = product(x, y);
      kernels.copyRows(backend.getMemoryOffset(z.dataId), target + i * bytes, 1, bytes, bytes, bytes);
      backend.disposeData(z.dataId);
      forget(backend, x);
      forget(backend, y);
    }
  }
  if (transposeA) backend.disposeData(left.dataId);
  if (transposeB) backend.disposeData(right.dataId);
  return result;
}

/** The tensor with its last two axes exchanged. */
function transposed(backend: BackendWasm, kernels: WasmKernels, x: tf.TensorInfo): tf.TensorInfo {
  const [rows, columns] = x.shape.slice(-2);
  const y = allocate(backend, [...x.shape.slice(0, -2), columns, rows]);
  const bytes = rows * columns * BYTES;
  const [from, to] = [backend.getMemoryOffset(x.dataId), backend.getMemoryOffset(y.dataId)];
  for (let i = 0; i < sizeOf(x.shape.slice(0, -2)); i++) {
    kernels.batchLast(from + i * bytes, to + i * bytes, rows, 1, 1, columns, 1, 1, 0, 0);
  }
  return y;
}

/** The i-th part of x as a tensor, in the same memory. */
function view(backend: BackendWasm, x: tf.TensorInfo, shape: number[], i: number): tf.TensorInfo {
  return backend.makeOutput(shape, "float32", backend.getMemoryOffset(x.dataId) + i * sizeOf(shape) * BYTES);
}

/** Disposes a view without freeing the memory. */
function forget(backend: BackendWasm, { dataId }: tf.TensorInfo): void {
  backend.wasm.tfjs.disposeData(backend.dataIdMap.get(dataId).id);
  backend.dataIdMap.delete(dataId);
}

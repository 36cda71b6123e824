/**
 * This project's kernels in the memory of TensorFlow.js' WebAssembly backend: group normalization, sums, and
 * convolution's gradients composed from the backend's fast forward convolution.
 * @module
 */
import type { BackendWasm } from "./backend.ts";
import type * as tf from "../tf.ts";
import { KERNELS_BASE64 } from "./kernels_binary.ts";

/** The functions of kernels.as; numbers are pointers, sizes or flags. */
export interface WasmKernels {
  groupNorm(...args: number[]): void;
  groupNormGrad(...args: number[]): void;
  swapLeading(x: number, y: number, a: number, p: number, r: number): void;
  copyRows(from: number, to: number, rows: number, bytes: number, fromStride: number, toStride: number): void;
  batchLast(...args: number[]): void;
  interleave(...args: number[]): void;
  sumMiddle(x: number, y: number, outer: number, middle: number, inner: number, factor: number): void;
}

/** Bytes of a number in the backend's memory. */
export const BYTES = 4;

/** Instantiates kernels.as on the backend's memory. */
export async function instantiateKernels(backend: BackendWasm): Promise<WasmKernels> {
  const bytes = Uint8Array.from(atob(KERNELS_BASE64.join("")), (character) => character.charCodeAt(0));
  const { memory } = (backend.wasm as unknown as { asm: { memory: WebAssembly.Memory } }).asm;
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return instance.exports as unknown as WasmKernels;
}

/** A tensor of the backend with uninitialized contents. */
export function allocate(
  backend: BackendWasm,
  shape: number[],
  dtype: tf.DataType = "float32",
): tf.TensorInfo {
  return backend.makeOutput(shape, dtype);
}

/** A tensor of zeros. */
export function allocateZeros(backend: BackendWasm, shape: number[]): tf.TensorInfo {
  const info = allocate(backend, shape);
  backend.typedArrayFromHeap(info).fill(0);
  return info;
}

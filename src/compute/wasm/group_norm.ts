/** Group normalization and its gradient in the memory of the wasm backend. @module */
import { sizeOf } from "../../math/shape.ts";
import type { GroupNormAttributes } from "../group_norm.ts";
import type { BackendWasm } from "./backend.ts";
import type * as tf from "../tf.ts";
import { allocate, allocateZeros, type WasmKernels } from "./kernels.ts";

/** The kernel "GroupNorm". */
export function wasmGroupNorm(
  backend: BackendWasm,
  kernels: WasmKernels,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  offset: tf.TensorInfo,
  attributes: GroupNormAttributes,
): tf.TensorInfo {
  const sizes = sizesOf(x, scale, attributes);
  const scratch = allocate(backend, [3, sizes[2]]);
  const y = allocate(backend, x.shape);
  kernels.groupNorm(...pointers(backend, x, scale, offset, y, scratch), ...sizes);
  backend.disposeData(scratch.dataId);
  return y;
}

/** The kernel "GroupNormGrad". */
export function wasmGroupNormGrad(
  backend: BackendWasm,
  kernels: WasmKernels,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  offset: tf.TensorInfo,
  attributes: GroupNormAttributes,
): tf.TensorInfo[] {
  const sizes = sizesOf(x, scale, attributes);
  const scratch = allocate(backend, [7, sizes[2]]);
  const dx = allocate(backend, x.shape);
  const dScale = allocateZeros(backend, scale.shape);
  const dOffset = allocateZeros(backend, offset.shape);
  const at = pointers(backend, dy, x, scale, offset, dx, dScale, dOffset, scratch);
  kernels.groupNormGrad(...at, ...sizes);
  backend.disposeData(scratch.dataId);
  return [dx, dScale, dOffset];
}

/** batch, positions, channels, groups, rows of scale, silu. */
function sizesOf(x: tf.TensorInfo, scale: tf.TensorInfo, { groups, silu }: GroupNormAttributes): number[] {
  const positions = sizeOf(x.shape.slice(1, -1));
  return [x.shape[0], positions, x.shape[x.shape.length - 1], groups, scale.shape[0], silu ? 1 : 0];
}

function pointers(backend: BackendWasm, ...tensors: tf.TensorInfo[]): number[] {
  return tensors.map(({ dataId }) => backend.getMemoryOffset(dataId));
}

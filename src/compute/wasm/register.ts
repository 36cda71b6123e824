/** Registers the wasm backend's kernels of our own. @module */
import type { GroupNormAttributes } from "../group_norm.ts";
import type { BackendWasm } from "./backend.ts";
import * as tf from "../tf.ts";
import { filterGradient, inputGradient } from "./conv2d_gradients.ts";
import { wasmGroupNorm, wasmGroupNormGrad } from "./group_norm.ts";
import { instantiateKernels, type WasmKernels } from "./kernels.ts";
import { multiplied } from "./matrix_product.ts";
import { joined, sliced, split } from "./rearrangements.ts";
import { type ReductionAttributes, sumOver } from "./reductions.ts";

const registrations = new WeakMap<BackendWasm, Promise<void>>();

/** Registers the kernels for a backend, once. */
export function registerWasmKernels(backend: BackendWasm): Promise<void> {
  const registration = registrations.get(backend) ?? registerAll(backend);
  registrations.set(backend, registration);
  return registration;
}

async function registerAll(backend: BackendWasm): Promise<void> {
  const kernels = await instantiateKernels(backend);
  const { kernelFunc: convolve } = tf.getKernel("Conv2D", "wasm");
  register("Conv2D", (inputs, attrs) => {
    checkConvolution(inputs.filter.shape, attrs as unknown as tf.Conv2DAttrs);
    return convolve({ inputs, attrs, backend });
  });
  register("Conv2DBackpropFilter", ({ x, dy }, attrs) => {
    const { filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
    return filterGradient(
      backend,
      kernels,
      x,
      dy,
      filterShape,
      attrs as unknown as tf.Conv2DBackpropFilterAttrs,
    );
  });
  register("Conv2DBackpropInput", ({ dy, filter }, attrs) => {
    const { inputShape } = attrs as unknown as tf.Conv2DBackpropInputAttrs;
    return inputGradient(
      backend,
      kernels,
      dy,
      filter,
      inputShape,
      attrs as unknown as tf.Conv2DBackpropInputAttrs,
    );
  });
  const { kernelFunc: multiply } = tf.getKernel("BatchMatMul", "wasm");
  const one = { transposeA: false, transposeB: false };
  const product = (a: tf.TensorInfo, b: tf.TensorInfo) =>
    multiply({ inputs: { a, b }, attrs: one, backend }) as tf.TensorInfo;
  register("BatchMatMul", (inputs, attrs) => {
    const { a, b } = inputs;
    if (a.dtype !== "float32" || b.dtype !== "float32") return multiply({ inputs, attrs, backend });
    return multiplied(backend, kernels, product, a, b, attrs as unknown as tf.BatchMatMulAttrs);
  });
  registerCopy(backend, "Slice", ({ x }, attrs) => {
    return sliced(backend, kernels, x, attrs as unknown as tf.SliceAttrs);
  });
  registerCopy(backend, "SplitV", ({ x }, attrs) => {
    return split(backend, kernels, x, attrs as unknown as tf.SplitVAttrs);
  });
  registerCopy(backend, "Concat", (inputs, attrs) => {
    return joined(backend, kernels, Object.values(inputs), attrs as unknown as tf.ConcatAttrs);
  });
  registerReduction(backend, kernels, "Sum");
  registerReduction(backend, kernels, "Mean");
  register("GroupNorm", ({ x, scale, offset }, attrs) => {
    return wasmGroupNorm(backend, kernels, x, scale, offset, attrs as GroupNormAttributes);
  });
  register("GroupNormGrad", ({ dy, x, scale, offset }, attrs) => {
    return wasmGroupNormGrad(backend, kernels, dy, x, scale, offset, attrs as GroupNormAttributes);
  });
}

/** Refuses what the backend gets silently wrong, or writes past its output for. */
function checkConvolution([height, width]: number[], { strides, pad }: tf.Conv2DAttrs): void {
  const [down, across] = typeof strides === "number" ? [strides, strides] : strides;
  const isPointwise = height === 1 && width === 1;
  if (!isPointwise && (down > height || across > width)) {
    throw new RangeError(
      `on wasm a convolution's strides must not exceed its filter of ${height}×${width}, got ${down}×${across}`,
    );
  }
  if (typeof pad !== "string" && (down > 1 || across > 1)) {
    throw new RangeError(`on wasm a convolution with strides must be padded "same" or "valid", got ${pad}`);
  }
}

/** Replaces the backend's sum or mean of float32 numbers. */
function registerReduction(backend: BackendWasm, kernels: WasmKernels, kernelName: "Sum" | "Mean"): void {
  const { kernelFunc: original } = tf.getKernel(kernelName, "wasm");
  register(kernelName, (inputs, attrs) => {
    const { x } = inputs;
    if (x.dtype !== "float32") return original({ inputs, attrs, backend });
    return sumOver(backend, kernels, x, attrs as unknown as ReductionAttributes, kernelName === "Mean");
  });
}

/** Replaces a kernel that moves numbers of four bytes. */
function registerCopy(backend: BackendWasm, kernelName: string, kernel: Kernel): void {
  const { kernelFunc: original } = tf.getKernel(kernelName, "wasm");
  register(kernelName, (inputs, attrs) => {
    const isWide = Object.values(inputs).every(({ dtype }) => dtype === "float32" || dtype === "int32");
    return isWide ? kernel(inputs, attrs) : original({ inputs, attrs, backend });
  });
}

type Kernel = (
  inputs: Record<string, tf.TensorInfo>,
  attrs: tf.NamedAttrMap,
) => tf.TensorInfo | tf.TensorInfo[];

function register(kernelName: string, kernel: Kernel): void {
  if (tf.getKernel(kernelName, "wasm") != null) tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs }) => kernel(inputs as Record<string, tf.TensorInfo>, attrs ?? {}),
  });
}

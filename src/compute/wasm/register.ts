/** Registers this project's kernels of the wasm backend. @module */
import type { GroupNormAttributes } from "../group_norm.ts";
import type { BackendWasm } from "./backend.ts";
import { type KernelCall, type KernelInputs, type KernelOutput, registerKernel } from "../register_kernel.ts";
import * as tf from "../tf.ts";
import { filterGradient, inputGradient } from "./conv2d_gradients.ts";
import { wasmGroupNorm, wasmGroupNormGrad } from "./group_norm.ts";
import { instantiateKernels } from "./kernels.ts";
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
  register<tf.Conv2DAttrs>("Conv2D", ({ inputs, attributes, original }) => {
    checkConvolution(inputs.filter.shape, attributes);
    return original();
  });
  register<tf.Conv2DBackpropFilterAttrs>("Conv2DBackpropFilter", ({ inputs: { x, dy }, attributes }) => {
    return filterGradient(backend, kernels, x, dy, attributes.filterShape, attributes);
  });
  register<tf.Conv2DBackpropInputAttrs>("Conv2DBackpropInput", ({ inputs: { dy, filter }, attributes }) => {
    return inputGradient(backend, kernels, dy, filter, attributes.inputShape, attributes);
  });
  const { kernelFunc: multiply } = tf.getKernel("BatchMatMul", "wasm");
  const attrs = { transposeA: false, transposeB: false };
  const product = (a: tf.TensorInfo, b: tf.TensorInfo) =>
    multiply({ inputs: { a, b }, attrs, backend }) as tf.TensorInfo;
  register<tf.BatchMatMulAttrs>("BatchMatMul", ({ inputs: { a, b }, attributes, original }) => {
    if (a.dtype !== "float32" || b.dtype !== "float32") return original();
    return multiplied(backend, kernels, product, a, b, attributes);
  });
  registerCopy<tf.SliceAttrs>("Slice", ({ x }, attributes) => sliced(backend, kernels, x, attributes));
  registerCopy<tf.SplitVAttrs>("SplitV", ({ x }, attributes) => split(backend, kernels, x, attributes));
  registerCopy<tf.ConcatAttrs>(
    "Concat",
    (inputs, attributes) => joined(backend, kernels, Object.values(inputs), attributes),
  );
  for (const kernelName of ["Sum", "Mean"]) {
    register<ReductionAttributes>(kernelName, ({ inputs: { x }, attributes, original }) => {
      if (x.dtype !== "float32") return original();
      return sumOver(backend, kernels, x, attributes, kernelName === "Mean");
    });
  }
  register<GroupNormAttributes>("GroupNorm", ({ inputs: { x, scale, offset }, attributes }) => {
    return wasmGroupNorm(backend, kernels, x, scale, offset, attributes);
  });
  register<GroupNormAttributes>("GroupNormGrad", ({ inputs: { dy, x, scale, offset }, attributes }) => {
    return wasmGroupNormGrad(backend, kernels, dy, x, scale, offset, attributes);
  });
}

/** Throws for convolutions that the backend computes wrongly, or for which it writes past its output. */
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

/** Replaces a kernel that copies numbers of four bytes. */
function registerCopy<Attributes>(
  kernelName: string,
  copy: (inputs: KernelInputs, attributes: Attributes) => KernelOutput,
): void {
  register<Attributes>(kernelName, ({ inputs, attributes, original }) => {
    const isWide = Object.values(inputs).every(({ dtype }) => dtype === "float32" || dtype === "int32");
    return isWide ? copy(inputs, attributes) : original();
  });
}

function register<Attributes>(
  kernelName: string,
  kernel: (call: KernelCall<Attributes, BackendWasm>) => KernelOutput,
): void {
  registerKernel(kernelName, "wasm", kernel);
}

/** Registers this project's kernels of the WebGPU backend. @module */
import type { GroupNormAttributes } from "../group_norm.ts";
import { type KernelCall, type KernelOutput, registerKernel } from "../register_kernel.ts";
import type { DrawAttributes } from "../rng.ts";
import * as tf from "../tf.ts";
import type { WebGPUBackend } from "./backend.ts";
import { hasFilterGradient, webGpuFilterGradient } from "./filter_gradient.ts";
import { webGpuGroupNorm, webGpuGroupNormGrad } from "./group_norm.ts";
import { webGpuDraw } from "./random.ts";

/** Registers the kernels, once for all devices. */
export function registerWebGpuKernels(): void {
  if (tf.getKernel("GroupNorm", "webgpu") != null) return;
  register<GroupNormAttributes>(
    "GroupNorm",
    ({ inputs: { x, scale, offset }, attributes, backend }) =>
      webGpuGroupNorm(backend, x, scale, offset, attributes),
  );
  register<GroupNormAttributes>(
    "GroupNormGrad",
    ({ inputs: { dy, x, scale, offset }, attributes, backend }) =>
      webGpuGroupNormGrad(backend, dy, x, scale, offset, attributes),
  );
  register<DrawAttributes>("ThreefryDraw", ({ attributes, backend }) => webGpuDraw(backend, attributes));
  register<tf.Conv2DBackpropFilterAttrs>(
    "Conv2DBackpropFilter",
    ({ inputs: { x, dy }, attributes, backend, original }) =>
      hasFilterGradient(x, dy, attributes) ? webGpuFilterGradient(backend, x, dy, attributes) : original(),
  );
}

function register<Attributes>(
  kernelName: string,
  kernel: (call: KernelCall<Attributes, WebGPUBackend>) => KernelOutput,
): void {
  registerKernel(kernelName, "webgpu", kernel);
}

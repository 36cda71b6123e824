/** Registers the WebGPU backend's kernels of our own. @module */
import type { GroupNormAttributes } from "../group_norm.ts";
import * as tf from "../tf.ts";
import type { WebGPUBackend } from "../webgpu_backend.ts";
import { webGpuGroupNorm, webGpuGroupNormGrad } from "./group_norm.ts";

/** Registers the kernels, once for all devices. */
export function registerWebGpuKernels(): void {
  if (tf.getKernel("GroupNorm", "webgpu") != null) return;
  tf.registerKernel({
    kernelName: "GroupNorm",
    backendName: "webgpu",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, scale, offset } = inputs as Record<"x" | "scale" | "offset", tf.TensorInfo>;
      return webGpuGroupNorm(backend as WebGPUBackend, x, scale, offset, attrs as GroupNormAttributes);
    },
  });
  tf.registerKernel({
    kernelName: "GroupNormGrad",
    backendName: "webgpu",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { dy, x, scale, offset } = inputs as Record<"dy" | "x" | "scale" | "offset", tf.TensorInfo>;
      return webGpuGroupNormGrad(
        backend as WebGPUBackend,
        dy,
        x,
        scale,
        offset,
        attrs as GroupNormAttributes,
      );
    },
  });
}

/** Registers the WebGPU backend's kernels of our own. @module */
import type { GroupNormAttributes } from "../group_norm.ts";
import type { DrawAttributes } from "../rng.ts";
import * as tf from "../tf.ts";
import type { WebGPUBackend } from "./backend.ts";
import { hasFilterGradient, webGpuFilterGradient } from "./filter_gradient.ts";
import { webGpuGroupNorm, webGpuGroupNormGrad } from "./group_norm.ts";
import { webGpuDraw } from "./random.ts";

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
  tf.registerKernel({
    kernelName: "ThreefryDraw",
    backendName: "webgpu",
    kernelFunc: ({ attrs, backend }) =>
      webGpuDraw(backend as WebGPUBackend, attrs as unknown as DrawAttributes),
  });
  const { kernelFunc: original } = tf.getKernel("Conv2DBackpropFilter", "webgpu");
  tf.unregisterKernel("Conv2DBackpropFilter", "webgpu");
  tf.registerKernel({
    kernelName: "Conv2DBackpropFilter",
    backendName: "webgpu",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, dy } = inputs as Record<"x" | "dy", tf.TensorInfo>;
      const attributes = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
      if (!hasFilterGradient(x, dy, attributes)) return original({ inputs, attrs, backend });
      return webGpuFilterGradient(backend as WebGPUBackend, x, dy, attributes);
    },
  });
}

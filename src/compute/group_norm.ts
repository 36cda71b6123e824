/**
 * Group normalization (Wu & He 2018) with its affine map and SiLU in one kernel, and its gradient in another.
 * As compositions of TensorFlow.js operations they take about eight passes over memory, and as many again backwards.
 * @module
 */
import { registerKernel } from "./register_kernel.ts";
import * as tf from "./tf.ts";
import { groupNormGradOnHost, groupNormOnHost } from "./group_norm_host.ts";

/** Attributes of the kernels "GroupNorm" {x, scale, offset} and "GroupNormGrad" {dy, x, scale, offset}. */
export type GroupNormAttributes = {
  readonly groups: number;
  /** Whether SiLU follows. */
  readonly silu: boolean;
};

/**
 * a(x̂·scale + offset), where x̂ is x with mean 0 and variance 1 over each sample's groups of channels, and a is SiLU
 * or the identity; 1e-5 is added to the variance. Differentiable once, with respect to x, scale and offset.
 *
 * @param x [B, H, W, C]
 * @param scale [1, C] for weights alone, [B, C] where each sample has its own (feature-wise linear modulation)
 * @param offset as scale, the same shape
 * @param groups divides C; group g holds channels g·C/groups … (g+1)·C/groups − 1
 * @param activation what follows the affine map
 * @returns [B, H, W, C]
 * @throws {RangeError} When the shapes or the groups do not fit together.
 */
export function groupNorm(
  x: tf.Tensor4D,
  scale: tf.Tensor2D,
  offset: tf.Tensor2D,
  groups: number,
  activation: "silu" | "none" = "none",
): tf.Tensor4D {
  const [batch, , , channels] = x.shape;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new RangeError(`groups must divide the ${channels} channels, got ${groups}`);
  }
  for (const [name, { shape }] of [["scale", scale], ["offset", offset]] as const) {
    if (shape.length !== 2 || (shape[0] !== 1 && shape[0] !== batch) || shape[1] !== channels) {
      throw new RangeError(`${name} must be [1 or ${batch}, ${channels}], got [${shape}]`);
    }
  }
  if (scale.shape[0] !== offset.shape[0]) {
    throw new RangeError(
      `scale and offset must have the same shape, got [${scale.shape}] and [${offset.shape}]`,
    );
  }
  const attributes: GroupNormAttributes = { groups, silu: activation === "silu" };
  if (tf.getKernel("GroupNorm", tf.getBackend()) === undefined) {
    throw new Error(
      `networks do not run on TensorFlow.js' own backend "${tf.getBackend()}": open an engine by await useEngine() first`,
    );
  }
  return tf.engine().runKernel("GroupNorm", { x, scale, offset }, attributes);
}

tf.registerGradient({
  kernelName: "GroupNorm",
  inputsToSave: ["x", "scale", "offset"],
  gradFunc: (dy, saved, attributes) => {
    const [x, scale, offset] = saved;
    const inputs = { dy: dy as tf.Tensor, x, scale, offset };
    const [dx, dScale, dOffset] = tf.engine().runKernel<tf.Tensor[]>("GroupNormGrad", inputs, attributes);
    return { x: () => dx, scale: () => dScale, offset: () => dOffset };
  },
});

/**
 * The parts of the cpu backend that the kernels below use; the other backends' kernels are registered with their
 * engines.
 */
interface CpuBackend {
  readSync(dataId: object): Float32Array;
  write(values: Float32Array, shape: number[], dtype: "float32"): object;
}

registerKernel<GroupNormAttributes, CpuBackend>("GroupNorm", "cpu", ({ inputs, attributes, backend }) => {
  const { x, scale, offset } = inputs;
  const [read, write] = [reader(backend), writer(backend)];
  return write(x.shape, groupNormOnHost(x.shape, read(x), read(scale), read(offset), attributes));
});

registerKernel<GroupNormAttributes, CpuBackend>("GroupNormGrad", "cpu", ({ inputs, attributes, backend }) => {
  const { dy, x, scale, offset } = inputs;
  const [read, write] = [reader(backend), writer(backend)];
  const arrays = [read(dy), read(x), read(scale), read(offset)] as const;
  const gradients = groupNormGradOnHost(x.shape, ...arrays, attributes);
  return [
    write(x.shape, gradients.x),
    write(scale.shape, gradients.scale),
    write(offset.shape, gradients.offset),
  ];
});

function reader(backend: CpuBackend): (info: tf.TensorInfo) => Float32Array {
  return ({ dataId }) => backend.readSync(dataId);
}

function writer(backend: CpuBackend): (shape: number[], values: Float32Array) => tf.TensorInfo {
  return (shape, values) => ({ dataId: backend.write(values, shape, "float32"), shape, dtype: "float32" });
}

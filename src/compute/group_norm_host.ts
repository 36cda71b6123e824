/** Group normalization and its gradient as plain loops over arrays; sums in float64. @module */
import { sizeOf } from "../math/shape.ts";
import type { GroupNormAttributes } from "./group_norm.ts";

/** Added to the variance before its square root is taken; PyTorch's default. */
export const EPSILON = 1e-5;

/** a(x̂·scale + offset) for x [B, …, C] in C-order and scale, offset [1 or B, C]. */
export function groupNormOnHost(
  shape: readonly number[],
  x: Float32Array,
  scale: Float32Array,
  offset: Float32Array,
  { groups, silu }: GroupNormAttributes,
): Float32Array {
  const { batch, positions, channels, width, rowStride } = layout(shape, scale, groups);
  const y = new Float32Array(x.length);
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < groups; g++) {
      const first = b * positions * channels + g * width;
      const { mean, inverse } = moments(x, first, positions, channels, width);
      for (let p = 0; p < positions; p++) {
        for (let c = 0; c < width; c++) {
          const i = first + p * channels + c;
          const k = b * rowStride + g * width + c;
          const value = (x[i] - mean) * inverse * scale[k] + offset[k];
          y[i] = silu ? value / (1 + Math.exp(-value)) : value;
        }
      }
    }
  }
  return y;
}

/** Gradients with respect to x, scale and offset, given dy, the gradient with respect to the output. */
export function groupNormGradOnHost(
  shape: readonly number[],
  dy: Float32Array,
  x: Float32Array,
  scale: Float32Array,
  offset: Float32Array,
  { groups, silu }: GroupNormAttributes,
): { x: Float32Array; scale: Float32Array; offset: Float32Array } {
  const { batch, positions, channels, width, rowStride } = layout(shape, scale, groups);
  const dx = new Float32Array(x.length);
  const dScale = new Float64Array(scale.length);
  const dOffset = new Float64Array(scale.length);
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < groups; g++) {
      const first = b * positions * channels + g * width;
      const { mean, inverse } = moments(x, first, positions, channels, width);
      // First pass: the gradient before the activation, and its means against 1 and x̂ under the scale.
      let sum = 0, product = 0;
      for (let p = 0; p < positions; p++) {
        for (let c = 0; c < width; c++) {
          const i = first + p * channels + c;
          const k = b * rowStride + g * width + c;
          const normal = (x[i] - mean) * inverse;
          let d = dy[i];
          if (silu) {
            const value = normal * scale[k] + offset[k];
            const sigmoid = 1 / (1 + Math.exp(-value));
            d *= sigmoid * (1 + value * (1 - sigmoid));
          }
          dx[i] = d;
          dOffset[k] += d;
          dScale[k] += d * normal;
          sum += d * scale[k];
          product += d * scale[k] * normal;
        }
      }
      const count = positions * width;
      for (let p = 0; p < positions; p++) {
        for (let c = 0; c < width; c++) {
          const i = first + p * channels + c;
          const normal = (x[i] - mean) * inverse;
          const k = b * rowStride + g * width + c;
          dx[i] = inverse * (dx[i] * scale[k] - sum / count - normal * product / count);
        }
      }
    }
  }
  return { x: dx, scale: Float32Array.from(dScale), offset: Float32Array.from(dOffset) };
}

function layout(shape: readonly number[], scale: Float32Array, groups: number) {
  const batch = shape[0];
  const channels = shape[shape.length - 1];
  const positions = sizeOf(shape.slice(1, -1));
  return {
    batch,
    positions,
    channels,
    width: channels / groups,
    rowStride: scale.length === channels ? 0 : channels,
  };
}

function moments(x: Float32Array, first: number, positions: number, channels: number, width: number) {
  const count = positions * width;
  let sum = 0;
  for (let p = 0; p < positions; p++) {
    for (let c = 0; c < width; c++) sum += x[first + p * channels + c];
  }
  const mean = sum / count;
  let squares = 0;
  for (let p = 0; p < positions; p++) {
    for (let c = 0; c < width; c++) squares += (x[first + p * channels + c] - mean) ** 2;
  }
  return { mean, inverse: 1 / Math.sqrt(squares / count + EPSILON) };
}

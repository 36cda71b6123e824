/**
 * The gradients of a 2-D convolution on the wasm backend, as forward convolutions, which XNNPACK computes fast:
 * TensorFlow.js has no filter's gradient on wasm and computes the input's by a plain loop.
 * @module
 */
import type { BackendWasm } from "./backend.ts";
import * as tf from "../tf.ts";
import { allocate, allocateZeros, type WasmKernels } from "./kernels.ts";

type Shape4D = [number, number, number, number];
/** Attributes of Conv2DBackpropInput and Conv2DBackpropFilter. */
type ConvolutionAttributes = Pick<tf.Conv2DBackpropInputAttrs, "strides" | "pad" | "dimRoundingMode">;
type Padding = [[number, number], [number, number], [number, number], [number, number]];

function convolve(
  backend: BackendWasm,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  pad: Padding | "valid",
  dilations: number[],
) {
  const kernel = tf.getKernel("Conv2D", "wasm");
  const attrs = { strides: [1, 1], pad, dataFormat: "NHWC", dilations, dimRoundingMode: "floor" };
  return kernel.kernelFunc({
    inputs: { x, filter },
    backend,
    attrs: attrs as tf.NamedAttrMap,
  }) as tf.TensorInfo;
}

function geometry(inputShape: Shape4D, filterShape: Shape4D, attributes: ConvolutionAttributes) {
  const { strides, pad, dimRoundingMode } = attributes;
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode);
}

/**
 * dL/dfilter [kh, kw, Ci, Co] from x [B, H, W, Ci] and dy [B, Ho, Wo, Co]: the correlation of the padded x with dy,
 * with batch and channels exchanged, so that the sum over the batch is the convolution's sum over its channels.
 */
export function filterGradient(
  backend: BackendWasm,
  kernels: WasmKernels,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  filterShape: Shape4D,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(x.shape as Shape4D, filterShape, attributes);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const height = (outHeight - 1) * strideHeight + filterHeight;
  const width = (outWidth - 1) * strideWidth + filterWidth;
  const at = (tensor: tf.TensorInfo) => backend.getMemoryOffset(tensor.dataId);

  const images = allocateZeros(backend, [inChannels, height, width, batchSize]);
  const sizes = [batchSize, inHeight, inWidth, inChannels, height, width, padInfo.top, padInfo.left];
  kernels.batchLast(at(x), at(images), ...sizes);
  const filter = allocate(backend, [outHeight, outWidth, batchSize, outChannels]);
  kernels.swapLeading(at(dy), at(filter), batchSize, outHeight * outWidth, outChannels);
  const product = convolve(backend, images, filter, "valid", [strideHeight, strideWidth]);
  const gradient = allocate(backend, [...filterShape]);
  kernels.swapLeading(at(product), at(gradient), inChannels, filterHeight * filterWidth, outChannels);
  for (const { dataId } of [images, filter, product]) backend.disposeData(dataId);
  return gradient;
}

/**
 * One axis of the input's gradient at the inputs i·stride + phase: dx_i = Σ_m dy[i + shift − m] w[first + stride·m],
 * a correlation of dy with `taps` weights in reverse order, between `before` and `after` zeros.
 */
function subPixelAxis(
  phase: number,
  stride: number,
  input: number,
  output: number,
  filter: number,
  pad: number,
) {
  const first = (phase + pad) % stride;
  const shift = (phase + pad - first) / stride;
  const count = Math.ceil((input - phase) / stride);
  const weights = Math.max(0, Math.ceil((filter - first) / stride));
  const taps = Math.max(weights, shift + 1); // the surplus taps have weight 0
  return {
    first,
    count,
    weights,
    taps,
    before: taps - 1 - shift,
    after: Math.max(0, count - output + shift),
  };
}

/**
 * dL/dx [B, H, W, Ci] from dy [B, Ho, Wo, Co] and the filter [kh, kw, Ci, Co]: for each phase of the stride one
 * convolution of dy with the flipped taps that reach it, so that no zeros are multiplied.
 */
export function inputGradient(
  backend: BackendWasm,
  kernels: WasmKernels,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  inputShape: Shape4D,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(inputShape, filter.shape as Shape4D, attributes);
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  const at = (tensor: tf.TensorInfo) => backend.getMemoryOffset(tensor.dataId);
  const dx = allocateZeros(backend, [...inputShape]);
  for (let row = 0; row < Math.min(strideHeight, inHeight); row++) {
    const rows = subPixelAxis(row, strideHeight, inHeight, outHeight, info.filterHeight, padInfo.top);
    for (let column = 0; column < Math.min(strideWidth, inWidth); column++) {
      const columns = subPixelAxis(column, strideWidth, inWidth, outWidth, info.filterWidth, padInfo.left);
      if (rows.weights === 0 || columns.weights === 0) continue;
      const taps = allocateZeros(backend, [rows.taps, columns.taps, info.outChannels, info.inChannels]);
      fillFlippedTaps(backend, filter, taps, rows, columns, strideHeight, strideWidth);
      const pad: Padding = [[0, 0], [rows.before, rows.after], [columns.before, columns.after], [0, 0]];
      const part = convolve(backend, dy, taps, pad, [1, 1]);
      backend.disposeData(taps.dataId);
      const isWhole = strideHeight === 1 && strideWidth === 1 &&
        part.shape.every((size, axis) => size === inputShape[axis]);
      if (isWhole) {
        backend.disposeData(dx.dataId);
        return part;
      }
      const sizes = [part.shape[0], part.shape[1], part.shape[2], part.shape[3], rows.count, columns.count];
      kernels.interleave(
        at(part),
        at(dx),
        ...sizes,
        inHeight,
        inWidth,
        row,
        column,
        strideHeight,
        strideWidth,
      );
      backend.disposeData(part.dataId);
    }
  }
  return dx;
}

type Axis = ReturnType<typeof subPixelAxis>;

/** taps[t, u, o, i] = filter[first + stride·m, …, i, o] with t = taps − 1 − m, u alike. */
function fillFlippedTaps(
  backend: BackendWasm,
  filter: tf.TensorInfo,
  taps: tf.TensorInfo,
  rows: Axis,
  columns: Axis,
  strideHeight: number,
  strideWidth: number,
): void {
  const from = backend.typedArrayFromHeap(filter), to = backend.typedArrayFromHeap(taps);
  const [, filterWidth, inputs, outputs] = filter.shape;
  const size = inputs * outputs;
  for (let m = 0; m < rows.weights; m++) {
    for (let n = 0; n < columns.weights; n++) {
      const source = ((rows.first + strideHeight * m) * filterWidth + columns.first + strideWidth * n) * size;
      const target = ((rows.taps - 1 - m) * columns.taps + columns.taps - 1 - n) * size;
      for (let i = 0; i < inputs; i++) {
        for (let o = 0; o < outputs; o++) to[target + o * inputs + i] = from[source + i * outputs + o];
      }
    }
  }
}

/**
 * The filter's gradient of a 2-D convolution as WebGPU programs. TensorFlow.js uses one thread for every weight,
 * which loops over all pixels of the batch.
 *
 * It is a matrix product: dW[tap and input channel, output channel] = Σ over batch and output pixels of
 * x[pixel under the tap, input channel] · dy[output pixel, output channel]. A workgroup computes a tile of dW over a
 * slice of the pixels, some at a time: its threads load them once into shared memory and use each as often as the
 * tile is wide. There are as many slices as the GPU needs to be busy; if there are several, a second program adds
 * their sums in the order of the slices. No sum depends on the order of threads, so results are the same bits in
 * every run.
 * @module
 */
import * as tf from "../tf.ts";
import type { WebGPUBackend } from "./backend.ts";
import { runComputation } from "./program.ts";

/** Rows and columns of dW per workgroup. */
const TILE = 32;
/** Rows and columns of dW per thread. */
const BLOCK = 4;
/** Output pixels in shared memory at a time. */
const DEPTH = 16;
const THREADS = (TILE / BLOCK) ** 2;
/**
 * The number of workgroups up to which slices are added; it also limits the memory of the slices' sums to 2 MiB + dW.
 */
const WORKGROUPS = 512;

type Shape4D = [number, number, number, number];

/** Whether {@linkcode webGpuFilterGradient} supports the call: float32, channels last. */
export function hasFilterGradient(
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  attributes: tf.Conv2DBackpropFilterAttrs,
): boolean {
  return x.dtype === "float32" && dy.dtype === "float32" && attributes.dataFormat === "NHWC";
}

/** The kernel "Conv2DBackpropFilter": dW [h, w, Ci, Co] from x [B, H, W, Ci] and dy [B, Ho, Wo, Co]. */
export function webGpuFilterGradient(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  attributes: tf.Conv2DBackpropFilterAttrs,
): tf.TensorInfo {
  const { strides, pad, dimRoundingMode } = attributes;
  const filterShape = attributes.filterShape as Shape4D;
  const info = tf.backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const rows = info.filterHeight * info.filterWidth * info.inChannels;
  const columns = info.outChannels;
  const pixels = info.batchSize * info.outHeight * info.outWidth;
  const tiles = Math.ceil(rows / TILE) * Math.ceil(columns / TILE);
  const fetches = Math.ceil(pixels / DEPTH);
  const fetchesOfSlice = Math.ceil(fetches / Math.ceil(WORKGROUPS / tiles));
  const slices = Math.ceil(fetches / fetchesOfSlice);
  const sums = runComputation(backend, {
    name: "filterGradient slices",
    code: SLICES,
    inputs: { x, dy },
    shape: [slices, rows, columns],
    integers: {
      rows,
      columns,
      pixels,
      fetches: fetchesOfSlice,
      inHeight: info.inHeight,
      inWidth: info.inWidth,
      inChannels: info.inChannels,
      outHeight: info.outHeight,
      outWidth: info.outWidth,
      filterWidth: info.filterWidth,
      strideHeight: info.strideHeight,
      strideWidth: info.strideWidth,
      top: info.padInfo.top,
      left: info.padInfo.left,
    },
    threads: THREADS,
    workgroups: tiles * slices,
  });
  if (slices === 1) return { ...sums, shape: filterShape };
  const gradient = runComputation(backend, {
    name: "filterGradient sum",
    code: SUM,
    inputs: { sums },
    shape: filterShape,
    integers: { slices },
    threads: 256,
  });
  backend.disposeData(sums.dataId);
  return gradient;
}

/**
 * result[slice, row, column]: the sums over each slice's pixels. Whatever lies outside x, dy or the slice counts as
 * zero. A workgroup's threads go through every barrier together, so the loop's bounds are uniforms.
 */
const SLICES = `
/** Sample, and row and column of x under the filter's first tap without padding, of the pixels in shared memory. */
var<workgroup> places : array<vec3<i32>, ${DEPTH}>;
var<workgroup> inputs : array<f32, ${DEPTH * TILE}>;
var<workgroup> slopes : array<f32, ${DEPTH * TILE}>;

fn main(index : i32) {
  let thread = i32(localId.x);
  let tile = index / ${THREADS};
  let down = (uniforms.rows + ${TILE - 1}) / ${TILE};
  let across = (uniforms.columns + ${TILE - 1}) / ${TILE};
  let slice = tile / (down * across);
  let firstRow = (tile / across) % down * ${TILE};
  let firstColumn = tile % across * ${TILE};

  // The row and the column that this thread loads.
  let lane = thread % ${TILE};
  let row = firstRow + lane;
  let column = firstColumn + lane;
  let channel = row % uniforms.inChannels;
  let tap = row / uniforms.inChannels;
  let tapRow = tap / uniforms.filterWidth - uniforms.top;
  let tapColumn = tap % uniforms.filterWidth - uniforms.left;

  // The block that this thread computes.
  let blockRow = thread / ${TILE / BLOCK} * ${BLOCK};
  let blockColumn = thread % ${TILE / BLOCK} * ${BLOCK};
  var sums : array<vec4<f32>, ${BLOCK}>;

  for (var fetch = 0; fetch < uniforms.fetches; fetch++) {
    let first = (slice * uniforms.fetches + fetch) * ${DEPTH};
    if (thread < ${DEPTH}) {
      let pixel = first + thread;
      let line = pixel / uniforms.outWidth;
      places[thread] = vec3<i32>(
        line / uniforms.outHeight,
        line % uniforms.outHeight * uniforms.strideHeight,
        pixel % uniforms.outWidth * uniforms.strideWidth);
    }
    workgroupBarrier();
    for (var k = thread / ${TILE}; k < ${DEPTH}; k += ${THREADS / TILE}) {
      let isPixel = first + k < uniforms.pixels;
      let place = places[k];
      let i = place.y + tapRow;
      let j = place.z + tapColumn;
      var input = 0.0;
      if (isPixel && row < uniforms.rows && i >= 0 && i < uniforms.inHeight && j >= 0 && j < uniforms.inWidth) {
        input = x[((place.x * uniforms.inHeight + i) * uniforms.inWidth + j) * uniforms.inChannels + channel];
      }
      inputs[k * ${TILE} + lane] = input;
      var slope = 0.0;
      if (isPixel && column < uniforms.columns) { slope = dy[(first + k) * uniforms.columns + column]; }
      slopes[k * ${TILE} + lane] = slope;
    }
    workgroupBarrier();
    for (var k = 0; k < ${DEPTH * TILE}; k += ${TILE}) {
      let j = k + blockColumn;
      let slope = vec4<f32>(slopes[j], slopes[j + 1], slopes[j + 2], slopes[j + 3]);
      for (var i = 0; i < ${BLOCK}; i++) { sums[i] += inputs[k + blockRow + i] * slope; }
    }
  }
  for (var i = 0; i < ${BLOCK}; i++) {
    for (var j = 0; j < ${BLOCK}; j++) {
      let r = firstRow + blockRow + i;
      let c = firstColumn + blockColumn + j;
      let place = (slice * uniforms.rows + r) * uniforms.columns + c;
      if (r < uniforms.rows && c < uniforms.columns && place < uniforms.size) { result[place] = sums[i][j]; }
    }
  }
}
`;

/** The slices' sums, added in their order. */
const SUM = `
fn main(index : i32) {
  if (index < uniforms.size) {
    var sum = 0.0;
    for (var slice = 0; slice < uniforms.slices; slice++) { sum += sums[slice * uniforms.size + index]; }
    result[index] = sum;
  }
}
`;

/**
 * Pooling and nearest-neighbour resizing, with their gradients.
 * @module
 */
import { sizeOf } from "../../../math/shape.ts";
import { BLOCKED } from "../../onnx/domains.ts";
import * as tf from "../../tf.ts";
import { blocksOf, fromBlocks } from "../blocks.ts";
import type { Value } from "../graph.ts";
import type { TraceKernels } from "../kernel.ts";
import { inOrder, NCHW, stored, type Traced } from "../traced.ts";

type Shape4 = [number, number, number, number];

interface Window {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
  /** Shape of the output: batch, channels, height, width. */
  readonly outShape: readonly number[];
}

function windowOf(
  shape: readonly number[],
  { filterSize, strides, pad, dimRoundingMode }: tf.MaxPoolAttrs,
): Window {
  const info = tf.backend_util.computePool2DInfo(
    shape as Shape4,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const { top, left, bottom, right } = info.padInfo;
  return {
    size: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    pads: [top, left, bottom, right],
    outShape: [info.batchSize, info.outChannels, info.outHeight, info.outWidth],
  };
}

function poolAttributes({ size, strides, pads }: Window) {
  return { kernel_shape: size, strides, pads };
}

/** Whether the windows tile the image, without overlap or padding. */
function tiles(window: Window, shape: readonly number[]): boolean {
  const [height, width] = window.size;
  return height === window.strides[0] && width === window.strides[1] &&
    window.pads.every((pad) => pad === 0) &&
    window.outShape[2] * height === shape[1] && window.outShape[3] * width === shape[2];
}

/** Each pixel of [B, C, H, W] repeated over a block of rows × columns. */
function enlarged(x: Traced, rows: number, columns: number): Traced {
  const graph = x.graph;
  const [batch, channels, height, width] = NCHW.map((axis) => x.shape[axis]);
  const blocks = blocksOf(x);
  if (blocks !== undefined) {
    const shape = [batch, channels, height * rows, width * columns];
    const attributes = { scales: [1, 1, rows, columns], mode: "nearest" };
    return fromBlocks(graph, graph.node("Upsample", [blocks], shape, { attributes, domain: BLOCKED }));
  }
  const value = stored(x, NCHW);
  const scales = graph.constant(Float32Array.of(1, 1, rows, columns), [4]);
  const result = graph.node("Resize", [value, null, scales], [
    batch,
    channels,
    height * rows,
    width * columns,
  ], {
    attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  });
  return inOrder(graph, result, NCHW);
}

/** Integer factors between image sizes; nearest neighbour is a repetition then. */
function factors(
  from: readonly number[],
  to: readonly number[],
  { alignCorners, halfPixelCenters }: tf.ResizeNearestNeighborAttrs,
): [number, number] {
  const rows = to[0] / from[0];
  const columns = to[1] / from[1];
  if (!Number.isInteger(rows) || !Number.isInteger(columns) || alignCorners || halfPixelCenters) {
    throw new TypeError(
      `nearest-neighbour resizing has a traced form for whole factors and aligned edges only, got ${from} to ${to}`,
    );
  }
  return [rows, columns];
}

/** Sum over blocks of rows × columns. */
function blockSum(dy: Traced, value: Value, rows: number, columns: number): Value {
  const [batch, channels, height, width] = value.shape;
  const shape = [batch, channels, height / rows, width / columns];
  const mean = dy.graph.node("AveragePool", [value], shape, {
    attributes: { kernel_shape: [rows, columns], strides: [rows, columns] },
  });
  return dy.graph.node("Mul", [mean, dy.graph.scalar(rows * columns)], shape);
}

/** Pooling and resizing kernels. */
export const poolingKernels: TraceKernels = {
  AvgPool: ({ x }, attributes: tf.AvgPoolAttrs) => {
    const window = windowOf(x.shape, attributes);
    const value = x.graph.node("AveragePool", [stored(x, NCHW)], window.outShape, {
      attributes: { ...poolAttributes(window), count_include_pad: 0 },
    });
    return inOrder(x.graph, value, NCHW);
  },
  AvgPoolGrad: ({ dy, input }, attributes: tf.AvgPoolGradAttrs) => {
    const window = windowOf(input.shape, attributes);
    if (!tiles(window, input.shape)) {
      throw new TypeError(
        "the gradient of average pooling has a traced form only for windows that do not overlap",
      );
    }
    const [rows, columns] = window.size;
    const gradient = stored(dy, NCHW);
    const share = dy.graph.node("Mul", [gradient, dy.graph.scalar(1 / (rows * columns))], gradient.shape);
    return enlarged(inOrder(dy.graph, share, NCHW), rows, columns);
  },
  MaxPool: ({ x }, attributes: tf.MaxPoolAttrs) => {
    const window = windowOf(x.shape, attributes);
    const value = x.graph.node("MaxPool", [stored(x, NCHW)], window.outShape, {
      attributes: poolAttributes(window),
    });
    return inOrder(x.graph, value, NCHW);
  },
  MaxPoolGrad: ({ dy, input }, attributes: tf.MaxPoolGradAttrs) => {
    const graph = dy.graph;
    const window = windowOf(input.shape, attributes);
    const image = stored(input, NCHW);
    const size = sizeOf(image.shape);
    const count = sizeOf(window.outShape);
    // The maximum's index in the flat image; the first of equals, as in TensorFlow.js.
    const places = graph.nodes("MaxPool", [image], [window.outShape, window.outShape], {
      types: ["float32", "int64"],
      attributes: poolAttributes(window),
    })[1];
    const zeros = graph.expand(graph.scalar(0), [size]);
    const inputs = [zeros, graph.reshape(places, [count]), graph.reshape(stored(dy, NCHW), [count])];
    const flat = graph.node("ScatterElements", inputs, [size], { attributes: { axis: 0, reduction: "add" } });
    return inOrder(graph, graph.reshape(flat, image.shape), NCHW);
  },
  ResizeNearestNeighbor: ({ images }, attributes: tf.ResizeNearestNeighborAttrs) => {
    const [rows, columns] = factors(images.shape.slice(1, 3), attributes.size, attributes);
    return enlarged(images, rows, columns);
  },
  ResizeNearestNeighborGrad: ({ images, dy }, attributes: tf.ResizeNearestNeighborAttrs) => {
    const [rows, columns] = factors(images.shape.slice(1, 3), dy.shape.slice(1, 3), attributes);
    return inOrder(dy.graph, blockSum(dy, stored(dy, NCHW), rows, columns), NCHW);
  },
};

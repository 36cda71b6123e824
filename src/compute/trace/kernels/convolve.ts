/**
 * Convolutions of images.
 *
 * The runtime's blocked kernels are used where it has them ([B, C/n, H, W, n] with n contiguous channels, the width
 * of a vector register): with weights that are inputs they are two to four times as fast as its plain ones.
 * @module
 */
import { BLOCKED } from "../../onnx/domains.ts";
import * as tf from "../../tf.ts";
import { fromBlocks, toBlocks } from "../blocks.ts";
import type { Graph, Value } from "../graph.ts";
import { inOrder, NCHW, reshaped, stored, type Traced } from "../traced.ts";
import { padded } from "./movement.ts";

type Shape4 = [number, number, number, number];

/** Strides, dilations and padding of a convolution. */
export interface Geometry {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right; negative numbers crop. */
  readonly pads: readonly number[];
}

/** Attributes of TensorFlow.js' convolutions; gradients have no dilations. */
type ConvolutionAttributes =
  & Pick<tf.Conv2DAttrs, "strides" | "pad" | "dimRoundingMode">
  & Partial<Pick<tf.Conv2DAttrs, "dataFormat" | "dilations">>;

/** The geometry of TensorFlow.js' attributes. */
export function geometryOf(
  shape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvolutionAttributes,
): Geometry & { outShape: number[] } {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
  if (dataFormat !== undefined && dataFormat !== "NHWC") {
    throw new TypeError(`convolutions in ${dataFormat} have no traced form, only in NHWC`);
  }
  const info = tf.backend_util.computeConv2DInfo(
    shape as Shape4,
    filterShape as Shape4,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
  );
  const { top, left, bottom, right } = info.padInfo;
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [top, left, bottom, right],
    outShape: info.outShape,
  };
}

/** The tensor with axes renamed: new axis i is old axis `order[i]`. */
export function relabelled(x: Traced, order: readonly number[]): Traced {
  const shape = order.map((axis) => x.shape[axis]);
  return x.fill !== undefined
    ? { ...x, shape }
    : { ...x, shape, perm: x.perm.map((axis) => order.indexOf(axis)) };
}

/** Channels to be added so that blocks are full; 0 for fewer channels than one block. */
function missingInputs(channels: number, block: number): number {
  return channels < block ? 0 : (block - channels % block) % block;
}

/**
 * A filter [h, w, inputs, outputs] in the layout of the blocked kernel: [outputs/n, inputs/n, h, w, n (inputs), n
 * (outputs)], without the inputs' blocks when there is less than one.
 */
function blockedFilter(filter: Traced, block: number): Value {
  const graph = filter.graph;
  const [height, width, inputs, outputs] = filter.shape;
  const shape = [outputs, inputs, height, width];
  if (inputs < block) {
    const blocks = reshaped(filter, [height, width, inputs, outputs / block, block]);
    return graph.reshape(stored(blocks, [3, 2, 0, 1, 4]), shape);
  }
  const image = filter.perm.indexOf(2) === 0 && filter.perm.indexOf(3) === 1;
  if (image && filter.fill === undefined) {
    // An image's gradient, with the batch as inputs: its blocks of channels exist, or are made for its other uses.
    const blocks = toBlocks(relabelled(filter, [2, 0, 1, 3]));
    const split = graph.reshape(blocks, [inputs / block, block, outputs / block, height, width, block]);
    return graph.reshape(graph.transpose(split, [2, 0, 3, 4, 1, 5]), shape);
  }
  const blocks = reshaped(filter, [height, width, inputs / block, block, outputs / block, block]);
  return graph.reshape(stored(blocks, [4, 2, 0, 1, 3, 5]), shape);
}

/** [B, C, H, W] (in blocks where `block` > 1) with a border of zeros. */
function bordered(graph: Graph, value: Value, pads: readonly number[], block: number): Value {
  const [batch, channels, height, width] = value.shape;
  const [top, left, bottom, right] = pads;
  const shape = [batch, channels / block, height + top + bottom, width + left + right, block];
  const amounts = graph.integers([0, 0, top, left, 0, 0, 0, bottom, right, 0]);
  const blocks = graph.reshape(value, [batch, channels / block, height, width, block]);
  const result = graph.node("Pad", [blocks, amounts], shape);
  return graph.reshape(result, [batch, channels, shape[2], shape[3]]);
}

/**
 * The convolution of an image [B, H, W, inputs] with a filter [h, w, inputs, outputs].
 * @param borderFirst the filter is nearly as large as the image: a border in memory is faster than in the kernel
 */
export function convolve(image: Traced, kernel: Traced, geometry: Geometry, borderFirst = false): Traced {
  const graph = image.graph;
  const block = graph.blockSize;
  const [batch, height, width, inputs] = image.shape;
  const [rows, columns, , outputs] = kernel.shape;
  const { strides, dilations } = geometry;
  const pads = [...geometry.pads];
  const extent = (size: number, taps: number, axis: 0 | 1) =>
    Math.floor((size + pads[axis] + pads[axis + 2] - (taps - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  const shape = [batch, outputs, extent(height, rows, 0), extent(width, columns, 1)];

  const moreInputs = block === 0 ? 0 : missingInputs(inputs, block);
  const moreOutputs = block === 0 ? 0 : (block - outputs % block) % block;
  const x = padded(image, [[0, 0], [0, 0], [0, 0], [0, moreInputs]]);
  const filter = padded(kernel, [[0, 0], [0, 0], [0, moreInputs], [0, moreOutputs]]);
  const inBlocks = block > 0 && inputs >= block;
  let value = inBlocks ? toBlocks(x) : stored(x, NCHW);
  if (pads.some((pad) => borderFirst ? pad !== 0 : pad < 0)) {
    value = bordered(graph, value, pads, inBlocks ? block : 1);
    pads.fill(0);
  }
  const attributes = { kernel_shape: [rows, columns], strides, dilations, pads, group: 1 };
  if (block === 0) {
    const weights = stored(filter, [3, 2, 0, 1]);
    return inOrder(graph, graph.node("Conv", [value, weights], shape, { attributes }), NCHW);
  }
  const weights = blockedFilter(filter, block);
  const storedShape = [batch, outputs + moreOutputs, shape[2], shape[3]];
  const blocks = graph.node("Conv", [value, weights], storedShape, { attributes, domain: BLOCKED });
  return fromBlocks(graph, blocks, outputs);
}

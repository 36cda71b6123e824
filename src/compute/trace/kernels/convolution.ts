/**
 * Convolutions and their gradients. Both gradients are convolutions too, with axes renamed: of dy with the flipped
 * filter, and of x with dy where batch and channels have changed places.
 *
 * Where the runtime has them, its blocked kernels are used ([B, C/n, H, W, n] with n channels side by side, as wide as a
 * vector register): with weights that are inputs they are two to four times as fast as its plain ones.
 * @module
 */
import * as tf from "../../tf.ts";
import { BLOCKED, fromBlocks, sideBySide, toBlocks } from "../blocks.ts";
import type { Graph, Value } from "../graph.ts";
import type { Attributes, TraceKernels } from "../kernel.ts";
import { inOrder, natural, NCHW, reshaped, stored, type Traced } from "../traced.ts";
import { mapValues } from "./elementwise.ts";
import { padded, sliced } from "./movement.ts";
import { activated } from "./reduction.ts";

type Shape4 = [number, number, number, number];

interface Geometry {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right; negative crops. */
  readonly pads: readonly number[];
}

function geometryOf(
  shape: readonly number[],
  filterShape: readonly number[],
  attributes: Attributes,
): Geometry & { outShape: number[] } {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
  if (dataFormat !== undefined && dataFormat !== "NHWC") {
    throw new TypeError(`convolutions in ${dataFormat} have no traced form, only in NHWC`);
  }
  const info = tf.backend_util.computeConv2DInfo(
    shape as Shape4,
    filterShape as Shape4,
    strides as [number, number],
    (dilations ?? 1) as number,
    pad as "same" | "valid" | number,
    dimRoundingMode as "floor" | undefined,
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
function relabelled(x: Traced, order: readonly number[]): Traced {
  const shape = order.map((axis) => x.shape[axis]);
  return x.fill !== undefined
    ? { ...x, shape }
    : { ...x, shape, perm: x.perm.map((axis) => order.indexOf(axis)) };
}

/** Channels to be added so that blocks are full; fewer channels than one block need none. */
function missingInputs(channels: number, block: number): number {
  return channels < block ? 0 : (block - channels % block) % block;
}

/**
 * A filter [h, w, inputs, outputs] as the blocked kernel wants it: [outputs/n, inputs/n, h, w, n (inputs), n (outputs)],
 * without the inputs' blocks when there are less than one.
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
    // An image's gradient, with the batch as inputs: its blocks of channels are made (or there) for its other uses.
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
function convolve(image: Traced, kernel: Traced, geometry: Geometry, borderFirst = false): Traced {
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

/** Zeros between the pixels of [B, H, W, C]: pixel (i, j) lands at (i·rows, j·columns). */
function spread(x: Traced, [rows, columns]: readonly [number, number]): Traced {
  if (rows === 1 && columns === 1) return x;
  const graph = x.graph;
  const [batch, height, width, channels] = x.shape;
  // Channels last, so that whole runs of them are copied.
  const cells = graph.reshape(stored(x), [batch * height, 1, width, channels]);
  const shape = [batch * height, rows, width, columns * channels];
  const amounts = graph.integers([0, 0, 0, 0, 0, rows - 1, 0, (columns - 1) * channels]);
  const wide = graph.node("Pad", [cells, amounts], shape);
  return natural(graph, graph.reshape(wide, [batch, height * rows, width * columns, channels]));
}

/**
 * dL/dx of x * filter. With i + pad = s·j + p, dx[i] = Σ_m dy[j − m] filter[p + s·m]: one convolution at dy's own size for
 * each phase p, whose pixels lie side by side in dx, instead of one that multiplies the zeros between dy's pixels.
 */
function inputGradient(
  dy: Traced,
  filter: Traced,
  inputShape: readonly number[],
  geometry: Geometry,
): Traced {
  const [rows, columns, inputs] = filter.shape;
  const [strideRows, strideColumns] = geometry.strides;
  const block = dy.graph.blockSize;
  if (block > 0 && rows * columns > 1 && rows * columns * inputs < 2 * block) {
    return gradientOfTaps(dy, filter, inputShape, geometry);
  }
  const inPhases = block > 0 && inputs % block === 0 && rows >= strideRows && columns >= strideColumns;
  if (!inPhases) return gradientOfSpread(dy, filter, inputShape, geometry);
  const size = [0, 1].map((axis) =>
    Math.ceil((geometry.pads[axis] + inputShape[axis + 1]) / geometry.strides[axis])
  );
  const lines = Array.from({ length: strideRows }, (_, row) => {
    const phases = Array.from(
      { length: strideColumns },
      (_, column) => phaseOfGradient(dy, filter, [row, column], size, geometry.strides),
    );
    return sideBySide(phases, 2);
  });
  const whole = sideBySide(lines, 1);
  const [top, left] = geometry.pads;
  return sliced(whole, [0, top, left, 0], [inputShape[0], top + inputShape[1], left + inputShape[2], inputs]);
}

/** As {@link inputGradient} for few inputs: what each pixel of dy adds to each of its taps, then their sums. */
function gradientOfTaps(
  dy: Traced,
  filter: Traced,
  inputShape: readonly number[],
  geometry: Geometry,
): Traced {
  const graph = dy.graph;
  const [rows, columns, inputs, outputs] = filter.shape;
  const [batch, height, width] = dy.shape;
  const taps = graph.reshape(stored(filter, [3, 2, 0, 1]), [1, 1, outputs, inputs * rows * columns]);
  const point: Geometry = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const parts = stored(convolve(dy, natural(graph, taps), point), NCHW);
  const [, inputHeight, inputWidth] = inputShape;
  const [top, left] = geometry.pads;
  const bottom = (height - 1) * geometry.strides[0] + rows - top - inputHeight;
  const right = (width - 1) * geometry.strides[1] + columns - left - inputWidth;
  // Pixels that no tap reaches lie behind the last; they are cut off or added as a negative or positive border.
  const [extraRows, extraColumns] = [Math.max(0, -bottom), Math.max(0, -right)];
  const size = [inputHeight - extraRows, inputWidth - extraColumns];
  const lists = [size, [rows, columns]].map((list) => graph.integers(list));
  const columnsOf = graph.reshape(parts, [batch, inputs * rows * columns, height * width]);
  const image = graph.node("Col2Im", [columnsOf, ...lists], [batch, inputs, ...size], {
    attributes: { strides: geometry.strides, pads: [top, left, Math.max(0, bottom), Math.max(0, right)] },
  });
  return padded(inOrder(graph, image, NCHW), [[0, 0], [0, extraRows], [0, extraColumns], [0, 0]]);
}

/** The pixels of dL/dx with i + pad = s·j + phase, for j from 0 up to `size`. */
function phaseOfGradient(
  dy: Traced,
  filter: Traced,
  phase: readonly number[],
  size: readonly number[],
  strides: readonly number[],
): Traced {
  const [rows, columns, inputs, outputs] = filter.shape;
  const taps = [rows, columns].map((length, axis) => Math.ceil((length - phase[axis]) / strides[axis]));
  const last = taps.map((count, axis) => phase[axis] + strides[axis] * (count - 1));
  const flipped = sliced(
    filter,
    [last[0], last[1], 0, 0],
    [phase[0] - 1, phase[1] - 1, inputs, outputs],
    [-strides[0], -strides[1], 1, 1],
  );
  const after = size.map((length, axis) => length - dy.shape[axis + 1]);
  return convolve(dy, relabelled(flipped, [0, 1, 3, 2]), {
    strides: [1, 1],
    dilations: [1, 1],
    pads: [taps[0] - 1, taps[1] - 1, ...after],
  });
}

/** As {@link inputGradient}: dy, its pixels as far apart as the strides, with the flipped filter. */
function gradientOfSpread(
  dy: Traced,
  filter: Traced,
  inputShape: readonly number[],
  geometry: Geometry,
): Traced {
  const [rows, columns] = filter.shape;
  const flipped = sliced(filter, [rows - 1, columns - 1, 0, 0], [-1, -1, filter.shape[2], filter.shape[3]], [
    -1,
    -1,
    1,
    1,
  ]);
  const wide = spread(dy, geometry.strides);
  const before = [rows - 1 - geometry.pads[0], columns - 1 - geometry.pads[1]];
  const after = [
    inputShape[1] - wide.shape[1] - before[0] + rows - 1,
    inputShape[2] - wide.shape[2] - before[1] + columns - 1,
  ];
  return convolve(wide, relabelled(flipped, [0, 1, 3, 2]), {
    strides: [1, 1],
    dilations: [1, 1],
    pads: [...before, ...after],
  });
}

/** dL/dfilter of x * filter. */
function filterGradient(x: Traced, dy: Traced, filterShape: readonly number[], geometry: Geometry): Traced {
  const graph = x.graph;
  const [rows, columns, inputs, outputs] = filterShape;
  const { strides, pads } = geometry;
  const [batch, height, width] = dy.shape;
  if (rows === 1 && columns === 1 && height === x.shape[1] && width === x.shape[2]) {
    const pixels = batch * height * width;
    const a = graph.reshape(stored(x, [3, 0, 1, 2]), [inputs, pixels]);
    const b = graph.reshape(stored(dy, [3, 0, 1, 2]), [outputs, pixels]);
    const product = graph.node("Gemm", [a, b], [inputs, outputs], { attributes: { transB: 1 } });
    return natural(graph, graph.reshape(product, filterShape));
  }
  // The border or crop that leaves as many places for dy on x as the filter has taps.
  const after = [
    (height - 1) * strides[0] + rows - x.shape[1] - pads[0],
    (width - 1) * strides[1] + columns - x.shape[2] - pads[1],
  ];
  const role: Geometry = { strides: [1, 1], dilations: strides, pads: [pads[0], pads[1], ...after] };
  const gradient = convolve(relabelled(x, [3, 1, 2, 0]), relabelled(dy, [1, 2, 0, 3]), role, true);
  return relabelled(gradient, [1, 2, 0, 3]);
}

/** Convolution kernels. */
export const convolutionKernels: TraceKernels = {
  Conv2D: ({ x, filter }, attributes) => convolve(x, filter, geometryOf(x.shape, filter.shape, attributes)),
  FusedConv2D: ({ x, filter, bias, preluActivationWeights }, attributes) => {
    const result = convolve(x, filter, geometryOf(x.shape, filter.shape, attributes));
    const biased = bias === undefined
      ? result
      : mapValues([result, bias], (values, shape) => x.graph.node("Add", values, shape));
    return activated(biased, attributes.activation, preluActivationWeights, attributes.leakyreluAlpha);
  },
  Conv2DBackpropInput: ({ dy, filter }, attributes) => {
    const inputShape = attributes.inputShape as number[];
    return inputGradient(dy, filter, inputShape, geometryOf(inputShape, filter.shape, attributes));
  },
  Conv2DBackpropFilter: ({ x, dy }, attributes) => {
    const filterShape = attributes.filterShape as number[];
    return filterGradient(x, dy, filterShape, geometryOf(x.shape, filterShape, attributes));
  },
};

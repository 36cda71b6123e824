/**
 * Convolutions and their gradients. Both gradients are convolutions too, with axes renamed: of dy with the flipped
 * filter, and of x with dy with batch and channels exchanged.
 * @module
 */
import { sideBySide } from "../blocks.ts";
import type * as tf from "../../tf.ts";
import type { TraceKernels } from "../kernel.ts";
import { inOrder, natural, NCHW, stored, type Traced } from "../traced.ts";
import { convolve, type Geometry, geometryOf, relabelled } from "./convolve.ts";
import { mapValues } from "./elementwise.ts";
import { padded, sliced } from "./movement.ts";
import { activated } from "./reduction.ts";

/** Zeros between the pixels of [B, H, W, C]: pixel (i, j) lands at (i·rows, j·columns). */
function spread(x: Traced, [rows, columns]: readonly [number, number]): Traced {
  if (rows === 1 && columns === 1) return x;
  const graph = x.graph;
  const [batch, height, width, channels] = x.shape;
  // Channels last, so that contiguous channels are copied at once.
  const cells = graph.reshape(stored(x), [batch * height, 1, width, channels]);
  const shape = [batch * height, rows, width, columns * channels];
  const amounts = graph.integers([0, 0, 0, 0, 0, rows - 1, 0, (columns - 1) * channels]);
  const wide = graph.node("Pad", [cells, amounts], shape);
  return natural(graph, graph.reshape(wide, [batch, height * rows, width * columns, channels]));
}

/**
 * dL/dx of x * filter. With i + pad = s·j + p, dx[i] = Σ_m dy[j − m] filter[p + s·m]: one convolution at dy's own
 * size for each phase p, whose pixels interleave in dx, instead of one that multiplies the zeros between dy's pixels.
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

/** As {@linkcode inputGradient} for few inputs: the products of each pixel of dy with each tap, then their sums. */
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
  // Pixels without a tap are after the last; they are cut off or added as a negative or positive border.
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

/**
 * As {@linkcode inputGradient}: dy, with zeros between its pixels for the strides, convolved with the flipped filter.
 */
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
  // The border or crop for which dy has as many positions on x as the filter has taps.
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
  Conv2D: ({ x, filter }, attributes: tf.Conv2DAttrs) =>
    convolve(x, filter, geometryOf(x.shape, filter.shape, attributes)),
  FusedConv2D: ({ x, filter, bias, preluActivationWeights }, attributes: tf.FusedConv2DAttrs) => {
    const result = convolve(x, filter, geometryOf(x.shape, filter.shape, attributes));
    const biased = bias === undefined
      ? result
      : mapValues([result, bias], (values, shape) => x.graph.node("Add", values, shape));
    return activated(biased, attributes.activation, preluActivationWeights, attributes.leakyreluAlpha);
  },
  Conv2DBackpropInput: ({ dy, filter }, attributes: tf.Conv2DBackpropInputAttrs) => {
    const { inputShape } = attributes;
    return inputGradient(dy, filter, inputShape, geometryOf(inputShape, filter.shape, attributes));
  },
  Conv2DBackpropFilter: ({ x, dy }, attributes: tf.Conv2DBackpropFilterAttrs) => {
    const { filterShape } = attributes;
    return filterGradient(x, dy, filterShape, geometryOf(x.shape, filterShape, attributes));
  },
};

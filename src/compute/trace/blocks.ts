/**
 * Images with channels in blocks, [B, C/n, H, W, n], the layout of the runtime's fastest kernels. A value in blocks
 * is declared [B, C, H, W]; its plain form is recorded with it and left out of the model where it is not used, so
 * that operations on blocks follow each other without rearranging, and others work on the plain form.
 * @module
 */
import { sameList } from "../../math/shape.ts";
import { BLOCKED } from "../onnx/domains.ts";
import type { Graph, Value } from "./graph.ts";
import { identity, NCHW, stored, type Traced } from "./traced.ts";

/** The blocks of plain [B, C, H, W] values that are also recorded in blocks. */
const known = new WeakMap<Value, Value>();

/** The blocks of a tensor [B, H, W, C] that was computed in blocks; undefined for others. */
export function blocksOf(x: Traced): Value | undefined {
  return x.fill === undefined && sameList(x.perm, NCHW) ? known.get(x.value) : undefined;
}

/** The blocks of a tensor [B, H, W, C], C a multiple of the block. */
export function toBlocks(x: Traced): Value {
  const blocks = blocksOf(x);
  if (blocks !== undefined) return blocks;
  const channelsLast = x.fill === undefined && sameList(x.perm, identity(4));
  return x.graph.node(
    "ReorderInput",
    [stored(x, channelsLast ? x.perm : NCHW)],
    NCHW.map((axis) => x.shape[axis]),
    { attributes: { channels_last: Number(channelsLast) }, domain: BLOCKED },
  );
}

/** The tensor [B, H, W, channels] of a value in blocks; channels may be less than there are in the blocks. */
export function fromBlocks(graph: Graph, blocks: Value, channels = blocks.shape[1]): Traced {
  const [batch, stored, height, width] = blocks.shape;
  const value = graph.node("ReorderOutput", [blocks], [batch, channels, height, width], {
    attributes: { channels },
    domain: BLOCKED,
  });
  if (channels === stored) known.set(value, blocks);
  return { graph, shape: [batch, height, width, channels], perm: NCHW, value };
}

/** Images in blocks interleaved along their rows (axis 1 of [B, H, W, C]) or columns (axis 2). */
export function sideBySide(images: readonly Traced[], axis: 1 | 2): Traced {
  if (images.length === 1) return images[0];
  const { graph, shape: [batch, height, width, channels] } = images[0];
  // Whole lines, or the channels of a block, are contiguous in memory.
  const pieces = axis === 1
    ? batch * channels / graph.blockSize * height
    : batch * channels / graph.blockSize * height * width;
  const length = batch * channels * height * width / pieces;
  const values = images.map((image) => graph.reshape(toBlocks(image), [pieces, length]));
  const joined = graph.node("Concat", values, [pieces, images.length * length], { attributes: { axis: 1 } });
  const [rows, columns] = axis === 1 ? [images.length, 1] : [1, images.length];
  return fromBlocks(graph, graph.reshape(joined, [batch, channels, height * rows, width * columns]));
}

/**
 * The part of a tensor in blocks from `begin` to `end` (excluded) per axis; null where that would cut a block, or for
 * others.
 */
export function slicedBlocks(x: Traced, begin: readonly number[], end: readonly number[]): Traced | null {
  const { graph } = x;
  const blocks = blocksOf(x);
  const size = graph.blockSize;
  if (blocks === undefined || begin[3] % size !== 0 || end[3] % size !== 0) return null;
  const [batch, channels, height, width] = blocks.shape;
  const whole = graph.reshape(blocks, [batch, channels / size, height, width, size]);
  const lists = [begin, end].map((list) => [list[0], list[3] / size, list[1], list[2]]);
  const lengths = lists[1].map((last, axis) => last - lists[0][axis]);
  const inputs = [...lists, [0, 1, 2, 3]].map((list) => graph.integers(list));
  const part = graph.node("Slice", [whole, ...inputs], [...lengths, size]);
  return fromBlocks(graph, graph.reshape(part, [lengths[0], lengths[1] * size, lengths[2], lengths[3]]));
}

/**
 * A filter of its own for each channel of each sample, and an offset: a depthwise convolution that takes a batch of
 * images for one image of batch · C channels.
 *
 * @param image in blocks
 * @param filter [B, C] factors; or an image in blocks, for the sums of products over all pixels
 * @param offset [B, C]
 * @returns [B, C, H, W], or for sums [B, C, 1, 1], in blocks
 */
export function perChannel(graph: Graph, image: Value, filter: Value, offset?: Value, sum?: Value): Value {
  const [batch, channels, height, width] = image.shape;
  const [, , rows = 1, columns = 1] = filter.shape;
  const all = batch * channels;
  const [h, w] = [height - rows + 1, width - columns + 1];
  const inputs = [
    graph.reshape(image, [1, all, height, width]),
    graph.reshape(filter, [all, 1, rows, columns]),
    offset === undefined ? null : graph.reshape(offset, [all]),
  ];
  if (sum !== undefined) inputs.push(graph.reshape(sum, [1, all, h, w]));
  const result = graph.node("Conv", inputs, [1, all, h, w], {
    attributes: {
      kernel_shape: [rows, columns],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
      group: all,
    },
    domain: BLOCKED,
  });
  return graph.reshape(result, [batch, channels, h, w]);
}

/** Means over the pixels of an image in blocks, [B, C]. */
export function pixelMeans(graph: Graph, image: Value): Value {
  const [batch, channels] = image.shape;
  const means = graph.node("GlobalAveragePool", [image], [batch, channels, 1, 1], { domain: BLOCKED });
  return graph.reshape(means, [batch, channels]);
}

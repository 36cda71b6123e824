/**
 * Group normalization of channels in blocks: sums over pixels, then over groups, then one affine map for each channel.
 * @module
 */
import { fromBlocks, perChannel, pixelMeans, toBlocks } from "../blocks.ts";
import type { Graph, Value } from "../graph.ts";
import { natural, stored, type Traced } from "../traced.ts";
import { EPSILON } from "../../group_norm_host.ts";
import { silu } from "./group_norm_parts.ts";

interface NormalizedBlocks {
  /** Mean of each channel's group, [B, C]. */
  readonly mean: Value;
  /** √(variance + ε) of each channel's group, [B, C]. */
  readonly deviation: Value;
  /** x̂·scale + offset, in blocks. */
  readonly affine: Value;
}

/** x̂·scale + offset of an image in blocks. */
export function normalizeBlocks(
  blocks: Value,
  scale: Traced,
  offset: Traced,
  groups: number,
): NormalizedBlocks {
  const graph = scale.graph;
  const [batch, channels, height, width] = blocks.shape;
  const op = operations(graph, [batch, channels]);
  const squares = graph.reshape(perChannel(graph, blocks, blocks), [batch, channels]);
  const mean = groupMeans(graph, pixelMeans(graph, blocks), groups);
  const square = groupMeans(graph, squares, groups, 1 / (height * width), EPSILON);
  const deviation = op("Sqrt", op("Sub", square, op("Mul", mean, mean)));
  const factor = op("Div", stored(scale), deviation);
  const shift = op("Sub", stored(offset), op("Mul", mean, factor));
  return { mean, deviation, affine: perChannel(graph, blocks, factor, shift) };
}

/** Gradients with respect to x, scale and offset; x in blocks. */
export function gradientInBlocks(
  dy: Traced,
  blocks: Value,
  scale: Traced,
  offset: Traced,
  groups: number,
  activation: boolean,
): [Traced, Traced, Traced] {
  const graph = dy.graph;
  const [batch, channels, height, width] = blocks.shape;
  const op = operations(graph, [batch, channels]);
  const { mean, deviation, affine } = normalizeBlocks(blocks, scale, offset, groups);
  let d = toBlocks(dy);
  if (activation) {
    // With y = v·s, s = sigmoid(v): dy/dv = s + y·(1 − s).
    const apply = operations(graph, blocks.shape);
    const sigmoid = apply("Sigmoid", affine);
    const rest = apply("Sub", graph.scalar(1), sigmoid);
    d = apply("Mul", d, apply("Add", sigmoid, apply("Mul", silu(graph, affine), rest)));
  }
  const dOffset = op("Mul", pixelMeans(graph, d), graph.scalar(height * width));
  const products = graph.reshape(perChannel(graph, d, blocks), [batch, channels]);
  const dScale = op("Div", op("Sub", products, op("Mul", mean, dOffset)), deviation);
  // dx = (d·scale − mean(d·scale) − x̂·mean(d·scale·x̂))/deviation, means over the group; x̂ = (x − mean)/deviation.
  const weight = stored(scale);
  const perGroup = (value: Value) =>
    groupMeans(graph, op("Mul", value, weight), groups, 1 / (height * width));
  const slope = op("Div", perGroup(dScale), deviation);
  const shift = op("Div", op("Sub", op("Mul", mean, slope), perGroup(dOffset)), deviation);
  const projection = perChannel(graph, blocks, op("Div", op("Neg", slope), deviation));
  const dx = perChannel(graph, d, op("Div", weight, deviation), shift, projection);

  const parameter = (value: Value) => {
    if (scale.shape[0] === batch) return natural(graph, value);
    return natural(graph, graph.node("ReduceSum", [value, graph.integers([0])], [1, channels]));
  };
  return [fromBlocks(graph, dx), parameter(dScale), parameter(dOffset)];
}

function operations(graph: Graph, shape: readonly number[]) {
  return (name: string, ...inputs: Value[]) => graph.node(name, inputs, shape);
}

/** `factor` times the mean over a channel's group, for every channel of [B, C], plus a number. */
function groupMeans(graph: Graph, value: Value, groups: number, factor = 1, plus = 0): Value {
  const channels = value.shape[1];
  const size = channels / groups;
  const group = (channel: number) => Math.floor(channel / size);
  const matrix = graph.once(`group means ${channels} ${groups}`, () => {
    const values = Float32Array.from(
      { length: channels ** 2 },
      (_, i) => group(i % channels) === group(Math.floor(i / channels)) ? 1 / size : 0,
    );
    return graph.constant(values, [channels, channels]);
  });
  return graph.node("Gemm", [value, matrix, graph.scalar(plus)], value.shape, {
    attributes: { alpha: { float: factor } },
  });
}

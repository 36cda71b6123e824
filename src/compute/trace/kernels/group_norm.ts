/**
 * This project's fused group normalization and its gradient, in as few passes over the image as the runtime allows.
 * @module
 */
import { blocksOf, fromBlocks } from "../blocks.ts";
import type { Graph, Value } from "../graph.ts";
import type { GroupNormAttributes } from "../../group_norm.ts";
import type { TraceKernels } from "../kernel.ts";
import { gradientInBlocks, normalizeBlocks } from "./group_norm_blocks.ts";
import { inOrder, natural, NCHW, stored, type Traced } from "../traced.ts";
import { EPSILON } from "../../group_norm_host.ts";
import { silu } from "./group_norm_parts.ts";

interface Normalized {
  readonly graph: Graph;
  readonly batch: number;
  readonly channels: number;
  readonly groups: number;
  readonly pixels: number;
  /** x̂, [B, C, H·W]. */
  readonly normal: Value;
  /** 1/√(variance + ε), [B, groups, 1]. */
  readonly inverse: Value;
  /** [B, C, 1]. */
  readonly scale: Value;
  /** x̂·scale + offset, [B, C, H·W]. */
  readonly affine: Value;
}

function normalize(x: Traced, scale: Traced, offset: Traced, groups: number): Normalized {
  const graph = x.graph;
  const [batch, height, width, channels] = x.shape;
  const pixels = height * width;
  const size = channels / groups * pixels;
  const shape = [batch, channels, pixels];
  const rows = graph.reshape(stored(x, NCHW), [batch * groups, size]);
  const ones = graph.expand(graph.scalar(1), [size]);
  const [normalRows, , inverse] = graph.nodes(
    "LayerNormalization",
    [rows, ones],
    [rows.shape, [batch * groups, 1], [batch * groups, 1]],
    { attributes: { axis: 1, epsilon: { float: EPSILON } } },
  );
  const normal = graph.reshape(normalRows, shape);
  const column = (y: Traced) =>
    graph.expand(graph.reshape(stored(y), [y.shape[0], channels, 1]), [batch, channels, 1]);
  const n = {
    graph,
    batch,
    channels,
    groups,
    pixels,
    normal,
    inverse: graph.reshape(inverse, [batch, groups, 1]),
    scale: column(scale),
  };
  return { ...n, affine: affineMap(graph, normal, n.scale, column(offset)) };
}

/** value·scale + offset in one pass, for value [B, C, H·W] and scale and offset [B, C, 1]. */
function affineMap(graph: Graph, value: Value, scale: Value, offset: Value): Value {
  const [batch, channels, pixels] = value.shape;
  const rows = batch * channels;
  // Batch normalization by mean 0 and variance 1, the rows as its channels.
  const constant = (number: number) => graph.expand(graph.scalar(number), [rows]);
  const parameters = [scale, offset].map((column) => graph.reshape(column, [rows]));
  const inputs = [graph.reshape(value, [1, rows, pixels]), ...parameters, constant(0), constant(1)];
  const attributes = { epsilon: { float: 0 } };
  const result = graph.node("BatchNormalization", inputs, [1, rows, pixels], { attributes });
  return graph.reshape(result, value.shape);
}

function gradient(
  dy: Traced,
  n: Normalized,
  batchOfScale: number,
  activation: boolean,
): [Value, Value, Value] {
  const { graph, batch, channels, groups, pixels, normal, affine } = n;
  const shape = affine.shape;
  const op = (name: string, a: Value, b: Value, outShape: readonly number[] = shape) =>
    graph.node(name, [a, b], outShape);
  const sum = (value: Value, axis: number, outShape: readonly number[]) =>
    graph.node("ReduceSum", [value, graph.integers([axis])], outShape, { attributes: { keepdims: 1 } });

  let d = graph.reshape(stored(dy, NCHW), shape);
  if (activation) {
    // With y = v·s, s = sigmoid(v): dy/dv = s + y·(1 − s).
    const sigmoid = graph.node("Sigmoid", [affine], shape);
    const rest = op("Sub", graph.scalar(1), sigmoid);
    d = op("Mul", d, op("Add", sigmoid, op("Mul", silu(graph, affine), rest)));
  }
  // Sums over each channel's pixels are the parameters' gradients and, weighted, the groups' sums.
  const column = [batch, channels, 1];
  const dOffset = sum(d, 2, column);
  const dScale = sum(op("Mul", d, normal), 2, column);
  const perGroup = (value: Value) => {
    const weighted = graph.reshape(op("Mul", value, n.scale, column), [batch, groups, channels / groups]);
    const total = sum(weighted, 2, [batch, groups, 1]);
    const mean = op("Mul", total, graph.scalar(groups / (channels * pixels)), total.shape);
    return spread(op("Mul", mean, n.inverse, total.shape));
  };
  const spread = (value: Value) =>
    graph.reshape(graph.expand(value, [batch, groups, channels / groups]), column);
  const slope = op("Mul", spread(n.inverse), n.scale, column);
  const projection = affineMap(graph, normal, perGroup(dScale), perGroup(dOffset));
  const dx = op("Sub", op("Mul", d, slope), projection);

  const parameter = (value: Value) =>
    graph.reshape(batchOfScale === 1 ? sum(value, 0, [1, channels, 1]) : value, [batchOfScale, channels]);
  return [dx, parameter(dScale), parameter(dOffset)];
}

function image(x: Traced, value: Value): Traced {
  const [batch, height, width, channels] = x.shape;
  return inOrder(x.graph, x.graph.reshape(value, [batch, channels, height, width]), NCHW);
}

/** Group normalization kernels. */
export const groupNormKernels: TraceKernels = {
  GroupNorm: ({ x, scale, offset }, { groups, silu: activation }: GroupNormAttributes) => {
    const { graph } = x;
    const blocks = blocksOf(x);
    if (blocks !== undefined) {
      const { affine } = normalizeBlocks(blocks, scale, offset, groups);
      return fromBlocks(graph, activation ? silu(graph, affine) : affine);
    }
    const { affine } = normalize(x, scale, offset, groups);
    return image(x, activation ? silu(graph, affine) : affine);
  },
  GroupNormGrad: ({ dy, x, scale, offset }, { groups, silu: activation }: GroupNormAttributes) => {
    const blocks = blocksOf(x);
    if (blocks !== undefined) return gradientInBlocks(dy, blocks, scale, offset, groups, activation);
    const normalized = normalize(x, scale, offset, groups);
    const [dx, dScale, dOffset] = gradient(dy, normalized, scale.shape[0], activation);
    return [image(x, dx), natural(x.graph, dScale), natural(x.graph, dOffset)];
  },
};

/** Shared parts of group normalization of plain images and of images in blocks. @module */
import type { Graph, Value } from "../graph.ts";

/** x·sigmoid(x). */
export function silu(graph: Graph, value: Value): Value {
  if (graph.standard) {
    return graph.node("Mul", [value, graph.node("Sigmoid", [value], value.shape)], value.shape);
  }
  const options = { domain: "com.microsoft", attributes: { alpha: { float: 1 } } };
  return graph.node("QuickGelu", [value], value.shape, options);
}

/**
 * Fuses additions into the runtime's blocked convolutions, which can start their sums from a tensor.
 * @module
 */
import { sameList } from "../../math/shape.ts";
import { BLOCKED } from "../onnx/domains.ts";
import type { OnnxNode } from "../onnx/writer.ts";

/**
 * Replaces Add(Conv(x, w), y) by Conv(x, w, no bias, y), if the convolution is in blocks, has y's size and no other
 * use.
 * @param nodes in the order of execution, outputs included
 * @param shapes of the nodes' outputs
 */
export function fuseSums(
  nodes: readonly OnnxNode[],
  shapes: ReadonlyMap<string, readonly number[]>,
): OnnxNode[] {
  const uses = new Map<string, number>();
  for (const name of nodes.flatMap(({ inputs }) => inputs)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const convolutions = new Map(
    nodes.filter(({ op, domain, inputs }) => op === "Conv" && domain === BLOCKED && inputs.length === 2)
      .map((node) => [node.outputs[0], node]),
  );
  const fused = new Set<OnnxNode>();
  const result = nodes.map((node) => {
    if (node.op !== "Add") return node;
    const same = node.inputs.every((name) => sameList(shapes.get(name) ?? [], shapes.get(node.outputs[0])!));
    const name = node.inputs.find((name) => convolutions.has(name) && uses.get(name) === 1);
    if (!same || name === undefined) return node;
    const convolution = convolutions.get(name)!;
    fused.add(convolution);
    const other = node.inputs[1 - node.inputs.indexOf(name)];
    return { ...convolution, inputs: [...convolution.inputs, "", other], outputs: node.outputs };
  });
  return result.filter((node) => !fused.has(node));
}

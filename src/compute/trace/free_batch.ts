/**
 * Recordings for any number of rows. A recording has fixed shapes; two recordings, for different numbers of rows,
 * differ in the integers of their shapes, which are affine functions of the number of rows.
 * @module
 */
import type { OnnxInitializer, OnnxModel, OnnxNode, OnnxValueInfo } from "../onnx/writer.ts";
import { type Example, traceFunction, type TraceOptions } from "./trace.ts";

/** Numbers of rows, primes, so that no product of a network's sizes equals one. */
const ROWS = [1009, 2003] as const;

/** The name of the free dimension. */
const BATCH = "batch";

/**
 * Records a function whose arguments and results all have the batch as their first axis.
 *
 * @param examples shapes and types of the arguments for a number of rows
 * @throws {Error} When the function depends on the number of rows by anything but shapes, such as a mean over the
 * batch.
 */
export function traceFreeBatch(
  fn: Parameters<typeof traceFunction>[0],
  examples: (rows: number) => readonly Example[],
  options: TraceOptions = {},
): OnnxModel {
  const [few, many] = ROWS.map((rows) => traceFunction(fn, examples(rows), options).model);
  if (JSON.stringify(few.nodes) !== JSON.stringify(many.nodes)) {
    throw new Error("the function's operations depend on the number of rows, so that it cannot be left free");
  }
  const computed: OnnxNode[] = [node("Shape", [few.inputs[0].name], BATCH, { start: 0, end: 1 })];
  const initializers: OnnxInitializer[] = [];
  const inferred = new Map<string, string>();
  few.initializers.forEach((initializer, index) => {
    const rule = affineRule(initializer, many.initializers[index]);
    if (rule === null) {
      initializers.push(initializer);
      return;
    }
    const { name } = initializer;
    // A reshape can infer one length, which readers of the graph handle best.
    if (rule.slopes.filter((slope) => slope !== 0n).length === 1) {
      const shape = rule.slopes.map((slope, axis) => slope === 0n ? rule.offsets[axis] : -1n);
      inferred.set(name, `${name}_inferred`);
      initializers.push(integers(`${name}_inferred`, shape));
    }
    initializers.push(integers(`${name}_slopes`, rule.slopes), integers(`${name}_offsets`, rule.offsets));
    computed.push(
      node("Mul", [BATCH, `${name}_slopes`], `${name}_product`),
      node("Add", [`${name}_product`, `${name}_offsets`], name),
    );
  });
  const nodes = few.nodes.map((node) => {
    const shape = node.op === "Reshape" ? inferred.get(node.inputs[1]) : undefined;
    return shape === undefined ? node : { ...node, inputs: [node.inputs[0], shape] };
  });
  return withoutUnused({
    nodes: [...computed, ...nodes],
    inputs: few.inputs.map(withFreeBatch),
    outputs: few.outputs.map(withFreeBatch),
    initializers,
  });
}

/** Slopes and offsets by number of rows of integers that differ between the recordings; null if none differs. */
function affineRule(
  few: OnnxInitializer,
  many: OnnxInitializer,
): { slopes: readonly bigint[]; offsets: readonly bigint[] } | null {
  if (few.bytes.length === many.bytes.length && few.bytes.every((byte, at) => byte === many.bytes[at])) {
    return null;
  }
  const distance = BigInt(ROWS[1] - ROWS[0]);
  const [from, to] = [few, many].map(({ bytes, type }) => type === "int64" ? readIntegers(bytes) : []);
  const differences = from.map((value, at) => to[at] - value);
  if (few.type !== "int64" || differences.some((difference) => difference % distance !== 0n)) {
    throw new Error(
      "the function depends on the number of rows by more than shapes, so that it cannot be left free",
    );
  }
  const slopes = differences.map((difference) => difference / distance);
  return { slopes, offsets: from.map((value, at) => value - slopes[at] * BigInt(ROWS[0])) };
}

function readIntegers(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, at) => view.getBigInt64(8 * at, true));
}

function integers(name: string, values: readonly bigint[]): OnnxInitializer {
  const bytes = new Uint8Array(BigInt64Array.from(values).buffer);
  return { name, type: "int64", shape: [values.length], bytes };
}

function node(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode["attributes"] = {},
): OnnxNode {
  return { op, domain: "", inputs, outputs: [output], attributes };
}

function withFreeBatch(value: OnnxValueInfo): OnnxValueInfo {
  return { ...value, shape: value.shape.map((length) => length === ROWS[0] ? BATCH : length) };
}

function withoutUnused(model: OnnxModel): OnnxModel {
  const needed = new Set(model.outputs.map(({ name }) => name));
  const nodes: OnnxNode[] = [];
  for (const node of model.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.unshift(node);
    for (const name of node.inputs) needed.add(name);
  }
  return { ...model, nodes, initializers: model.initializers.filter(({ name }) => needed.has(name)) };
}

/**
 * A graph under construction: nodes in the order they were recorded, constants, inputs. Equal nodes are recorded once.
 * @module
 */
import { sameList } from "../../math/shape.ts";
import type {
  OnnxAttribute,
  OnnxInitializer,
  OnnxModel,
  OnnxNode,
  OnnxType,
  OnnxValueInfo,
} from "../onnx/writer.ts";
import { fuseSums } from "./sum_fusion.ts";

/** A tensor of the graph; `shape` is that of its storage. */
export interface Value {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

/** Options of a node beside its inputs. */
interface NodeOptions {
  /** Element type of the outputs; by default that of the first input. */
  readonly type?: OnnxType;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** "" is the standard domain. */
  readonly domain?: string;
}

/** Records operations on values. */
export class Graph {
  readonly #nodes: OnnxNode[] = [];
  readonly #inputs: OnnxValueInfo[] = [];
  readonly #initializers = new Map<string, OnnxInitializer>();
  readonly #recorded = new Map<string, Value[]>();
  readonly #shapes = new Map<string, readonly number[]>();
  #count = 0;

  /**
   * @param blockSize channels per block of the runtime's blocked convolutions, 0 to do without them
   * @param standard whether to use only operations of the standard
   */
  constructor(readonly blockSize: number = 0, readonly standard: boolean = false) {}

  /** Adds an input. */
  input(name: string, type: OnnxType, shape: readonly number[]): Value {
    this.#inputs.push({ name, type, shape });
    return { name, type, shape };
  }

  /** Adds a stored tensor. */
  constant(values: Float32Array | Int32Array | BigInt64Array | Uint8Array, shape: readonly number[]): Value {
    const type = values instanceof Float32Array
      ? "float32"
      : values instanceof Int32Array
      ? "int32"
      : values instanceof BigInt64Array
      ? "int64"
      : "bool";
    const name = `c${this.#count++}`;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#initializers.set(name, { name, type, shape, bytes });
    return { name, type, shape };
  }

  /** A stored tensor with a key, made once. */
  once(name: string, make: () => Value): Value {
    return this.#once(name, () => [make()])[0];
  }

  /** A stored number, recorded once. */
  scalar(value: number, type: OnnxType = "float32"): Value {
    return this.#once(`scalar ${type} ${Object.is(value, -0) ? "-0" : value}`, () => {
      const values = type === "float32"
        ? Float32Array.of(value)
        : type === "int32"
        ? Int32Array.of(value)
        : type === "int64"
        ? BigInt64Array.of(BigInt(value))
        : Uint8Array.of(value);
      return [this.constant(values, [])];
    })[0];
  }

  /** A stored list of 64-bit integers (shapes, axes, offsets), recorded once. */
  integers(values: readonly number[]): Value {
    return this.#once(
      `integers ${values}`,
      () => [this.constant(BigInt64Array.from(values, BigInt), [values.length])],
    )[0];
  }

  /** Records an operation with one output; null is an omitted optional input. */
  node(
    op: string,
    inputs: readonly (Value | null)[],
    shape: readonly number[],
    options: NodeOptions = {},
  ): Value {
    const { type, ...rest } = options;
    return this.nodes(op, inputs, [shape], type === undefined ? rest : { ...rest, types: [type] })[0];
  }

  /** Records an operation with several outputs. */
  nodes(
    op: string,
    inputs: readonly (Value | null)[],
    shapes: readonly (readonly number[])[],
    options: Omit<NodeOptions, "type"> & { readonly types?: readonly OnnxType[] } = {},
  ): Value[] {
    const { attributes = {}, domain = "", types = shapes.map(() => inputs[0]!.type) } = options;
    const names = inputs.map((input) => input?.name ?? "");
    return this.#once(JSON.stringify([op, domain, names, attributes, shapes, types]), () => {
      const values = shapes.map((shape, i): Value => ({ name: `v${this.#count++}`, type: types[i], shape }));
      for (const { name, shape } of values) this.#shapes.set(name, shape);
      this.#nodes.push({ op, domain, inputs: names, outputs: values.map((value) => value.name), attributes });
      return values;
    });
  }

  /** The same elements in another storage shape. */
  reshape(value: Value, shape: readonly number[]): Value {
    if (sameList(value.shape, shape)) return value;
    return this.node("Reshape", [value, this.integers(shape)], shape);
  }

  /** Storage axes permuted; moving axes of length 1 copies nothing. */
  transpose(value: Value, perm: readonly number[]): Value {
    const shape = perm.map((axis) => value.shape[axis]);
    const moved = perm.filter((axis) => value.shape[axis] !== 1);
    if (moved.every((axis, index) => index === 0 || moved[index - 1] < axis)) {
      return this.reshape(value, shape);
    }
    return this.node("Transpose", [value], shape, { attributes: { perm } });
  }

  /** Elements repeated along axes of length 1. */
  expand(value: Value, shape: readonly number[]): Value {
    if (sameList(value.shape, shape)) return value;
    return this.node("Expand", [value, this.integers(shape)], shape);
  }

  /** The model of the outputs, without unused nodes and constants; every input is kept. */
  model(outputs: readonly Value[], names: readonly string[]): OnnxModel {
    const needed = new Set(outputs.map((value) => value.name));
    const nodes: OnnxNode[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!node.outputs.some((name) => needed.has(name))) continue;
      nodes.unshift(node);
      for (const name of node.inputs) needed.add(name);
    }
    // An output needs a name of its own: it may be an input, a constant or another output.
    outputs.forEach((value, index) => {
      nodes.push({
        op: "Identity",
        domain: "",
        inputs: [value.name],
        outputs: [names[index]],
        attributes: {},
      });
    });
    return {
      nodes: fuseSums(nodes, this.#shapes),
      inputs: this.#inputs,
      outputs: outputs.map((value, index) => ({ ...value, name: names[index] })),
      initializers: [...this.#initializers.values()].filter((initializer) => needed.has(initializer.name)),
    };
  }

  #once(key: string, make: () => Value[]): Value[] {
    const known = this.#recorded.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#recorded.set(key, made);
    return made;
  }
}

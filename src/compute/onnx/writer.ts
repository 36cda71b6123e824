/**
 * Writes a graph as the bytes of an ONNX model (protobuf, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 * @module
 */

/** Element types of graphs here; int64 only for shapes and indices. */
export type OnnxType = "float32" | "int32" | "int64" | "bool";

/** A node's attribute: integer, integers, `{float}` or a string. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

/** One operation; an empty input name is an omitted optional input. */
export interface OnnxNode {
  readonly op: string;
  /** "" is the standard domain, else "com.microsoft". */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A named input or output; a string dimension is free. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

/** A tensor stored in the model; `bytes` are its little-endian elements. */
export interface OnnxInitializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The contents of a model file. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxInitializer[];
  /** A description of the model for its readers. */
  readonly documentation?: string;
}

/** Version of the standard operator set that graphs are written for. */
const OPSET = 18;
const IR_VERSION = 8;
const ELEMENT_TYPE: Readonly<Record<OnnxType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** Builds a protobuf message from byte pieces, joined once at the end. */
class Message {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  varint(field: number, value: number): this {
    return this.#push(varint(field * 8), varint(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#push(varint(field * 8 + 5), bytes);
  }

  bytes(field: number, bytes: Uint8Array): this {
    return this.#push(varint(field * 8 + 2), varint(bytes.length), bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: Message): this {
    this.#push(varint(field * 8 + 2), varint(message.#length));
    return this.#push(...message.#pieces);
  }

  toBytes(): Uint8Array {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const piece of this.#pieces) {
      result.set(piece, offset);
      offset += piece.length;
    }
    return result;
  }

  #push(...pieces: Uint8Array[]): this {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#length += piece.length;
    }
    return this;
  }
}

/** Base-128 varint; negative numbers as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function attributeMessage(name: string, value: OnnxAttribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.varint(3, value).varint(20, 2);
  if (typeof value === "string") return message.text(4, value).varint(20, 3);
  if ("float" in value) return message.float(2, value.float).varint(20, 1);
  for (const item of value) message.varint(8, item);
  return message.varint(20, 7);
}

function nodeMessage(node: OnnxNode): Message {
  const message = new Message();
  for (const name of node.inputs) message.text(1, name);
  for (const name of node.outputs) message.text(2, name);
  message.text(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    message.message(5, attributeMessage(name, value));
  }
  return node.domain === "" ? message : message.text(7, node.domain);
}

function valueInfoMessage(value: OnnxValueInfo): Message {
  const shape = new Message();
  for (const size of value.shape) {
    shape.message(1, typeof size === "number" ? new Message().varint(1, size) : new Message().text(2, size));
  }
  const tensor = new Message().varint(1, ELEMENT_TYPE[value.type]).message(2, shape);
  return new Message().text(1, value.name).message(2, new Message().message(1, tensor));
}

function initializerMessage(value: OnnxInitializer): Message {
  const message = new Message();
  for (const size of value.shape) message.varint(1, size);
  return message.varint(2, ELEMENT_TYPE[value.type]).text(8, value.name).bytes(9, value.bytes);
}

/** The bytes of an `.onnx` file. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  const graph = new Message();
  for (const node of model.nodes) graph.message(1, nodeMessage(node));
  graph.text(2, "traced");
  for (const value of model.initializers) graph.message(5, initializerMessage(value));
  for (const value of model.inputs) graph.message(11, valueInfoMessage(value));
  for (const value of model.outputs) graph.message(12, valueInfoMessage(value));
  const message = new Message()
    .varint(1, IR_VERSION)
    .text(2, "score-sde")
    .message(7, graph);
  if (model.documentation !== undefined) message.text(6, model.documentation);
  for (const domain of new Set(["", ...model.nodes.map((node) => node.domain)])) {
    message.message(8, new Message().text(1, domain).varint(2, domain === "" ? OPSET : 1));
  }
  return message.toBytes();
}

/**
 * The safetensors format: 8 bytes of header length, a JSON header, then the numbers, little-endian. Reads F32 and F16
 * as float32 and survives any bytes with an error that says what is wrong.
 * @module
 */

/** A tensor on the host. */
export interface NamedTensor {
  /** Sizes; [] for a single number. */
  readonly shape: readonly number[];
  /** The numbers, row-major. */
  readonly values: Float32Array;
}

/** What a safetensors file holds. */
export interface Safetensors {
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** The free text pairs of the header. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** How numbers are stored. */
export type StorageType = "F32" | "F16";

const BYTES = { F32: 4, F16: 2 } as const;
const LONGEST_HEADER = 100_000_000;

/**
 * The bytes of a file.
 *
 * @param contents.tensors Values by name; each must have as many values as its shape says.
 * @param storage F16 rounds to half precision, to nearest even.
 * @throws {RangeError} When values and shape disagree, or a finite value overflows F16.
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "./safetensors.ts";
 * const tensors = new Map([["weight", { shape: [2], values: new Float32Array([1, 2]) }]]);
 * const bytes = writeSafetensors({ tensors, metadata: { step: "7" } });
 * console.assert(readSafetensors(bytes).tensors.get("weight")?.values[1] === 2);
 * ```
 */
export function writeSafetensors(
  contents: Safetensors,
  storage: StorageType = "F32",
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: contents.metadata };
  let end = 0;
  for (const [name, { shape, values }] of contents.tensors) {
    if (sizeOf(shape) !== values.length || name === "__metadata__") {
      throw new RangeError(`the tensor ${name} of shape [${shape}] cannot hold ${values.length} values`);
    }
    const start = end;
    end += values.length * BYTES[storage];
    header[name] = { dtype: storage, shape, data_offsets: [start, end] };
  }
  const text = JSON.stringify(header);
  // Spaces pad the header so that the numbers are aligned.
  const encoded = new TextEncoder().encode(text);
  const length = Math.ceil(encoded.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end).fill(32, 8, 8 + length);
  bytes.set(encoded, 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(length), true);
  let position = 8 + length;
  for (const [name, { values }] of contents.tensors) {
    for (const value of values) {
      if (storage === "F32") view.setFloat32(position, value, true);
      else {
        if (Number.isFinite(value) && !Number.isFinite(Math.f16round(value))) {
          throw new RangeError(`the tensor ${name} holds ${value}, which F16 cannot`);
        }
        view.setFloat16(position, value, true);
      }
      position += BYTES[storage];
    }
  }
  return bytes;
}

/**
 * Reads a file.
 * @throws {TypeError} When the bytes are not a safetensors file of F32 or F16 tensors, with what is wrong.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) fail(`${bytes.length} bytes are too few`);
  const length = Number(view.getBigUint64(0, true));
  if (length > Math.min(LONGEST_HEADER, bytes.length - 8)) {
    fail(`a header of ${length} bytes does not fit into ${bytes.length}`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + length));
  const tensors = new Map<string, NamedTensor>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") metadata = parseMetadata(entry);
    else tensors.set(name, readTensor(name, entry, view, 8 + length));
  }
  return { tensors, metadata };
}

function readTensor(name: string, entry: unknown, view: DataView, origin: number): NamedTensor {
  if (!isRecord(entry)) fail(`the entry of ${name} is no object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== "F32" && dtype !== "F16") {
    fail(`the tensor ${name} has type ${JSON.stringify(dtype) ?? "none"}, not F32 or F16`);
  }
  if (!isWholeNumbers(shape)) fail(`the tensor ${name} has shape ${JSON.stringify(shape) ?? "none"}`);
  if (!isWholeNumbers(offsets) || offsets.length !== 2) {
    fail(`the tensor ${name} has offsets ${JSON.stringify(offsets) ?? "none"}`);
  }
  const [start, end] = offsets;
  const size = sizeOf(shape);
  if (end - start !== size * BYTES[dtype]) {
    fail(`the tensor ${name} has ${end - start} bytes for ${size} numbers of type ${dtype}`);
  }
  if (origin + end > view.byteLength) fail(`the tensor ${name} ends beyond the file`);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const position = origin + start + i * BYTES[dtype];
    values[i] = dtype === "F32" ? view.getFloat32(position, true) : view.getFloat16(position, true);
  }
  return { shape, values };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isRecord(header)) return header;
  } catch (error) {
    fail(`its header is not JSON (${(error as Error).message})`);
  }
  fail("its header is no JSON object");
}

function parseMetadata(entry: unknown): Readonly<Record<string, string>> {
  if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === "string")) {
    fail("its metadata are not pairs of text");
  }
  return entry as Record<string, string>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWholeNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function fail(reason: string): never {
  throw new TypeError(`not a safetensors file that can be read: ${reason}`);
}

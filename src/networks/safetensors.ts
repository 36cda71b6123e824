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
  // Without a prototype, so that a tensor may have any name.
  const header: Record<string, unknown> = Object.create(null);
  header.__metadata__ = contents.metadata;
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
  checkLayout(header, bytes.length - 8 - length);
  const tensors = new Map<string, NamedTensor>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") metadata = parseMetadata(entry);
    else tensors.set(name, readTensor(name, entry, view, 8 + length));
  }
  return { tensors, metadata };
}

/**
 * Checks, before anything is allocated, that the tensors lie one after the other from the first byte after the header to the
 * last of the file, as the format demands. So a file never holds more numbers than its length allows.
 */
function checkLayout(header: Record<string, unknown>, length: number): void {
  const regions: [start: number, end: number, name: string][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const offsets = isRecord(entry) ? entry.data_offsets : undefined;
    if (!isWholeNumbers(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
      fail(`the tensor ${quoted(name)} has no two offsets`);
    }
    regions.push([offsets[0], offsets[1], name]);
  }
  regions.sort(([a, b], [c, d]) => a - c || b - d);
  let at = 0;
  for (const [start, end, name] of regions) {
    if (start < at) fail(`the tensor ${quoted(name)} lies on bytes of another one`);
    if (start > at) fail(`there are ${start - at} bytes of no tensor before ${quoted(name)}`);
    at = end;
  }
  if (at > length) fail(`the last tensor ends beyond the file`);
  if (at < length) fail(`there are ${length - at} bytes after the last tensor`);
}

/** At most 80 characters of a text, in quotes, with control characters escaped. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

/** A value in a few words, however large it is. */
function described(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length <= 8 && value.every((v) => typeof v !== "object")
      ? quoted(`[${value}]`)
      : `a list of ${value.length}`;
  }
  return typeof value === "string" ? quoted(value) : typeof value === "number" ? String(value) : typeof value;
}

function readTensor(name: string, entry: unknown, view: DataView, origin: number): NamedTensor {
  if (!isRecord(entry)) fail(`the entry of ${quoted(name)} is no object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== "F32" && dtype !== "F16") {
    fail(`the tensor ${quoted(name)} has type ${described(dtype)}, not F32 or F16`);
  }
  if (!isWholeNumbers(shape)) fail(`the tensor ${quoted(name)} has shape ${described(shape)}`);
  if (!isWholeNumbers(offsets) || offsets.length !== 2) {
    fail(`the tensor ${quoted(name)} has offsets ${described(offsets)}`);
  }
  const [start, end] = offsets;
  const size = sizeOf(shape);
  if (end - start !== size * BYTES[dtype]) {
    fail(`the tensor ${quoted(name)} has ${end - start} bytes for ${size} numbers of type ${dtype}`);
  }
  if (origin + end > view.byteLength) fail(`the tensor ${quoted(name)} ends beyond the file`);
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

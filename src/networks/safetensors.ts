/**
 * The safetensors format: 8 bytes of header length, a JSON header, then the numbers, little-endian. F32 and F16 are
 * read as float32; for any damaged bytes the reader throws an error that names the damage.
 * @module
 */
import { halfFromNumber, numberFromHalf } from "../math/half_precision.ts";
import { isObject, parseJson } from "../input/json.ts";
import { quoted, quotedShape } from "../input/quoted.ts";
import { isList, requireBytes, requireOptions, requireShape, requireText } from "../input/require.ts";
import { checkName } from "../input/option_name.ts";
import { sizeOf } from "../math/shape.ts";

/** A tensor on the host. */
export interface NamedTensor {
  /** Sizes; [] for a single number. */
  readonly shape: readonly number[];
  /** The numbers, row-major. */
  readonly values: Float32Array;
}

/** The contents of a safetensors file. */
export interface Safetensors {
  /** Tensors by name. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** The free text pairs of the header. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Types of the tensors that are not in `tensors`, because they are stored neither as F32 nor as F16; by name. */
  readonly others?: ReadonlyMap<string, string>;
}

/** How numbers are stored. */
export type StorageType = "F32" | "F16";

const BYTES = { F32: 4, F16: 2 } as const;

/** The longest header that is read, in bytes, enough for some 10,000 tensors. */
const LONGEST_HEADER = 2 ** 20;

/**
 * The bytes of a file.
 *
 * @param contents.tensors Values by name; each must have as many values as its shape has entries.
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
  requireOptions("contents", contents);
  if (!(contents.tensors instanceof Map)) {
    throw new TypeError("tensors must be a Map of tensors by name");
  }
  requireOptions("metadata", contents.metadata);
  if (contents.metadata instanceof Map) {
    throw new TypeError("metadata must be an object of texts by name, got a Map");
  }
  for (const [name, text] of Object.entries(contents.metadata)) {
    requireText(`the metadata ${quoted(name)}`, text);
  }
  checkName("storage", storage, ["F32", "F16"]);
  // Without a prototype, so that a tensor may have any name.
  const header: Record<string, unknown> = Object.create(null);
  header.__metadata__ = contents.metadata;
  let end = 0;
  for (const [name, { shape, values }] of contents.tensors) {
    requireShape(`the shape of the tensor ${quoted(name)}`, shape, 0);
    if (!isList(values)) {
      throw new TypeError(`the tensor ${quoted(name)} must hold a list of numbers, got ${quoted(values)}`);
    }
    if (sizeOf(shape) !== values.length || name === "__metadata__") {
      throw new RangeError(
        `the tensor ${quoted(name)} of shape ${quotedShape(shape)} cannot hold ${values.length} values`,
      );
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
        const half = halfFromNumber(value);
        if (Number.isFinite(value) && !Number.isFinite(numberFromHalf(half))) {
          throw new RangeError(`the tensor ${quoted(name)} holds ${value}, which F16 cannot`);
        }
        view.setUint16(position, half, true);
      }
      position += BYTES[storage];
    }
  }
  return bytes;
}

/**
 * Reads a file. Tensors of other types than F32 and F16 are not read: `others` has their names.
 *
 * @param most The most numbers in all tensors together; by default 2²⁸, which take 1 GiB.
 * @throws {TypeError} When the bytes are not a safetensors file, or its header is above 1 MiB, or it holds too many
 * numbers.
 */
export function readSafetensors(bytes: Uint8Array, most: number = 2 ** 28): Safetensors {
  requireBytes("safetensors", bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) fail(`${bytes.length} bytes are too few`);
  const length = Number(view.getBigUint64(0, true));
  if (length > bytes.length - 8) fail(`a header of ${length} bytes does not fit into ${bytes.length}`);
  if (length > LONGEST_HEADER) fail(`its header has ${length} bytes, at most ${LONGEST_HEADER} are read`);
  const header = parseHeader(bytes.subarray(8, 8 + length));
  const entries: Entry[] = [];
  for (const name in header) {
    if (name !== "__metadata__") entries.push(parseEntry(name, header[name]));
  }
  checkLayout(entries, bytes.length - 8 - length);
  const read = entries.filter(({ dtype }) => dtype === "F32" || dtype === "F16");
  const numbers = read.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (numbers > most) fail(`it holds ${numbers} numbers, at most ${most} are read`);
  const others = entries.filter((entry) => !read.includes(entry)).map(({ name, dtype }) =>
    [name, dtype] as const
  );
  return {
    tensors: new Map(read.map((entry) => [entry.name, readTensor(entry, view, 8 + length)])),
    metadata: parseMetadata(header.__metadata__ ?? {}),
    ...others.length > 0 ? { others: new Map(others) } : {},
  };
}

/**
 * The tensor of the given name in a file.
 * @param what Its name in errors, such as "the model's parameter".
 * @throws {TypeError} When the file has no tensor of this name, or its type is not read.
 */
export function tensorNamed({ tensors, others }: Safetensors, name: string, what: string): NamedTensor {
  const tensor = tensors.get(name);
  if (tensor !== undefined) return tensor;
  const type = others?.get(name);
  throw new TypeError(
    type === undefined
      ? `${what} ${quoted(name)} is missing`
      : `${what} ${quoted(name)} has type ${quoted(type)}, not F32 or F16`,
  );
}

/** The header's description of a tensor. */
interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

function parseEntry(name: string, entry: unknown): Entry {
  const what = `the tensor ${quoted(name)}`;
  if (!isObject(entry)) fail(`${what} is described by ${quoted(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    fail(`${what} has no dtype, shape and data_offsets`);
  }
  if (typeof dtype !== "string") fail(`${what} has the type ${quoted(dtype)}`);
  if (!isWholeNumbers(shape)) fail(`${what} has the shape ${quoted(shape)}`);
  if (!isWholeNumbers(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    fail(`${what} has the offsets ${quoted(offsets)}`);
  }
  const [start, end] = offsets;
  const size = sizeOf(shape);
  if ((dtype === "F32" || dtype === "F16") && end - start !== size * BYTES[dtype]) {
    fail(`${what} has ${end - start} bytes for ${size} numbers of type ${dtype}`);
  }
  return { name, dtype, shape, start, end };
}

/**
 * Checks, before anything is allocated, that the tensors lie one after the other from the first byte after the header
 * to the last of the file, as the format demands. So a file never holds more numbers than its length allows.
 */
function checkLayout(entries: readonly Entry[], length: number): void {
  let at = 0;
  for (const { start, end, name } of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < at) fail(`the tensor ${quoted(name)} lies on bytes of another one`);
    if (start > at) fail(`there are ${start - at} bytes of no tensor before ${quoted(name)}`);
    at = end;
  }
  if (at > length) fail(`the last tensor ends beyond the file`);
  if (at < length) fail(`there are ${length - at} bytes after the last tensor`);
}

function readTensor({ dtype, shape, start, end }: Entry, view: DataView, origin: number): NamedTensor {
  const bytes = BYTES[dtype as StorageType];
  const values = new Float32Array((end - start) / bytes);
  for (let i = 0; i < values.length; i++) {
    const position = origin + start + i * bytes;
    values[i] = dtype === "F32"
      ? view.getFloat32(position, true)
      : numberFromHalf(view.getUint16(position, true));
  }
  return { shape, values };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    fail("its header is not text in UTF-8");
  }
  let header: unknown;
  try {
    header = parseJson(text);
  } catch (error) {
    fail(`its header ${(error as Error).message}`);
  }
  if (!isObject(header)) fail("its header is no JSON object");
  return header;
}

function parseMetadata(entry: unknown): Readonly<Record<string, string>> {
  if (!isObject(entry) || !Object.values(entry).every((value) => typeof value === "string")) {
    fail("its metadata are not pairs of text");
  }
  return entry as Record<string, string>;
}

/** Whether a value is a list of at most 32 whole numbers; no tensor has more dimensions. */
function isWholeNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 32 && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

function fail(reason: string): never {
  throw new TypeError(`not a safetensors file that can be read: ${reason}`);
}

/** NumPy's .npy format: float32 arrays are written, arrays of all real numbers read. @module */
import { numberFromHalf } from "../math/half_precision.ts";
import { sizeOf } from "../math/shape.ts";
import { quoted, quotedShape } from "../input/quoted.ts";
import { requireArray, requireBytes, requireFloats, requireOptions, requireText } from "../input/require.ts";

/** An array of float32 in row-major order (C order). */
export interface NpyArray {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** The values; their number is the product of the shape. */
  readonly values: Float32Array;
}

const MAGIC = "\x93NUMPY";

/**
 * The header of a float32 .npy file (version 1.0); the values follow it as little-endian float32 in row-major order.
 *
 * @throws {RangeError} When a length is not a non-negative integer.
 */
export function npyHeader(shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const wrong = shape.find((length) => !Number.isSafeInteger(length) || length < 0);
  if (wrong !== undefined) {
    throw new RangeError(`lengths must be non-negative integers, got ${quotedShape(shape)}`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The values start at a multiple of 64 bytes, so that the file can be mapped into memory.
  const size = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(size).fill(0x20);
  bytes.set([...MAGIC].map((letter) => letter.charCodeAt(0)));
  bytes.set([1, 0, (size - 10) & 255, (size - 10) >> 8], 6);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[size - 1] = 0x0a;
  return bytes;
}

/**
 * Writes a .npy file; NumPy reads it with `numpy.load`.
 *
 * @example
 * ```ts
 * import { readNpy, writeNpy } from "./npy.ts";
 * const bytes = writeNpy({ shape: [1, 2], values: new Float32Array([3, 4]) });
 * console.assert(readNpy(bytes).values[1] === 4);
 * ```
 * @throws {RangeError} When the shape does not fit the number of values.
 */
export function writeNpy(array: NpyArray): Uint8Array<ArrayBuffer> {
  requireOptions("array", array);
  const { shape, values } = array;
  requireArray("shape", shape);
  requireFloats("values", values);
  const header = npyHeader(shape);
  const size = sizeOf(shape);
  if (size !== values.length) {
    throw new RangeError(`the shape ${quotedShape(shape)} needs ${size} values, got ${values.length}`);
  }
  const bytes = new Uint8Array(header.length + 4 * size);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  values.forEach((value, at) => view.setFloat32(4 * at, value, true));
  return bytes;
}

/** The header of a .npy file. */
export interface NpyHeader {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** The byte at which the values start. */
  readonly start: number;
}

/**
 * Reads the header of a float32 .npy file in row-major order; the bytes of the values may be absent.
 *
 * @param name The file's name in errors.
 * @throws {RangeError} When the bytes are not a .npy file or hold another type or order.
 */
export function readNpyHeader(bytes: Uint8Array, name = "npy data"): NpyHeader {
  const { shape, start, type, fortran } = parseHeader(bytes, name);
  if (type !== "<f4" || fortran) {
    failing(name)(
      `the values are ${quoted(type)}${
        fortran ? " in Fortran order" : ""
      }, only '<f4' (little-endian float32) in C order can be continued`,
    );
  }
  return { shape, start };
}

/** The size in bytes and the reader of each type of number, by NumPy's name of the type. */
const TYPES: Readonly<
  Record<string, [bytes: number, read: (view: DataView, at: number, little: boolean) => number]>
> = {
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
  f2: [2, (view, at, little) => numberFromHalf(view.getUint16(at, little))],
  b1: [1, (view, at) => Number(view.getUint8(at) !== 0)],
  u1: [1, (view, at) => view.getUint8(at)],
  i1: [1, (view, at) => view.getInt8(at)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  u8: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
};

/** What to do about types of NumPy's that are no numbers, by their first letter. */
const ADVICE: Readonly<Record<string, string>> = {
  O: " (Python objects: convert with array.astype(float), or with numpy.stack where rows are arrays)",
  c: " (complex numbers: store real and imaginary parts as columns)",
  U: " (text: replace each by a number)",
  S: " (text: replace each by a number)",
};

/** Numbers of an .npy file in row-major order, as they were stored. */
export interface NpyNumbers {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** NumPy's name of the type without the byte order, such as f8 or u1. */
  readonly type: string;
  /** The values: bytes of u1, float32 of f2 and f4, float64 of all others. */
  readonly values: Uint8Array | Float32Array | Float64Array;
}

/**
 * Reads a .npy file without rounding: float16, float32, float64, bool and integers, in either byte order, in C or
 * Fortran order.
 *
 * @param name The file's name in errors.
 * @param most The largest number of values that is read; by default 2²⁶.
 * @throws {RangeError} When the bytes are not a .npy file, hold another type, are too few or too many, or an integer is
 * too large for float64.
 */
export function readNpyNumbers(bytes: Uint8Array, name = "npy data", most: number = 2 ** 26): NpyNumbers {
  const { shape, start, type, fortran } = parseHeader(bytes, name);
  const fail = failing(name);
  const kind = type.slice(1);
  if (!(Object.hasOwn(TYPES, kind) && /^[<>|=]/.test(type))) {
    return fail(
      `the values are ${quoted(type)}${ADVICE[kind[0]] ?? ""}, read are ${Object.keys(TYPES).join(", ")}`,
    );
  }
  const [width, read] = TYPES[kind];
  if (width > 1 && type.startsWith("|")) {
    fail(`the values are ${quoted(type)}, which does not say their byte order`);
  }
  const size = sizeOf(shape);
  const found = bytes.length - start;
  if (found !== width * size) {
    const problem = found < width * size ? "truncated" : "trailing bytes";
    fail(
      `${problem}: the shape ${quotedShape(shape)} needs ${
        width * size
      } bytes after the header, found ${found}`,
    );
  }
  if (size > most) fail(`it holds ${size} values, at most ${most} are read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = kind === "u1"
    ? new Uint8Array(size)
    : kind === "f4" || kind === "f2"
    ? new Float32Array(size)
    : new Float64Array(size);
  const little = !type.startsWith(">");
  const at = fortran ? fortranPositions(shape) : (i: number) => i;
  for (let i = 0; i < size; i++) {
    const value = read(view, start + width * at(i), little);
    values[i] = value;
    if (width === 8 && kind !== "f8" && Math.abs(value) > 2 ** 53) {
      fail(`value ${i} is ${value}, which float64 cannot hold`);
    }
  }
  return { shape, type: kind, values };
}

/** The place in Fortran order, whose first axis runs fastest, of each value in C order. */
function fortranPositions(shape: readonly number[]): (index: number) => number {
  return (index) => {
    let [at, stride, rest] = [0, sizeOf(shape), index];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      stride /= shape[axis];
      at += (rest % shape[axis]) * stride;
      rest = Math.floor(rest / shape[axis]);
    }
    return at;
  };
}

/**
 * Reads a .npy file of float16, float32, float64, bool or integers, in either byte order, in C or Fortran order, as
 * float32. Float64 is rounded to float32; integers must be whole numbers that float32 holds.
 *
 * @param name The file's name in errors.
 * @param most The largest number of values that is read; by default 2²⁶, which take 256 MiB.
 * @throws {RangeError} When the bytes are not a .npy file, hold another type, are too few or too many, or a number is
 * too large for float32.
 */
export function readNpy(bytes: Uint8Array, name = "npy data", most: number = 2 ** 26): NpyArray {
  const { shape, type, values: stored } = readNpyNumbers(bytes, name, most);
  if (stored instanceof Float32Array) return { shape, values: stored };
  const values = Float32Array.from(stored);
  const wrong = values.findIndex((value, i) =>
    type === "f8" ? Number.isFinite(stored[i]) && !Number.isFinite(value) : value !== stored[i]
  );
  if (wrong >= 0) failing(name)(`value ${wrong} is ${stored[wrong]}, which float32 cannot hold`);
  return { shape, values };
}

/** The offset, shape and type, such as '<f4', of the values, and whether they are in Fortran order. */
function parseHeader(bytes: Uint8Array, name: string): NpyHeader & { type: string; fortran: boolean } {
  requireBytes("npy data", bytes);
  requireText("name", name);
  const fail = failing(name);
  if (bytes.length < 12 || [...MAGIC].some((letter, at) => bytes[at] !== letter.charCodeAt(0))) {
    fail("a .npy file starts with the bytes 93 4e 55 4d 50 59 (\\x93NUMPY)");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) fail(`format version ${version} is unknown, 1 to 3 are read`);
  const begin = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = begin + length;
  if (start > bytes.length) {
    fail(`truncated: the header ends at byte ${start}, the file at byte ${bytes.length}`);
  }
  if (length > LONGEST_HEADER) fail(`the header has ${length} bytes, at most ${LONGEST_HEADER} are read`);
  const header = new TextDecoder().decode(bytes.subarray(begin, start));
  const [, type] = /'descr'\s*:\s*'([^']*)'/.exec(header) ?? [];
  const [, order] = /'fortran_order'\s*:\s*(True|False)/.exec(header) ?? [];
  const [, lengths] = /'shape'\s*:\s*\(([^()]*)\)/.exec(header) ?? [];
  if (type === undefined && /'descr'\s*:\s*\[/.test(header)) {
    return fail("the values are records with fields: store one array of numbers");
  }
  if (type === undefined || order === undefined || lengths === undefined) {
    return fail(`the header has no descr, fortran_order and shape: ${quoted(header)}`);
  }
  if (!/^\s*(\d+\s*(,\s*\d+\s*)*,?\s*)?$/.test(lengths)) fail(`the shape is ${quoted(`(${lengths})`)}`);
  const shape = lengths.split(",").map((length) => length.trim()).filter((length) => length !== "").map(
    Number,
  );
  if (shape.length > 32 || !shape.every(Number.isSafeInteger)) fail(`the shape is ${quoted(`(${lengths})`)}`);
  // An array of one axis is both.
  return { shape, start, type, fortran: order === "True" && shape.length > 1 };
}

/** The longest header that is read; NumPy's own reader takes 10,000 characters. */
const LONGEST_HEADER = 10_000;

function failing(name: string): (problem: string) => never {
  return (problem) => {
    throw new RangeError(`${name}: ${problem}`);
  };
}

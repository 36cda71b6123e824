/** NumPy's .npy format for float32 arrays. @module */

/** An array of float32 in row-major order. */
export interface NpyArray {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** As many as the product of the shape. */
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
    throw new RangeError(`lengths must be non-negative integers, got [${shape.join(", ")}]`);
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
export function writeNpy({ shape, values }: NpyArray): Uint8Array<ArrayBuffer> {
  const header = npyHeader(shape);
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== values.length) {
    throw new RangeError(`the shape [${shape.join(", ")}] needs ${size} values, got ${values.length}`);
  }
  const bytes = new Uint8Array(header.length + 4 * size);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  values.forEach((value, at) => view.setFloat32(4 * at, value, true));
  return bytes;
}

/** What the header of a .npy file says. */
export interface NpyHeader {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** The byte at which the values start. */
  readonly start: number;
}

/**
 * Reads the header of a float32 .npy file in row-major order; the bytes of the values may be absent.
 *
 * @param name What to call the file in errors.
 * @throws {RangeError} When the bytes are no .npy file or hold another type or order.
 */
export function readNpyHeader(bytes: Uint8Array, name = "npy data"): NpyHeader {
  const fail = failing(name);
  if (bytes.length < 12 || [...MAGIC].some((letter, at) => bytes[at] !== letter.charCodeAt(0))) {
    fail("a .npy file starts with the bytes 93 4e 55 4d 50 59 (\\x93NUMPY)");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) fail(`format version ${version} is unknown, 1 to 3 are read`);
  const begin = version === 1 ? 10 : 12;
  const start = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) {
    fail(`truncated: the header ends at byte ${start}, the file at byte ${bytes.length}`);
  }
  const header = new TextDecoder().decode(bytes.subarray(begin, start));
  const type = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const lengths = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || lengths === undefined) {
    return fail(`the header has no descr, fortran_order and shape: ${JSON.stringify(header.slice(0, 60))}`);
  }
  if (type !== "<f4") fail(`the values are ${JSON.stringify(type)}, only '<f4' (float32) is read`);
  if (order === "True") fail("the values are in Fortran order, only C order is read");
  const shape = lengths.split(",").map((length) => length.trim()).filter((length) => length !== "").map(
    Number,
  );
  return { shape, start };
}

/**
 * Reads a float32 .npy file in row-major order.
 *
 * @param name What to call the file in errors.
 * @throws {RangeError} When the bytes are no .npy file, hold another type or order, or are too few or too many.
 */
export function readNpy(bytes: Uint8Array, name = "npy data"): NpyArray {
  const { shape, start } = readNpyHeader(bytes, name);
  const size = shape.reduce((product, length) => product * length, 1);
  const found = bytes.length - start;
  if (found !== 4 * size) {
    const problem = found < 4 * size ? "truncated" : "trailing bytes";
    failing(name)(
      `${problem}: the shape [${shape.join(", ")}] needs ${4 * size} bytes after the header, found ${found}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    shape,
    values: Float32Array.from({ length: size }, (_, at) => view.getFloat32(start + 4 * at, true)),
  };
}

function failing(name: string): (problem: string) => never {
  return (problem) => {
    throw new RangeError(`${name}: ${problem}`);
  };
}

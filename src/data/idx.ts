/**
 * The IDX format of the MNIST files: two zero bytes, a type, the number of dimensions, big-endian sizes, values.
 * @module
 */
import { sizeOf } from "../math/shape.ts";
import { quotedShape } from "../input/quoted.ts";
import { requireBytes, requireText } from "../input/require.ts";

/** Unsigned bytes with a shape, in row-major order. */
interface IdxArray {
  /** Sizes, outermost first: [count] for labels, [count, rows, columns] for images. */
  readonly shape: readonly number[];
  /** The values; their number is the product of the shape. */
  readonly values: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const OTHER_TYPES: Readonly<Record<number, string>> = {
  0x09: "int8",
  0x0b: "int16",
  0x0c: "int32",
  0x0d: "float32",
  0x0e: "float64",
};

/**
 * Reads an IDX array of unsigned bytes. The values are a view of `bytes`, not a copy.
 *
 * @param bytes The whole uncompressed file.
 * @param name The file's name in errors.
 * @param most The largest number of values that is read; by default 2³⁰.
 * @throws {RangeError} When the bytes are not an IDX array of unsigned bytes, are too few or too many.
 */
export function readIdx(bytes: Uint8Array, name = "IDX data", most: number = 2 ** 30): IdxArray {
  requireBytes("IDX data", bytes);
  requireText("name", name);
  const fail = (problem: string): never => {
    throw new RangeError(`${name}: ${problem}`);
  };
  if (bytes.length < 4) fail(`${bytes.length} bytes are too few for the 4-byte magic number of an IDX file`);
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    fail(`an IDX file starts with the bytes 00 00, not ${hex(bytes[0])} ${hex(bytes[1])}`);
  }
  if (bytes[2] !== UNSIGNED_BYTE) {
    const type = OTHER_TYPES[bytes[2]];
    fail(
      type === undefined
        ? `byte 2 is ${hex(bytes[2])}, which is no IDX type`
        : `the values are ${type}, only unsigned bytes (type 08) are read`,
    );
  }
  const rank = bytes[3];
  if (rank === 0 || rank > 32) fail(`byte 3 says ${rank} dimensions, 1 to 32 are read`);
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    fail(`the header of ${rank} dimensions ends at byte ${header}, the file ends at byte ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = sizeOf(shape);
  const present = bytes.length - header;
  if (present !== size) {
    const problem = present < size ? "truncated" : "trailing bytes";
    fail(
      `${problem}: the shape ${quotedShape(shape)} needs ${size} values after the header, found ${present}`,
    );
  }
  if (size > most) fail(`it holds ${size} values, at most ${most} are read`);
  return { shape, values: bytes.subarray(header) };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

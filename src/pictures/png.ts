/** PNG, bytes in and bytes out. @module */
import decode from "npm:@jsquash/png@3.1.1/decode.js";
import { encode } from "npm:fast-png@8.0.0";
import { checkPixels } from "./picture_size.ts";

/** A picture in memory. */
export interface Picture {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** [height, width, 4]: red, green, blue, alpha, 0 to 255. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Writes a picture as a PNG file of 8 bits a channel. */
export function encodePng(picture: Picture): Uint8Array<ArrayBuffer> {
  const { width, height, data } = picture;
  return new Uint8Array(encode({ width, height, data, channels: 4, depth: 8 }));
}

/**
 * Reads a PNG file of any colour type, depth and interlacing into 8-bit RGBA; of 16 bits the upper eight are kept. Transparency
 * is in the alpha, colour keys included. Colour profiles and gammas are not applied.
 *
 * @param bytes The whole file, of at most 100 megapixels; a missing last chunk and damaged ancillary ones are no errors.
 * @param name What to call the file in errors.
 * @throws {RangeError} When the bytes are not a complete PNG file, or its header speaks of more pixels than the file can hold.
 */
export async function decodePng(bytes: Uint8Array, name = "PNG data"): Promise<Picture> {
  const broken = (reason: string) => new RangeError(`${name}: not a complete PNG file (${reason})`);
  if (bytes.length < 33 || !SIGNATURE.every((byte, i) => bytes[i] === byte)) throw broken("no PNG header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Deflate makes at most 1,032 bytes of one, and a byte is eight pixels at most.
  checkPixels(view.getUint32(16), view.getUint32(20), 1032 * 8 * bytes.length, name);
  const chunks = walk(view);
  if (typeof chunks === "string") throw broken(chunks);
  const whole = Uint8Array.from(chunks.endsWithoutEnd ? END : []);
  const joined = new Uint8Array(bytes.length + whole.length);
  joined.set(bytes);
  joined.set(whole, bytes.length);
  try {
    const { width, height, data } = await decode(joined.buffer);
    return { width, height, data: new Uint8Array(data) };
  } catch (error) {
    throw broken(reasonOf(error));
  }
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The chunk IEND, with its length and checksum. */
const END = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];

/**
 * Walks over a file's chunks. The codec stops at the last pixel and never compares the checksum that follows it, so that of
 * every critical chunk is compared here.
 * @returns why the file is damaged, or whether it ends with a whole chunk that is not the last one, IEND
 */
function walk(view: DataView): string | { endsWithoutEnd: boolean } {
  let at = SIGNATURE.length;
  let type = 0;
  while (at + 12 <= view.byteLength && type !== IEND) {
    const length = view.getUint32(at);
    type = view.getUint32(at + 4);
    const critical = (type & 0x20000000) === 0;
    if (at + 12 + length > view.byteLength) return "a chunk is cut off";
    if (critical && crc32(view, at + 4, length + 4) !== view.getUint32(at + 8 + length)) {
      return "the checksum of a chunk is wrong";
    }
    at += 12 + length;
  }
  return { endsWithoutEnd: type !== IEND && at === view.byteLength };
}

const IEND = 0x49454e44;

/** The table of {@linkcode crc32}. */
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

/** The cyclic redundancy check of bytes (PNG specification, annex D). */
function crc32(view: DataView, from: number, length: number): number {
  let crc = 0xffffffff;
  for (let at = from; at < from + length; at++) {
    crc = REMAINDERS[(crc ^ view.getUint8(at)) & 255] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** What the codec says of a file that it cannot read, without its own inner words. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /unwrap_throw|unreachable/.test(text) ? "its chunks are damaged or cut off" : text;
}

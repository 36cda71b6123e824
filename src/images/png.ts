/** PNG, bytes in and bytes out. @module */
import { encode } from "npm:fast-png@8.0.0";
import { checkPixels, MOST_PIXELS } from "./picture_size.ts";
import { concatenated, END, markedPalette, SIGNATURE, walk, withoutAncillary } from "./png_chunks.ts";
import { PngCodec } from "./png_codec.ts";
import { requireBytes, requireText } from "../input/require.ts";
import { requirePicture } from "../input/require_parts.ts";

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
  requirePicture("picture", picture);
  const { width, height, data } = picture;
  return new Uint8Array(encode({ width, height, data, channels: 4, depth: 8 }));
}

/**
 * Reads a PNG file of any colour type, depth and interlacing into 8-bit RGBA; of 16 bits the upper eight are kept. Transparency
 * is in the alpha, colour keys included. Colour profiles, gammas and EXIF orientations are not applied.
 *
 * @param bytes The whole file; a missing last chunk and damaged ancillary ones, tRNS excepted, are no errors.
 * @param name What to call the file in errors.
 * @param most The most pixels, by default 16 million.
 * @throws {RangeError} When the bytes are not a complete PNG file, its header speaks of more pixels than the file can hold, or a
 * pixel has a colour that the file's palette lacks.
 */
export async function decodePng(
  bytes: Uint8Array,
  name = "PNG data",
  most: number = MOST_PIXELS,
): Promise<Picture> {
  requireBytes("PNG data", bytes);
  requireText("name", name);
  const broken = (reason: string) => new RangeError(`${name}: not a complete PNG file (${reason})`);
  if (bytes.length < 33 || !SIGNATURE.every((byte, i) => bytes[i] === byte)) throw broken("no PNG header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Deflate makes at most 1,032 bytes of one, and a byte is eight pixels at most.
  checkPixels(view.getUint32(16), view.getUint32(20), { possible: 1032 * 8 * bytes.length, most, name });
  const chunks = walk(view);
  if (typeof chunks === "string") throw broken(chunks);
  const whole = concatenated([withoutAncillary(bytes), Uint8Array.from(chunks.endsWithoutEnd ? END : [])]);
  const marked = markedPalette(whole);
  let data: Uint8Array;
  let width, height: number;
  try {
    if (marked !== null && hasWhite((await decode(marked)).data)) {
      throw new RangeError("a pixel's colour is not in its palette");
    }
    ({ width, height, data } = await decode(whole));
  } catch (error) {
    throw broken(error instanceof RangeError && error.message.startsWith("a pixel") ? error.message : DAMAGE);
  }
  return { width, height, data: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.length) };
}

/** The codec, until a file makes it fail: after some hundred failures one instance would refuse every file. */
let codec: PngCodec | undefined;

async function decode(file: Uint8Array): Promise<Picture> {
  const used = codec ??= await PngCodec.start();
  try {
    return used.decode(file);
  } catch (error) {
    codec = undefined;
    throw error;
  }
}

/** What is said of a file that the codec cannot read. */
const DAMAGE = "its chunks are damaged, cut off or of a kind that PNG does not have";

/** Whether a pixel is white, of a picture whose pixels are black or white. */
function hasWhite(data: ArrayLike<number>): boolean {
  for (let at = 0; at < data.length; at += 4) if (data[at] !== 0) return true;
  return false;
}

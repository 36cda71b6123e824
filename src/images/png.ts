/** Reads and writes PNG files. @module */
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
 * Reads a PNG file of any colour type, depth and interlacing into 8-bit RGBA; of 16 bits the upper eight are kept.
 * The alpha includes transparency by colour keys. Colour profiles, gammas and EXIF orientations are not applied.
 *
 * @param bytes The whole file; a missing last chunk and damaged ancillary ones, except tRNS, are tolerated.
 * @param name The file's name in errors.
 * @param most The largest number of pixels, by default 16 million.
 * @throws {RangeError} When the bytes are not a complete PNG file, its header states more pixels than the file can
 * hold, or a pixel has a colour that the file's palette lacks.
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
  // Deflate expands a byte to at most 1,032, and a byte holds at most eight pixels.
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

/** The codec instance, replaced when it fails: after some hundred failures one instance would fail on every file. */
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

/** The error's reason for a file that the codec cannot read. */
const DAMAGE = "its chunks are damaged, cut off or of a kind that PNG does not have";

/** Whether any pixel is white, in a picture of black and white pixels. */
function hasWhite(data: ArrayLike<number>): boolean {
  for (let at = 0; at < data.length; at += 4) if (data[at] !== 0) return true;
  return false;
}

/** Reads PNG and JPEG files, with transparent pictures laid on white. @module */
import { decodeJpeg } from "./jpeg.ts";
import { MOST_PIXELS } from "./picture_size.ts";
import { decodePng, type Picture } from "./png.ts";
import { requireBytes, requireText } from "../input/require.ts";

/**
 * Reads a PNG or a JPEG file, by its first bytes, and lays it on white, so that the stored colour of a transparent
 * pixel has no effect. Data sets, inputs and masks are read by this function.
 *
 * @param bytes The whole file.
 * @param name The file's name in errors.
 * @param most The largest number of pixels, by default 16 million.
 * @returns 8-bit RGBA with an alpha of 255 everywhere.
 * @throws {RangeError} When the bytes are neither a complete PNG nor a complete JPEG file, or have too many pixels.
 */
export async function decodePicture(
  bytes: Uint8Array,
  name: string,
  most: number = MOST_PIXELS,
): Promise<Picture> {
  requireBytes("a picture", bytes);
  requireText("name", name);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return await decodeJpeg(bytes, name, most);
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return onWhite(await decodePng(bytes, name, most));
  throw new RangeError(`${name}: begins like neither a PNG nor a JPEG file`);
}

/** The picture on a white ground. */
export function onWhite({ width, height, data }: Picture): Picture {
  const opaque = data.slice();
  for (let pixel = 0; pixel < data.length; pixel += 4) {
    const alpha = data[pixel + 3] / 255;
    for (let c = 0; c < 3; c++) {
      opaque[pixel + c] = Math.round(alpha * data[pixel + c] + 255 * (1 - alpha));
    }
    opaque[pixel + 3] = 255;
  }
  return { width, height, data: opaque };
}

/** Luma of 8-bit colours, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as in JPEG and Pillow's "L". */
export function luma(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** JPEG, bytes in. @module */
// What pureimage decodes by, too, but pureimage wants Node's streams, which a browser has not.
import jpeg from "npm:jpeg-js@0.4.4";
import type { Picture } from "./png.ts";

/** The most megapixels of a picture: what a photograph has. */
const mostMegapixels = 100;

/**
 * Reads a JPEG file, baseline or progressive, into 8-bit RGBA. A camera's note on which side is up is not heeded.
 *
 * @param bytes The whole file.
 * @param name What to call the file in errors.
 * @throws {RangeError} When the bytes are not a complete JPEG file of at most 100 megapixels.
 */
export function decodeJpeg(bytes: Uint8Array, name = "JPEG data"): Picture {
  try {
    const { width, height, data } = jpeg.decode(bytes, {
      useTArray: true,
      tolerantDecoding: false,
      maxResolutionInMP: mostMegapixels,
      maxMemoryUsageInMB: 2048,
    });
    return { width, height, data: new Uint8Array(data) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`${name}: not a complete JPEG file (${reason})`);
  }
}

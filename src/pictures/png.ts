/** PNG, bytes in and bytes out. @module */
import { decode, encode } from "npm:fast-png@8.0.0";

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
 * Reads a PNG file of any colour type and depth into 8-bit RGBA.
 *
 * @param bytes The whole file.
 * @param name What to call the file in errors.
 * @throws {RangeError} When the bytes are not a complete PNG file.
 */
export function decodePng(bytes: Uint8Array, name = "PNG data"): Picture {
  const image = (() => {
    try {
      return decode(bytes, { checkCrc: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RangeError(`${name}: not a complete PNG file (${reason})`);
    }
  })();
  const { width, height, depth, palette } = image;
  const channels = palette === undefined ? image.channels : 1;
  const samples = depth < 8 ? unpack(image.data, width * channels, height, depth) : image.data;
  const scale = palette === undefined ? 255 / (2 ** depth - 1) : 1;
  const data = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = Array.from({ length: channels }, (_, c) => Math.round(samples[pixel * channels + c] * scale));
    const [red, green, blue, alpha = 255] = palette !== undefined
      ? palette[at[0]] ?? [0, 0, 0, 255]
      : channels < 3
      ? [at[0], at[0], at[0], at[1]]
      : at;
    data.set([red, green, blue, alpha], pixel * 4);
  }
  return { width, height, data };
}

/** Splits bytes into values of `depth` bits, most significant first; each row starts on a byte. */
function unpack(packed: ArrayLike<number>, perRow: number, rows: number, depth: number): Uint8Array {
  const rowBytes = Math.ceil(perRow * depth / 8);
  return Uint8Array.from({ length: perRow * rows }, (_, at) => {
    const bit = at % perRow * depth;
    const byte = packed[Math.floor(at / perRow) * rowBytes + (bit >> 3)];
    return byte >> (8 - depth - (bit & 7)) & (2 ** depth - 1);
  });
}

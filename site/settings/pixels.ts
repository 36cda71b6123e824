/**
 * Pictures of 28 by 28 pixels in an address: runs of equal levels, one byte each, as letters that addresses may have.
 * @module
 */
import type { Field } from "./field.ts";
import { quoted } from "./field.ts";

/** Pixels along a side. */
export const SIDE = 28;
/** Pixels of a picture. */
export const PIXELS = SIDE * SIDE;
/** The brightest level of a picture; 0 is the darkest. */
export const BRIGHTEST = 15;

/** The longest run of a byte, whose upper half is the level and whose lower half is the length less one. */
const LONGEST = 16;

/**
 * A picture of whole levels [784] from 0 to `most`, row by row; null for none, which is an empty text.
 *
 * @param standard The picture that is meant where none is given.
 */
export function pixelField(most: number, standard: Uint8Array | null = null): Field<Uint8Array | null> {
  return {
    default: standard,
    read(text) {
      if (text === "") return null;
      const levels = decoded(text, most);
      if (levels !== null) return levels;
      throw new RangeError(
        `must be a picture of ${SIDE} × ${SIDE} pixels as this page writes it, got ${quoted(text)}`,
      );
    },
    write: (levels) => levels === null ? "" : encoded(levels),
  };
}

function encoded(levels: Uint8Array): string {
  let bytes = "";
  for (let at = 0; at < levels.length;) {
    let length = 1;
    while (length < LONGEST && levels[at + length] === levels[at]) length++;
    bytes += String.fromCharCode(levels[at] << 4 | length - 1);
    at += length;
  }
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The levels, or null for a text that is no picture. */
function decoded(text: string, most: number): Uint8Array | null {
  if (text.length > 2 * PIXELS || !/^[\w-]+$/.test(text) || text.length % 4 === 1) return null;
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const levels = new Uint8Array(PIXELS);
  let filled = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charCodeAt(i);
    const length = (byte & 15) + 1;
    if (byte >> 4 > most) return null;
    levels.fill(byte >> 4, filled, filled + length);
    filled += length;
  }
  return filled === PIXELS ? levels : null;
}

/** Bytes from 0 to 255 of levels. */
export function bytesOfLevels(levels: Uint8Array): Uint8Array {
  return levels.map((level) => level * 255 / BRIGHTEST);
}

/** The nearest levels of bytes. */
export function levelsOfBytes(bytes: Uint8Array | Uint8ClampedArray): Uint8Array {
  return Uint8Array.from(bytes, (byte) => Math.round(byte * BRIGHTEST / 255));
}

/** The mask that hides the left half; 1 is hidden. */
export function leftHalf(): Uint8Array {
  return Uint8Array.from({ length: PIXELS }, (_, at) => at % SIDE < SIDE / 2 ? 1 : 0);
}

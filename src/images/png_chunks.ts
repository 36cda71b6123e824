/** The chunks that a PNG file is made of. @module */

/** The eight bytes that a PNG file begins with. */
export const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The chunk IEND, with its length and checksum. */
export const END = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];

/** Types of chunks, as their four letters read as a number. */
const [IEND, PLTE, TRNS] = [0x49454e44, 0x504c5445, 0x74524e53];

/**
 * Checks a file's chunks and the checksum of every critical one. Codecs stop at the last pixel and do not compare the
 * checksum after it.
 * @returns The damage, or whether the file ends with a whole chunk that is not IEND, the last one.
 */
export function walk(view: DataView): string | { endsWithoutEnd: boolean } {
  let at = SIGNATURE.length;
  let type = 0;
  while (at + 12 <= view.byteLength && type !== IEND) {
    const length = view.getUint32(at);
    type = view.getUint32(at + 4);
    if (at + 12 + length > view.byteLength) return "a chunk is cut off";
    if (!isAncillary(type) && crc32(view, at + 4, length + 4) !== view.getUint32(at + 8 + length)) {
      return "the checksum of a chunk is wrong";
    }
    at += 12 + length;
  }
  return { endsWithoutEnd: type !== IEND && at === view.byteLength };
}

/**
 * The file without its ancillary chunks, except tRNS, which holds the transparency: the others change no pixel here,
 * and a codec may fail on a damaged one. Bytes after IEND are left out.
 *
 * @param bytes A file without damage by {@linkcode walk}.
 */
export function withoutAncillary(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [Uint8Array.from(SIGNATURE)];
  let at = SIGNATURE.length;
  let type = 0;
  while (at + 12 <= bytes.length && type !== IEND) {
    type = view.getUint32(at + 4);
    const end = at + 12 + view.getUint32(at);
    if (!isAncillary(type) || type === TRNS) parts.push(bytes.subarray(at, end));
    at = end;
  }
  if (type !== IEND) parts.push(bytes.subarray(at));
  return concatenated(parts);
}

/** Whether a chunk type is ancillary: its first letter is lower-case. */
function isAncillary(type: number): boolean {
  return (type & 0x20000000) !== 0;
}

/**
 * A copy of a palette file with another palette: black for the colours of its palette, white for all further ones of
 * its depth, all opaque. A decoded pixel is then white if its colour is missing in the palette.
 * @returns The copy, or null when the file has no palette, or one with all colours of its depth.
 */
export function markedPalette(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [depth, colourType] = [view.getUint8(24), view.getUint8(25)];
  if (colourType !== 3 || depth > 8) return null;
  const parts: Uint8Array[] = [Uint8Array.from(SIGNATURE)];
  for (let at = SIGNATURE.length; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (type === PLTE) {
      if (length >= 3 * 2 ** depth) return null;
      parts.push(chunk(type, new Uint8Array(3 * 2 ** depth).fill(255, length)));
    } else if (type !== TRNS) parts.push(bytes.subarray(at, at + 12 + length));
    at += 12 + length;
  }
  return concatenated(parts);
}

/** All bytes of the parts, one after the other. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function chunk(type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  view.setUint32(4, type);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(view, 4, 4 + data.length));
  return bytes;
}

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

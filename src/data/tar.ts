/** The files in a tar archive. @module */

const BLOCK = 512;
const text = new TextDecoder();

/**
 * The plain files of an archive by name; views of `bytes`, not copies. Folders, links and extension headers are
 * skipped: names are those of the old header, of at most 100 letters.
 *
 * @param name The archive's name in errors.
 * @param most The largest number of files; by default 100,000.
 * @throws {RangeError} When a header is damaged, there are more files, or the archive ends in the middle of a file.
 */
export function tarFiles(bytes: Uint8Array, name = "tar archive", most = 100_000): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + BLOCK <= bytes.length;) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return files;
    if (checksum(header) !== octal(header, 148, 8)) {
      throw new RangeError(`${name}: no tar header at byte ${at}`);
    }
    const size = octal(header, 124, 12);
    if (Number.isNaN(size)) {
      throw new RangeError(`${name}: the header at byte ${at} does not say a file's size`);
    }
    const start = at + BLOCK;
    if (start + size > bytes.length) {
      throw new RangeError(
        `${name}: truncated, a file of ${size} bytes begins at byte ${start} of ${bytes.length}`,
      );
    }
    if (header[156] === 0 || header[156] === "0".charCodeAt(0)) {
      if (files.size === most) throw new RangeError(`${name}: it holds more than ${most} files`);
      files.set(field(header, 0, 100), bytes.subarray(start, start + size));
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw new RangeError(`${name}: truncated, ${bytes.length} bytes without the block of zeros at the end`);
}

/** The sum of all bytes of the header, with blanks in the place of the checksum. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

function octal(header: Uint8Array, start: number, length: number): number {
  const digits = field(header, start, length).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
}

/** Text up to the first zero byte. */
function field(header: Uint8Array, start: number, length: number): string {
  const bytes = header.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return text.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

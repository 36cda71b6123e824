/** Gzip decompression by the platform's streams. @module */

/**
 * Decompresses gzip; bytes that do not start with gzip's 1f 8b are returned unchanged.
 *
 * @param bytes A gzip file, or anything else.
 * @param name The file's name in errors.
 * @param most The largest decompressed size in bytes; by default 64 MiB, or sixteen times the compressed size,
 * whichever is more.
 * @throws {RangeError} When the bytes start like gzip and are damaged or cut short, or hold more than that.
 */
export async function gunzip(
  bytes: Uint8Array,
  name = "gzip data",
  most: number = Math.max(2 ** 26, 16 * bytes.length),
): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const chunks: Uint8Array[] = [];
  let length = 0;
  let problem = "damaged or truncated gzip data";
  try {
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > most) {
        throw new RangeError(problem = `it holds more than ${most} bytes, which are not unpacked`);
      }
      chunks.push(chunk);
    }
  } catch {
    throw new RangeError(`${name}: ${problem}`);
  }
  const plain = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    plain.set(chunk, at);
    at += chunk.length;
  }
  return plain;
}

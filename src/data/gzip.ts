/** Gzip through the platform's own streams. @module */

/**
 * Uncompresses gzip; bytes that do not start with gzip's 1f 8b are returned as they are.
 *
 * @param bytes A gzip file, or anything else.
 * @param name What to call the file in errors.
 * @param most The most bytes that may come out; by default 64 MiB, or fifty times what went in, whichever is more.
 * @throws {RangeError} When the bytes start like gzip and are damaged or cut short, or hold more than that.
 */
export async function gunzip(
  bytes: Uint8Array,
  name = "gzip data",
  most: number = Math.max(2 ** 26, 50 * bytes.length),
): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > most) throw new Error(`it holds more than ${most} bytes`);
      chunks.push(chunk as Uint8Array<ArrayBuffer>);
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`${name}: damaged or truncated gzip data (${reason})`);
  }
}

/** Compresses to gzip. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

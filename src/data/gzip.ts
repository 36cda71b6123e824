/** Gzip through the platform's own streams. @module */

/**
 * Uncompresses gzip; bytes that do not start with gzip's 1f 8b are returned as they are.
 *
 * @param bytes A gzip file, or anything else.
 * @param name What to call the file in errors.
 * @throws {RangeError} When the bytes start like gzip and are damaged or cut short.
 */
export async function gunzip(bytes: Uint8Array, name = "gzip data"): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
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

/** Writes files that the project only reads, for claims about its readers. @module */

/** An IDX file of unsigned bytes of a shape. */
export function writeIdx(
  { shape, values }: { readonly shape: readonly number[]; readonly values: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const header = 4 + 4 * shape.length;
  const bytes = new Uint8Array(header + values.length);
  bytes.set([0, 0, 0x08, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((length, axis) => view.setUint32(4 + 4 * axis, length));
  bytes.set(values, header);
  return bytes;
}

/** A gzip file. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Values in [−1, 1], as the networks have them, as bytes of pixels and back. @module */

/** Bytes from 0 to 255; what lies outside is cut off. */
export function toBytes(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = (values[i] + 1) * 127.5;
  return new Uint8Array(bytes.buffer);
}

/** Values in [−1, 1]. */
export function fromBytes(bytes: ArrayLike<number>): Float32Array {
  return Float32Array.from(bytes, (byte) => byte / 127.5 - 1);
}

/** Noisy states x_t with their noise scaled down, so that the whole has the spread of the data, as bytes. */
export function noisyBytes(
  x: ArrayLike<number>,
  alpha: number,
  noiseRatio: number,
  { sigmaData, centre }: { readonly sigmaData: number; readonly centre: number },
): Uint8Array<ArrayBuffer> {
  const spread = sigmaData / Math.hypot(sigmaData, noiseRatio);
  return toBytes(Float32Array.from(x, (value) => (value / alpha - centre) * spread + centre));
}

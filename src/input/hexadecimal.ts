/** Bytes as text. @module */

/** Two hexadecimal digits for each byte; Uint8Array's `toHex` is missing in Node before 25. */
export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Threefry-2x32 with 20 rounds: a keyed bijection of 64-bit counters whose outputs are statistically uniform.
 * Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), §4.
 * @module
 */

/** A 64-bit key as two unsigned 32-bit words. */
export type ThreefryKey = readonly [number, number];

/** Makes ks[0] ^ ks[1] ^ ks[2] a non-trivial constant, so that no key gives three zero subkeys (Skein's C240). */
const PARITY = 0x1bd11bda;

/**
 * Encrypts the counters (firstBlock + j, high) for j = 0 … words.length/2 − 1 under a key, all arithmetic mod 2³².
 * Words 2j and 2j + 1 of `words` receive the two output words of counter j.
 */
export function threefryBlocks(key: ThreefryKey, firstBlock: number, high: number, words: Uint32Array): void {
  const k0 = key[0] | 0, k1 = key[1] | 0, k2 = PARITY ^ k0 ^ k1;
  const blocks = words.length >> 1;
  for (let j = 0; j < blocks; j++) {
    let x0 = (firstBlock + j + k0) | 0;
    let x1 = (high + k1) | 0;
    let a = k1, b = k2, c = k0; // the subkeys rotate: after four rounds s, add ks[s mod 3] and ks[(s+1) mod 3] + s
    for (let s = 1; s <= 5; s++) {
      if (s & 1) {
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
      } else {
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
        x0 = (x0 + x1) | 0;
        x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
      }
      x0 = (x0 + a) | 0;
      x1 = (x1 + b + s) | 0;
      const first = a;
      a = b;
      b = c;
      c = first;
    }
    words[2 * j] = x0;
    words[2 * j + 1] = x1;
  }
}

/** One block: the two output words for the counter (low, high). */
export function threefry2x32(key: ThreefryKey, low: number, high: number): [number, number] {
  const words = new Uint32Array(2);
  threefryBlocks(key, low, high, words);
  return [words[0], words[1]];
}

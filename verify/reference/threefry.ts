/**
 * A second implementation of Threefry-2x32-20, and its inverse, which finds the counter for words that one wants to see.
 * @module
 */

/** A pair of 32-bit words. */
export type Words = [bigint, bigint];
/** The largest word. */
export const MASK = 0xffffffffn;
const ROTATIONS = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n];

const rotate = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (32n - n))) & MASK;

/** Threefry-2x32-20 after the paper's figure, in integers of any size, independent of the code under test. */
export function encrypt([k0, k1]: Words, [c0, c1]: Words): Words {
  const keys = [k0, k1, 0x1bd11bdan ^ k0 ^ k1];
  let [x0, x1] = [(c0 + k0) & MASK, (c1 + k1) & MASK];
  for (let round = 0; round < 20; round++) {
    x0 = (x0 + x1) & MASK;
    x1 = rotate(x1, ROTATIONS[round % 8]) ^ x0;
    if (round % 4 === 3) {
      const s = (round + 1) / 4;
      x0 = (x0 + keys[s % 3]) & MASK;
      x1 = (x1 + keys[(s + 1) % 3] + BigInt(s)) & MASK;
    }
  }
  return [x0, x1];
}

/** The counter that encrypts to the given words. */
export function decrypt([k0, k1]: Words, [x0, x1]: Words): Words {
  const keys = [k0, k1, 0x1bd11bdan ^ k0 ^ k1];
  for (let round = 19; round >= 0; round--) {
    if (round % 4 === 3) {
      const s = (round + 1) / 4;
      x0 = (x0 - keys[s % 3]) & MASK;
      x1 = (x1 - keys[(s + 1) % 3] - BigInt(s)) & MASK;
    }
    x1 = rotate(x1 ^ x0, 32n - ROTATIONS[round % 8]);
    x0 = (x0 - x1) & MASK;
  }
  return [(x0 - k0) & MASK, (x1 - k1) & MASK];
}

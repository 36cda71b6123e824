/** Repeatable normal numbers in float64, for starts and noise that the kit gives. @module */
import { threefryBlocks } from "../compute/threefry.ts";
import type { States } from "./sampler_under_test.ts";

/** Standard normal numbers; the same for the same seed and stream (Box & Muller 1958 on Threefry's words). */
export function normalNumbers(count: number, seed: number, stream: number): States {
  const words = new Uint32Array(4 * Math.ceil(count / 2));
  threefryBlocks([seed >>> 0, 0x636f6e66], 0, stream >>> 0, words);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    // 53 bits for the radius, so that tails reach 8.5.
    const u = ((words[2 * i] >>> 5) * 2 ** 26 + (words[2 * i + 1] >>> 6) + 0.5) / 2 ** 53;
    const radius = Math.sqrt(-2 * Math.log(u));
    const angle = 2 * Math.PI * ((words[2 * i + 2] + 0.5) / 2 ** 32);
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

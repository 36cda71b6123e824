/**
 * Masks: which entries of a sample are known.
 * @module
 */
import { sizeOf } from "../networks/network.ts";

/**
 * Refuses a mask that does not say of each entry of a sample whether it is known (1) or hidden (0).
 *
 * @throws {RangeError} naming the size or the value
 */
export function checkMask(mask: ArrayLike<number>, sampleShape: readonly number[]): void {
  const size = sizeOf(sampleShape);
  if (mask.length !== size) {
    throw new RangeError(
      `a mask for samples of shape [${sampleShape}] has ${size} entries, got ${mask.length}`,
    );
  }
  const wrong = Array.from(mask).find((value) => value !== 0 && value !== 1);
  if (wrong !== undefined) throw new RangeError(`a mask holds 1 (known) and 0 (hidden), got ${wrong}`);
}

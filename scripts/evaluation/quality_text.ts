/**
 * Measured qualities as text: what `evaluate`, `compare` and `tune` print.
 * @module
 */
import type { DigitQuality } from "../../src/metrics/digit_quality.ts";

/** A kernel distance with its standard error. */
export function kernelText(quality: Pick<DigitQuality, "kernelDistance" | "kernelError">): string {
  return `${quality.kernelDistance.toFixed(3)} ± ${quality.kernelError.toFixed(3)}`;
}

/** A share in percent; a dash for none. */
export function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)}%`;
}

/**
 * What a run of the suite comes to.
 * @module
 */
import type { Verdict } from "./examine.ts";

/** What the totals line and the report say about a run. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly comparisons: number;
  readonly seed: number;
  readonly seconds: number;
  /** The probability that a correct program fails somewhere in this run: the sum over its Monte Carlo comparisons. */
  readonly alarmRate: number;
}

/** The family-wise false-alarm rate that a run may have. */
export const alarmLimit = 1e-6;

/** The counts and sums over verdicts. */
export function totalsOf(verdicts: readonly Verdict[], seed: number, seconds: number): Totals {
  const count = (outcome: Verdict["outcome"]) => verdicts.filter((v) => v.outcome === outcome).length;
  const comparisons = verdicts.flatMap((verdict) => verdict.comparisons);
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    comparisons: comparisons.length,
    seed,
    seconds,
    alarmRate: comparisons.reduce((sum, { alarmRate }) => sum + (alarmRate ?? 0), 0),
  };
}

/** Whether claims were examined, none failed, and chance alone fails few enough. */
export function isGood({ passed, failed, skipped, alarmRate }: Totals): boolean {
  return passed + failed + skipped > 0 && failed === 0 && alarmRate <= alarmLimit;
}

/** The totals in two lines, the last of which counts claims. */
export function totalsText({ passed, failed, skipped, comparisons, seconds, alarmRate }: Totals): string {
  return [
    `${comparisons} comparisons in ${Math.round(seconds)} s; correct code fails one of them ` +
    `with probability ${alarmRate.toExponential(1)} (limit ${alarmLimit})`,
    ...passed + failed + skipped === 0 ? ["no claim matched"] : [],
    `${passed} passed, ${failed} failed, ${skipped} skipped`,
  ].join("\n");
}

/**
 * Whether the verdicts under many seeds are what chance predicts of correct code.
 * @module
 */
import type { Chance, LeastUniform, SeedSummary } from "../suite/chance.ts";
import type { SeedTally } from "../suite/seed_tally.ts";
import { binomialTail, oneSidedKolmogorovTail } from "./statistics.ts";

/** The probability with which each of the two tests below fails for correct code. */
export const chanceLevel = 1e-4;

/** Judges what the claims, by their names, gave under the same seeds. */
export function chanceOf(tallies: ReadonlyMap<string, SeedTally>): Chance {
  const seeds = summaries(tallies);
  const failedSeeds = seeds.filter(({ failed }) => failed > 0).length;
  const rate = Math.min(1, Math.max(0, ...seeds.map(({ alarmRate }) => alarmRate)));
  const failuresProbability = binomialTail(failedSeeds, seeds.length, rate);
  const rows = [...tallies].flatMap(([claim, tally]) => tally.rows().map((row) => ({ claim, ...row })))
    .filter(({ pValues }) => pValues.length > 1);
  const deviations = rows.flatMap(({ claim, what, pValues }) =>
    (["small", "large"] as const).map((side) => ({
      claim,
      what,
      side,
      probability: Math.min(1, 2 * rows.length * deviationProbability(pValues, side)),
    }))
  );
  const leastUniform = deviations.reduce<LeastUniform | null>(
    (least, next) => least === null || next.probability < least.probability ? next : least,
    null,
  );
  const tenths = Array<number>(10).fill(0);
  for (const p of rows.flatMap(({ pValues }) => pValues)) tenths[Math.min(9, Math.floor(10 * p))]++;
  return {
    seeds,
    failedSeeds,
    failuresProbability,
    tested: rows.length,
    leastUniform,
    tenths,
    held: failuresProbability > chanceLevel && (leastUniform?.probability ?? 1) > chanceLevel,
  };
}

/** How often uniform values have as many small, or large, ones: the one-sided Kolmogorov test, exact. */
export function deviationProbability(values: readonly number[], side: "small" | "large"): number {
  const n = values.length;
  const sorted = values.map((value) => side === "small" ? value : 1 - value).sort((a, b) => a - b);
  const distance = Math.max(...sorted.map((value, i) => (i + 1) / n - value));
  // NaN is no p-value.
  return Number.isNaN(distance) ? 0 : oneSidedKolmogorovTail(distance, n);
}

function summaries(tallies: ReadonlyMap<string, SeedTally>): SeedSummary[] {
  const all = [...tallies.values()];
  const seeds = [...new Set(all.flatMap(({ runs }) => runs.map(({ seed }) => seed)))];
  return seeds.map((seed) => {
    const own = all.flatMap(({ runs }) => runs.filter((run) => run.seed === seed));
    const comparisons = own.flatMap((run) => run.comparisons);
    const pValues = comparisons.flatMap(({ pValue }) => pValue === undefined ? [] : [pValue]);
    return {
      seed,
      claims: own.length,
      comparisons: comparisons.length,
      failed: all.filter(({ failures }) => failures.some((failure) => failure.seed === seed)).length,
      alarmRate: comparisons.reduce((sum, { alarmRate }) => sum + (alarmRate ?? 0), 0),
      pValues: pValues.length,
      meanPValue: pValues.reduce((sum, p) => sum + p, 0) / pValues.length,
      smallestPValue: Math.min(...pValues),
    };
  });
}

/**
 * What one claim observed under many seeds.
 * @module
 */
import type { Comparison } from "./claim.ts";
import type { Verdict } from "./examine.ts";

/** One comparison of a claim, over all seeds. */
export interface SeedRow {
  readonly what: string;
  readonly source: string;
  /** For a Monte Carlo comparison: the probability that correct code breaks it. */
  readonly alarmRate?: number;
  /** The largest part of the allowed deviation that was used, 1 at the bound; absent where there is no such number. */
  readonly most?: number;
  /** The median of that part over the seeds. */
  readonly median?: number;
  /** The seed of the largest, and what was observed and allowed there. */
  readonly seed: number;
  readonly observed: string;
  readonly bound: string;
  readonly seeds: number;
  readonly failures: number;
  /** Where the comparison has a p-value: that of each seed, in the order of the seeds. */
  readonly pValues: readonly number[];
}

/** Collects the verdicts of one claim on one engine. */
export class SeedTally {
  readonly failures: { readonly seed: number; readonly reason: string }[] = [];
  readonly #runs: { readonly seed: number; readonly comparisons: readonly Comparison[] }[] = [];
  /** Whether the claim was skipped. */
  skipped = false;
  /** Whether the claim asked for its seed; if not, one run is as good as many. */
  seeded = false;

  /** Adds what came of one seed. */
  add(seed: number, { outcome, reason, comparisons, seeded }: Verdict): void {
    this.#runs.push({ seed, comparisons });
    this.seeded ||= seeded === true;
    this.skipped ||= outcome === "skipped";
    if (outcome !== "failed") return;
    const broken = comparisons.filter(({ held }) => !held);
    const words = broken.map(({ what, observed, bound }) => `${what}: ${observed}, expected ${bound}`);
    this.failures.push({ seed, reason: [...words, ...reason === undefined ? [] : [reason]].join("; ") });
  }

  /** What each seed gave. */
  get runs(): readonly { readonly seed: number; readonly comparisons: readonly Comparison[] }[] {
    return this.#runs;
  }

  /** How many seeds there were. */
  get seeds(): number {
    return this.#runs.length;
  }

  /** The comparisons in the order in which the claim makes them; those of one place are one row. */
  rows(): SeedRow[] {
    const places = Math.max(0, ...this.#runs.map(({ comparisons }) => comparisons.length));
    return Array.from({ length: places }, (_, place) => this.#row(place));
  }

  #row(place: number): SeedRow {
    const all = this.#runs.filter(({ comparisons }) => place < comparisons.length)
      .map(({ seed, comparisons }) => ({ seed, ...comparisons[place] }));
    const sorted = all.toSorted((a, b) => rank(b) - rank(a));
    const worst = sorted[0];
    const { what, source, alarmRate, used, seed, observed, bound } = worst;
    const median = sorted[Math.floor(sorted.length / 2)].used;
    const failures = all.filter(({ held }) => !held).length;
    return {
      what,
      source,
      alarmRate,
      most: used,
      median,
      seed,
      observed,
      bound,
      seeds: all.length,
      failures,
      pValues: all.flatMap(({ pValue }) => pValue === undefined ? [] : [pValue]),
    };
  }
}

/** Failures first, then by what was used. */
function rank({ held, used = -1 }: Comparison): number {
  return held ? used : Infinity;
}

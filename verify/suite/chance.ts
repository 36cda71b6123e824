/**
 * What claims in which chance plays came to under many seeds, as plain data, and in words.
 * @module
 */

/** What the claims came to under one seed. */
export interface SeedSummary {
  readonly seed: number;
  readonly claims: number;
  /** Comparisons with a false-alarm rate. */
  readonly comparisons: number;
  /** Claims that failed. */
  readonly failed: number;
  /** The sum of the false-alarm rates. */
  readonly alarmRate: number;
  readonly pValues: number;
  readonly meanPValue: number;
  readonly smallestPValue: number;
}

/** What the claims came to under all seeds. */
export interface Chance {
  readonly seeds: readonly SeedSummary[];
  /** Seeds under which a claim failed. */
  readonly failedSeeds: number;
  /**
   * How often correct code fails under as many seeds or more: seeds are independent, and each fails with probability A at most,
   * the sum of its false-alarm rates, however its comparisons depend on each other; so the number is binomial at most.
   */
  readonly failuresProbability: number;
  /** Comparisons whose p-values were held to the uniform distribution. */
  readonly tested: number;
  /** The comparison whose p-values, over the seeds, are the least like uniform ones; null for none. */
  readonly leastUniform: LeastUniform | null;
  /** How many p-values are in each tenth of [0, 1]. */
  readonly tenths: readonly number[];
  /** Whether both probabilities are above the level. */
  readonly held: boolean;
}

/** A comparison whose p-values deviate from the uniform distribution. */
export interface LeastUniform {
  readonly claim: string;
  readonly what: string;
  /** Too many of them near 0, or near 1. */
  readonly side: "small" | "large";
  /** How often the most deviating of all these comparisons, on either side, deviates as much by chance (Bonferroni). */
  readonly probability: number;
}

/** The seeds as a table, one line each. */
export function seedTable(seeds: readonly SeedSummary[]): { header: string[]; rows: string[][] } {
  return {
    header: ["seed", "claims", "comparisons", "failed", "p-values", "their mean", "smallest"],
    rows: seeds.map(({ seed, claims, comparisons, failed, pValues, meanPValue, smallestPValue }) => [
      String(seed),
      ...[claims, comparisons, failed, pValues].map((count) => count.toLocaleString("en")),
      pValues === 0 ? "–" : meanPValue.toFixed(3),
      pValues === 0 ? "–" : smallestPValue.toExponential(1),
    ]),
  };
}

/** Both tests in words. */
export function chanceText(
  { seeds, failedSeeds, failuresProbability, tested, leastUniform }: Chance,
): string[] {
  const times = (p: number) => p < 1e-3 ? p.toExponential(1) : p.toPrecision(2);
  return [
    `claims failed under ${failedSeeds} of ${seeds.length} seeds; correct code fails under as many or more with ` +
    `probability ${times(failuresProbability)} at most`,
    ...leastUniform === null ? [] : [
      `p-values of ${tested} comparisons, each over its seeds: too many ${leastUniform.side} ones above all in ` +
      `"${leastUniform.what}" (${leastUniform.claim}); the most deviating of all deviates as much with probability ` +
      times(leastUniform.probability),
    ],
  ];
}

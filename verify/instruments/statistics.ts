/**
 * Comparisons in which chance plays. Each breaks for correct code with probability `alarmRate` at most, by an exact
 * distribution where there is one, and says the smallest effect that it sees with probability 1 − `missRate`.
 * @module
 */
import binomialCdf from "npm:@stdlib/stats-base-dists-binomial-cdf@0.2.3";
import chiSquareCdf from "npm:@stdlib/stats-base-dists-chisquare-cdf@0.3.1";
import chiSquareQuantile from "npm:@stdlib/stats-base-dists-chisquare-quantile@0.2.3";
import normalCdf from "npm:@stdlib/stats-base-dists-normal-cdf@0.3.1";
import normalQuantile from "npm:@stdlib/stats-base-dists-normal-quantile@0.3.1";
import type { Check } from "../suite/claim.ts";

/** The probability that one comparison breaks for correct code: 2,000 of them stay below 1e-6 (Bonferroni). */
export const alarmRate = 5e-10;

/** The probability that a comparison misses an effect of the size that it states. */
export const missRate = 1e-6;

/** Φ(x), the standard normal distribution function. */
export function standardNormalCdf(x: number): number {
  return normalCdf(x, 0, 1);
}

/** Φ⁻¹(p), the standard normal quantile. */
export function standardNormalQuantile(p: number): number {
  return normalQuantile(p, 0, 1);
}

/** P(X ≤ x) of a χ² variable of n degrees of freedom. */
export function chiSquareProbability(x: number, n: number): number {
  return chiSquareCdf(x, n);
}

/** The interval that a χ² variable of n degrees of freedom, divided by n, leaves with probability `alarm`. */
export function chiSquareInterval(n: number, alarm: number = alarmRate): { low: number; high: number } {
  return { low: chiSquareQuantile(alarm / 2, n) / n, high: chiSquareQuantile(1 - alarm / 2, n) / n };
}

/** The distance that an empirical distribution function of n values keeps from its own, but for probability `alarm`
 * (Dvoretzky, Kiefer & Wolfowitz 1956, with Massart's 1990 constant). */
export function dkwDistance(n: number, alarm: number = alarmRate): number {
  return Math.sqrt(Math.log(2 / alarm) / (2 * n));
}

/** The mean of n independent values of variance `std`², against `expected`. */
export function checkMean(
  check: Check,
  what: string,
  observed: number,
  expected: number,
  std: number,
  n: number,
  source: string,
): void {
  const unit = std / Math.sqrt(n);
  const z = standardNormalQuantile(1 - alarmRate / 2);
  const seen = (z + standardNormalQuantile(1 - missRate)) * unit;
  check.within(what, observed, expected, z * unit, `${source}; z over ${n} values`, {
    alarmRate,
    pValue: 2 * standardNormalCdf(-Math.abs(observed - expected) / unit),
    detectable: `a shift of ${brief(seen)}`,
  });
}

/** The mean square about the true mean of n independent Gaussian values, against their variance, by the exact χ² distribution. */
export function checkVariance(
  check: Check,
  what: string,
  observed: number,
  expected: number,
  n: number,
  source: string,
): void {
  const { low, high } = chiSquareInterval(n);
  const ratio = observed / expected;
  const larger = high * n / chiSquareQuantile(missRate, n) - 1;
  const smaller = 1 - low * n / chiSquareQuantile(1 - missRate, n);
  check.record({
    what,
    observed: `${brief(observed)} (${brief(100 * (ratio - 1))}% off)`,
    bound: `${brief(expected)}, ${brief(100 * (low - 1))}% … +${brief(100 * (high - 1))}%`,
    source: `${source}; exact χ² over ${n} values`,
    used: ratio > 1 ? (ratio - 1) / (high - 1) : (1 - ratio) / (1 - low),
    held: ratio >= low && ratio <= high,
    alarmRate,
    pValue: twoSided(chiSquareCdf(ratio * n, n)),
    detectable: `a variance wrong by ${brief(100 * Math.max(larger, smaller))}%`,
  });
}

/**
 * Pairs of centred Gaussians (a, b), against their variances and covariance: their standardized sum and difference are
 * independent Gaussians, whose mean squares have exact χ² distributions.
 */
export function checkCovariance(
  check: Check,
  what: string,
  a: Float64Array,
  b: Float64Array,
  distribution: { readonly varianceA: number; readonly varianceB: number; readonly covariance: number },
  source: string,
): void {
  const [stdA, stdB] = [Math.sqrt(distribution.varianceA), Math.sqrt(distribution.varianceB)];
  const correlation = distribution.covariance / (stdA * stdB);
  for (const [sign, word] of [[1, "sum"], [-1, "difference"]] as const) {
    let squares = 0;
    for (let i = 0; i < a.length; i++) squares += (a[i] / stdA + sign * b[i] / stdB) ** 2;
    const expected = 2 + 2 * sign * correlation;
    checkVariance(
      check,
      `${what}: variance of the standardized ${word}`,
      squares / a.length,
      expected,
      a.length,
      source,
    );
  }
}

/** Values that should be uniform on (0, 1), by the distance of their distribution function from the diagonal. */
export function checkUniform(check: Check, what: string, values: Float64Array, source: string): void {
  const n = values.length;
  const distance = uniformDistance(values);
  const bound = dkwDistance(n);
  check.atMost(what, distance, bound, `${source}; Dvoretzky–Kiefer–Wolfowitz over ${n} values`, {
    alarmRate,
    pValue: kolmogorovTail(distance, n),
    detectable: `distribution functions ${brief(detectableDistance(bound, n))} apart`,
  });
}

/**
 * The distance of two distributions that a bound on the distance of n values from one of them sees: where the distributions differ most the
 * empirical one is a binomial mean, and Hoeffding bounds its deviation.
 */
export function detectableDistance(bound: number, n: number): number {
  return bound + Math.sqrt(-Math.log(missRate) / (2 * n));
}

/** sup |F_n(u) − u|, the Kolmogorov distance of values from the uniform distribution; NaN if any value is. Sorts a copy. */
export function uniformDistance(values: Float64Array): number {
  const sorted = values.slice().sort();
  const n = sorted.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(sorted[i])) return NaN;
    distance = Math.max(distance, sorted[i] - i / n, (i + 1) / n - sorted[i]);
  }
  return distance;
}

/** The two-sided p-value of what lies at this value of its distribution function. */
function twoSided(probability: number): number {
  return Math.min(1, 2 * Math.min(probability, 1 - probability));
}

/** P(X < k) + P(X = k)/2 of a binomial variable: its mean is 1/2, as that of a continuous distribution function. */
function middleCdf(k: number, n: number, probability: number): number {
  return (binomialCdf(k, n, probability) + (k < 1 ? 0 : binomialCdf(k - 1, n, probability))) / 2;
}

/** P(X ≥ k) of a binomial variable. */
export function binomialTail(k: number, n: number, probability: number): number {
  return k <= 0 ? 1 : binomialCdf(n - k, n, 1 - probability);
}

/**
 * P(sup |F_n − u| ≥ d) of n uniform values, n ≥ 100: Kolmogorov's limit with the correction of Vrbik (2018), "Small-sample
 * corrections to Kolmogorov–Smirnov test statistic", which leaves an error of 1/n^1.5.
 */
export function kolmogorovTail(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  const x = z + 1 / (6 * Math.sqrt(n)) + (z - 1) / (4 * n);
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 20; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, sum);
}

/**
 * P(sup (F_n − u) ≥ d) of n uniform values, exact (Birnbaum & Tingey 1951, equation 3.0):
 * d Σ_j C(n, j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j) over j ≤ n(1 − d).
 */
export function oneSidedKolmogorovTail(d: number, n: number): number {
  if (d <= 0) return 1;
  let [sum, logBinomial] = [0, 0];
  for (let j = 0; j <= Math.floor(n * (1 - d)); j++) {
    const rest = 1 - d - j / n;
    if (rest > 0) {
      sum += Math.exp(logBinomial + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(rest));
    }
    logBinomial += Math.log((n - j) / (j + 1));
  }
  return Math.min(1, d * sum);
}

/** How many of n independent trials succeeded, against the probability of success, by the exact binomial distribution. */
export function checkProportion(
  check: Check,
  what: string,
  successes: number,
  n: number,
  probability: number,
  source: string,
): void {
  const { least, most } = binomialInterval(n, probability, alarmRate);
  const mean = n * probability;
  check.record({
    what,
    observed: `${brief(successes / n)}`,
    bound: `${brief(probability)}, from ${brief(least / n)} to ${brief(most / n)}`,
    source: `${source}; exact binomial over ${n} values`,
    used: successes > mean ? (successes - mean) / (most - mean) : (mean - successes) / (mean - least),
    held: successes >= least && successes <= most,
    alarmRate,
    pValue: twoSided(middleCdf(successes, n, probability)),
    detectable: `a weight wrong by ${brief(detectableProportion(n, least, most, probability))}`,
  });
}

/** The counts that a binomial variable leaves on each side with probability `alarm`/2 at most. */
export function binomialInterval(
  n: number,
  probability: number,
  alarm: number,
): { least: number; most: number } {
  const cdf = (k: number) => k < 0 ? 0 : binomialCdf(k, n, probability);
  // least: the largest k with P(X < k) ≤ alarm/2; most: the smallest k with P(X > k) ≤ alarm/2.
  const least = bisectWhole(0, n, (k) => cdf(k - 1) <= alarm / 2);
  const most = bisectWhole(0, n, (k) => binomialCdf(n - k - 1, n, 1 - probability) > alarm / 2 && k < n) + 1;
  return { least, most: Math.min(most, n) };
}

/** The change of probability, up or down, after which a count falls into [least, most] with probability `missRate`. */
function detectableProportion(n: number, least: number, most: number, probability: number): number {
  const up = bisect(probability, 1, (p) => binomialCdf(most, n, p) > missRate) - probability;
  const down = probability - bisect(probability, 0, (p) => binomialCdf(n - least, n, 1 - p) > missRate);
  return Math.max(up, down);
}

/** The last whole number from `low` on for which a property holds that is lost only once. */
function bisectWhole(low: number, high: number, holds: (k: number) => boolean): number {
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Where a property that holds at `inside` and not at `outside` is lost, seen from outside. */
export function bisect(
  inside: number,
  outside: number,
  holds: (x: number) => boolean,
  halvings = 60,
): number {
  for (let i = 0; i < halvings; i++) {
    const middle = (inside + outside) / 2;
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return outside;
}

function brief(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** A proportion with its confidence interval. @module */
import { requirePositive, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** A binomial proportion and its confidence interval. */
export interface BinomialEstimate {
  /** successes/n. */
  readonly share: number;
  /** Lower end of the interval. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/**
 * Wilson's score interval (Wilson 1927) of a binomial proportion; unlike the share ± z standard errors it keeps its
 * confidence level near 0 and 1 too.
 *
 * @param z Standard deviations to each side, positive; default 1.96 for 95%.
 * @throws {RangeError} Unless 0 ≤ successes ≤ n are whole numbers, n ≥ 1, and z is positive.
 */
export function wilsonInterval(successes: number, n: number, z = 1.959963984540054): BinomialEstimate {
  requireWhole("n", n, 1, Number.MAX_SAFE_INTEGER + 1);
  if (!Number.isInteger(successes) || successes < 0 || successes > n) {
    throw new RangeError(`successes must be a whole number from 0 to ${n}, got ${quoted(successes)}`);
  }
  requirePositive("z", z);
  const share = successes / n;
  const centre = (share + z * z / (2 * n)) / (1 + z * z / n);
  const half = z / (1 + z * z / n) * Math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2);
  return { share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

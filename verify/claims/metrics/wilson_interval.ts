/** Claims about Wilson's interval of a proportion. @module */
import { wilsonInterval } from "../../../src/metrics/wilson_interval.ts";
import { claim } from "../../suite/claim.ts";

claim("Wilson's interval is the set of probabilities that a score test keeps", async (check) => {
  for (const [successes, n] of [[0, 10], [7, 10], [800, 1000], [1000, 1000]]) {
    const { share, low, high } = wilsonInterval(successes, n, 2);
    check.equal(`${successes} of ${n}: share`, share, successes / n, "by hand");
    for (const end of [low, high].filter((end) => end > 0 && end < 1)) {
      const score = Math.abs(share - end) / Math.sqrt(end * (1 - end) / n);
      check.within(`${successes} of ${n}: score at ${end.toFixed(3)}`, score, 2, 1e-9, "Wilson 1927");
    }
  }
  const { low, high } = wilsonInterval(7, 10);
  check.within(
    "7 of 10: low",
    low,
    0.3967781,
    5e-8,
    "95% by default: z = 1.959964, Wilson's formula by hand",
  );
  check.within("7 of 10: high", high, 0.8922087, 5e-8, "the same");
  check.equal("0 of 10: low", wilsonInterval(0, 10).low, 0, "a probability");
  check.within("10 of 10: high", wilsonInterval(10, 10).high, 1, 1e-12, "a probability");
  check.equal("one of one", wilsonInterval(1, 1).share, 1, "the least n");
  await check.throws("half a success", () => wilsonInterval(0.5, 2), /from 0 to 2, got 0.5/);
  await check.throws("less than none", () => wilsonInterval(-1, 2), /from 0 to 2, got -1/);
  await check.throws(
    "too many",
    () => wilsonInterval(3, 2),
    /successes must be a whole number from 0 to 2, got 3/,
  );
  await check.throws("of none", () => wilsonInterval(0, 0), /n must be a positive integer, got 0/);
});

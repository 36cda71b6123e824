/**
 * The suite's own instruments: quantiles against published values, and the power that comparisons state.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { Check, claim } from "../../suite/claim.ts";
import { SeedTally } from "../../suite/seed_tally.ts";
import {
  alarmRate,
  binomialInterval,
  checkCovariance,
  checkMean,
  checkProportion,
  checkUniform,
  checkVariance,
  chiSquareInterval,
  dkwDistance,
  standardNormalCdf,
  standardNormalQuantile,
} from "../../instruments/statistics.ts";

claim("quantiles and tails agree with SciPy's", (check) => {
  const source = "scipy.stats 1.15 (norm, chi2, binom)";
  check.within("Φ⁻¹(.975)", standardNormalQuantile(0.975), 1.959963984540054, 1e-14, source);
  check.within("Φ⁻¹(5e-10)", standardNormalQuantile(5e-10), -6.109410204869398, 1e-7, source);
  check.within("Φ(−6)/1e-10", standardNormalCdf(-6) / 1e-10, 9.865876450376946, 1e-10, source);
  const { low, high } = chiSquareInterval(200_000, 1e-9);
  check.within("lower χ² quantile", low, 196160.25365623637 / 200_000, 1e-8, source);
  check.within("upper χ² quantile", high, 203888.1793159947 / 200_000, 1e-6, source);
  check.equal(
    "a binomial's central counts, n = 20",
    binomialInterval(20, 0.3, 0.05),
    { least: 2, most: 10 },
    source,
  );
  check.equal(
    "and n = 200,000 at 1e-9",
    binomialInterval(200_000, 0.3, 1e-9),
    { least: 58750, most: 61254 },
    source,
  );
  check.within(
    "DKW distance, n = 200,000 at 1e-9",
    dkwDistance(200_000, 1e-9),
    0.0073172,
    1e-7,
    "√(ln(2/α)/2n)",
  );
});

claim("every Monte Carlo comparison detects an effect of the size that it states", (check) => {
  const n = 20_000;
  const draws = (label: string) => Float64Array.from(createRng(1).fork(label).normalValues([n]));
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  const stated = (text: string | undefined) => Number(/[\d.e-]+/.exec(text ?? "")?.[0]);
  const trials: Record<string, (check: Check, effect: number) => void> = {
    mean: (inner, effect) => checkMean(inner, "mean", sum(draws("mean")) / n, effect, 1, n, ""),
    variance: (inner, effect) => {
      const squares = sum(draws("variance").map((z) => z * z)) / n;
      checkVariance(inner, "variance", squares * (1 + effect / 100), 1, n, "");
    },
    distribution: (inner, effect) => {
      // u → u^p is furthest from u by about (p − 1)/e: choose p for the distance.
      const power = 1 + effect * Math.E * 1.05;
      checkUniform(inner, "u", draws("distribution").map((z) => standardNormalCdf(z) ** power), "");
    },
    proportion: (inner, effect) => {
      const below = draws("proportion").filter((z) => standardNormalCdf(z) < 0.3 + effect).length;
      checkProportion(inner, "p", below, n, 0.3, "");
    },
    covariance: (inner, effect) => {
      const [a, z] = [draws("a"), draws("b")];
      const b = a.map((value, i) => 0.5 * value + Math.sqrt(0.75) * z[i]);
      const covariance = 0.5 + effect / 100;
      checkCovariance(inner, "pair", a, b, { varianceA: 1, varianceB: 1, covariance }, "");
    },
  };
  for (const [name, trial] of Object.entries(trials)) {
    const right = new Check();
    trial(right, 0);
    const held = right.comparisons.every((comparison) => comparison.held);
    check.holds(`${name}: holds for the right distribution`, held, "the same comparison, no effect");
    const wrong = new Check();
    trial(wrong, stated(right.comparisons[0].detectable));
    check.holds(
      `${name}: breaks for ${right.comparisons[0].detectable}`,
      wrong.comparisons.some((comparison) => !comparison.held),
      "power 1 − 1e-6; the draws are the same in every run",
    );
  }
});

claim("verify:seeds finds the seed at which a comparison came nearest to its bound", (check) => {
  const tally = new SeedTally();
  const nothing = { area: "", name: "", engine: "", milliseconds: 0, plots: [], tables: [] };
  for (const [seed, part] of [[7, 0.25], [8, -0.75], [9, 0.5]]) {
    const inner = new Check(seed);
    inner.within("within", 3 + 2 * part, 3, 2, "");
    inner.atMost("atMost", 4 * Math.abs(part), 4, "");
    inner.atLeast("atLeast", 1 / Math.abs(part), 1, "");
    const { low, high } = chiSquareInterval(50);
    checkVariance(inner, "variance", 1 + part * (part > 0 ? high - 1 : 1 - low), 1, 50, "");
    const { least, most } = binomialInterval(900, 0.25, alarmRate);
    const successes = 225 + part * (part > 0 ? most - 225 : 225 - least);
    checkProportion(inner, "proportion", successes, 900, 0.25, "");
    inner.equal("broken at seed 9", seed === 9, false, "");
    tally.add(seed, {
      ...nothing,
      outcome: seed === 9 ? "failed" : "passed",
      comparisons: inner.comparisons,
    });
  }
  const rows = tally.rows();
  for (const { what, most, median, seed } of rows.slice(0, -1)) {
    check.equal(`${what}: the seed`, seed, 8, "¾ of what is allowed, ¼ and ½ at the others");
    check.within(`${what}: the part used there`, most ?? NaN, 0.75, 1e-9, "as made, to rounding of float64");
    check.within(`${what}: the median`, median ?? NaN, 0.5, 1e-9, "as made, to rounding of float64");
  }
  check.equal(
    "the comparison that broke: its seed",
    rows.at(-1)?.seed,
    9,
    "a failure counts before all else",
  );
  check.equal("how often it broke", rows.at(-1)?.failures, 1, "as made");
  check.equal("the failed seeds", tally.failures.map(({ seed }) => seed), [9], "as made");
  const [asked, unasked] = [new Check(3), new Check(3)];
  check.equal(
    "a claim that asks for its seed",
    [asked.seed, asked.seedWasRead],
    [3, true],
    "so another may differ",
  );
  check.equal("a claim that does not", unasked.seedWasRead, false, "so no other seed can differ");
});

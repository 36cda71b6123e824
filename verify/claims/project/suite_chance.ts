/** Claims about whether the suite's verdicts under many seeds are what chance predicts: verify --repeat. @module */
import { createRng, type Rng } from "../../../src/compute/rng.ts";
import { chanceLevel, chanceOf, deviationProbability } from "../../instruments/chance.ts";
import { withSmallSuite } from "../../instruments/small_suite.ts";
import {
  binomialTail,
  checkMean,
  checkProportion,
  checkUniform,
  checkVariance,
  kolmogorovTail,
  oneSidedKolmogorovTail,
  standardNormalCdf,
} from "../../instruments/statistics.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { Check, claim, type Comparison } from "../../suite/claim.ts";
import type { Verdict } from "../../suite/examine.ts";
import { SeedRecord } from "../../suite/seed_record.ts";
import { SeedTally } from "../../suite/seed_tally.ts";
import type { Chance } from "../../suite/chance.ts";
import { condensedSeeds } from "../../report/result_files.ts";
import { resultsPage } from "../../report/results_page.ts";

claim("tails of Kolmogorov's and binomial distributions agree with SciPy's", (check) => {
  const source = "scipy.stats 1.15 (kstwo, ksone, binom, ks_1samp)";
  check.within("two sides, n = 500", kolmogorovTail(0.05, 500), 0.15866260223815387, 5e-5, source);
  check.within("two sides, n = 200,000", kolmogorovTail(0.003, 200_000), 0.0545369786611305, 1e-6, source);
  check.within("one side, n = 20", oneSidedKolmogorovTail(0.3, 20), 0.021533604376327058, 1e-14, source);
  check.within("one side, n = 200", oneSidedKolmogorovTail(0.1, 200), 0.017055111658647187, 1e-12, source);
  check.within("one side, n = 5, the end", oneSidedKolmogorovTail(0.8, 5), 0.2 ** 5, 1e-16, "all below 1/5");
  check.within("binomial, rare", binomialTail(1, 20, 1e-6), 1.9999810001139996e-5, 1e-14, source);
  check.within("binomial", binomialTail(3, 20, 0.05), 0.07548367378849626, 1e-12, source);
  const values = [0.35, 0.02, 0.72, 0.11, 0.3, 0.03];
  check.within(
    "values: too many small",
    deviationProbability(values, "small"),
    0.04098570709019201,
    1e-12,
    source,
  );
  check.within(
    "values: too many large",
    deviationProbability(values, "large"),
    0.977918383936,
    1e-12,
    source,
  );
});

/** Comparisons of right draws, each with a p-value. */
const draws: Readonly<Record<string, (check: Check, rng: Rng) => void>> = {
  mean: (check, rng) => {
    const values = rng.normalValues([100]);
    checkMean(check, "", values.reduce((sum, z) => sum + 3 * z, 0) / 100, 0, 3, 100, "");
  },
  variance: (check, rng) => {
    const values = rng.normalValues([30]);
    checkVariance(check, "", values.reduce((sum, z) => sum + 4 * z * z, 0) / 30, 4, 30, "");
  },
  distribution: (check, rng) =>
    checkUniform(check, "", Float64Array.from(rng.normalValues([200])).map(standardNormalCdf), ""),
  proportion: (check, rng) => {
    const below = rng.normalValues([4000]).filter((z) => standardNormalCdf(z) < 0.3).length;
    checkProportion(check, "", below, 4000, 0.3, "");
  },
};

claim(
  "p-values of right draws are uniform, and of draws whose mean is off are not",
  (check) => {
    for (const [name, draw] of Object.entries(draws)) {
      const values = Array.from({ length: 400 }, (_, seed) => {
        const inner = new Check(seed);
        draw(inner, createRng(seed).fork(name));
        return inner.comparisons[0].pValue!;
      });
      for (const side of ["small", "large"] as const) {
        const probability = deviationProbability(values, side);
        check.atLeast(
          `${name}: no more ${side} ones than chance`,
          probability,
          0.01,
          "the draws are the same in every run",
        );
      }
    }
    const shifted = Array.from({ length: 400 }, (_, seed) => {
      const inner = new Check(seed);
      const values = createRng(seed).fork("shifted").normalValues([100]);
      checkMean(inner, "", values.reduce((sum, z) => sum + z + 0.05, 0) / 100, 0, 1, 100, "");
      return inner.comparisons[0].pValue!;
    });
    check.atMost(
      "a mean off by half its deviation",
      deviationProbability(shifted, "small"),
      1e-3,
      "p-values of N(½, 1) against N(0, 1)",
    );
  },
);

/** Claims with one comparison each, given their p-values by seed, the first of which fails under some seeds. */
function talliesOf(
  values: readonly (readonly number[])[],
  rate: number,
  failing: readonly number[] = [],
): Map<string, SeedTally> {
  return new Map(values.map((row, i) => {
    const tally = new SeedTally();
    for (const [seed, pValue] of row.entries()) {
      const held = i > 0 || !failing.includes(seed);
      const comparison: Comparison = {
        ...{ what: `comparison ${i}`, observed: "", bound: "", source: "", held, pValue },
        alarmRate: rate / values.length,
      };
      tally.add(seed, verdictOf(held, [comparison]));
    }
    return [`claim ${i}`, tally];
  }));
}

function verdictOf(held: boolean, comparisons: readonly Comparison[], name = "", seeded = true): Verdict {
  const nothing = { area: "a", engine: "wasm", milliseconds: 0, plots: [], tables: [] };
  return { ...nothing, name, seeded, outcome: held ? "passed" : "failed", comparisons };
}

claim(
  "failures are held to the binomial distribution, and p-values of each comparison to the uniform",
  (check) => {
    const seeds = 20;
    const rng = createRng(4);
    const uniform = Array.from(
      { length: 30 },
      (_, i) => [...rng.fork(String(i)).normalValues([seeds])].map(standardNormalCdf),
    );
    const right = chanceOf(talliesOf(uniform, 1e-6));
    check.equal("right code", [right.held, right.failedSeeds, right.tested], [true, 0, 30], "as drawn");
    check.equal("no failure", right.failuresProbability, 1, "P(X ≥ 0)");
    check.within("alarm rate of a seed", right.seeds[0].alarmRate, 1e-6, 1e-20, "the sum of thirty");
    check.equal(
      "p-values in tenths",
      right.tenths.reduce((a, b) => a + b),
      600,
      "20 seeds of 30 comparisons",
    );
    const smallest = Math.min(...uniform.map(([first]) => first));
    check.equal("smallest p-value of the first seed", right.seeds[0].smallestPValue, smallest, "as drawn");
    const failing = chanceOf(talliesOf(uniform, 1e-6, [7]));
    check.within(
      "one failure at 1e-6",
      failing.failuresProbability,
      1 - (1 - 1e-6) ** 20,
      1e-14,
      "1 − (1 − A)^K",
    );
    check.equal("is it chance", failing.held, false, `2e-5 is below ${chanceLevel}`);
    const often = chanceOf(talliesOf(uniform, 0.05, [7, 9, 11]));
    check.within("three at .05", often.failuresProbability, 0.07548367378849626, 1e-12, "scipy.stats.binom");
    check.equal("is it chance", often.held, true, "that happens");
    for (
      const [side, squeeze] of [["small", (p: number) => p ** 8], ["large", (p: number) => p ** 0.2]] as const
    ) {
      const wrong = uniform.map((row, i) => i === 12 ? row.map(squeeze) : row);
      const { held, leastUniform } = chanceOf(talliesOf(wrong, 1e-6));
      check.equal(`one comparison with too many ${side} ones`, held, false, "noticed");
      check.equal("which", [leastUniform?.claim, leastUniform?.side], ["claim 12", side], "as planted");
      const alone = deviationProbability(wrong[12], side);
      check.within(
        "its probability, over that of it alone",
        leastUniform!.probability / alone,
        60,
        1e-9,
        "Bonferroni: the least of 30 on two sides",
      );
    }
  },
);

claim(
  "a run under many seeds goes on after its last whole line, with the claims in which chance plays",
  async (check) => {
    await withFolder(async (folder) => {
      const path = `${folder}/seeds.jsonl`;
      const basis = { tree: "abc", seed: null };
      const chance: Comparison = {
        what: "",
        observed: "",
        bound: "",
        source: "",
        held: true,
        alarmRate: 1e-9,
      };
      const { alarmRate: _, ...exact } = chance;
      const record = await SeedRecord.open(path, basis);
      await record.add(5, verdictOf(true, [chance, exact], "drawn"));
      await record.add(5, verdictOf(true, [exact], "exact"));
      await record.add(5, verdictOf(true, [chance], "fixed", false));
      await record.finish(5, 9);
      await record.add(8, verdictOf(true, [chance], "drawn"));
      await Deno.writeTextFile(path, '{"seed":8,"verd', { append: true });
      const again = await SeedRecord.open(path, basis);
      const wanted = (seed: number) =>
        ["drawn", "exact", "fixed", "new"].filter((name) =>
          again.wants(seed, { area: "a", name, engine: "wasm" })
        );
      check.equal("seeds", [again.seeds, [...again.finished]], [[5, 8], [[5, 9]]], "as written");
      check.equal("wanted under 5", wanted(5), ["new"], "the others were examined");
      check.equal("under 8", wanted(8), ["new"], "neither exact ones nor those that ask for no seed");
      check.equal("under 9", wanted(9), ["drawn", "new"], "chance plays in it");
      await again.add(9, verdictOf(false, [chance], "drawn"));
      const [{ claim: found, tally }, ...others] = (await SeedRecord.open(path, basis)).tallies([5, 9]);
      check.equal("claims", [found.name, others.length], ["drawn", 0], "the one in which chance plays");
      check.equal("its seeds", tally.runs.map(({ seed }) => seed), [5, 9], "those asked for");
      check.equal(
        "its failures",
        tally.failures.map(({ seed }) => seed),
        [9],
        "as written after the torn line",
      );
      check.equal("comparisons kept", tally.runs[0].comparisons.length, 1, "those with a false-alarm rate");
      await check.throws(
        "other sources",
        () => SeedRecord.open(path, { ...basis, tree: "abd" }),
        /^".*seeds\.jsonl" is of another run: its tree is abc, now it is abd; remove it to begin anew$/,
      );
      await Deno.writeTextFile(path, "no\n");
      await check.throws(
        "no record",
        () => SeedRecord.open(path, basis),
        /seeds\.jsonl" is no record of seeds: /,
      );
    });
  },
);

claim(
  "verify --repeat examines the claims with a false-alarm rate alone, and an interrupted one ends as the whole",
  async (check) => {
    await withSmallSuite(async (folder, verify) => {
      const flags = ["--repeat", "3", "--vary-seed", "--filter", "draws", "--processes", "1", "--json"];
      const whole = await verify("main.ts", ...flags);
      check.equal("exit code", whole.code, 0, "right draws");
      const { seeds, failuresProbability } = JSON.parse(whole.stdout);
      check.equal(
        "seeds, and of each",
        seeds.map((s: { claims: number }) => s.claims),
        [2, 2, 2],
        "two claims",
      );
      check.equal("different", new Set(seeds.map((s: { seed: number }) => s.seed)).size, 3, "drawn");
      check.equal("probability of no failure", failuresProbability, 1, "");
      const path = `${folder}/verification/seeds.jsonl`;
      const lines = (await Deno.readTextFile(path)).split("\n");
      // The first seed, and of the second one claim and a part of the other.
      await Deno.writeTextFile(path, [...lines.slice(0, 5), lines[5].slice(0, 30)].join("\n"));
      const resumed = JSON.parse((await verify("main.ts", ...flags)).stdout);
      check.equal(
        "the first two seeds",
        resumed.seeds.slice(0, 2),
        seeds.slice(0, 2),
        "their numbers are drawn once",
      );
      const { chance } = JSON.parse(await Deno.readTextFile(`${folder}/verification/seeds.json`));
      check.equal("verification/seeds.json", chance, resumed, "what was printed");
      const refused = await verify("main.ts", "--repeat", "3", "--shard", "1/2");
      check.equal("with --shard: exit code", refused.code, 2, "bad usage");
      check.holds(
        refused.stderr.trim(),
        /^error: --repeat excludes --shard and --bail: /.test(refused.stderr),
        "one sentence",
      );
    });
  },
);

claim("the page of results has a line for each seed, and both tests in words", (check) => {
  const chance: Chance = {
    seeds: [5, 9].map((seed) => ({
      ...{ seed, claims: 106, comparisons: 1501, failed: seed === 9 ? 1 : 0, alarmRate: 8e-7 },
      ...{ pValues: 1346, meanPValue: 0.5125, smallestPValue: 0.00019 },
    })),
    failedSeeds: 1,
    failuresProbability: 1.6e-6,
    tested: 1346,
    leastUniform: { claim: "a: b [wasm]", what: "mean", side: "small", probability: 0.44 },
    tenths: [1000, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    held: false,
  };
  const run = { command: "deno task verify --repeat 2", when: "2026-01-02T00:00:00Z", commit: "abc", chance };
  check.equal("file", condensedSeeds(run), [["seeds", run]], "seeds.json");
  check.equal("no run", condensedSeeds(null), [], "nothing to store");
  const none = { suite: null, faults: null, published: null, measured: new Map() };
  const page = resultsPage({ ...none, seeds: run });
  const lines = [
    "The claims that state a false-alarm rate, by `deno task verify --repeat 2` at abc, 2026-01-02.",
    "| 5 | 106 | 1,501 | 0 | 1,346 | 0.512 | 1.9e-4 |",
    "| 9 | 106 | 1,501 | 1 | 1,346 | 0.512 | 1.9e-4 |",
    "Claims failed under 1 of 2 seeds; correct code fails under as many or more with probability 1.6e-6 at most. " +
    'P-values of 1346 comparisons, each over its seeds: too many small ones above all in "mean" (a: b [wasm]); the most ' +
    "deviating of all deviates as much with probability 0.44.",
    "P-values in each tenth of [0, 1], of claims that may share draws: 1,000, 2, 3, 4, 5, 6, 7, 8, 9, 10.",
  ];
  for (const line of lines) check.holds(line, page.split("\n").includes(line), "written out");
  check.holds(
    "without a run",
    !resultsPage({ ...none, seeds: null }).includes("many seeds"),
    "no such section",
  );
});

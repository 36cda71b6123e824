/** Claims about the kernel distance. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { kernelDistance, kernelMoments } from "../../../src/metrics/kernel_distance.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { alarmRate, chiSquareInterval } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** (x·y/d + 1)³, as the paper has it. */
function kernel(x: readonly number[], y: readonly number[]): number {
  return (x.reduce((sum, value, i) => sum + value * y[i], 0) / x.length + 1) ** 3;
}

/** The estimate pair by pair. */
function direct(a: readonly number[][], b: readonly number[][]): number {
  const total = (xs: readonly number[][], ys: readonly number[][], keep: (i: number, j: number) => boolean) =>
    xs.reduce((sum, x, i) => sum + ys.reduce((sum, y, j) => sum + (keep(i, j) ? kernel(x, y) : 0), 0), 0);
  const within = (xs: readonly number[][]) =>
    total(xs, xs, (i, j) => i !== j) / (xs.length * (xs.length - 1));
  return within(a) + within(b) - 2 * total(a, b, () => true) / (a.length * b.length);
}

/** The blocks of a set: as kernelMoments says, consecutive and as equal as can be. */
function withoutBlock(rows: readonly number[][], block: number, blocks: number): number[][] {
  const [from, to] = [block, block + 1].map((part) => Math.floor(part * rows.length / blocks));
  return rows.filter((_, i) => i < from || i >= to);
}

const distanceOf = (a: readonly number[][], b: readonly number[][], blocks: number) =>
  kernelDistance(
    kernelMoments(a.flat(), a[0].length, blocks),
    kernelMoments(b.flat(), b[0].length, blocks),
  );

function gaussians(seed: number, rows: number, dimension: number, mean: number): number[][] {
  const values = createRng(seed).normalValues([rows, dimension]);
  return Array.from(
    { length: rows },
    (_, i) => Array.from(values.subarray(i * dimension, (i + 1) * dimension), (z) => mean + z),
  );
}

claim(
  "the kernel distance is the paper's sum over pairs, and its standard error the jackknife's",
  (check) => {
    for (const [rows, others, dimension, blocks] of [[7, 12, 1, 2], [20, 13, 3, 4], [25, 40, 8, 10]]) {
      const [a, b] = [gaussians(1, rows, dimension, 0), gaussians(2, others, dimension, .4)];
      const { distance, standardError } = distanceOf(a, b, blocks);
      const what = `${rows} and ${others} in ${dimension} dimensions`;
      // Sums of up to 1,600 kernels of up to about 1e3, in float64.
      const tolerance = 1e-10;
      const source = "Bińkowski et al. 2018, eq. 4, pair by pair";
      check.within(what, distance, direct(a, b), tolerance, source, {
        detectable: "a pair of a vector with itself: 1e-2",
      });
      const left = Array.from(
        { length: blocks },
        (_, block) => direct(withoutBlock(a, block, blocks), withoutBlock(b, block, blocks)),
      );
      const mean = left.reduce((sum, value) => sum + value, 0) / blocks;
      const squares = left.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      const expected = Math.sqrt((blocks - 1) / blocks * squares);
      check.within(
        `${what}: standard error`,
        standardError,
        expected,
        1e-9,
        "Efron 1982: √((B−1)/B Σ (θ₋ᵦ − θ̄)²)",
        { detectable: "any other factor" },
      );
    }
  },
);

claim(
  "the kernel distance of coin tosses, averaged over all their outcomes, is unbiased",
  (check) => {
    // Every outcome of three tosses of each coin, with its probability.
    const outcomes = Array.from({ length: 8 }, (_, bits) => [bits & 1, bits >> 1 & 1, bits >> 2]);
    const probability = (outcome: readonly number[], p: number) =>
      outcome.reduce((product, face) => product * (face === 1 ? p : 1 - p), 1);
    for (const [p, q] of [[.5, .5], [.5, .2], [.9, .1]]) {
      let mean = 0;
      for (const x of outcomes) {
        for (const y of outcomes) {
          const { distance } = distanceOf(x.map((v) => [v]), y.map((v) => [v]), 3);
          mean += probability(x, p) * probability(y, q) * distance;
        }
      }
      // E (xy + 1)³ = 1 + 7 P(x = 1) P(y = 1), so the distance is 7 (p − q)².
      check.within(`heads ${p} and ${q}`, mean, 7 * (p - q) ** 2, 1e-12, "7 (p − q)², by E k = 1 + 7pq", {
        detectable: "pairs of a toss with itself: 7 p (1 − p)/3",
      });
    }
  },
);

claim("the kernel distance's standard error is the spread of the distance", (check) => {
  const runs = 400;
  const [rng, size] = [createRng(check.seed), 60];
  const tosses = rng.uniformValues([runs, 2 * size]);
  const distances: number[] = [];
  let variances = 0;
  for (let run = 0; run < runs; run++) {
    const own = Array.from(tosses.subarray(run * 2 * size, (run + 1) * 2 * size));
    const faces = (from: number, p: number) => own.slice(from, from + size).map((u) => [u < p ? 1 : 0]);
    const { distance, standardError } = distanceOf(faces(0, .7), faces(size, .3), 10);
    distances.push(distance);
    variances += standardError ** 2 / runs;
  }
  const mean = distances.reduce((sum, value) => sum + value, 0) / runs;
  const spread = distances.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (runs - 1);
  const { low, high } = chiSquareInterval(runs - 1);
  // The jackknife over ten blocks of six adds terms of order 1/B to the variance.
  check.record({
    what: "mean square of the error over the variance of the distance",
    observed: (variances / spread).toPrecision(4),
    bound: `${(.8 / high).toPrecision(3)} … ${(1.2 / low).toPrecision(3)}`,
    source: `400 runs of 60 tosses: χ² for the variance, 20% for the jackknife's own bias`,
    held: variances / spread >= .8 / high && variances / spread <= 1.2 / low,
    alarmRate,
    detectable: "errors too small by √10 (of a block's mean in place of the whole), or too large by 2",
  });
});

claim(
  "the kernel distance does not depend on the order of vectors and sets, nor on rotations of the features",
  async (check) => {
    const rows = fc.array(
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 2, maxLength: 2 }),
      { minLength: 3, maxLength: 9 },
    );
    // Means of kernels of up to 10³, in float64.
    const near = (a: number, b: number) => Math.abs(a - b) < 1e-9;
    await checkProperty(check, "order, exchange and rotation", fc.tuple(rows, rows), ([a, b]) => {
      const { distance } = distanceOf(a, b, 2);
      const turn = (points: number[][]) => points.map(([x, y]) => [.6 * x + .8 * y, -.8 * x + .6 * y]);
      return near(distanceOf(b, a, 2).distance, distance) &&
        near(distanceOf(a.toReversed(), b, 3).distance, distance) &&
        near(distanceOf(turn(a), turn(b), 2).distance, distance);
    }, "the kernel knows dot products only");
  },
);

claim("the kernel distance refuses too few, non-finite and mismatched features", async (check) => {
  await check.throws(
    "half a row",
    () => kernelMoments([1, 2, 3], 2),
    /3 values are no whole number of 2-dim/,
  );
  await check.throws("too few", () => kernelMoments([1, 2, 3], 1), /10 blocks need at least 10 .* got 3/);
  await check.throws("one block", () => kernelMoments([1, 2, 3], 1, 1), /blocks must be .* got 1/);
  await check.throws("NaN", () => kernelMoments([1, NaN, 3], 1, 3), /features must be finite/);
  await check.throws(
    "too many dimensions",
    () => kernelMoments([], 2048),
    /at most 128 dimensions, got 2048/,
  );
  const [one, two] = [kernelMoments([1, 2, 3, 4], 1, 2), kernelMoments([1, 2, 3, 4, 5, 6], 2, 2)];
  await check.throws("two dimensions", () => kernelDistance(one, two), /of 1 and of 2 dimensions/);
  const three = kernelMoments([1, 2, 3, 4], 1, 3);
  await check.throws("other blocks", () => kernelDistance(one, three), /of 2 and of 3 blocks/);
});

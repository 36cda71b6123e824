/** Claims about distances between samples. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { energyDistance } from "../../../src/metrics/energy_distance.ts";
import { featureMoments, frechetDistance } from "../../../src/metrics/frechet.ts";
import { slicedWasserstein } from "../../../src/metrics/sliced_wasserstein.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { checkMean } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

interface Reference {
  readonly cases: readonly { readonly a: number[][]; readonly b: number[][]; readonly frechet: number }[];
}

const diagonal = (...entries: number[]): Float64Array =>
  Float64Array.from(
    { length: entries.length ** 2 },
    (_, at) => at % (entries.length + 1) === 0 ? entries[at % entries.length] : 0,
  );

claim("the Fréchet distance agrees with SciPy's matrix square root", async (check) => {
  const url = new URL("../../../fixtures/reference/frechet.json", import.meta.url);
  const { cases }: Reference = JSON.parse(await Deno.readTextFile(url));
  const source = "fixtures/reference/frechet.json: numpy covariance (n−1), scipy.linalg.sqrtm";
  cases.forEach(({ a, b, frechet }, at) => {
    const [first, second] = [a, b].map((rows) => featureMoments(rows.flat(), rows[0].length));
    // scipy.linalg.sqrtm is good to about 1e-8 of the distance; n instead of n − 1 changes 2.5%.
    check.within(`case ${at + 1}`, frechetDistance(first, second), frechet, 1e-8 * frechet, source, {
      detectable: "1e-8 of the distance; covariances over n differ by 1e-2",
    });
  });
});

claim("the Fréchet distance has its closed form for diagonal covariances, singular ones too", (check) => {
  const a = { mean: Float64Array.of(0, 1, 2), covariance: diagonal(4, 1, 0) };
  const b = { mean: Float64Array.of(1, 1, 0), covariance: diagonal(9, 0, 0) };
  check.within(
    "distance",
    frechetDistance(a, b),
    5 + 1 + 1,
    1e-12,
    "Σ (μ−μ′)² + (σ−σ′)² = (1 + 4) + (1 + 1 + 0)",
  );
  check.within("to itself", frechetDistance(a, a), 0, 1e-12, "a distance");
  // Two matrices that do not commute: in two dimensions tr √M = √(tr M + 2 √det M).
  const [c, n] = [Math.cos(1), Math.sin(1)];
  const turned = Float64Array.of(9 * c * c + n * n, 8 * c * n, 8 * c * n, 9 * n * n + c * c);
  const upright = { mean: new Float64Array(2), covariance: diagonal(4, 1) };
  const expected = 5 + 10 - 2 * Math.sqrt(37 * c * c + 13 * n * n + 12);
  const observed = frechetDistance(upright, { mean: new Float64Array(2), covariance: turned });
  check.within(
    "ellipses turned by 1 rad",
    observed,
    expected,
    1e-12,
    "tr Σ + tr Σ′ − 2 √(tr ΣΣ′ + 2 √det ΣΣ′)",
    {
      detectable: "√Σ √Σ′ in place of √(ΣΣ′)",
    },
  );
});

claim(
  "the Fréchet distance is symmetric, and scales and shifts with the features as the Wasserstein distance does",
  async (check) => {
    const rows = fc.array(
      fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }),
      {
        minLength: 4,
        maxLength: 8,
      },
    );
    const moments = (points: number[][]) => featureMoments(points.flat(), 3);
    // Eigenvalues carry errors of about 1e-14 of the largest (~100), whose roots carry 1e-6.
    const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-5;
    const tiny = moments([[0, 0, 0], [0, 0, 0], [0, 5e-324, 0], [-1.5, 0, 5e-324]]);
    const none = moments([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]);
    check.within(
      "covariances that underflow",
      frechetDistance(tiny, none),
      0.375 ** 2 + 0.5625,
      1e-12,
      "a point's distance: mean −1.5/4, variance 1.5²/4; what underflows is nothing",
    );
    await checkProperty(check, "order, shift, scale and axes", fc.tuple(rows, rows), ([a, b]) => {
      const distance = frechetDistance(moments(a), moments(b));
      const change = (map: (x: number, y: number, z: number) => number[]) =>
        frechetDistance(
          moments(a.map(([x, y, z]) => map(x, y, z))),
          moments(b.map(([x, y, z]) => map(x, y, z))),
        );
      return near(frechetDistance(moments(b), moments(a)), distance) &&
        near(change((x, y, z) => [x + 3, y - 1, z]), distance) &&
        near(change((x, y, z) => [2 * x, 2 * y, 2 * z]) / 4, distance) &&
        near(change((x, y, z) => [z, .6 * x + .8 * y, -.8 * x + .6 * y]), distance) &&
        distance > -1e-5;
    }, "translation and rotation keep it, scaling by 2 gives 4 times as much");
  },
);

claim("features that have no covariance are refused", async (check) => {
  await check.throws("one row", () => featureMoments([1, 2], 2), /at least 2 feature vectors, got 1/);
  await check.throws(
    "half a row",
    () => featureMoments([1, 2, 3], 2),
    /3 values are no whole number of 2-dim/,
  );
  await check.throws(
    "NaN",
    () => featureMoments([1, 2, NaN, 4], 2),
    /feature 0 has values that are not finite/,
  );
  const [two, three] = [featureMoments([1, 2, 3, 4], 2), featureMoments([1, 2, 3, 4, 5, 7], 3)];
  await check.throws("two dimensions", () => frechetDistance(two, three), /2 and of 3 dimensions/);
});

claim("moments of nearly constant features keep their precision", (check) => {
  const features = Float64Array.from({ length: 1000 }, (_, i) => 1e6 + (i % 2 === 0 ? 1e-3 : -1e-3));
  const { mean, covariance } = featureMoments(features, 1);
  check.within("mean", mean[0], 1e6, 1e-6, "half above, half below by 1e-3");
  // 1e6 has a spacing of 1.2e-10, 1e-7 of the deviation.
  check.within("variance / 1e-6", covariance[0] / 1e-6, 1000 / 999, 1e-6, "n/(n−1) 1e-6", {
    detectable: "E x² − (E x)² is wrong by 100 times the variance",
  });
});

claim("the sliced Wasserstein distance has its closed form on lines and for shifts", async (check) => {
  const rng = createRng(check.seed);
  const line = slicedWasserstein([1, 0], [2, 0, 1], 1, 3, rng);
  check.within("{0, 1} to {0, 1, 2}", line, Math.SQRT1_2, 1e-7, "∫ (F⁻¹ − G⁻¹)² = 1/6 + 1/3");
  const points = rng.fork("points").normalValues([50, 5]);
  check.equal("to itself", slicedWasserstein(points, points, 5, 20, rng), 0, "a distance");
  const shift = [1, -2, 0, 3, .5];
  const moved = points.map((value, at) => value + shift[at % 5]);
  const squared = slicedWasserstein(points, moved, 5, 2000, rng) ** 2 * 5 /
    shift.reduce((sum, v) => sum + v * v, 0);
  const source = "E (θ·v)² = |v|²/d; Var d θ₁² = 2(d−1)/(d+2) for θ uniform on the sphere";
  checkMean(check, "squared distance of a shift × d / |v|²", squared, 1, Math.sqrt(8 / 7), 2000, source);
  await check.throws(
    "half a point",
    () => slicedWasserstein([1, 2, 3], [1, 2], 2, 1, rng),
    /3 values are no positive/,
  );
});

claim(
  "the energy distance has its closed form on small samples, without the bias of pairing points with themselves",
  async (check) => {
    check.equal(
      "{0, 1} to {3, 5}",
      energyDistance([0, 1], [3, 5], 1),
      7 - 1 - 2,
      "2·3.5 − |0−1| − |3−5|; pairs with themselves give 5.5",
    );
    check.equal("two points apart by (3, 4)", energyDistance([0, 0, 0, 0], [3, 4, 3, 4], 2), 10, "2·5");
    await check.throws("one point", () => energyDistance([1], [1, 2], 1), /1 values are not two or more/);
  },
);

claim(
  "distances between samples of different sizes are their sums over pairs and quantiles",
  async (check) => {
    check.within(
      "energy, {0, 1} to {3, 5, 10}",
      energyDistance([0, 1], [3, 5, 10], 1),
      11 - 1 - 14 / 3,
      1e-12,
      "2 · 33/6 − |0−1| − (2 + 7 + 5)/3",
    );
    const plane = energyDistance([0, 0, 3, 4], [0, 0, 0, 0, 6, 8], 2);
    check.within(
      "energy in the plane",
      plane,
      2 * 25 / 6 - 5 - 20 / 3,
      1e-12,
      "pairs 0, 0, 10, 5, 5 and 5 apart",
    );
    const rng = createRng(check.seed);
    const line = slicedWasserstein([0, 3, 6, 9], [1], 1, 2, rng);
    check.within("sliced, four to one", line, Math.sqrt((1 + 4 + 25 + 64) / 4), 1e-6, "∫ (F⁻¹ − 1)²");
    const sampled = rng.startingAt(7);
    const points = rng.fork("points").normalValues([6, 3]);
    const other = points.map((z) => z * z);
    check.equal(
      "the same directions for all samples of a run",
      slicedWasserstein(points, other, 3, 5, sampled),
      slicedWasserstein(points, other, 3, 5, rng),
      "the seed alone decides",
    );
    const words = (count: number, what: string) => new RegExp(`^${count} values are ${what}`);
    const energy = "not two or more 2-dimensional points$";
    const sliced = "no positive number of 2-dimensional points$";
    await check.throws(
      "half a first point",
      () => energyDistance([1, 2, 3], [1, 2, 3, 4], 2),
      words(3, energy),
    );
    await check.throws(
      "half a second point",
      () => energyDistance([1, 2, 3, 4], [1, 2, 3], 2),
      words(3, energy),
    );
    await check.throws("one second point", () => energyDistance([1, 2, 3, 4], [1, 2], 2), words(2, energy));
    await check.throws(
      "sliced: half",
      () => slicedWasserstein([1, 2], [1, 2, 3], 2, 1, rng),
      words(3, sliced),
    );
    await check.throws("sliced: none", () => slicedWasserstein([1, 2], [], 2, 1, rng), words(0, sliced));
    await check.throws(
      "no axes",
      () => energyDistance([1, 2], [1, 2], 0),
      /^dimension must be a positive integer/,
    );
    await check.throws(
      "no direction",
      () => slicedWasserstein([1], [1], 1, 0, rng),
      /^directions must be a positive/,
    );
    const moments = featureMoments([1, 2, 3, 4, 5, 7], 2);
    check.within("mean", moments.mean[1], 13 / 3, 1e-12, "by hand");
    const covariance = [4, 5, 5, 19 / 3];
    check.atMost(
      "covariance",
      Math.max(...covariance.map((value, i) => Math.abs(moments.covariance[i] - value))),
      1e-12,
      "by hand, over n − 1",
    );
    const bad = (change: object) => () => frechetDistance(moments, { ...moments, ...change });
    await check.throws(
      "half a covariance",
      bad({ covariance: new Float64Array(3) }),
      /^a covariance of 2 features has 4 entries, got 3$/,
    );
    await check.throws(
      "a negative variance",
      bad({ covariance: Float64Array.of(1, 0, 0, -1) }),
      /^variance 1 must be a number from 0, got -1$/,
    );
    await check.throws(
      "no features",
      bad({ mean: new Float64Array(0) }),
      /^a covariance of 0 features has 0 entries, got 4$/,
    );
  },
);

/** Claims about precision and recall by nearest neighbours. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { manifold, manifoldFraction } from "../../../src/metrics/precision_recall.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const squared = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);

/** The share of `points` within the distance of some centre to its k-th nearest other one, from the definition. */
function direct(points: readonly number[][], centres: readonly number[][], k: number): number {
  const radii = centres.map((centre, i) =>
    centres.filter((_, j) => j !== i).map((other) => squared(centre, other)).sort((a, b) => a - b)[k - 1]
  );
  const inside = (point: readonly number[]) => centres.some((c, i) => squared(point, c) <= radii[i]);
  return points.filter(inside).length / points.length;
}

const share = (points: readonly number[][], centres: readonly number[][], k: number) =>
  manifoldFraction(points.flat(), manifold(centres.flat(), centres[0].length, k));

// Whole numbers: distances are exact, and many are equal.
const points = fc.array(
  fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 3, maxLength: 3 }),
  { minLength: 5, maxLength: 14 },
);

claim(
  "precision and recall equal their definitions, also with equal points and equal distances",
  async (check) => {
    await checkProperty(
      check,
      "k of 1 to 4",
      fc.tuple(points, points, fc.integer({ min: 1, max: 4 })),
      ([a, b, k]) => share(a, b, k) === direct(a, b, k),
      "Kynkäänniemi et al. 2019, eq. 1–3, by sorting all distances",
      300,
    );
  },
);

claim("recall falls for missing modes, and precision for spurious ones", (check) => {
  const rng = createRng(check.seed);
  const cluster = (label: string, centre: number) => {
    const values = rng.fork(label).normalValues([50, 4]);
    return Array.from(
      { length: 50 },
      (_, i) => Array.from(values.subarray(4 * i, 4 * i + 4), (z) => z + centre),
    );
  };
  const [here, there] = [cluster("here", 0), cluster("there", 1000)];
  const source = "clusters a thousand of their widths apart";
  const real = [...here, ...there];
  check.equal(
    "the same set",
    [share(real, real, 3), share(real, real, 3)],
    [1, 1],
    "each is in its own ball",
  );
  check.equal(
    "one of two clusters: precision and recall",
    [share(here, real, 3), share(real, here, 3)],
    [1, .5],
    source,
  );
  check.equal(
    "two clusters for one: precision and recall",
    [share(real, here, 3), share(here, real, 3)],
    [.5, 1],
    source,
  );
  check.equal("another cluster", [share(there, here, 3), share(here, there, 3)], [0, 0], source);
});

claim(
  "precision and recall do not depend on the order of points or axes, nor on shift and scale",
  async (check) => {
    await checkProperty(check, "order, axes, signs, shift and scale", fc.tuple(points, points), ([a, b]) => {
      const expected = share(a, b, 3);
      const change = (map: (x: number, y: number, z: number) => number[]) =>
        share(a.map(([x, y, z]) => map(x, y, z)), b.map(([x, y, z]) => map(x, y, z)), 3);
      return share(a.toReversed(), b.toReversed(), 3) === expected &&
        change((x, y, z) => [z, -x, y]) === expected &&
        change((x, y, z) => [8 * x + 16, 8 * y, 8 * z - 3]) === expected;
    }, "balls go with the points; whole numbers, so nothing is rounded");
  },
);

claim("precision and recall refuse sets without the neighbours asked for", async (check) => {
  await check.throws("three of three", () => manifold([1, 2, 3], 1), /from 1 to 2, .* got 3/);
  await check.throws("none", () => manifold([1, 2, 3], 1, 0), /got 0/);
  await check.throws(
    "half a point",
    () => manifold([1, 2, 3], 2),
    /3 values are no positive number of 2-dim/,
  );
  const by = manifold([1, 2, 3, 4], 1);
  await check.throws("no points", () => manifoldFraction([], by), /0 values are no positive number/);
});

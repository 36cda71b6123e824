/**
 * What distributions draw.
 * @module
 */
import { createRng, type Rng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { Banana } from "../../../src/distributions/banana.ts";
import type { DataDistribution } from "../../../src/distributions/distribution.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { PointCloud } from "../../../src/distributions/point_cloud.ts";
import {
  checkerboard,
  gaussianRing,
  rings,
  swissRoll,
  toyByName,
  type ToyName,
  toyNames,
  twoMoons,
} from "../../../src/distributions/toys.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import {
  checkProportion,
  checkUniform,
  checkVariance,
  standardNormalCdf,
} from "../../instruments/statistics.ts";
import { ListedRng } from "../../instruments/scripted_rng.ts";
import { mixture } from "../../problems/mixtures.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const count = 50_000;

/** Draws as rows on the host. */
async function draw(distribution: DataDistribution, seed: number, rows = count): Promise<number[][]> {
  const sample = distribution.sample(createRng(seed), rows);
  const values = await sample.array();
  sample.dispose();
  return values;
}

/** Of a value in float32, the largest error of squares and sums of numbers up to 2. */
const rounding = 1e-6;

claim("a mixture's draws follow its distribution on every line", async (check) => {
  const rows = await draw(mixture, check.seed);
  for (const direction of [[1, 0, 0], [0.3, -0.8, 0.5], [0.6, 0.6, -0.5], [0, 0.1, 1]]) {
    const distribution = scalarDistribution(mixture.affine([direction]), 0);
    const ranks = Float64Array.from(
      rows,
      (row) => distribution.cdf(row.reduce((sum, x, i) => sum + x * direction[i], 0)),
    );
    checkUniform(check, `ranks along ${direction}`, ranks, "the projection is a scalar mixture");
  }
});

claim("a sample does not depend on how the draw is split", async (check) => {
  for (
    const [name, distribution] of [
      ["a mixture in three dimensions", mixture] as const,
      ["a point cloud", new PointCloud([0, 1, 2, 3, 4, 5], 2, 0.5)] as const,
      ["a Gaussian", mixture.components[0]] as const,
      ...toyNames.map((name) => [name, toyByName(name)] as const),
    ]
  ) {
    const rng = createRng(check.seed);
    const parts = [
      distribution.sample(rng, 6),
      distribution.sample(rng.startingAt(0), 2),
      distribution.sample(rng.startingAt(2), 4),
    ];
    const [whole, first, rest] = await Promise.all(parts.map((part) => part.array()));
    tf.dispose(parts);
    check.equal(name, whole, [...first, ...rest], "row i comes from the stream of sample i");
  }
});

claim("the banana's draws untwist to two independent normal numbers", async (check) => {
  const distribution = new Banana({ width: 1.5, thickness: 0.4, bend: 0.6 });
  const rows = await draw(distribution, check.seed);
  const along = rows.map(([x]) => x / 1.5);
  const across = rows.map(([x, y]) => (y - 0.6 * (x ** 2 - 1.5 ** 2)) / 0.4);
  const ranks = (values: number[]) => Float64Array.from(values, standardNormalCdf);
  checkUniform(check, "along the parabola", ranks(along), "x₁/width is normal");
  checkUniform(check, "across the parabola", ranks(across), "(x₂ − h(x₁))/thickness is normal");
  checkUniform(
    check,
    "along + across",
    ranks(along.map((z, i) => (z + across[i]) / Math.SQRT2)),
    "they are independent",
  );
});

claim("two moons are two half circles, half of the points on each", async (check) => {
  const rows = await draw(twoMoons({ noise: 0 }), check.seed);
  const outer = rows.filter(([x, y]) =>
    Math.abs(Math.hypot(x + 0.5, y + 0.25) - 1) < rounding && y > -0.25 - rounding
  );
  const inner = rows.filter(([x, y]) =>
    Math.abs(Math.hypot(x - 0.5, y - 0.25) - 1) < rounding && y < 0.25 + rounding
  );
  check.equal("points on a moon", outer.length + inner.length, count, "without noise nothing lies elsewhere");
  checkProportion(check, "points on the outer moon", outer.length, count, 0.5, "equal weights");
  const angles = outer.map(([x, y]) => Math.atan2(y + 0.25, x + 0.5) / Math.PI);
  checkUniform(check, "angles on the outer moon", Float64Array.from(angles), "uniform on the half circle");
  checkNoise(check, await draw(twoMoons({ noise: 0.1 }), check.seed), rows, 0.1);
});

claim("rings are circles of equal weight with uniform angles", async (check) => {
  const rows = await draw(rings({ noise: 0 }), check.seed);
  for (const radius of [0.5, 1, 1.5, 2]) {
    const on = rows.filter(([x, y]) => Math.abs(Math.hypot(x, y) - radius) < 2 * rounding);
    checkProportion(check, `points at radius ${radius}`, on.length, count, 0.25, "equal weights");
  }
  const angles = rows.map(([x, y]) => Math.atan2(y, x) / (2 * Math.PI) + 0.5);
  checkUniform(check, "angles", Float64Array.from(angles), "uniform on the circle");
  checkNoise(check, await draw(rings({ noise: 0.02 }), check.seed), rows, 0.02);
});

claim("the checkerboard is uniform on every other square of a 4 × 4 board", async (check) => {
  const rows = await draw(checkerboard(), check.seed);
  const dark = ["-2,-2", "0,-2", "-1,-1", "1,-1", "-2,0", "0,0", "-1,1", "1,1"];
  const squares = new Map<string, number>();
  for (const [x, y] of rows) {
    // In one run of fifty float32 rounds a point onto an edge, which belongs to the squares on both sides.
    const around = [Math.floor(x), Math.ceil(x) - 1].flatMap((
      i,
    ) => [`${i},${Math.floor(y)}`, `${i},${Math.ceil(y) - 1}`]);
    const square = around.find((one) => dark.includes(one)) ?? around[0];
    squares.set(square, (squares.get(square) ?? 0) + 1);
  }
  check.equal("squares", [...squares.keys()].sort(), dark.sort(), "x and y of the same parity");
  for (const square of dark) {
    checkProportion(check, `points on ${square}`, squares.get(square) ?? 0, count, 1 / 8, "equal squares");
  }
  checkUniform(check, "x within its square", Float64Array.from(rows, ([x]) => x - Math.floor(x)), "uniform");
  checkUniform(
    check,
    "y within its square",
    Float64Array.from(rows, ([, y]) => y - Math.floor(y)),
    "uniform",
  );
});

claim("the swiss roll is a spiral whose radius is its angle", async (check) => {
  const rows = await draw(swissRoll({ noise: 0 }), check.seed);
  const angles = rows.map(([x, y]) => 7 * Math.hypot(x, y));
  const off = rows.map(([x, y], i) =>
    Math.hypot(x - angles[i] * Math.cos(angles[i]) / 7, y - angles[i] * Math.sin(angles[i]) / 7)
  );
  check.atMost(
    "distance from the spiral",
    off.reduce((a, b) => Math.max(a, b)),
    2e-5,
    "angles up to 14 from float32 points, 1e-6 × 14",
  );
  checkUniform(
    check,
    "angles",
    Float64Array.from(angles, (angle) => (angle / (1.5 * Math.PI) - 1) / 2),
    "uniform from 1.5 π to 4.5 π",
  );
  checkNoise(check, await draw(swissRoll({ noise: 0.05 }), check.seed), rows, 0.05);
});

claim("the ring of Gaussians has its centres on a circle, and unknown names are refused", async (check) => {
  const ring = gaussianRing({ count: 5, radius: 3, std: 0.2 });
  for (
    const { mean, ...component } of ring.components.map((c) => ({ mean: c.mean, covariance: c.covariance() }))
  ) {
    check.within("radius", Math.hypot(...mean), 3, 1e-15 * 8, "on the circle");
    check.equal("covariance", component.covariance, [[0.2 ** 2, 0], [0, 0.2 ** 2]], "isotropic");
  }
  await check.throws(
    "a name",
    () => toyByName("spiral" as ToyName),
    /^unknown 2-D data set "spiral": use mixture, banana, gaussians, moons,/,
  );
  await check.throws(
    "an inherited name",
    () => toyByName("toString" as ToyName),
    /^unknown 2-D data set "toString"/,
  );
  await check.throws(
    "more Gaussians than are allowed",
    () => gaussianRing({ count: 1_000_001 }),
    /^count must be at most 1000000, got 1000001$/,
  );
  await check.throws("a radius", () => rings({ radii: [1, -1] }), /^radii must .*numbers from 0, got/);
  await check.throws("noise", () => rings({ noise: -1 }), /^noise must be a number from 0, got -1$/);
  await check.throws(
    "thickness",
    () => new Banana({ thickness: 0 }),
    /^thickness must be a positive number, got 0$/,
  );
});

/** That the noisy draw is the clean one plus independent normal numbers of the given size. */
function checkNoise(check: Check, noisy: number[][], clean: number[][], noise: number): void {
  const added = noisy.flatMap((row, i) => row.map((value, j) => (value - clean[i][j]) / noise));
  const square = added.reduce((sum, z) => sum + z ** 2, 0) / added.length;
  checkVariance(check, "variance of the noise over its square", square, 1, added.length, "standard normal");
  checkUniform(check, "ranks of the noise", Float64Array.from(added, standardNormalCdf), "standard normal");
}

claim(
  "every draw is its rule's for the numbers it is made from, the ends of their ranges too",
  async (check) => {
    const z = [1, -2, 0.5, 3, -1, 0, 2, 1];
    const line = (...weights: number[]) =>
      GaussianMixture.from({
        weights,
        means: weights.map((_, k) => [10 * k]),
        covariances: weights.map(() => [[0.25]]),
      });
    const [pi, half] = [Math.PI, Math.SQRT1_2];
    const moons = [[-0.5, 0.75], [0.5, -0.75], [0.5, -0.25], [-0.5, 0.25]];
    const spiral = [[0, -1.5 * pi / 7], [-3 * pi / 7, 0], [
      2.25 * pi / 7 / Math.SQRT2,
      2.25 * pi / 7 / Math.SQRT2,
    ]];
    const circles = [[0.5, 0], [0, 1], [-1.5, 0], [0, -2]];
    const around = (points: number[][], noise: number) =>
      points.map((point, row) => point.map((value, i) => value + noise * z[2 * row + i]));
    const ofMoons = [0.25, 0.5, 0.5, 0.5, 0, 0, 0.75, 0];
    const ofCircles = [0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75];
    const ofSpiral = [0, 0.3, 0.5, 0.7, 0.25, 0];
    const squares = [[-2, -2], [0, -1.5], [-0.5, -0.75], [1, 1]];
    const triples: [string, DataDistribution, number[], number[][]][] = [
      ["a mixture", line(1, 2, 1), [0, 0.25, 0.7, 1 - 2 ** -53], [[0.5], [9], [10.25], [21.5]]],
      ["a mixture with an impossible component", line(0, 1), [0, 0.5], [[10.5], [9]]],
      [
        "a point cloud",
        new PointCloud([0, 1, 2, 3, 4, 5, 6, 7], 2, 0.5),
        [0, 0.25, 0.49, 1 - 2 ** -53],
        [[0.5, 0], [2.25, 4.5], [1.5, 3], [7, 7.5]],
      ],
      ["a banana", new Banana({ width: 2, thickness: 0.5, bend: 0.25 }), [], [[2, -1], [1, 0.75]]],
      [
        "two Gaussians by default",
        toyByName("mixture"),
        [0.1, 0.2],
        around([[-half, -half], [half, half]], 0.5),
      ],
      ["a banana by default", toyByName("banana"), [], [[1, -0.6], [0.5, 0.9 + 0.7 * (0.25 - 1)]]],
      ["a ring of Gaussians by default", toyByName("gaussians"), [0, 0.25], around([[2, 0], [0, 2]], 0.15)],
      ["two moons", twoMoons({ noise: 0.1 }), ofMoons, around(moons, 0.1)],
      ["two moons by default", toyByName("moons"), ofMoons, around(moons, 0.05)],
      ["rings", rings({ noise: 0.2 }), ofCircles, around(circles, 0.2)],
      ["rings by default", toyByName("rings"), ofCircles, around(circles, 0.05)],
      ["one ring", rings({ radii: [3], noise: 0 }), [0.9, 0.25], [[0, 3]]],
      ["a point and a ring", rings({ radii: [0, 3], noise: 0 }), [0.25, 0.5, 0.75, 0.25], [[0, 0], [0, 3]]],
      ["a checkerboard", checkerboard(), [0, 0, 0.125, 0.5, 0.3125, 0.25, 0.875, 0], squares],
      ["a swiss roll", swissRoll({ noise: 0.3 }), ofSpiral, around(spiral, 0.3)],
      ["a swiss roll by default", toyByName("swiss-roll"), ofSpiral, around(spiral, 0.05)],
    ];
    for (const [name, distribution, uniform, expected] of triples) {
      const rng: Rng = new ListedRng(uniform, z);
      const sample = distribution.sample(rng, expected.length);
      const values = await sample.array();
      sample.dispose();
      const errors = expected.flatMap((row, i) => row.map((value, j) => Math.abs(value - values[i][j])));
      check.atMost(
        `${name}: largest error`,
        Math.max(...errors),
        2e-6,
        "by hand; float32 of numbers up to 21",
      );
    }
  },
);

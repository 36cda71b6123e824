/** Claims about learned score fields in the plane and their errors, and about invalid settings of the experiments. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { PointCloud } from "../../../src/distributions/point_cloud.ts";
import { toyDistribution } from "../../../src/distributions/toys.ts";
import { densityAnimation } from "../../../src/experiments/density_animation.ts";
import { runLangevin } from "../../../src/experiments/exact_langevin.ts";
import { type LearnedField, learnFields, measureFields } from "../../../src/experiments/learned_fields.ts";
import { exactScore } from "../../../src/experiments/plane.ts";
import { claim } from "../../suite/claim.ts";

claim("the true field has relative error 0, and the zero field has 1", async (check) => {
  const distribution = toyDistribution("banana");
  const field = (method: LearnedField["method"], score: LearnedField["score"]): LearnedField => ({
    method,
    score,
    dispose: () => {},
  });
  const fields = [
    field("noise-conditional", (x, ratio) => exactScore(distribution, x, ratio)),
    field("implicit", (x) => tf.zerosLike(x)),
  ];
  const before = tf.memory().numTensors;
  const { levels, share, fields: [exact, zero], truth } = await measureFields(distribution, fields, {
    sigma: 0.3,
    seed: check.seed,
    count: 1000,
  });
  check.equal("tensors left", tf.memory().numTensors - before, 0, "whoever gets a tensor owns it");
  check.equal(
    "exact",
    [exact.relative, ...exact.byLevel, ...exact.byDensity].filter((e) => e !== 0),
    [],
    "0",
  );
  check.equal("exact: its arrows", String(exact.vectors), String(truth), "the same field");
  check.equal("zero: relative", zero.relative, 1, "E‖s*‖²/E‖s*‖²");
  // ν²E‖s*‖²/2 is the noise that a noise predictor can predict: 1 less the posterior variance of the noise.
  check.holds(
    "zero: by level",
    zero.byLevel.every((e, i) => e > (zero.byLevel[i - 1] ?? 0)),
    "it grows",
  );
  check.within(
    "zero: at the highest level",
    zero.byLevel[levels.length - 1],
    0.92,
    0.12,
    "ν²/(C + ν²), C ≈ 1",
  );
  check.holds("share", share.every((s, i) => i === 0 || s <= share[i - 1]), "densest first");
  check.within("shares", share.reduce((a, b) => a + b, 0), 1, 1e-12, "of one");
});

claim("learned fields are accurate where data are dense, and wrong where they are sparse", {
  slow: {
    files: [
      "src/distributions",
      "src/experiments",
      "src/objectives",
      "verify/claims/experiments/learned_fields.ts",
    ],
  },
}, async (check) => {
  const distribution = toyDistribution("mixture");
  const sigma = 0.2;
  const fields = await learnFields(distribution, { sigma, steps: 1000, seed: 1 });
  const report = await measureFields(distribution, fields, { sigma, seed: 2 });
  for (const field of fields) field.dispose();
  for (const { method, relative, byDensity } of report.fields) {
    check.atMost(`${method}: E‖s − s*‖²/E‖s*‖²`, relative, 0.1, "a network that says nothing has 1");
    check.atLeast(
      `${method}: sparsest over densest tenth`,
      byDensity[9] / byDensity[0],
      2,
      "no data say what the field is there: Song & Ermon 2019, Section 3.2.1",
    );
  }
  const rows = report.fields.map(({ method, relative, byDensity }) => [
    method,
    relative.toPrecision(2),
    byDensity[0].toPrecision(2),
    byDensity[9].toPrecision(2),
  ]);
  check.table("Learned fields", ["method", "relative error", "densest tenth", "sparsest tenth"], rows);
});

claim("experiments refuse invalid numbers", async (check) => {
  const distribution = toyDistribution("mixture");
  const rng = createRng(0);
  const run = { count: 10, steps: 5, stepSize: 0.1, rng };
  await check.throws(
    "count",
    () => runLangevin(distribution, { ...run, count: 1 }),
    /count must be a whole number from 2, got 1/,
  );
  await check.throws(
    "steps",
    () => runLangevin(distribution, { ...run, steps: 0 }),
    /steps must be a positive integer, got 0/,
  );
  await check.throws(
    "ε",
    () => runLangevin(distribution, { ...run, stepSize: -1 }),
    /stepSize must be a positive number, got -1/,
  );
  await check.throws(
    "moments",
    () => densityAnimation(distribution, { moments: 1, count: 1, rng }),
    /moments must be .* from 2, got 1/,
  );
  await check.throws(
    "points",
    () => new PointCloud([1, 2, 3], 2, 1),
    /3 numbers are no positive number of 2-dim/,
  );
  await check.throws("std", () => new PointCloud([1, 2], 2, -1), /std must be a number from 0, got -1/);
  await check.throws(
    "a distribution",
    () => toyDistribution("spiral" as "moons"),
    /unknown 2-D data set "spiral"/,
  );
});

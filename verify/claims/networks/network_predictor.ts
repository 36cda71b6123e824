/** Claims about networks as noise predictors: preconditioning, labels, noise levels by row and compiled forms. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { largestDifference, model, randomPredictor, ROUNDING } from "../../problems/random_predictor.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

claim("a network with output 0 leaves EDM's best linear noise predictor", async (check) => {
  const network = networkFromConfig(model.network);
  const noisePredictor = networkPredictor(model, network.initialise(createRng(check.seed)));
  const y = createRng(check.seed).normal([2, 8, 8, 1]);
  const values = await y.data();
  for (const ratio of [1e-3, 0.5, 50]) {
    const noise = noisePredictor.predictNoise(y, ratio);
    const observed = await noise.data<"float32">();
    // ε̂ = (y − centre) ν/(ν² + σ_d²), which is (y − D)/ν for D = centre + c_skip (y − centre).
    const factor = ratio / (ratio ** 2 + 0.25);
    const worst = observed.reduce(
      (most, e, i) => Math.max(most, Math.abs(e / factor - (values[i] + 0.7))),
      0,
    );
    check.atMost(
      `ν = ${ratio}: largest error over the factor of y − centre`,
      worst,
      2e-6,
      "four roundings of float32 on numbers up to 5; Karras et al. 2022, Table 1",
      { detectable: "a factor wrong by 1e-6, an offset of 2e-6" },
    );
    noise.dispose();
  }
  y.dispose();
  noisePredictor.dispose();
});

claim(
  "the network's output enters by EDM's formula: D = centre + c_skip (y − centre) + c_out F(c_in (y − centre))",
  async (check) => {
    await scoped(async () => {
      const noisePredictor = randomPredictor(check.seed);
      const { network, parameters } = noisePredictor;
      const y = createRng(check.seed).normal([1, 8, 8, 1]);
      const none = tf.oneHot(tf.tensor1d([network.classes], "int32"), network.classes + 1)
        .toFloat() as tf.Tensor2D;
      for (const ratio of [0.1, 0.5, 5]) {
        const total = Math.hypot(ratio, 0.5);
        const features = network.noiseFeatures(Float64Array.of(Math.log(ratio)));
        const centred = tf.add(y, 0.7);
        const f = network.forward(parameters, tf.div(centred, total), tf.tensor2d(features, [1, 32]), none);
        const data = tf.add(
          tf.add(tf.mul(centred, (0.5 / total) ** 2), tf.mul(f, ratio * 0.5 / total)),
          -0.7,
        );
        const difference = await largestDifference(
          noisePredictor.predictNoise(y, ratio),
          tf.div(tf.sub(y, data), ratio),
        );
        check.atMost(
          `ν = ${ratio}`,
          difference,
          1e-5 / Math.min(1, ratio),
          `Karras et al. 2022, eq. 7; ${ROUNDING}`,
        );
      }
      noisePredictor.dispose();
    });
  },
);

claim("each row of a batch has its own noise level", async (check) => {
  await scoped(async () => {
    const noisePredictor = randomPredictor(check.seed).withLabels([1, 2]);
    const y = createRng(check.seed).normal([2, 8, 8, 1]);
    const both = noisePredictor.predictNoise(y, Float64Array.of(0.1, 3));
    for (const [row, ratio] of [0.1, 3].entries()) {
      const alone = noisePredictor.predictNoise(y, ratio);
      const difference = await largestDifference(tf.slice(both, row, 1), tf.slice(alone, row, 1));
      check.atMost(`row ${row}`, difference, 1e-5, ROUNDING);
    }
    noisePredictor.dispose();
  });
});

claim(
  "a prepared noise predictor equals an unprepared one",
  { engines: ["wasm", "onnx"] },
  async (check) => {
    const noisePredictor = randomPredictor(check.seed);
    const guided = noisePredictor.withLabels([0, 1], { scale: 3, from: 0.1 });
    const y = createRng(check.seed).normal([2, 8, 8, 1]);
    const before = [noisePredictor.predictNoise(y, 0.4), guided.predictNoise(y, 0.4)];
    await noisePredictor.prepare(2);
    await guided.prepare(2);
    const after = [noisePredictor.predictNoise(y, 0.4), guided.predictNoise(y, 0.4)];
    for (const [i, what] of ["plain", "guided"].entries()) {
      check.atMost(
        what,
        await largestDifference(before[i], after[i]),
        1e-4,
        `three times guided; ${ROUNDING}`,
      );
    }
    const slope = tf.grad((y: tf.Tensor) => tf.sum(noisePredictor.predictNoise(y, 0.4)))(y);
    check.holds(
      "it can still be differentiated",
      (await slope.data()).every(Number.isFinite),
      "the tape is kept",
    );
    tf.dispose([y, slope, ...before, ...after]);
    noisePredictor.dispose();
  },
);

claim("invalid labels and noise levels are refused", async (check) => {
  const noisePredictor = randomPredictor(check.seed);
  const y = tf.zeros([2, 8, 8, 1]);
  await check.throws(
    "label",
    () => noisePredictor.withLabels(3),
    /labels must be whole numbers from 0 to 2, got 3/,
  );
  await check.throws(
    "count",
    () => noisePredictor.withLabels([1]).predictNoise(y, 1),
    /one label per row, got 1 .* 2 rows/,
  );
  await check.throws(
    "scale",
    () => noisePredictor.withLabels(1, NaN),
    /guidance scale must be a finite number, got NaN/,
  );
  await check.throws(
    "interval",
    () => noisePredictor.withLabels(1, { scale: 2, from: 3, to: 1 }),
    /guidance must act between two noise ratios from 0 up, got 3 to 1/,
  );
  await check.throws(
    "misspelt guidance",
    () => noisePredictor.withLabels(1, { scale: 2, form: 1 } as never),
    /^guidance has an unknown field "form"; its fields are scale, from, to$/,
  );
  await check.throws(
    "no labels",
    () => noisePredictor.withLabels([]).predictNoise(y, 1),
    /one label per row, got 0 .* 2 rows/,
  );
  await check.throws(
    "a typed label",
    () => noisePredictor.withLabels(Int32Array.of(1, 3)),
    /from 0 to 2, got 3$/,
  );
  const expected = noisePredictor.withLabels([1, 2]).predictNoise(y, 1);
  for (const list of [Int32Array.of(1, 2), Uint8Array.of(1, 2)]) {
    const labelled = noisePredictor.withLabels(list);
    list.fill(0);
    const noise = labelled.predictNoise(y, 1);
    const source = "the array's, bit for bit, whatever becomes of the list";
    check.equal(list.constructor.name, await noise.data(), await expected.data(), source);
    noise.dispose();
  }
  expected.dispose();
  await check.throws(
    "ν",
    () => noisePredictor.predictNoise(y, 0),
    /noise ratios must be positive numbers, got 0/,
  );
  const missing = () => networkPredictor(model, new Map());
  await check.throws("weights", missing, /the weights have no values for embedding.noise1.weight/);
  y.dispose();
  noisePredictor.dispose();
});

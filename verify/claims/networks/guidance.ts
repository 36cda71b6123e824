/** Claims about classifier-free guidance. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { largestDifference, randomPredictor, ROUNDING } from "../../problems/random_predictor.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

claim(
  "classifier-free guidance is linear between the unconditional and the conditional noise",
  async (check) => {
    await scoped(async () => {
      const noisePredictor = randomPredictor(check.seed);
      const y = createRng(check.seed).normal([3, 8, 8, 1]);
      const none = noisePredictor.predictNoise(y, 0.7);
      const labelled = noisePredictor.withLabels([0, 2, null]).predictNoise(y, 0.7);
      const guided = noisePredictor.withLabels([0, 2, null], 2.5).predictNoise(y, 0.7);
      const expected = tf.add(none, tf.mul(tf.sub(labelled, none), 2.5));
      const source = "Ho & Salimans 2022, eq. 6";
      check.atMost("scale 2.5", await largestDifference(guided, expected), 1e-5, `${source}; ${ROUNDING}`);
      const zero = noisePredictor.withLabels([0, 2, null], 0).predictNoise(y, 0.7);
      check.atMost(
        "scale 0",
        await largestDifference(zero, none),
        1e-5,
        `the unconditional model; ${ROUNDING}`,
      );
      const change = await tf.max(tf.abs(tf.sub(labelled, none)), [1, 2, 3]).data();
      check.atLeast("row with label 0 moves", change[0], 1e-2, "labels act");
      check.atLeast("row with label 2 moves", change[1], 1e-2, "labels act");
      check.atMost("row without label stays", change[2], 1e-5, ROUNDING);
      const single = noisePredictor.withLabels(2).predictNoise(tf.slice(y, 1, 1), 0.7);
      const row = tf.slice(labelled, 1, 1);
      check.atMost("one label for the batch", await largestDifference(single, row), 1e-5, ROUNDING);
      noisePredictor.dispose();
    });
  },
);

claim("guidance in an interval of noise levels costs a second pass only inside it", async (check) => {
  await scoped(async () => {
    const noisePredictor = randomPredictor(check.seed);
    const y = createRng(check.seed).normal([3, 8, 8, 1]);
    const labels = [0, 1, 2];
    const source = `Kynkäänniemi et al. 2024, eq. 6: w in (from, to], 1 elsewhere; ${ROUNDING}`;
    const within = noisePredictor.withLabels(labels, { scale: 2.5, from: 0.3, to: 2 });
    const everywhere = noisePredictor.withLabels(labels, 2.5);
    const plain = noisePredictor.withLabels(labels);
    for (
      const [ratio, guided] of [[0.2, false], [0.3, false], [0.31, true], [2, true], [2.01, false]] as const
    ) {
      const expected = (guided ? everywhere : plain).predictNoise(y, ratio);
      const difference = await largestDifference(within.predictNoise(y, ratio), expected);
      check.atMost(`ν = ${ratio}`, difference, 1e-5, source);
      check.equal(`calls at ν = ${ratio}`, within.calls(ratio), guided ? 2 : 1, "both passes, or one");
    }
    const apart = await largestDifference(everywhere.predictNoise(y, 0.2), plain.predictNoise(y, 0.2));
    check.atLeast("guidance would move ν = 0.2", apart, 1e-2, "labels act");
    const ratios = Float64Array.of(0.2, 1, 5);
    const mixed = within.predictNoise(y, ratios);
    const rows = [plain, everywhere, plain].map((one, row) => tf.slice(one.predictNoise(y, ratios), row, 1));
    const difference = await largestDifference(mixed, tf.concat(rows, 0));
    check.atMost("rows at levels of their own", difference, 1e-5, source);
    check.equal("calls for them", within.calls(ratios), 2, "one row is guided");
    check.equal("calls without guidance", plain.calls(ratios), 1, "one pass");
    noisePredictor.dispose();
  });
});

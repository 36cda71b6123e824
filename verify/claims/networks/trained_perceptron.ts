/** Claims about a perceptron that is trained on an exact distribution. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import { unflatten } from "../../../src/networks/network.ts";
import { type NetworkPredictor, networkPredictor } from "../../../src/networks/network_predictor.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig, type TrainingState } from "../../../src/training/train.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";

/** Where these claims are examined, and what the report says of their pictures. */
export const area: Area = {
  webgpu: "always",
  tables: {
    title: "A learned score against the exact one",
    text:
      "Loss is E‖ε̂ − ε‖² a coordinate at noise ratio ν, floor the same for the exact score: no network gets below it. The last " +
      "columns are the root mean square errors of the predicted noise and of the score field.",
  },
};

claim("a perceptron learns the score of a mixture to a few percent of the noise", {
  slow: "on webgpu",
}, async (check) => {
  const mixture = GaussianMixture.from({
    weights: [0.3, 0.7],
    means: [[-1, 0.5], [0.8, -0.4]],
    covariances: [[[0.09, 0.03], [0.03, 0.04]], [[0.04, 0], [0, 0.16]]],
  });
  const network: NetworkConfig = {
    kind: "mlp",
    dimensions: 2,
    hidden: 64,
    layers: 2,
    noiseFeatures: 16,
    classes: 0,
  };
  const config: TrainingConfig = {
    model: { network, preconditioning: { sigmaData: 0.8, centre: 0 } },
    objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.8 },
    optimizer: { ...OPTIMIZER_DEFAULTS, rate: 1e-2, warmup: 50, ema: 0.99 },
    steps: 900,
    batch: 256,
    labelDropout: 0,
    seed: check.seed,
  };
  const drawn = mixture.sample(createRng(check.seed).fork("data"), config.steps * config.batch);
  const data = await drawn.data<"float32">();
  drawn.dispose();
  const size = 2 * config.batch;
  const batches = (step: number) => ({ images: data.slice(step * size, (step + 1) * size) });
  let state: TrainingState | null = null;
  for await (const { step, snapshot } of train(config, batches)) {
    if (step === config.steps) state = await snapshot();
  }
  const noisePredictor = networkPredictor(
    config.model,
    unflatten(networkFromConfig(network).parameters, state!.ema),
  );
  await reportErrors(check, noisePredictor, mixture);
  noisePredictor.dispose();
});

/**
 * The loss E‖ε̂ − ε‖²/d less its floor, the loss of the exact score, which leaves E‖ε̂ − ε̂*‖²/d (Vincent 2011): on new data at
 * levels from the middle of what was trained.
 */
async function reportErrors(
  check: Check,
  noisePredictor: NetworkPredictor,
  mixture: GaussianMixture,
): Promise<void> {
  const rows = 4000;
  const rng = createRng(check.seed).fork("test");
  const table: string[][] = [];
  const gaps: number[] = [];
  for (const ratio of [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]) {
    const [error, loss, floor] = await scoped(async () => {
      const noise = rng.fork(`noise ${ratio}`).normal([rows, 2]);
      const y = tf.add(mixture.sample(rng.fork(`data ${ratio}`), rows), tf.mul(noise, ratio));
      const [learned, exact] = [noisePredictor.predictNoise(y, ratio), mixture.predictNoise(y, ratio)];
      const meanSquare = (a: tf.Tensor, b: tf.Tensor) => firstOf(tf.mean(tf.squaredDifference(a, b)));
      return [
        await meanSquare(learned, exact),
        await meanSquare(learned, noise),
        await meanSquare(exact, noise),
      ];
    });
    gaps.push(loss - floor);
    table.push([
      ratio.toFixed(2),
      ...[loss, floor, loss - floor, Math.sqrt(error), Math.sqrt(error) / ratio].map((value) =>
        value.toFixed(4)
      ),
    ]);
    check.atMost(
      `ν = ${ratio}: root mean square error of ε̂`,
      Math.sqrt(error),
      0.1,
      "a tenth of the noise",
      { detectable: `a network with output 0 is wrong by ${Math.sqrt(Math.max(0, 1 - floor)).toFixed(2)}` },
    );
  }
  check.atMost(
    "loss above its floor, mean over the levels",
    gaps.reduce((sum, gap) => sum + gap) / gaps.length,
    0.005,
    "what 900 steps of 256 examples leave, where output 0 leaves 1 less the floor",
    { detectable: "a loss whose optimum is not the score" },
  );
  check.table(
    "A perceptron after 900 steps on a mixture of two Gaussians",
    ["ν", "loss", "floor", "gap", "error of ε̂", "of the score at α = 1"],
    table,
  );
}

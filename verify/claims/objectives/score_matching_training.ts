/** Claims about training with score matching objectives. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  denoisingScoreMatching,
  explicitScoreMatching,
  type ScoreFunction,
} from "../../../src/objectives/score_matching.ts";
import { slicedScoreMatching } from "../../../src/objectives/sliced.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { drawsOf, type ScoreTrainingConfig, trainScore } from "../../../src/training/train_score.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { numbers } from "../../problems/score_matching_losses.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const training: ScoreTrainingConfig = {
  network: { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 0 },
  matching: "sliced",
  sigma: 0,
  optimizer: { ...OPTIMIZER_DEFAULTS, rate: 1e-2, warmup: 0 },
  steps: 6,
  batch: 8,
  seed: 4,
};

const samePoints = () => createRng(3).normal([8, 2]) as tf.Tensor2D;

claim(
  "training draws new noise and directions at each step, repeats itself and leaves no tensor",
  async (check) => {
    const before = tf.memory().numTensors;
    const first = await trainScore(training, samePoints);
    const again = await trainScore(training, samePoints);
    check.equal("losses of the same seed", again.losses, first.losses, "all randomness is the seed's");
    check.equal("weights of the same seed", [...again.weights], [...first.weights], "bit for bit");
    const other = await trainScore({ ...training, seed: 5 }, samePoints);
    check.holds(
      "another seed trains otherwise",
      String(other.losses) !== String(first.losses),
      "another start",
    );
    for (const [matching, what] of [["sliced", ["noise", "directions"]], ["denoising", ["noise"]]] as const) {
      const draws = Object.entries(
        drawsOf({ ...training, matching, sigma: 1 }, createRng(check.seed), [8, 2]),
      );
      check.equal(`${matching}: what is drawn`, draws.map(([name]) => name), what, "by the matching");
      const seen = await Promise.all(
        draws.flatMap(([, draw]) => [0, 1].map(async (step) => String(await numbers(() => draw(step))))),
      );
      check.equal(
        `${matching}: different draws of two steps`,
        new Set(seen).size,
        seen.length,
        "none is kept",
      );
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "whoever gets a tensor owns it");
  },
);

claim("score matching refuses mismatched shapes and invalid numbers", async (check) => {
  const x = tf.zeros<tf.Rank.R2>([3, 2]);
  const wrong = tf.zeros<tf.Rank.R2>([2, 2]);
  const zero: ScoreFunction = (x) => tf.zerosLike(x);
  await check.throws(
    "noise",
    () => denoisingScoreMatching(zero, x, wrong, 1),
    /noise must .* got \[2,2\] for \[3,2\]/,
  );
  await check.throws(
    "σ",
    () => denoisingScoreMatching(zero, x, x, 0),
    /sigma must be a positive number, got 0/,
  );
  await check.throws(
    "directions",
    () => slicedScoreMatching(zero, x, wrong),
    /directions must have the shape/,
  );
  await check.throws(
    "scores",
    () => explicitScoreMatching(zero, x, wrong),
    /exact score must have the shape/,
  );
  tf.dispose([x, wrong]);
  const train = (change: Partial<ScoreTrainingConfig>) => () =>
    trainScore({ ...training, ...change }, samePoints);
  await check.throws("no noise", train({ matching: "denoising" }), /sigma must be a positive number, got 0/);
  await check.throws("steps", train({ steps: 0 }), /steps must be a positive integer, got 0/);
  await check.throws("batch", train({ batch: 1.5 }), /batch must be a positive integer, got 1.5/);
});

/** Claims about training by score matching: its reports, and the score that comes of it. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { scoreNetwork, type ScoreTrainingConfig, trainScore } from "../../../src/training/train_score.ts";
import { claim } from "../../suite/claim.ts";
import { parametersOf, perceptron, wavesOf } from "../../reference/float64_networks.ts";

claim(
  "score matching reports the mean loss of every hundred steps and of the rest, and names a step that is not finite",
  async (check) => {
    const score: ScoreTrainingConfig = {
      network: { kind: "mlp", dimensions: 2, hidden: 2, layers: 1, noiseFeatures: 4, classes: 0 },
      ...{ matching: "denoising", sigma: 0.5, optimizer: OPTIMIZER_DEFAULTS, steps: 103, batch: 2, seed: 4 },
    };
    const calls: [number, number][] = [];
    const points = (step: number) => tf.tensor2d([step / 103, 1, -1, 0.5], [2, 2]);
    const { losses } = await trainScore(score, points, (...call) => calls.push(call));
    check.equal("losses", losses.length, 103, "one a step");
    check.equal(
      "reported after",
      calls.map(([done]) => done),
      [100, 103],
      "every hundred, and the last",
    );
    for (const [at, [from, to]] of [[0, 100], [100, 103]].entries()) {
      const mean = losses.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
      check.within(
        `mean from step ${from + 1} to ${to}`,
        calls[at][1] / mean,
        1,
        1e-12,
        "rounding of float64",
      );
    }
    await check.throws(
      "another matching",
      () => trainScore({ ...score, matching: "other" as "sliced" }, points),
      /^matching must be one of implicit, sliced, sliced-vr, denoising, got "other"$/,
    );
    const broken = (step: number) => step === 101 ? tf.tensor2d([NaN, 1, -1, 0.5], [2, 2]) : points(step);
    await check.throws(
      "NaN in the points of step 102",
      () => trainScore(score, broken),
      /^the loss is NaN at step 102:/,
    );
  },
);

claim(
  "a trained score is the perceptron's output at a noise level of 1, and frees its weights",
  async (check) => {
    const shape = { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 0 } as const;
    const { parameters } = networkFromConfig(shape);
    const weights = new Map(
      parameters.map((
        { name, shape },
      ) => [name, createRng(5).fork(name).normalValues([1, shape.reduce((a, b) => a * b)])]),
    );
    const before = tf.memory().numTensors;
    const { score, dispose } = scoreNetwork(shape, weights);
    const points = [[0.5, -1], [2, 0.25]];
    const x = tf.tensor2d(points);
    const scores = score(x);
    const observed = await scores.data();
    const p = parametersOf(parameters, (name) => weights.get(name)!);
    const expected = points.flatMap((
      point,
    ) => [...perceptron(p, 1, [...point, ...wavesOf([0, 0]).values]).values]);
    check.equal("shape", scores.shape, [2, 2], "that of the points");
    check.atMost(
      "largest difference",
      expected.reduce((most, value, i) => Math.max(most, Math.abs(value - observed[i])), 0),
      1e-5,
      "the perceptron in float64; ln 1 = 0; float32 of a few sums",
    );
    tf.dispose([x, scores]);
    dispose();
    check.equal("tensors left", tf.memory().numTensors - before, 0, "the weights are freed");
  },
);

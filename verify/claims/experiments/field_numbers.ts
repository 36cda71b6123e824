/** Claims about how score fields in the plane are learned and measured, number by number. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { type LearnedField, learnFields, measureFields } from "../../../src/experiments/learned_fields.ts";
import type { MlpConfig } from "../../../src/networks/mlp.ts";
import { unflatten } from "../../../src/networks/network.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import type { OptimizerConfig } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig } from "../../../src/training/train.ts";
import { scoreNetwork, trainScore } from "../../../src/training/train_score.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { claim } from "../../suite/claim.ts";

/** Adam, and its learning rate, of the fields; written out. */
const optimizer: OptimizerConfig = {
  rate: 5e-3,
  warmup: 3,
  decay: "cosine",
  betas: [0.9, 0.99],
  epsilon: 1e-8,
  clip: 10,
  ema: 0.99,
};

claim("fields are learned from the same points, each by its own objective", async (check) => {
  // So wide that gradients are clipped.
  const distribution = new Gaussian({ mean: [0, 5], variances: [400, 100] });
  const [sigma, steps, batch, hidden, seed] = [0.4, 3, 8, 6, 11];
  const calls: [string, number][] = [];
  const fields = await learnFields(distribution, {
    sigma,
    steps,
    batch,
    hidden,
    seed,
    onStep: (method, done) => calls.push([method, done]),
  });
  const names = ["implicit", "sliced", "sliced-vr", "denoising", "noise-conditional"] as const;
  check.equal("methods", fields.map(({ method }) => method), names, "all, in this order");
  const last = names.map((method) => [method, 3]);
  check.equal("calls of onStep", calls, last.slice(0, 4), "every hundred steps and at the end of a score's");
  const data = await scoped(() => distribution.sample(createRng(seed).fork("training data"), 32768).data());
  const rows = (step: number) => data.slice(16 * step, 16 * (step + 1)) as Float32Array;
  const network: MlpConfig = { kind: "mlp", dimensions: 2, hidden, layers: 3, noiseFeatures: 4, classes: 0 };
  const x = tf.tensor2d([[0.3, -0.2], [1, 2], [-2, 0.5]]);
  const at = async (
    field: Pick<LearnedField, "score">,
    ratio: number,
  ) => [...await scoped(() => field.score(x, ratio).data())];
  for (const [i, matching] of names.entries()) {
    let expected: number[];
    if (matching === "noise-conditional") {
      const config: TrainingConfig = {
        model: {
          network: { ...network, noiseFeatures: 16 },
          preconditioning: { sigmaData: 1.2, centre: 0 },
        },
        objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 1.2 },
        optimizer: { ...optimizer, clip: 1 },
        steps,
        batch,
        labelDropout: 0,
        seed,
      };
      let ema = new Float32Array();
      for await (const { step, snapshot } of train(config, (step) => ({ images: rows(step) }))) {
        if (step === steps) ema = (await snapshot()).ema as typeof ema;
      }
      const { parameters } = networkFromConfig(config.model.network);
      const predictor = networkPredictor(config.model, unflatten(parameters, ema));
      const noise = await scoped(() => predictor.predictNoise(x, 0.7).data());
      expected = Array.from(noise, (value) => Math.fround(value * Math.fround(-1 / 0.7)));
      predictor.dispose();
    } else {
      const run = { network, matching, sigma, optimizer, steps, batch, seed };
      const { weights } = await trainScore(run, (step) => tf.tensor2d(rows(step), [batch, 2]));
      const own = scoreNetwork(network, weights);
      expected = await at(own, 0.7);
      own.dispose();
    }
    check.equal(
      matching,
      await at(fields[i], 0.7),
      expected,
      "the library's training, with numbers written out",
    );
    fields[i].dispose();
  }
  x.dispose();
  const reported: number[] = [];
  const long = { sigma, steps: 200, batch: 4, hidden: 4, seed, methods: ["noise-conditional" as const] };
  const [noisy] = await learnFields(distribution, { ...long, onStep: (_, done) => reported.push(done) });
  check.equal("calls for 200 steps", reported, [100, 200], "every hundred");
  noisy.dispose();
  await check.throws(
    "a batch of more than half the points",
    () => learnFields(distribution, { ...long, batch: 16385 }),
    /^batch must be at most 16384, got 16385$/,
  );
  const some = await learnFields(distribution, {
    sigma,
    steps: 1,
    batch: 4,
    hidden: 4,
    seed,
    methods: ["sliced"],
  });
  check.equal("one method", some.map(({ method }) => method), ["sliced"], "as asked for");
  for (const field of some) field.dispose();
});

claim("errors of a field are measured on maps, by level, and by tenths of the square", async (check) => {
  const [sigma, seed, count] = [0.5, 3, 50];
  const distribution = new Gaussian({ mean: [0.4, -0.3], variances: [0.5, 0.5] });
  /** Twice the score of a Gaussian of another mean. */
  const wrong = (x: tf.Tensor, ratio: number) => tf.mul(tf.add(x, 0.7), -2 / (1 + ratio ** 2));
  const { levels, share, fields: [field], truth, centres, sigma: stated } = await measureFields(
    distribution,
    [{ method: "sliced", score: wrong, dispose() {} }],
    { sigma, seed, count },
  );
  check.equal("noise", stated, sigma, "as asked for");
  check.equal("levels", levels, [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2], "doubled from .05 on");
  const score = (x: ArrayLike<number>, ratio: number) =>
    [0, 1].map((i) => -(x[i] - distribution.mean[i]) / (0.5 + ratio ** 2));
  const other = (x: ArrayLike<number>, ratio: number) =>
    [0, 1].map((i) => -2 * (x[i] + 0.7) / (1 + ratio ** 2));
  const apart = (x: ArrayLike<number>, ratio: number) => {
    const [a, b] = [score(x, ratio), other(x, ratio)];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  const cells = (side: number) =>
    Array.from(
      { length: side * side },
      (_, k) => [k % side, Math.floor(k / side)].map((i) => (6 * i + 3) / side - 3),
    );
  const near = (what: string, observed: ArrayLike<number>, expected: number[], source: string) =>
    check.atMost(
      what,
      Math.max(
        Math.abs(observed.length - expected.length),
        ...expected.map((value, i) => Math.abs(observed[i] / value - 1)),
      ),
      2e-5,
      `${source}, in float64`,
    );
  near("centres", centres, cells(20).flat(), "20 × 20 cells of [−3, 3]², the lowest row first");
  near("truth", truth, cells(20).flatMap((x) => score(x, sigma)), "the Gaussian's score at σ");
  near("vectors", field.vectors, cells(20).flatMap((x) => other(x, sigma)), "the field itself");
  const map = cells(80).map((x) => apart(x, sigma));
  near("map", field.map, map, "‖s − s*‖ at 80 × 80 cells");
  const rng = createRng(seed).fork("measure");
  const squares = async (ratio: number) => {
    const data = await scoped(() => distribution.sample(rng.fork(`data ${ratio}`), count).data());
    const noise = await scoped(() => rng.fork(`noise ${ratio}`).normal([count, 2]).data());
    const points = Array.from(
      { length: count },
      (_, i) => [0, 1].map((j) => data[2 * i + j] + ratio * noise[2 * i + j]),
    );
    const mean = (f: (x: number[]) => number) => points.reduce((sum, x) => sum + f(x) ** 2, 0) / count;
    return [mean((x) => apart(x, ratio)), mean((x) => Math.hypot(...score(x, ratio)))];
  };
  const [error, whole] = await squares(sigma);
  near("relative", [field.relative], [error / whole], "E‖s − s*‖²/E‖s*‖²");
  const byLevel = await Promise.all(levels.map(async (level) => level ** 2 * (await squares(level))[0] / 2));
  near("by level", field.byLevel, byLevel, "½ E‖ν (s − s*)‖²");
  // A round Gaussian is the denser the nearer its mean.
  const away = (x: number[]) => (x[0] - 0.4) ** 2 + (x[1] + 0.3) ** 2;
  const order = cells(80).map((x, k) => ({ far: away(x), error: map[k] })).sort((a, b) => a.far - b.far);
  const tenths = Array.from({ length: 10 }, (_, i) => order.slice(640 * i, 640 * (i + 1)));
  const mass = (tenth: typeof order) => tenth.reduce((sum, { far }) => sum + Math.exp(-far / 1.5), 0);
  near("share", share, tenths.map((tenth) => mass(tenth) / mass(order)), "of the density at the cells");
  const medians = tenths.map((tenth) => tenth.map(({ error }) => error).sort((a, b) => a - b)[320]);
  near("by density", field.byDensity, medians, "medians of the map");
});

/**
 * The distribution of what is random in training: noise of its own for every pixel, row and step, independent of the noise level and of the
 * label that is withheld. A coupling leaves every mean and variance as it was, and biases the network.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import type { Network } from "../../../src/networks/network.ts";
import {
  checkOptimizer,
  OPTIMIZER_DEFAULTS,
  type OptimizerConfig,
  update,
  updateScalars,
} from "../../../src/training/optimizer.ts";
import { denoisingBatch } from "../../../src/training/denoising_step.ts";
import { train, type TrainingConfig } from "../../../src/training/train.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { checkMean, checkProportion, checkUniform, standardNormalCdf } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const objective = { kind: "edm", mean: -1, std: 1.2, sigmaData: 1 } as const;
const rows = 32;
const config: TrainingConfig = {
  model: {
    network: { kind: "mlp", dimensions: 2, hidden: 4, layers: 1, noiseFeatures: 4, classes: 2 },
    preconditioning: null,
  },
  objective,
  optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 0, decay: "constant" },
  steps: 10,
  batch: rows,
  labelDropout: 0.5,
  seed: 0,
};
const network = networkFromConfig(config.model.network) as Network;
const batch = { images: new Float32Array(2 * rows), labels: new Int32Array(rows) };

/** What is random in step `done` + 1: noise [rows, 2], ln ν in its own standard units, and which labels are withheld. */
async function drawn(seed: number, done: number) {
  const [noise, ratio, classes] = await scoped(async () => {
    const inputs = denoisingBatch({ ...config, seed }, objective, network, batch, done);
    return await Promise.all([
      inputs.noise.data(),
      inputs.noiseRatio.data(),
      inputs.prediction.classes!.data(),
    ]);
  });
  return {
    noise: Float64Array.from(noise),
    level: Float64Array.from(ratio, (nu) => (Math.log(nu) + 1) / 1.2),
    withheld: Float64Array.from({ length: rows }, (_, row) => 2 * classes[3 * row + 2] - 1),
  };
}

claim(
  "noise, noise levels and dropped labels in training are independent, also across rows and steps",
  async (check) => {
    const steps = 600;
    const all = [];
    for (let done = 0; done < steps; done++) all.push(await drawn(check.seed, done));
    const noise = Float64Array.from(all.flatMap((step) => [...step.noise]));
    const level = Float64Array.from(all.flatMap((step) => [...step.level]));
    const withheld = Float64Array.from(all.flatMap((step) => [...step.withheld]));
    const n = steps * rows;
    checkUniform(check, "noise", noise.map(standardNormalCdf), "N(0, 1)");
    checkUniform(check, "levels", level.map(standardNormalCdf), "N(mean, std²) of ln ν");
    checkProportion(check, "labels withheld", withheld.filter((w) => w > 0).length, n, 0.5, "labelDropout");
    const [first, second] = [0, 1].map((axis) => Float64Array.from(level, (_, i) => noise[2 * i + axis]));
    const size = (values: Float64Array) => values.map((z) => (z * z - 1) / Math.SQRT2);
    const pairs: [string, Float64Array, Float64Array, number][] = [
      ["the two pixels", first, second, 0],
      ["a row and the next", first, first, 1],
      ["a step and the next", first, first, rows],
      ["noise and level", first, level, 0],
      ["noise's size and level", size(first), level, 0],
      ["noise's size and level's", size(first), size(level), 0],
      ["second noise's size and level's", size(second), size(level), 0],
      ["level's size and withholding", size(level), withheld, 0],
      ["noise's size and withholding", size(first), withheld, 0],
      ["second noise and level", second, level, 0],
      ["level and the next row's", level, level, 1],
      ["level and withholding", level, withheld, 0],
      ["noise and withholding", first, withheld, 0],
      ["withholding in a row and the next", withheld, withheld, 1],
    ];
    for (const [what, a, b, shift] of pairs) {
      const product = a.reduce((sum, value, i) => sum + value * b[(i + shift) % n], 0) / n;
      checkMean(
        check,
        `${what}: mean product`,
        product,
        0,
        1,
        n,
        "independent, each of mean 0 and variance 1",
      );
    }
  },
);

claim("no two steps of a long run, and no two seeds, share their noise", async (check) => {
  const steps = [0, 1, 2, 9, 10, 11, 100, 255, 256, 512, 1000, 4096, 10_000, 65_536, 100_000, 1_000_000];
  const seen = new Map<number, string>();
  let repeated = "none";
  for (const seed of [0, 1, 2 ** 32, 2 ** 40]) {
    for (const done of steps) {
      const { noise } = await drawn(seed, done);
      for (const value of noise.subarray(0, 8)) {
        const here = `seed ${seed}, step ${done}`;
        if (seen.has(value)) repeated = `${seen.get(value)} and ${here}`;
        seen.set(value, here);
      }
    }
  }
  check.equal(
    "steps with a number in common",
    repeated,
    "none",
    "a stream of its own for each; 512 float32 numbers",
  );
});

claim(
  "the optimizer refuses numbers just outside their ranges, and accepts those inside",
  async (check) => {
    const good: Partial<OptimizerConfig>[] = [{}, { warmup: 0 }, { ema: 0 }, { betas: [0, 0] }, {
      ema: 0.9999,
    }];
    for (const change of good) {
      let error = "none";
      try {
        checkOptimizer({ ...OPTIMIZER_DEFAULTS, ...change });
      } catch (caught) {
        error = String(caught);
      }
      check.equal(`taken: ${JSON.stringify(change)}`, error, "none", "its documentation");
    }
    const bad: [Partial<OptimizerConfig>, RegExp][] = [
      [{ rate: 0 }, /^rate must be a positive number, got 0$/],
      [{ rate: NaN }, /^rate must be a positive number, got NaN$/],
      [{ warmup: -1 }, /^warmup must be a whole number from 0, got -1$/],
      [{ warmup: 1.5 }, /^warmup must be a whole number from 0, got 1.5$/],
      [{ clip: 0 }, /^clip must be a positive number, got 0$/],
      [{ epsilon: 0 }, /^epsilon must be a positive number, got 0$/],
      [{ ema: 1 }, /^ema must be a finite number from 0 and below 1, got 1$/],
      [{ ema: -0.1 }, /^ema must be a finite number from 0 and below 1, got -0.1$/],
      [{ betas: [1, 0.9] }, /^betas\[0\] must be a finite number from 0 and below 1, got 1$/],
      [{ betas: [0.9, -1] }, /^betas\[1\] must be a finite number from 0 and below 1, got -1$/],
    ];
    for (const [change, message] of bad) {
      await check.throws(
        JSON.stringify(change),
        () => checkOptimizer({ ...OPTIMIZER_DEFAULTS, ...change }),
        message,
      );
    }
  },
);

claim(
  "clipping keeps gradients shorter than its limit and scales longer ones to it, whatever their number and size",
  async (check) => {
    // With β₁ = β₂ = 0 and a huge ε a step is rate·g/ε: it shows the clipped gradient itself.
    for (const size of [1, 2, 3, 15, 16, 17, 1000]) {
      for (const length of [1e-6, 0.5, 2, 1e6]) {
        const optimizer: OptimizerConfig = {
          ...config.optimizer,
          rate: 1e6,
          betas: [0, 0],
          epsilon: 1e6,
          clip: 1,
        };
        const scalars = updateScalars(optimizer, 1, 10);
        const gradient = Float32Array.from(
          { length: size },
          (_, i) => (i % 2 === 0 ? length : -length) / Math.sqrt(size),
        );
        const moved = await scoped(async () => {
          const zeros = () => tf.zeros<tf.Rank.R1>([size]);
          const state = { weights: zeros(), ema: zeros(), mean: zeros(), variance: zeros() };
          const next = update(optimizer, state, tf.tensor1d(gradient), {
            rate: tf.scalar(scalars.rate),
            varianceScale: tf.scalar(scalars.varianceScale),
            emaShare: tf.scalar(scalars.emaShare),
          });
          return await Promise.all([next.state.weights.data(), next.norm.data()]);
        });
        const step = Math.hypot(...moved[0]);
        const what = `${size} numbers of norm ${length}`;
        check.within(
          `${what}: clipped`,
          step / Math.min(length, 1),
          1,
          3e-6,
          "min(1, clip/‖g‖) g; float32 and ‖g‖/ε",
        );
        check.within(`${what}: norm reported`, moved[1][0] / length, 1, 1e-6, "before clipping; float32");
      }
    }
  },
);

claim("a run reports the means over its steps, and the learning rate that each step had", async (check) => {
  const points = () => ({
    images: Float32Array.from({ length: 2 * rows }, (_, i) => Math.sin(i)),
    labels: batch.labels,
  });
  const run = async (reportEvery: number) => {
    const reports = [];
    const decaying = { ...config, optimizer: { ...config.optimizer, decay: "cosine" as const } };
    for await (const { step, loss, gradientNorm, rate } of train(decaying, points, { reportEvery })) {
      reports.push({ step, loss, gradientNorm, rate });
    }
    return reports;
  };
  const [each, fours] = [await run(1), await run(4)];
  const mean = (from: number, to: number, of: "loss" | "gradientNorm") =>
    each.slice(from, to).reduce((sum, report) => sum + report[of]!, 0) / (to - from);
  check.equal(
    "steps reported",
    fours.filter(({ loss }) => loss !== null).map(({ step }) => step),
    [4, 8, 10],
    "every four, and the last",
  );
  for (const [from, to] of [[0, 4], [4, 8], [8, 10]]) {
    for (const what of ["loss", "gradientNorm"] as const) {
      check.within(
        `${what} of steps ${from + 1} to ${to}`,
        fours[to - 1][what]! / mean(from, to, what),
        1,
        1e-12,
        "the mean since the last report",
      );
    }
  }
  for (const { step, rate } of each) {
    const expected = config.optimizer.rate * (1 + Math.cos(Math.PI * step / 10)) / 2;
    check.within(`rate of step ${step}`, rate, expected, 1e-15, "half a cosine, 0 at the last step");
  }
});

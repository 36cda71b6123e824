/**
 * Reads from the GPU: each waits for all work that was queued before it, so loops must do without. Counted where every
 * read must pass, at the mapping of buffers.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig } from "../../../src/training/train.ts";
import { claim } from "../../suite/claim.ts";
import { failsFrom, gentleVp, mixture, shape } from "../../problems/short_runs.ts";

/** Calls the action with a function that tells how many buffers were mapped for reading since. */
async function countingReads(action: (reads: () => number) => Promise<void>): Promise<void> {
  const { mapAsync } = GPUBuffer.prototype;
  let count = 0;
  GPUBuffer.prototype.mapAsync = function (...args) {
    count++;
    return mapAsync.apply(this, args);
  };
  try {
    await action(() => count);
  } finally {
    GPUBuffer.prototype.mapAsync = mapAsync;
  }
}

claim("a sampler's loop reads from the GPU once in sixteen states and at its end", {
  engines: ["webgpu"],
}, async (check) => {
  const model = scoreModel(mixture, gentleVp);
  for (const name of ["predictor-corrector", "dpm++2m"]) {
    await countingReads(async (reads) => {
      const counts: number[] = [];
      const run = { shape, grid: { kind: "uniform", steps: 34 }, rng: createRng(check.seed) } as const;
      for await (const { x, done } of sample(model, samplerByName(name), run)) {
        counts.push(reads());
        if (done) x.dispose();
      }
      // The states are the start, 34 steps and the last denoising: the sixteenth follows step 15.
      const expected = counts.map((_, step) => step < 15 ? 0 : step < 31 ? 1 : step < 34 ? 2 : 3);
      check.equal(`${name}: reads before each state`, counts, expected, "36 states in sixteens");
      check.equal(`${name}: states`, counts.length, 35, "the start and every step");
    });
  }
});

claim("an error in a step does not hide a NaN before it", {
  engines: ["webgpu"],
}, async (check) => {
  const failing: Sampler = {
    name: "failing",
    start: (model) => ({
      step: (x, from) => {
        if (from < 0.8) throw new Error("another error");
        return tf.tidy(() => x.add(model.predictedNoise(x, from) as tf.Tensor));
      },
      dispose: () => {},
    }),
  };
  const run = { shape, grid: { kind: "uniform", steps: 10 }, rng: createRng(1) } as const;
  const tensors = tf.memory().numTensors;
  await check.throws(
    "a NaN in step 1 and an error in step 4",
    () => drawSamples(failsFrom(scoreModel(mixture, gentleVp), 1, NaN), failing, run),
    /^failing: step 1 of 10, from time 1 to 0\.9.*: the score is NaN/,
  );
  await check.throws(
    "an error in step 4",
    () => drawSamples(scoreModel(mixture, gentleVp), failing, run),
    /^failing: step 4 of 10, .*: another error$/,
  );
  check.equal("tensors left", tf.memory().numTensors, tensors, "everything is freed where a run breaks off");
});

claim("training reads from the GPU once per report and never between", {
  engines: ["webgpu"],
}, async (check) => {
  const config: TrainingConfig = {
    model: {
      network: { kind: "mlp", dimensions: 2, hidden: 8, layers: 1, noiseFeatures: 4, classes: 0 },
      preconditioning: { sigmaData: 0.5, centre: 0 },
    },
    objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 },
    optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 5 },
    steps: 7,
    batch: 4,
    labelDropout: 0,
    seed: check.seed,
  };
  const images = createRng(check.seed).normalValues([4, 2]);
  await countingReads(async (reads) => {
    const counts: number[] = [];
    for await (const _ of train(config, () => ({ images }), { reportEvery: 3 })) counts.push(reads());
    check.equal(
      "reads before each step's state",
      counts,
      [0, 0, 1, 1, 1, 2, 3],
      "reports at 3, 6 and the last",
    );
  });
});

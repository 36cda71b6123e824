/** Claims about what models, samplers and training states refuse: shapes, times, late copies, use after dispose, misuse. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type NoisePredictor, type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { subVpSde, vpSde } from "../../../src/diffusion/sde.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { optionsWithoutNoise } from "../../problems/sampler_facts.ts";
import { samplerByName, samplerInfo, scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train } from "../../../src/training/train.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { gentleVp, mixture, shape } from "../../problems/short_runs.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim(
  "a network refuses samples of another shape and use after dispose",
  { engines: ["wasm"] },
  async (check) => {
    const { config, weights } = smallModel();
    const noisePredictor = networkPredictor(config, weights).withLabels(3, 2);
    for (const other of [[1, 32, 32, 1], [1, 1, 28, 28], [1, 784], [1, 28, 28, 3]]) {
      const y = tf.zeros(other);
      await check.throws(
        `[${other}]`,
        () => noisePredictor.predictNoise(y, 1),
        new RegExp(`^the network takes samples of shape \\[B, 28, 28, 1\\], got \\[${other.join(", ")}\\]$`),
      );
      y.dispose();
    }
    noisePredictor.dispose();
    const y = tf.zeros([1, 28, 28, 1]);
    const message = /^the network's noise predictor was disposed: load it again$/;
    await check.throws("noise after dispose", () => noisePredictor.predictNoise(y, 1), message);
    await check.throws("prepare after dispose", () => noisePredictor.prepare(1), message);
    y.dispose();
  },
);

claim("times beyond the diffusion's end and below 0 are refused by every view of a model", async (check) => {
  const model = scoreModel(mixture, gentleVp);
  const x = tf.zeros([2, 3]);
  for (const view of ["predictedNoise", "score", "denoised", "odeDrift"] as const) {
    for (const time of [1.01, 1.0001, -1e-6, NaN, Infinity]) {
      await check.throws(
        `${view} at ${time}`,
        () => model[view](x, time),
        new RegExp(`^times must be from 0 to 1, got ${time}$`),
      );
    }
    await check.throws(
      `${view} at one row's time`,
      () => model[view](x, Float64Array.of(0.5, 2)),
      /^times must be from 0 to 1, got 2$/,
    );
    model[view](x, 1).dispose();
  }
  await check.throws(
    "a grid of one's own",
    () => drawSamples(model, dpmSolver2M(), { shape, grid: Float64Array.of(1.5, 1, 0.5), rng: createRng(1) }),
    /^a time grid must not begin before the diffusion's end, tMax = 1, got 1\.5$/,
  );
  x.dispose();
});

claim(
  "at σ = 0 the score and the velocity are refused, and predicted data and noise are finite",
  async (check) => {
    const x = createRng(1).normal([2, 3]);
    for (const sde of [vpSde(), subVpSde()]) {
      const model = scoreModel(mixture, sde);
      for (const time of [0, Float64Array.of(0.5, 0), Float64Array.of(NaN, 0)]) {
        for (const view of ["score", "odeDrift"] as const) {
          const message = /^there must be noise at the time, got none at 0$/;
          await check.throws(`${sde.config.kind}: ${view} at ${time}`, () => model[view](x, time), message);
        }
      }
      for (const view of ["denoised", "predictedNoise"] as const) {
        const value = model[view](x, 0);
        check.holds(
          `${sde.config.kind}: ${view} at 0`,
          (await value.data()).every(Number.isFinite),
          "finite",
        );
        value.dispose();
      }
      // Rows that broke stay so, and rows of their own times are not refused for them.
      const rows = model.score(x, Float64Array.of(NaN, 0.5));
      const finite = Array.from(await rows.data()).filter(Number.isFinite).length;
      check.equal(`${sde.config.kind}: finite numbers beside a row of NaN`, finite, 3, "one row of three");
      rows.dispose();
    }
    x.dispose();
  },
);

/** Values that are no noise of x [2, 3], and what a message says of each. */
const NO_NOISE: [what: string, noise: (y: tf.Tensor) => unknown, got: string][] = [
  ["a scalar", () => tf.scalar(1), "got float32 of shape \\[\\]"],
  ["a row", () => tf.ones([1, 3]), "got float32 of shape \\[1, 3\\]"],
  ["a longer one", (y) => tf.concat([y, y]), "got float32 of shape \\[4, 3\\]"],
  ["whole numbers", (y) => y.toInt(), "got int32 of shape \\[2, 3\\]"],
  ["truth values", (y) => y.greater(0), "got bool of shape \\[2, 3\\]"],
  ["a number", () => 1, "got 1"],
  ["nothing", () => undefined, "got undefined"],
  ["one that was disposed", (y) => {
    const copy = tf.clone(y);
    copy.dispose();
    return copy;
  }, "got one that was disposed"],
];

/** Waits for what promises bring. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

claim("the result of a noise predictor must be float32 of its input's shape", async (check) => {
  const x = createRng(1).normal([2, 3]);
  const before = tf.memory().numTensors;
  const promised: typeof NO_NOISE = NO_NOISE.map(([what, noise, got]) => [`${what}, later`, async (y) => {
    await null;
    return noise(y);
  }, got]);
  for (const [what, noise, got] of [...NO_NOISE, ...promised]) {
    const model = scoreModel({ predictNoise: noise } as unknown as NoisePredictor, gentleVp);
    const wanted = "the predicted noise must be a float32 tensor of shape \\[2, 3\\], ";
    for (const view of ["predictedNoise", "score", "denoised", "odeDrift"] as const) {
      await check.throws(`${view} of ${what}`, () => model[view](x, 0.5), new RegExp(`^${wanted}${got}$`));
    }
    const run = { shape: [2, 3], grid: { kind: "uniform", steps: 2 }, rng: createRng(1) } as const;
    await check.throws(
      `samples of ${what}`,
      () => drawSamples(model, dpmSolver2M(), run),
      new RegExp(`^dpm.*: step 1 of 2, from time 1 to .*: ${wanted}${got}$`),
    );
  }
  await settled();
  check.equal("tensors left", tf.memory().numTensors - before, 0, "a refusal leaves none");
  x.dispose();
});

claim("the result of a sampler's step must be float32 of the state's shape", async (check) => {
  const model: ScoreModel = scoreModel(mixture, gentleVp);
  const run = { shape: [2, 3], grid: { kind: "uniform", steps: 2 }, rng: createRng(1) } as const;
  const before = tf.memory().numTensors;
  for (const [what, step, got] of NO_NOISE) {
    for (const part of ["step", "finish"]) {
      const stepper = { step: (x: tf.Tensor) => tf.clone(x), dispose: () => {}, [part]: step };
      const sampler = { name: "own", start: () => stepper } as unknown as Sampler;
      if (part === "finish" && what === "nothing") continue; // A finish that returns nothing is none.
      await check.throws(
        `${part}: ${what}`,
        () => drawSamples(model, sampler, run),
        new RegExp(
          `^own: .*: the sampler's state must be a float32 tensor of shape \\[2, 3\\], ${got}$`,
        ),
      );
    }
  }
  // What a step makes before it returns something else is its own; here none is made.
  const left = tf.memory().numTensors - before;
  check.equal("tensors left", left, 0, "a refusal leaves none");
});

claim(
  "an argument that is no model, sampler or generator is refused by name, without type checking",
  async (check) => {
    const model = scoreModel(mixture, gentleVp);
    const rng = createRng(1);
    const run = { shape, grid: { kind: "log-snr", steps: 2 }, rng } as const;
    await check.throws(
      "a sampler's function for a sampler",
      () => drawSamples(model, dpmSolver2M as unknown as Sampler, run),
      /^sampler must be a sampler, as dpmSolver2M\(\) makes it, got the function dpmSolver2M$/,
    );
    await check.throws(
      "a noise predictor for a model",
      () => drawSamples(mixture as unknown as typeof model, dpmSolver2M(), run),
      /^model must be a score model, as scoreModel\(noisePredictor, sde\) makes it, got an object$/,
    );
    await check.throws(
      "a misspelt option",
      () => drawSamples(model, dpmSolver2M(), { ...run, denoize: false } as never),
      /^options has an unknown field "denoize"; its fields are shape, grid, rng, denoise, initial, signal$/,
    );
    await check.throws(
      "a seed for a generator",
      () => drawSamples(model, dpmSolver2M(), { ...run, rng: 1 as unknown as typeof rng }),
      /^rng must be a generator, as createRng\(seed\) makes it, got 1$/,
    );
  },
);

claim(
  "a copy of a training state that is requested too late is an error, never a later state",
  async (check) => {
    const network = {
      kind: "mlp",
      dimensions: 2,
      hidden: 8,
      layers: 1,
      noiseFeatures: 4,
      classes: 0,
    } as const;
    const config = {
      model: { network, preconditioning: { sigmaData: 0.5, centre: 0 } },
      objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 } as const,
      optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 0 },
      steps: 5,
      batch: 2,
      labelDropout: 0,
      seed: 1,
    };
    const batch = { images: Float32Array.of(-1, 0, 1, 0.5) };
    let early: (() => Promise<unknown>) | null = null;
    for await (const { step, snapshot } of train(config, () => batch)) {
      if (step === 2) {
        check.equal("in time", (await snapshot()).step, 2, "the step it was taken at");
        early = snapshot;
      }
      if (step === 4) {
        await check.throws(
          "two steps later",
          early!,
          /^the state after step 2 is gone: copy it before the next step begins$/,
        );
      }
    }
  },
);

/** The states after a jump back to the first time, by a run that has history and by one that has none. */
async function afterJump(check: Check, name: string): Promise<void> {
  const model = scoreModel(mixture, gentleVp);
  const [times, x] = [[0.9, 0.7, 0.5], createRng(3).normal(shape)];
  const options = optionsWithoutNoise(name);
  const used = samplerByName(name, options).start(model, createRng(4));
  let state: tf.Tensor = x.clone();
  for (const [t, s] of [[times[0], times[1]], [times[1], times[2]]]) {
    const next = await used.step(state, t, s);
    state.dispose();
    state = next;
  }
  // As RePaint does: the state is diffused back to the first time, and the run goes on from there.
  const again = await used.step(x, times[0], times[1]);
  const fresh = samplerByName(name, options).start(model, createRng(5));
  const anew = await fresh.step(x, times[0], times[1]);
  check.equal(
    `${name}: first step after a jump`,
    await again.data(),
    await anew.data(),
    "a fresh run's, bit for bit",
  );
  // The step after it goes by the one before, and by nothing older.
  const [second, expected] = [
    await used.step(again, times[1], times[2]),
    await fresh.step(again, times[1], times[2]),
  ];
  check.equal(
    `${name}: second step`,
    await second.data(),
    await expected.data(),
    "a fresh run's, bit for bit",
  );
  tf.dispose([x, state, again, anew, second, expected]);
  used.dispose();
  fresh.dispose();
}

claim("after a jump back in time a multistep sampler continues as a fresh run", async (check) => {
  const names = scoreSamplerNames.filter((name) => samplerInfo(name).kind === "multistep");
  check.atLeast(
    "multistep samplers",
    names.length,
    3,
    "by the catalogue: DPM-Solver++(2M), its SDE variant, UniPC",
  );
  for (const name of names) await afterJump(check, name);
});

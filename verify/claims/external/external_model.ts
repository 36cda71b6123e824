/**
 * Models from elsewhere: the exact answers of a mixture, given in every form in which models give them, are the mixture again.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import type { PerRow } from "../../../src/compute/rows.ts";
import * as tf from "../../../src/compute/tf.ts";
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { discreteDdpm, type Sde, sigmaPowerSde, subVpSde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import {
  type Conditioning,
  conditionings,
  externalModel,
  type ExternalModelOptions,
} from "../../../src/external/external_model.ts";
import { type Prediction, predictions } from "../../../src/diffusion/prediction.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { predictedAs } from "../../reference/predictions.ts";
import { claim } from "../../suite/claim.ts";

const mixture = GaussianMixture.from({
  weights: [0.3, 0.7],
  means: [[-1, 0.5, 0.2, 0], [1, 0, -0.4, 0.3]],
  covariances: [0.2, 0.4].map((v) => [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => i === j ? v : 0.05))),
});

/** [B, 2, 1, 2] images of the mixture's four numbers: height 2, width 1, two channels. */
const IMAGE = [2, 1, 2];

const sdes: Record<string, Sde> = {
  ve: veSde({ sigmaMax: 20 }),
  vp: vpSde(),
  subvp: subVpSde(),
  "sigma-power": sigmaPowerSde(),
  ddpm: discreteDdpm(linearBetas(100, 1e-3, 0.1)),
};

/** The time and the noise ratio that a condition stands for, by the definitions of the papers. */
function read(
  conditioning: Conditioning,
  value: number,
  sde: Sde,
  steps: number,
): { t: number; ratio: number } {
  const byTime = (t: number) => ({ t, ratio: sde.sigma(t) / sde.alpha(t) });
  const byRatio = (ratio: number) => {
    let [low, high] = [0, sde.tMax * 1.001];
    for (let i = 0; i < 200; i++) {
      const middle = (low + high) / 2;
      if (sde.sigma(middle) / sde.alpha(middle) < ratio) low = middle;
      else high = middle;
    }
    return { t: low, ratio };
  };
  switch (conditioning) {
    case "time":
      return byTime(value);
    case "scaled-time":
      return byTime(value / steps);
    case "index":
    case "whole-index":
      return byTime((value + 1) / steps);
    case "sigma":
      return byRatio(value);
    case "log-sigma-quarter":
      return byRatio(Math.exp(4 * value));
  }
}

/** σ_data of the model that answers as EDM's networks do. */
const SIGMA_DATA = 0.7;

/** What a model of that kind answers at x = α x_0 + σ ε, by the definition of its prediction; x and the answer are [1, 4]. */
function answer(prediction: Prediction, x: tf.Tensor, sde: Sde, t: number, ratio: number): tf.Tensor {
  const [alpha, sigma] = [sde.alpha(t), sde.sigma(t)];
  const y = prediction === "edm" ? x.mul(Math.hypot(ratio, SIGMA_DATA)) : x.div(alpha);
  const noise = mixture.predictNoise(y, ratio);
  const data = mixture.posteriorMean(y, ratio);
  return predictedAs(prediction, { alpha, sigma, noise, data, sigmaData: SIGMA_DATA });
}

/** The mixture's answers row by row, as a model of that kind and layout gives them. */
function foreign(options: ExternalModelOptions, steps: number, later: boolean) {
  const { sde, prediction, conditioning, layout } = options;
  return externalModel((x, condition) => {
    const values = tf.tidy(() => {
      // [B, channels, height, width] has the channel before the place.
      const flat = (layout === "nchw" ? x.transpose([0, 2, 3, 1]) : x).reshape([x.shape[0], 4]);
      const rows = Array.from(condition.dataSync(), (value, row) => {
        const { t, ratio } = read(conditioning, value, sde, steps);
        return answer(prediction, flat.slice([row, 0], [1, 4]), sde, t, ratio);
      });
      const images = tf.concat(rows).reshape([x.shape[0], ...IMAGE]);
      return layout === "nchw" ? images.transpose([0, 3, 1, 2]) : images;
    });
    return later ? new Promise<tf.Tensor>((resolve) => setTimeout(() => resolve(values))) : values;
  }, options);
}

claim(
  "exact answers in every prediction, conditioning, layout and SDE are the exact predicted noise",
  async (check) => {
    const y = tf.tidy(() => createRng(3).normal([3, ...IMAGE]).mul(0.8));
    const flat = y.reshape([3, 4]);
    const before = tf.memory().numTensors;
    let count = 0;
    for (const [name, sde] of Object.entries(sdes)) {
      for (const prediction of predictions) {
        for (const conditioning of conditionings) {
          const layout = count % 2 === 0 ? "nhwc" : "nchw";
          const later = count++ % 3 === 0;
          const steps = name === "ddpm" ? 100 : 50;
          // Noise ratios at whole indices, so that a rounded index loses nothing.
          const times = [0.9, 0.5, 0.2];
          const ratios = times.map((t) => sde.sigma(t) / sde.alpha(t));
          const options = { sde, prediction, conditioning, layout, sigmaData: SIGMA_DATA } as const;
          const model = foreign(name === "ddpm" ? options : { ...options, steps }, steps, later);
          for (const ratio of [ratios[1], Float64Array.from(ratios)] as PerRow[]) {
            const [error] = await worst(await model.predictNoise(y, ratio), flat, ratio);
            const label = `${name}, ${prediction}, ${conditioning}, ${layout}${later ? ", later" : ""}`;
            const what = typeof ratio === "number" ? "one ratio" : "a ratio for each row";
            check.atMost(
              `${label}, ${what}`,
              error,
              2e-4,
              "float32, whose rounding σ/α and EDM's terms enlarge",
            );
          }
        }
      }
    }
    check.equal("tensors left", tf.memory().numTensors - before, 0, "the model's answers are disposed");
    tf.dispose([y, flat]);
  },
);

/** The largest difference from the mixture's own answer; disposes the first. */
async function worst(noise: tf.Tensor, flat: tf.Tensor, ratio: PerRow): Promise<Float32Array> {
  const difference = tf.tidy(() =>
    noise.reshape(flat.shape).sub(mixture.predictNoise(flat, ratio)).abs().max()
  );
  noise.dispose();
  const values = await difference.data<"float32">();
  difference.dispose();
  return values;
}

claim(
  "samples from a model that predicts velocities later are those of the mixture itself",
  async (check) => {
    const sde = sdes.ddpm;
    const options = { sde, prediction: "velocity", conditioning: "index", layout: "nchw" } as const;
    const run = { grid: { kind: "log-snr", steps: 6 }, denoise: true } as const;
    const own = await drawSamples(scoreModel(mixture, sde), dpmSolver2M(), {
      ...run,
      shape: [4, 4],
      rng: createRng(5),
    });
    const foreigner = await drawSamples(scoreModel(foreign(options, 100, true), sde), dpmSolver2M(), {
      ...run,
      shape: [4, ...IMAGE],
      rng: createRng(5),
    });
    const error = tf.tidy(() => foreigner.reshape([4, 4]).sub(own).abs().max());
    check.atMost("largest difference", (await error.data())[0], 1e-4, "float32 over seven evaluations");
    tf.dispose([own, foreigner, error]);
  },
);

claim("a model of TensorFlow.js operations that answers at once has likelihoods", async (check) => {
  // Data N(0, 1): the noise predicted in x = α x_0 + σ ε is σ x, and its velocity is 0.
  const sde = vpSde();
  const model = externalModel((x) => x.mul(0), { sde, prediction: "velocity", conditioning: "time" });
  const x = tf.tensor2d([[0], [1.5]]);
  const { logDensity } = await logLikelihood(scoreModel(model, sde), x);
  x.dispose();
  const exact = (value: number) => -0.5 * (Math.log(2 * Math.PI) + value ** 2);
  check.atMost("at 0", Math.abs(logDensity[0] - exact(0)), 1e-3, "ln N(0; 0, 1)");
  check.atMost("at 1.5", Math.abs(logDensity[1] - exact(1.5)), 1e-3, "ln N(1.5; 0, 1)");
});

claim("options and outputs that no model has are refused in one sentence", async (check) => {
  const good = { sde: vpSde(), prediction: "noise", conditioning: "time" } as const;
  const refused: [string, () => unknown, RegExp][] = [
    ["no function", () => externalModel(1 as never, good), /^predict must be a function, got 1$/],
    [
      "another prediction",
      () => externalModel((x) => x, { ...good, prediction: "epsilon" as never }),
      /^prediction must be "noise" or "data" or "velocity" or "score" or "edm" or "flow", got "epsilon"$/,
    ],
    [
      "another conditioning",
      () => externalModel((x) => x, { ...good, conditioning: "timestep" as never }),
      /^conditioning must be "time" or "scaled-time" or "index" or "whole-index" or "sigma" or "log-sigma-quarter", got "timestep"$/,
    ],
    [
      "an index without steps",
      () => externalModel((x) => x, { ...good, conditioning: "index" }),
      /^a model that is conditioned on an index needs the number of steps, which the SDE vp does not have: give steps$/,
    ],
    [
      "a scaled time without steps",
      () => externalModel((x) => x, { ...good, conditioning: "scaled-time" }),
      /^a model that is conditioned on a scaled time needs the number of steps, which the SDE vp does not have: give steps$/,
    ],
    [
      "another layout",
      () => externalModel((x) => x, { ...good, layout: "chw" as never }),
      /^layout must be "nhwc" or "nchw", got "chw"$/,
    ],
    [
      "another shape",
      () => externalModel((x) => x.sum(), good).predictNoise(tf.ones([2, 3]), 1),
      /^the model's output must have the shape of its input, \[2, 3\], got \[\]$/,
    ],
    [
      "another type",
      () => externalModel((x) => x.toInt(), good).predictNoise(tf.ones([2, 3]), 1),
      /^the model's output must be a float32 tensor, got int32 of shape \[2, 3\]: cast it$/,
    ],
    [
      "numbers instead of a tensor",
      () => externalModel(() => [1] as never, good).predictNoise(tf.ones([2, 3]), 1),
      /^the model's output must be a tensor, got \[1\]$/,
    ],
  ];
  for (const [label, action, message] of refused) await check.throws(label, action, message);
});

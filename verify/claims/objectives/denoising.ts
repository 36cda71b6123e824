/** Claims about the objectives: the levels they draw, their weights, and the loss that nothing can go below. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import type { NoisePredictor } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import type { Network } from "../../../src/networks/network.ts";
import {
  denoisingLoss,
  denoisingLossOf,
  drawNoiseLevels,
  edmWeight,
  type ObjectiveConfig,
  sdeWeight,
} from "../../../src/objectives/denoising.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { OPTIMIZER_DEFAULTS, scalarTensors } from "../../../src/training/optimizer.ts";
import { denoisingGradient } from "../../../src/training/denoising_step.ts";
import { trainingStep } from "../../../src/training/step.ts";
import { allSdes } from "../../problems/sdes.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { firstOf } from "../../instruments/tensor_scope.ts";
import { checkUniform, standardNormalCdf } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const eigenvalues = [4, 1, 0.04];
const dimension = eigenvalues.length;

/** N(0, diag(eigenvalues)), which predicts its own noise exactly. */
const problem = () => new Gaussian({ mean: [0, 0, 0], variances: eigenvalues });

/** The least E (ε̂ − ε)² per coordinate at noise ratio ν: ε has posterior variance λ/(λ + ν²) along each eigenvector. */
function floor(noiseRatio: number): number {
  return eigenvalues.reduce((sum, l) => sum + l / (l + noiseRatio ** 2), 0) / dimension;
}

claim("EDM's noise levels are log-normal, and its weight turns data errors into noise errors", (check) => {
  const objective: ObjectiveConfig = { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.616 };
  const rows = 20_000;
  const { noiseRatio, weight } = drawNoiseLevels(objective, createRng(check.seed), rows);
  const standard = noiseRatio.map((ratio) => (Math.log(ratio) + 1) / 1.2);
  checkUniform(check, "ln ν", standard.map(standardNormalCdf), "N(−1, 1.2²): Karras et al. 2022, Table 1");
  // λ(ν)·(D − x_0)² with D − x_0 = −ν(ε̂ − ε) and λ = (ν² + σ_d²)/(ν σ_d)².
  const worst = noiseRatio.reduce((most, nu, i) => {
    const karras = (nu ** 2 + 0.616 ** 2) / (nu * 0.616) ** 2;
    return Math.max(most, Math.abs(weight[i] / (karras * nu ** 2) - 1));
  }, 0);
  check.atMost(
    "weight, worst relative error",
    worst,
    1e-14,
    "Karras et al. 2022, Table 1, times ν²; float64",
  );
});

claim("an SDE's noise levels are those of uniform times, weighted by λ/σ²", (check) => {
  for (const sde of allSdes) {
    const { kind } = sde.config;
    const levels = (weighting: "variance" | "likelihood" | "velocity") =>
      drawNoiseLevels({ kind: "sde", sde: sde.config, weighting }, createRng(check.seed), 20_000);
    const plain = levels("variance");
    const times = plain.noiseRatio.map((ratio) => sde.timeAtHalfLogSnr(-Math.log(ratio)));
    const uniform = times.map((t) => (t - sde.tMin) / (sde.tMax - sde.tMin));
    checkUniform(check, `${kind}: times`, uniform, "Song et al. 2021, eq. 7");
    check.holds(`${kind}: λ = σ² weighs all noise alike`, plain.weight.every((w) => w === 1), "λ/σ² = 1");
    const likelihood = levels("likelihood");
    const worst = times.reduce((most, t, i) => {
      const expected = sde.diffusionCoefficient(t) ** 2 / sde.sigma(t) ** 2;
      return Math.max(most, Math.abs(likelihood.weight[i] / expected - 1));
    }, 0);
    const velocity = levels("velocity");
    const worstVelocity = times.reduce((most, t, i) => {
      const expected = (sde.diffusionCoefficient(t) ** 2 / sde.sigma(t) / 2) ** 2;
      return Math.max(most, Math.abs(velocity.weight[i] / expected - 1));
    }, 0);
    check.atMost(`${kind}: velocity, worst relative error`, worstVelocity, 1e-12, "dx/dt = f x + g²/(2σ) ε̂");
    check.atMost(
      `${kind}: λ = g², worst relative error`,
      worst,
      1e-12,
      "g²/σ² at the time found by inversion",
    );
  }
});

claim("the denoising loss of an exact score is the posterior variance of the noise", async (check) => {
  const rows = 40_000;
  for (const [ratio, weight] of [[0.1, 1], [1, 1], [1, 3], [10, 1]]) {
    const rng = createRng(check.seed).fork(`ν ${ratio}, ${weight}`);
    const data = problem().sample(rng.fork("data"), rows);
    const noise = rng.fork("noise").normal([rows, dimension]);
    const levels = {
      noiseRatio: new Float64Array(rows).fill(ratio),
      weight: new Float64Array(rows).fill(weight),
    };
    const exact = tf.tidy(() => denoisingLossOf(problem(), data, noise, levels));
    // Coordinate i's error is N(0, v_i), v = λ/(λ + ν²): its square has variance 2 v².
    const variances = eigenvalues.map((l) => l / (l + ratio ** 2));
    const std = weight * Math.sqrt(variances.reduce((sum, v) => sum + 2 * v * v, 0)) / dimension;
    const tolerance = 6.1 * std / Math.sqrt(rows) + 1e-5;
    check.within(
      `ν = ${ratio}, weight ${weight}`,
      (await exact.data())[0],
      weight * floor(ratio),
      tolerance,
      "E w‖ε̂* − ε‖²/d = w Σ λ/(λ + ν²)/d; six standard errors and float32",
      { detectable: `${tolerance.toExponential(1)}; the zero score is at ${weight}`, alarmRate: 1e-9 },
    );
    const zeroPredictor: NoisePredictor = { predictNoise: (y) => tf.zerosLike(y) };
    const zero = tf.tidy(() => denoisingLossOf(zeroPredictor, data, noise, levels));
    const spread = weight * Math.sqrt(2 / dimension) * 6.1 / Math.sqrt(rows);
    check.within("a network with output 0", (await zero.data())[0], weight, spread + 1e-5, "E ε² = 1", {
      alarmRate: 1e-9,
    });
    tf.dispose([exact, zero, data, noise]);
  }
});

claim("a loss is the weighted mean over rows of the mean over coordinates", async (check) => {
  const losses = tf.tidy(() =>
    denoisingLoss(
      tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]),
      tf.tensor3d([0, 0, 0, 0, 5, 6, 7, 6], [2, 2, 2]),
      tf.tensor3d([0.5, 4], [2, 1, 1]),
    )
  );
  const loss = await firstOf(losses);
  losses.dispose();
  // Rows: (1 + 4 + 9 + 16)/4 = 7.5 and 4/4 = 1.
  check.equal("two rows", loss, (0.5 * 7.5 + 4 * 1) / 2, "by hand");
  check.equal("EDM's weight at ν = σ_d", edmWeight(0.5, 0.5), 2, "1 + 1");
  const [sde, t] = [vpSde(), 0.3];
  const expected = (sde.diffusionCoefficient(t) / sde.sigma(t)) ** 2;
  check.equal("likelihood weight", sdeWeight(sde, t, "likelihood"), expected, "g²/σ²");
});

claim(
  "a linear noise predictor trained on Gaussian data reaches the loss floor and the exact matrix",
  async (check) => {
    const ratio = 1;
    const linear: Network = {
      config: null,
      sampleShape: [dimension],
      classes: 0,
      parameters: [{ name: "matrix", shape: [dimension, dimension], mean: 0, std: 0 }],
      noiseFeatureCount: 1,
      initialise: () => new Map([["matrix", new Float32Array(dimension ** 2)]]),
      noiseFeatures: (logs) => new Float32Array(logs.length),
      forward: (p, x) => tf.matMul(x as tf.Tensor2D, p.matrix as tf.Tensor2D),
    };
    const [rows, steps] = [1000, 200];
    const optimizer = { ...OPTIMIZER_DEFAULTS, rate: 0.03, warmup: 0, ema: 0.9 };
    const step = trainingStep(denoisingGradient(linear, null), optimizer);
    const zeros = () => tf.zeros<tf.Rank.R1>([dimension ** 2]);
    let state = { weights: zeros(), ema: zeros(), mean: zeros(), variance: zeros() };
    for (let done = 0; done < steps; done++) {
      const { state: next, loss, norm } = tf.tidy(() => {
        const rng = createRng(check.seed).fork(`step ${done}`);
        const ones = tf.ones<tf.Rank.R2>([rows, 1]);
        return step({
          state,
          scalars: scalarTensors(optimizer, done + 1, steps),
          batch: {
            data: problem().sample(rng.fork("data"), rows),
            noise: rng.fork("noise").normal([rows, dimension]),
            noiseRatio: tf.mul(ones, ratio),
            weight: ones,
            prediction: { input: ones, skip: tf.zerosLike(ones), output: ones, noiseFeatures: ones },
          },
        });
      });
      tf.dispose([...Object.values(state), loss, norm]);
      state = { ...next };
    }
    const matrix = await state.ema.data();
    tf.dispose(Object.values(state));
    // The minimum: ε̂ = y ν/(λ + ν²) along each eigenvector, and excess loss Σ_ij (M − M*)²_ij (λ_i + ν²)/d. Averaged gradient
    // noise leaves entries of about 1/√(rows · 10 steps of the average) = 0.007; five times that, squared, over all entries.
    let excess = 0;
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j < dimension; j++) {
        const exact = i === j ? ratio / (eigenvalues[i] + ratio ** 2) : 0;
        excess += (matrix[i * dimension + j] - exact) ** 2 * (eigenvalues[i] + ratio ** 2) / dimension;
      }
    }
    const bound = 0.02 ** 2 * eigenvalues.reduce((sum, l) => sum + l + ratio ** 2, 0);
    check.atMost(
      "loss above the floor",
      excess,
      bound,
      "twice the average's gradient noise, all entries",
      {
        detectable: `${(100 * bound / floor(ratio)).toPrecision(2)}% of the floor ${
          floor(ratio).toPrecision(3)
        }`,
      },
    );
  },
);

claim("noise levels out of range are refused", async (check) => {
  const rng = createRng(0);
  const edm = { kind: "edm", mean: 0, std: 1, sigmaData: 1 } as const;
  const sde = { kind: "sde", sde: vpSde().config, weighting: "variance" } as const;
  for (
    const [objective, message] of [
      [{ ...edm, mean: NaN }, /^mean must be a finite number, got NaN$/],
      [{ ...edm, mean: 1e4 }, /^mean and std must give noise ratios that float64 has, got 10000 and 1$/],
      [{ ...edm, mean: -1e4 }, /^mean and std must give .*, got -10000 and 1$/],
      [{ ...edm, std: 0 }, /^std must be a positive number, got 0$/],
      [{ ...edm, sigmaData: -1 }, /^sigmaData must be a positive number, got -1$/],
      [
        { ...sde, weighting: "none" },
        /^weighting must be "variance" or "likelihood" or "velocity", got "none"$/,
      ],
      [{ ...sde, times: "late" }, /^times must be "uniform" or "importance" or "logit-normal", got "late"$/],
      [{ ...sde, times: null }, /^times must be "uniform" or "importance" or "logit-normal", got null$/],
      [{ ...sde, times: "logit-normal", logit: null }, /^logit must be an object, got null$/],
      [
        { ...sde, times: "logit-normal", logit: { mean: NaN, std: 1 } },
        /^the logit's mean must be a finite number, got NaN$/,
      ],
      [
        { ...sde, times: "logit-normal", logit: { mean: 0, std: 0 } },
        /^the logit's std must be a positive number, got 0$/,
      ],
      [{ kind: "levels", ratios: [1, 0] }, /^ratios must hold positive numbers, got 0$/],
      [{ kind: "levels", ratios: [] }, /^an objective needs at least one noise ratio$/],
      [{ kind: "other" }, /^an objective's kind must be "edm" or "sde" or "levels", got "other"$/],
      [null, /^objective must be an object, got null$/],
    ] as const
  ) {
    const draw = () => drawNoiseLevels(objective as unknown as ObjectiveConfig, rng, 1);
    await check.throws(JSON.stringify(objective), draw, message);
  }
  await check.throws(
    "no rows",
    () => drawNoiseLevels(edm, rng, 0),
    /^rows must be a positive integer, got 0$/,
  );
  const [noise, weight] = [tf.zeros([2, 3]), tf.ones([3, 1])];
  await check.throws(
    "weights of other rows",
    () => denoisingLoss(noise, noise, weight),
    /^weight must hold one number a row, got 3 for 2 rows$/,
  );
  tf.dispose([noise, weight]);
});

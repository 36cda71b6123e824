/** Claims about gradients that a model hides, and about those of one class, one component or one coordinate. @module */
import { createRng } from "../../../src/compute/rng.ts";
import type { PerRow } from "../../../src/compute/rows.ts";
import * as tf from "../../../src/compute/tf.ts";
import { classifierGuided, mixtureClassifier } from "../../../src/conditioning/guidance.ts";
import { exactPosterior, linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { type NoisePredictor, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { PointCloud } from "../../../src/distributions/point_cloud.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { implicitScoreMatching } from "../../../src/objectives/implicit.ts";
import { slicedScoreMatching } from "../../../src/objectives/sliced.ts";
import { veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { parameterGradient } from "../../../src/training/step.ts";
import { claim } from "../../suite/claim.ts";

const normal = new Gaussian({ mean: [0], covariance: [[1]] });

/** The same noise predictor by ε̂ = (y − D)/ν: only D is computed from values that were read back, so that a part has a gradient. */
const partlyHidden: NoisePredictor = {
  predictNoise: (y, ratios: PerRow) => {
    const ratio = typeof ratios === "number" ? ratios : ratios[0];
    return y.sub(readBack(y.mul(2)).mul(0.5 / (1 + ratio ** 2))).div(ratio);
  },
};

/** The same numbers as x, computed outside of TensorFlow.js. */
const readBack = (x: tf.Tensor) => tf.tensor(x.dataSync<"float32">().slice(), x.shape);

/** A noise predictor of N(0, 1) in each coordinate, ε̂ = ν y/(1 + ν²), computed from values that were read back. */
const hidden: NoisePredictor = {
  predictNoise: (y, noiseRatio) => {
    const ratio = noiseRatio as number;
    return readBack(y).mul(ratio / (1 + ratio ** 2));
  },
};

const oneRatio: NoisePredictor = {
  predictNoise: (y, ratios: PerRow) =>
    hidden.predictNoise(y, typeof ratios === "number" ? ratios : ratios[0]),
};

claim("a model detached from its input is an error, never the divergence of the linear drift alone", {
  engines: ["wasm"],
}, async (check) => {
  const x = tf.tensor2d([[0.3], [0.3]]);
  const message =
    /^the predicted noise has no gradient: compute it from its argument by TensorFlow\.js operations alone$/;
  const before = tf.memory().numTensors;
  const sdes = [vpSde(), veSde({ sigmaMin: 0.01, sigmaMax: 10 })];
  const noisePredictors = [["wholly", oneRatio], ["partly", partlyHidden]] as const;
  for (
    const [sde, [how, noisePredictor]] of sdes.flatMap((sde) =>
      noisePredictors.map((one) => [sde, one] as const)
    )
  ) {
    const model = scoreModel(noisePredictor, sde);
    for (const kind of ["exact", "estimated"] as const) {
      const trace = kind === "exact" ? "exact" : { rng: createRng(1) };
      const method = { kind: "rk4", grid: { kind: "log-snr", steps: 32 } } as const;
      await check.throws(
        `log likelihood, ${sde.config.kind}, ${kind} trace, ${how} hidden`,
        () => logLikelihood(model, x, { trace, method }),
        message,
      );
    }
    const seen = await linearObservation(maskOperator([1], [1]), tf.tensor2d([[0.5]]), 0.1);
    for (const method of ["mmps", "tmpd", "pigdm"] as const) {
      await check.throws(
        `posterior score, ${sde.config.kind}, ${method}, ${how} hidden`,
        () => posteriorScore(model, seen, { method }).score(x, 0.5),
        message,
      );
    }
    seen.y.dispose();
  }
  // The same distribution by operations that have gradients: log N(0.3; 0, 1 + ν²) at the first noise ratio.
  const sde = veSde({ sigmaMin: 0.01, sigmaMax: 50 });
  const { logDensity } = await logLikelihood(scoreModel(normal, sde), x);
  const expected = -0.5 * Math.log(2 * Math.PI * 1.0001) - 0.5 * 0.09 / 1.0001;
  check.within(
    "log N(0.3; 0, 1.0001)",
    logDensity[0],
    expected,
    3e-4,
    "closed form; steps at a tolerance of 1e-5",
  );
  const classifier = {
    classes: 2,
    logProbability: (y: tf.Tensor) => readBack(y).mul(-1).reshape([y.shape[0]]),
  };
  await check.throws(
    "classifier guidance",
    () => classifierGuided(scoreModel(normal, sde), classifier, 0).score(x, 0.5),
    /^the classifier's log probability has no gradient: compute it/,
  );
  const score = (x: tf.Tensor2D) => readBack(x).mul(-1) as tf.Tensor2D;
  const points = x as tf.Tensor2D;
  await check.throws(
    "implicit score matching",
    () => implicitScoreMatching(score, points),
    /^the score has no gradient: compute it/,
  );
  const ones = tf.ones([2, 1]) as tf.Tensor2D;
  await check.throws(
    "sliced score matching",
    () => slicedScoreMatching(score, points, ones),
    /^the score has no gradient: compute it/,
  );
  const half = (x: tf.Tensor2D) => tf.add(readBack(x).mul(-0.5), x.mul(-0.5)) as tf.Tensor2D;
  await check.throws(
    "sliced score matching, partly hidden",
    () => slicedScoreMatching(half, points, ones),
    /^the score has no gradient: compute it/,
  );
  const weights = tf.ones([2]) as tf.Tensor1D;
  const specs = [{ name: "w", shape: [2], mean: 0, std: 1 }];
  const loss = () => parameterGradient(specs, weights, (p) => readBack(p.w).sum());
  await check.throws("a loss", () => tf.tidy(loss), /^the loss has no gradient: compute it/);
  tf.dispose([ones, weights]);
  check.equal(
    "tensors after all errors",
    tf.memory().numTensors - before,
    0,
    "what operations keep for the way back is freed with the error",
  );
});

claim(
  "values may be read within a function with a custom gradient, and where they do not depend on x",
  {
    engines: ["cpu", "wasm"],
  },
  async (check) => {
    const x = tf.tensor2d([[0.3], [0.3]]);
    const scale = tf.scalar(0.5);
    const sde = veSde({ sigmaMin: 0.01, sigmaMax: 50 });
    const slope = (ratios: PerRow) => {
      const ratio = typeof ratios === "number" ? ratios : ratios[0];
      return ratio / (1 + ratio ** 2);
    };
    /** An implementation outside TensorFlow.js, with its derivative. */
    const outside: NoisePredictor = {
      predictNoise: (y, ratios) =>
        tf.customGrad((y) => ({
          value: readBack(y as tf.Tensor).mul(slope(ratios)),
          gradFunc: (dy: tf.Tensor) => dy.mul(slope(ratios)),
        }))(y),
    };
    const readsConstants: NoisePredictor = {
      predictNoise: (y, ratios) => y.mul(2 * scale.dataSync()[0] * slope(ratios)),
    };
    for (
      const [what, noisePredictor] of [["its own gradient", outside], ["a constant", readsConstants]] as const
    ) {
      const { logDensity } = await logLikelihood(scoreModel(noisePredictor, sde), x);
      check.within(
        `log N(0.3; 0, 1.0001), ${what}`,
        logDensity[0],
        -0.5 * Math.log(2 * Math.PI * 1.0001) - 0.5 * 0.09 / 1.0001,
        3e-4,
        "closed form; steps at a tolerance of 1e-5",
      );
    }
    tf.dispose([x, scale]);
  },
);

claim("gradients for one component, one coordinate and one class equal their formulas", async (check) => {
  const ratio = 0.7;
  const values = [-1.2, 0.4, 2.5];
  const x = tf.tensor2d(values, [3, 1]);
  const gaussian = new Gaussian({ mean: [0.5], covariance: [[0.8]] });
  const cloud = new PointCloud([0.5], 1, Math.sqrt(0.8));
  const single = new GaussianMixture([1], [gaussian]);
  const seen = await linearObservation(maskOperator([1], [1]), tf.tensor2d([[1.5]]), 0.6);
  // N(0.5, 0.8) seen as 1.5 with noise of variance .36: precision 1/.8 + 1/.36, mean in that proportion.
  const variance = 1 / (1 / 0.8 + 1 / 0.36);
  const mean = variance * (0.5 / 0.8 + 1.5 / 0.36);
  const cases = [
    ["a mixture of one component", single, 0.5, 0.8],
    ["a cloud of one point", cloud, 0.5, 0.8],
    ["the posterior of a Gaussian", await exactPosterior(gaussian, seen), mean, variance],
  ] as const;
  for (const [what, distribution, m, v] of cases) {
    const total = v + ratio ** 2;
    const slope = tf.tidy(() => tf.grad((x: tf.Tensor) => distribution.predictNoise(x, ratio).sum())(x));
    const density = tf.tidy(() => tf.grad((x: tf.Tensor) => distribution.logDensity(x, ratio).sum())(x));
    const [slopes, densities] = [await slope.data(), await density.data()];
    tf.dispose([slope, density]);
    for (const [i, value] of values.entries()) {
      check.within(`${what}: ∂ε̂/∂y at ${value}`, slopes[i], ratio / total, 2e-7, "ν/(v + ν²), float32");
      const expected = -(value - m) / total;
      check.within(
        `${what}: ∂ log p/∂y at ${value}`,
        densities[i],
        expected,
        1e-6,
        "−(y − m)/(v + ν²), float32",
      );
    }
  }
  const model = scoreModel(single, vpSde());
  const guided = classifierGuided(model, mixtureClassifier(single), 0, 3);
  const [plain, with1] = [model.score(x, 0.4), guided.score(x, 0.4)];
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(plain, with1))));
  check.atMost(
    "guidance to the only class",
    (await difference.data())[0],
    1e-7,
    "log p(c|x) = 0 has no slope",
  );
  tf.dispose([plain, with1, difference]);
  const one = tf.oneHot(tf.tensor1d([0, 0, 1], "int32"), 1);
  check.equal(
    "one-hot of one class",
    [one.shape, Array.from(await one.data())],
    [[3, 1], [1, 1, 0]],
    "1 where it is 0",
  );
  one.dispose();
  x.dispose();
});

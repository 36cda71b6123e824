/**
 * Gaussians and mixtures against derivatives, in their tails, and their refusals.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { diffusedPosterior } from "../../../src/distributions/distribution.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { mixture, points } from "../../problems/mixtures.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

/** Fourth-order central difference of f along coordinate i. */
function slope(f: (x: number[]) => number, x: readonly number[], i: number, h: number): number {
  const at = (shift: number) => f(x.map((value, j) => value + (j === i ? shift : 0)));
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

claim("the score under every SDE is the gradient of the diffused log density", (check) => {
  for (const sde of allSdes) {
    for (const t of [sde.tMin, 0.05, 0.4, sde.tMax]) {
      let worst = 0;
      for (const point of points) {
        const x = point.map((value) => value * Math.hypot(sde.alpha(t), sde.sigma(t)));
        const h = 1e-3 * Math.hypot(0.1 * sde.alpha(t), sde.sigma(t));
        const { score } = diffusedPosterior(mixture, sde, x, t);
        const scale = Math.hypot(...score);
        for (let i = 0; i < 3; i++) {
          const expected = slope((x) => diffusedPosterior(mixture, sde, x, t).logDensity, x, i, h);
          worst = Math.max(worst, Math.abs(score[i] - expected) / scale);
        }
      }
      check.atMost(
        `${sde.config.kind} at t = ${t}: relative error`,
        worst,
        1e-8,
        "fourth-order differences: (1e-3)⁴, and rounding 1e-16/1e-3 × |log p| ≤ 1e5",
        {
          detectable: "1e-8 of the score",
        },
      );
    }
  }
});

claim(
  "the tensors' predicted noise is −ν times the automatic derivative of their log density",
  async (check) => {
    const distributions = {
      mixture,
      "full Gaussian": mixture.components[0],
      "diagonal Gaussian": mixture.components[1],
    };
    for (const [name, distribution] of Object.entries(distributions)) {
      for (const ratio of [0.02, 0.5, 10]) {
        const [noise, gradient] = tf.tidy(() => {
          const y = tf.tensor2d(points);
          return [
            distribution.predictNoise(y, ratio),
            tf.mul(tf.grad((y) => tf.sum(distribution.logDensity(y, ratio)))(y), -ratio),
          ];
        });
        const [observed, expected] = [await noise.data(), await gradient.data()];
        tf.dispose([noise, gradient]);
        const scale = Math.max(...expected.map(Math.abs));
        const worst = Math.max(...observed.map((value, i) => Math.abs(value - expected[i]))) / scale;
        check.atMost(`${name} at ν = ${ratio}`, worst, 1e-6, "float32: 8.3e-8 at most", {
          detectable: "1e-6 of the largest",
        });
      }
    }
  },
);

claim("Tweedie's identities: α E[x0|x] = x + σ² s, and Cov[x0|x] = (σ²/α²)(I + σ² ∇s)", (check) => {
  for (const sde of allSdes) {
    for (const t of [0.05, 0.4, sde.tMax]) {
      const [alpha, sigma] = [sde.alpha(t), sde.sigma(t)];
      let [worstMean, worstCovariance] = [0, 0];
      for (const point of points) {
        const x = point.map((value) => value * Math.hypot(alpha, sigma));
        const { mean, score, ...posterior } = diffusedPosterior(mixture, sde, x, t);
        const covariance = posterior.covariance();
        const size = (sigma / alpha) ** 2;
        for (let i = 0; i < 3; i++) {
          const terms = alpha + Math.abs(x[i]) + sigma ** 2 * Math.abs(score[i]);
          worstMean = Math.max(worstMean, Math.abs(alpha * mean[i] - (x[i] + sigma ** 2 * score[i])) / terms);
          for (let j = 0; j < 3; j++) {
            const derivative = slope(
              (x) => diffusedPosterior(mixture, sde, x, t).score[i],
              x,
              j,
              1e-3 * sigma,
            );
            const expected = size * ((i === j ? 1 : 0) + sigma ** 2 * derivative);
            worstCovariance = Math.max(worstCovariance, Math.abs(covariance[i][j] - expected) / size);
          }
        }
      }
      check.atMost(`${sde.config.kind} at t = ${t}: mean`, worstMean, 1e-14, "Efron 2011; rounding", {
        detectable: "1e-14 of x",
      });
      check.atMost(
        `${sde.config.kind} at t = ${t}: covariance`,
        worstCovariance,
        1e-10,
        "Efron 2011; fourth-order differences of numbers of order 1",
        {
          detectable: "1e-10 of ν²",
        },
      );
    }
  }
});

claim(
  "far tails stay finite: the nearest component takes over and the score points back to it",
  async (check) => {
    const distribution = GaussianMixture.from({
      weights: [0.5, 0.5],
      means: [[-1, 0], [1, 0]],
      covariances: [[[0.5, 0.2], [0.2, 0.3]], [[0.5, 0], [0, 0.3]]],
    });
    for (const far of [1e2, 1e5, 1e8]) {
      for (const ratio of [0.01, 1]) {
        const points = [[far, 0], [-far, far], [0, -far]];
        const y = tf.tensor2d(points);
        const tensors = [
          distribution.predictNoise(y, ratio),
          distribution.logDensity(y, ratio),
          distribution.responsibilities(y, ratio),
          distribution.posteriorMean(y, ratio),
        ];
        const [noise, density, responsibilities] = await Promise.all(tensors.map((tensor) => tensor.data()));
        const mean = await tensors[3].data();
        tf.dispose([y, tensors]);
        points.forEach((point, i) => {
          const exact = distribution.posterior(point, ratio);
          const what = `${point} at ν = ${ratio}`;
          const scale = Math.hypot(...exact.noise);
          check.within(
            `${what}: ε̂₁`,
            noise[2 * i],
            exact.noise[0],
            1e-6 * scale,
            "float64; float32 rounding × condition",
            { detectable: "1e-6" },
          );
          check.within(
            `${what}: E[x0|y]₂`,
            mean[2 * i + 1],
            exact.mean[1],
            1e-6 * far,
            "float64; float32 rounding",
            { detectable: "1e-6" },
          );
          check.within(
            `${what}: log density`,
            density[i],
            exact.logDensity,
            1e-6 * Math.abs(exact.logDensity),
            "float64; float32 rounding",
            {
              detectable: "1e-6 relative",
            },
          );
          check.within(
            `${what}: responsibilities' sum`,
            responsibilities[2 * i] + responsibilities[2 * i + 1],
            1,
            1e-6,
            "they are probabilities",
          );
        });
      }
    }
  },
);

claim("a row's label picks the component that denoises it", async (check) => {
  const y = tf.tensor2d(points);
  const labels = [2, 0, 1, 2];
  const noise = mixture.withLabels(labels).predictNoise(y, 0.4);
  const observed = await noise.data();
  tf.dispose([y, noise]);
  labels.forEach((label, row) => {
    const expected = mixture.components[label].posterior(points[row], 0.4).noise;
    for (let i = 0; i < 3; i++) {
      check.within(
        `row ${row}, coordinate ${i}`,
        observed[3 * row + i],
        expected[i],
        1e-6 * Math.hypot(...expected),
        "float64; float32 rounding × condition, 1e-7 at most",
        {
          detectable: "1e-6",
        },
      );
    }
  });
  const three = mixture.withLabels([0, 1, 2]);
  await check.throws(
    "rows",
    () => three.predictNoise(tf.zeros([2, 3]), 1),
    /^expected one label per row, got 3 for 2 rows$/,
  );
  await check.throws(
    "label 3",
    () => mixture.withLabels([0, 3]),
    /^labels must be whole numbers from 0 to 2, got 3$/,
  );
});

claim(
  "invalid parameters of a distribution are refused with the value and what is allowed",
  async (check) => {
    const unit = new Gaussian({ mean: [0], variances: [1] });
    const plane = new Gaussian({ mean: [0, 0], variances: [1, 0] });
    const gaussian = (covariance: number[][]) => () => new Gaussian({ mean: [0, 0], covariance });
    await check.throws(
      "no coordinates",
      () => new Gaussian({ mean: [], variances: [] }),
      /^mean must hold at least one number/,
    );
    await check.throws(
      "NaN mean",
      () => new Gaussian({ mean: [NaN], variances: [1] }),
      /^mean must hold finite numbers, got NaN$/,
    );
    await check.throws(
      "too few variances",
      () => new Gaussian({ mean: [0, 0], variances: [1] }),
      /^expected 2 variances, got 1$/,
    );
    await check.throws(
      "negative variance",
      () => new Gaussian({ mean: [0], variances: [-1] }),
      /positive semidefinite, got an eigenvalue of -1$/,
    );
    await check.throws(
      "indefinite",
      gaussian([[0, 1], [1, 0]]),
      /^covariance must be positive semidefinite, got an eigenvalue of -/,
    );
    await check.throws(
      "NaN covariance",
      gaussian([[1, NaN], [NaN, 1]]),
      /^covariance must hold finite numbers, got NaN$/,
    );
    await check.throws(
      "NaN values",
      () => mixture.given([0], [NaN]),
      /^values must hold finite numbers, got NaN$/,
    );
    await check.throws("offset", () => unit.affine([[2]], []), /^expected an offset of 1 numbers, got 0$/);
    await check.throws(
      "asymmetric",
      gaussian([[1, 0.2], [0.1, 1]]),
      /^covariance must be symmetric, got 0.1 and 0.2 at \(1, 0\)/,
    );
    await check.throws(
      "wrong size",
      gaussian([[1, 0]]),
      /^covariance must be 2 × 2 like the mean, got 1 rows$/,
    );
    await check.throws(
      "no weights",
      () => new GaussianMixture([0], [unit]),
      /^weights must not all be zero$/,
    );
    await check.throws(
      "negative weight",
      () => new GaussianMixture([1, -1], [unit, unit]),
      /^weights must be finite and not negative, got -1$/,
    );
    await check.throws(
      "weights missing",
      () => new GaussianMixture([1], [unit, unit]),
      /^expected a weight for each component, got 1 for 2$/,
    );
    await check.throws(
      "dimensions",
      () => new GaussianMixture([1, 1], [unit, plane]),
      /^components must share one dimension, got 1 and 2$/,
    );
    await check.throws(
      "coordinate",
      () => mixture.given([3], [0]),
      /^coordinates must be distinct and from 0 to 2, got 3$/,
    );
    await check.throws(
      "everything given",
      () => mixture.given([0, 1, 2], [0, 0, 0]),
      /^at least one coordinate must remain/,
    );
    await check.throws("values", () => mixture.given([0], [0, 1]), /^expected 1 values, got 2$/);
    await check.throws(
      "no variance",
      () => plane.observing([[0, 1]], [0]),
      /^the observed coordinates have no density/,
    );
    await check.throws(
      "row size",
      () => unit.logDensity(tf.zeros([2, 3]), 1),
      /^expected 1 numbers a row, got a batch of shape \[2,3\]$/,
    );
    for (
      const [what, action] of [
        ["an eigenvalue that rounding made negative", gaussian([[1, 0], [0, -1e-13]])],
        ["entries that rounding made different", gaussian([[1, 0.5], [0.5 * (1 + 1e-10), 1]])],
        ["a weight of 0", () => new GaussianMixture([0, 2], [unit, unit])],
        ["nothing given", () => mixture.given([], [])],
      ] as const
    ) await check.throws(what, action, /^no error$/);
    for (
      const [what, action, message] of [
        [
          "an eigenvalue below rounding",
          gaussian([[1, 0], [0, -1e-11]]),
          /^covariance must be positive semidef/,
        ],
        [
          "entries that differ by more",
          gaussian([[1, 0.5], [0.5 * (1 + 4e-9), 1]]),
          /^covariance must be symmetric/,
        ],
        [
          "a coordinate named twice",
          () => mixture.given([1, 1], [0, 0]),
          /must be distinct and from 0 to 2, got 1$/,
        ],
        ["half a coordinate", () => mixture.given([0.5], [0]), /must be distinct and from 0 to 2, got 0.5$/],
        ["too many values for y", () => unit.posterior([0, 1], 1), /^y must hold 1 numbers, got 2$/],
        [
          "too few components",
          () => new GaussianMixture([], []),
          /^expected a weight for each component, got 0 for 0$/,
        ],
        ["no operator", () => unit.affine([]), /^operator must have rows of 1 numbers, got 0 rows$/],
      ] as const
    ) await check.throws(what, action, message);
  },
);

claim(
  "a batch of numbers is one of rows in one dimension, and a picture's is one of its pixels",
  async (check) => {
    const line = new Gaussian({ mean: [1], variances: [4] });
    const square = new Gaussian({ mean: [0, 1, 2, 3], variances: [1, 1, 4, 4] });
    const [numbers, pictures] = [tf.tensor1d([1, 3]), tf.ones([1, 2, 2, 1])];
    const density = line.logDensity(numbers, 0);
    const noise = [line.predictNoise(numbers, 2), square.predictNoise(pictures, 1)];
    const half = Math.log(Math.sqrt(2 * Math.PI) * 2);
    for (const [i, value] of [-half, -half - 0.5].entries()) {
      check.within(`density of row ${i}`, (await density.data())[i], value, 1e-6, "−½ z² − ln(√2π 2)");
    }
    check.equal("shapes", noise.map(({ shape }) => shape), [[2], [1, 2, 2, 1]], "those of y");
    check.equal("numbers", [...await noise[0].data()], [0, 0.5], "ν (y − μ)/(σ² + ν²)");
    check.equal(
      "pixels",
      [...await noise[1].data()],
      [0.5, 0, -0.2, -0.4].map(Math.fround),
      "ν (y − μ)/(σ² + ν²)",
    );
    tf.dispose([numbers, pictures, density, ...noise]);
  },
);

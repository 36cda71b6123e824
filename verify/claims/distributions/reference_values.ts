/**
 * Gaussian mixtures against numbers of an independent implementation, in float64 and in the tensors that users run.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { diffusedLogDensity, diffusedPosterior } from "../../../src/distributions/distribution.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { noiseRatio, type Sde, type SdeConfig } from "../../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { probabilityFlowMap } from "../../reference/scalar_mixture.ts";
import reference from "../../../fixtures/reference/mixtures.json" with { type: "json" };

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const float32 = 2 ** -24;
const source = "mixtures.json: numpy and scipy in float64";

/** The largest difference, relative to the largest expected number. */
function deviation(observed: ArrayLike<number>, expected: ArrayLike<number>): number {
  const scale = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (value, i) => Math.abs(observed[i] - value))) / scale;
}

for (const { sde: config, points, ...entry } of reference.mixtures) {
  const sde = sdeFromConfig(config as SdeConfig);
  const mixture = GaussianMixture.from(entry);
  const { dimension } = mixture;
  const title = `the mixture of ${mixture.components.length} Gaussians in ${dimension}-D`;

  claim(`${title} has its published density, score and posterior in float64`, (check) => {
    for (const { t, x, ...expected } of points) {
      const observed = diffusedPosterior(mixture, sde, x, t);
      const near = (what: string, observed: ArrayLike<number>, expected: ArrayLike<number>) =>
        check.atMost(
          `${what} at t = ${t}`,
          deviation(observed, expected),
          1e-13,
          `${source}; rounding of 1e-16 × condition`,
          {
            detectable: "1e-13 relative",
          },
        );
      near("log density", [observed.logDensity], [expected.log_density]);
      near("score", observed.score, expected.score);
      near("posterior mean", observed.mean, expected.posterior_mean);
      near("responsibilities", observed.responsibilities, expected.responsibilities);
    }
  });

  claim(`${title} has its published density, score and posterior in tensors`, async (check) => {
    const model = scoreModel(mixture, sde);
    const times = Float64Array.from(points, ({ t }) => t);
    const x = tf.tensor2d(points.map(({ x }) => x));
    const y = tf.tensor2d(points.map(({ t, x }) => x.map((value) => value / sde.alpha(t))));
    const ratios = times.map((t) => noiseRatio(sde, t));
    const tensors = {
      density: diffusedLogDensity(mixture, sde, x, times),
      score: model.score(x, times),
      data: model.denoised(x, times),
      mean: mixture.posteriorMean(y, ratios),
      responsibilities: mixture.responsibilities(y, ratios),
    };
    const rows = async (tensor: tf.Tensor) =>
      (await tf.reshape(tensor, [points.length, -1]).array()) as number[][];
    const observed = {
      density: await rows(tensors.density),
      score: await rows(tensors.score),
      data: await rows(tensors.data),
      mean: await rows(tensors.mean),
      responsibilities: await rows(tensors.responsibilities),
    };
    tf.dispose([x, y, tensors]);
    points.forEach(({ t, x, ...expected }, i) => {
      const near = (what: string, observed: number[], expected: number[], bound: number) =>
        check.atMost(
          `${what} at t = ${t}`,
          deviation(observed, expected),
          bound,
          `${source}; float32 rounding`,
          {
            detectable: `${bound.toExponential(1)} relative`,
          },
        );
      // The rounding of d terms of the exponent moves the responsibilities, and with them everything else.
      const bound = 4 * dimension * float32 * (Math.abs(expected.log_density) + 10);
      near("log density", observed.density[i], [expected.log_density], bound);
      near("score", observed.score[i], expected.score, bound);
      near("posterior mean", observed.mean[i], expected.posterior_mean, bound);
      near("responsibilities", observed.responsibilities[i], expected.responsibilities, bound);
      // x/α − ν ε̂ cancels at large ν.
      const terms = Math.max(...x.map(Math.abs)) / sde.alpha(t);
      const cancelled = 16 * float32 * terms / Math.max(...expected.posterior_mean.map(Math.abs));
      near("Tweedie mean", observed.data[i], expected.posterior_mean, bound + cancelled);
    });
  });

  if (dimension > 1) {
    claim(`${title}, given its first coordinate, is the published mixture`, (check) => {
      const { y, weights, means, covariances } = entry.given_first_coordinate;
      const given = mixture.given([0], [y]);
      const near = (what: string, observed: ArrayLike<number>, expected: ArrayLike<number>) =>
        check.atMost(what, deviation(observed, expected), 1e-13, source, { detectable: "1e-13 relative" });
      near("weights", given.weights, weights);
      given.components.forEach((component, k) => {
        near(`mean ${k}`, component.mean, means[k]);
        near(`covariance ${k}`, component.covariance().flat(), covariances[k].flat());
      });
    });
  }

  claim(`the probability flow of a ${title.slice(4)} ends where published`, (check) => {
    for (const { x_at_1, x_at_0_001 } of entry.probability_flow) {
      const observed = integrateFlow(mixture, sde, x_at_1, 400);
      const coarse = integrateFlow(mixture, sde, x_at_1, 200);
      const distance = (a: ArrayLike<number>) =>
        Math.max(...observed.map((value, i) => Math.abs(value - a[i])));
      check.atMost(
        "error of the float64 flow",
        distance(coarse) / 15,
        5e-8,
        "Richardson: 200 against 400 steps",
      );
      check.atMost(
        "distance of its end",
        distance(x_at_0_001),
        1e-7,
        `${source}, rtol 1e-11; twice the error above`,
        {
          detectable: "1e-7",
        },
      );
      if (dimension === 1) {
        const mapped = probabilityFlowMap(mixture, sde, x_at_1[0], 1, 0.001);
        check.within(
          "F₀.₀₀₁⁻¹(F₁(x))",
          mapped,
          x_at_0_001[0],
          2e-11,
          "the flow keeps ranks; scipy's rtol 1e-11",
          {
            detectable: "2e-11",
          },
        );
      }
    }
  });
}

/** The probability flow from t = 1 to 0.001 in float64: classical Runge–Kutta in y = x/α over ln ν, dy/dν = ε̂. */
function integrateFlow(
  mixture: GaussianMixture,
  sde: Sde,
  start: readonly number[],
  steps: number,
): Float64Array {
  const slope = (y: Float64Array, logRatio: number) => {
    const ratio = Math.exp(logRatio);
    return mixture.posterior(y, ratio).noise.map((value) => value * ratio);
  };
  const along = (y: Float64Array, h: number, direction: Float64Array) =>
    y.map((v, i) => v + h * direction[i]);
  const logRatios = timeGrid(sde, { kind: "log-snr", steps }).map((t) => Math.log(noiseRatio(sde, t)));
  let y = Float64Array.from(start, (value) => value / sde.alpha(sde.tMax));
  for (let i = 0; i < logRatios.length - 1; i++) {
    const h = logRatios[i + 1] - logRatios[i];
    const middle = logRatios[i] + h / 2;
    const k1 = slope(y, logRatios[i]);
    const k2 = slope(along(y, h / 2, k1), middle);
    const k3 = slope(along(y, h / 2, k2), middle);
    const k4 = slope(along(y, h, k3), logRatios[i + 1]);
    y = y.map((value, j) => value + h / 6 * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]));
  }
  return y.map((value) => value * sde.alpha(sde.tMin));
}

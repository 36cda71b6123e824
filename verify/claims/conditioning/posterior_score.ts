/**
 * Posterior scores against posteriors in closed form: of Gaussians seen through every operator, and of a mixture.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { Matrix, solve } from "../../../src/math/linear_algebra.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  exactPosterior,
  type LinearObservation,
  linearObservation,
  type LinearOperator,
  operatorMatrix,
} from "../../../src/conditioning/observation.ts";
import {
  blurOperator,
  gaussianKernel,
  maskOperator,
  poolingOperator,
  randomProjection,
} from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import { planeDistribution } from "../../problems/plane_mixture.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const shape = [4, 4, 1];

const pixels = Array.from({ length: 16 }, (_, i) => [Math.floor(i / 4), i % 4]);

/** A picture whose pixels are correlated the more the nearer they are. */
const picture = new Gaussian({
  mean: pixels.map(([row, column]) => 0.3 * Math.sin(row + 2 * column)),
  covariance: pixels.map((a) => pixels.map((b) => 0.5 * Math.exp(-Math.hypot(a[0] - b[0], a[1] - b[1]) / 2))),
});

/** One whose pixels are independent, all of one variance. */
const isotropic = new Gaussian({ mean: picture.mean, variances: new Array(16).fill(0.36) });

const operators = (): Record<string, LinearOperator> => ({
  "the upper half": maskOperator(shape, pixels.map(([row]) => row < 2 ? 1 : 0)),
  "pooling": poolingOperator(shape, 2),
  "blur": blurOperator(shape, gaussianKernel(0.5)),
  "five random projections": randomProjection(createRng(9), shape, 5),
});

/** An observation of a picture drawn from the seed, through every operator, noisy and not. */
async function* observations(check: Check): AsyncGenerator<[string, LinearObservation]> {
  for (const [name, operator] of Object.entries(operators())) {
    for (const noiseStd of [0, 0.3]) {
      const y = tf.tidy(() =>
        operator.apply(picture.sample(createRng(check.seed), 1).reshape([1, ...shape]))
      );
      yield [`${name}, noise ${noiseStd}`, await linearObservation(operator, y, noiseStd)];
      y.dispose();
    }
  }
}

/** Largest difference of two predictions, over the largest that is expected. */
function relativeError(observed: tf.Tensor, expected: tf.Tensor): Promise<number> {
  return scoped(() => firstOf(observed.sub(expected).abs().max().div(expected.abs().max())));
}

/** States at a time, about as far out as the model's own. */
function states(check: Check, sde: Sde, t: number): tf.Tensor {
  const spread = Math.hypot(sde.alpha(t) * 0.7, sde.sigma(t));
  return tf.tidy(() => createRng(check.seed).fork("states").normal([3, ...shape]).mul(spread));
}

/** D = x/α − ν ε̂ loses what float32 rounds off x/α, which is of order ν: relative to the data, 2⁻²⁴ (1 + ν), some times over. */
const rounding = (sde: Sde, t: number) => 32 * 2 ** -24 * (1 + noiseRatio(sde, t));

const roundingSource = "the posterior in closed form; float32 rounds D by 2⁻²⁴ ν";

claim(
  "moment matching gives Gaussian data's exact posterior score, through every operator",
  async (check) => {
    for await (const [name, observation] of observations(check)) {
      const posterior = await exactPosterior(picture, observation);
      // Rounding costs the gradients their orthogonality: twice as many as an exact solution would take.
      const iterations = 2 * observation.y.size;
      for (const sde of allSdes) {
        const model = posteriorScore(scoreModel(picture, sde), observation, { iterations });
        const exact = scoreModel(posterior, sde);
        for (const t of [0.003, 0.3, 0.95 * sde.tMax]) {
          const x = states(check, sde, t);
          const [observed, expected] = [model.predictedNoise(x, t), exact.predictedNoise(x, t)];
          const error = await relativeError(observed, expected);
          check.atMost(
            `${name}, ${sde.config.kind}, t = ${t}: relative error of ε̂`,
            error,
            rounding(sde, t),
            roundingSource,
            {
              detectable: "a wrong factor of the covariance, of the noise, of the gradient",
            },
          );
          tf.dispose([x, observed, expected]);
        }
      }
    }
  },
);

claim(
  "ΠGDM is exact for isotropic Gaussian data, and otherwise has the bias of its formula",
  async (check) => {
    for await (const [name, observation] of observations(check)) {
      const posterior = await exactPosterior(isotropic, observation);
      const matrix = new Matrix(await operatorMatrix(observation.operator));
      const y = Matrix.columnVector([...await observation.y.data()]);
      const iterations = 2 * observation.y.size;
      const sde = allSdes[1];
      for (const t of [0.1, 0.5, 0.95]) {
        const x = states(check, sde, t);
        const options = { method: "pigdm", iterations, dataStd: 0.6 } as const;
        const exact = scoreModel(posterior, sde).predictedNoise(x, t);
        const even = posteriorScore(scoreModel(isotropic, sde), observation, options).predictedNoise(x, t);
        check.atMost(
          `${name}, t = ${t}: relative error with equal variances`,
          await relativeError(even, exact),
          rounding(sde, t),
          roundingSource,
        );
        const correlated = posteriorScore(scoreModel(picture, sde), observation, options).predictedNoise(
          x,
          t,
        );
        const values = await x.data<"float32">();
        const inRows = [0, 1, 2].map((row) => Array.from(values.subarray(16 * row, 16 * (row + 1))));
        const expected = tf.tensor(pigdmNoise(sde, t, inRows, matrix, y, observation.noiseStd));
        check.atMost(
          `${name}, t = ${t}: relative error with correlated pixels`,
          await relativeError(correlated.reshape([3, 16]), expected),
          rounding(sde, t),
          "Song et al. 2023, eq. 7, with r² = ν² s_d²/(ν² + s_d²), by matrices in float64",
        );
        tf.dispose([x, exact, even, correlated, expected]);
      }
    }
  },
);

/** ε̂ − (1/ν) C Aᵀ (r² A Aᵀ + s²)⁻¹ (y − A D), with C = ν² Σ (Σ + ν²)⁻¹ the covariance of x_0 given x_t. */
function pigdmNoise(
  sde: Sde,
  t: number,
  states: number[][],
  a: Matrix,
  y: Matrix,
  noiseStd: number,
): number[][] {
  const ratio = noiseRatio(sde, t);
  const r2 = 1 / (1 / ratio ** 2 + 1 / 0.36);
  const weights = Matrix.add(a.mmul(a.transpose()).mul(r2), Matrix.eye(a.rows).mul(noiseStd ** 2));
  return states.map((state) => {
    const posterior = picture.posterior(state.map((value) => value / sde.alpha(t)), ratio);
    const innovation = Matrix.sub(y, a.mmul(Matrix.columnVector([...posterior.mean])));
    const pull = new Matrix(posterior.covariance()).mmul(a.transpose()).mmul(solve(weights, innovation));
    return Array.from(posterior.noise, (value, i) => value - pull.get(i, 0) / ratio);
  });
}

claim("the posterior of a mixture observed through a mask follows Bayes' rule", async (check) => {
  const value = 0.3;
  const seen = tf.tensor2d([[value]]);
  const posterior = await exactPosterior(
    planeDistribution,
    await linearObservation(maskOperator([2], [1, 0]), seen),
  );
  const parts = planeDistribution.components.map((component, k) => {
    const { mean } = component;
    const [[oo, om], [, mm]] = component.covariance();
    const density = Math.exp(-0.5 * (Math.fround(value) - mean[0]) ** 2 / oo) / Math.sqrt(oo);
    return {
      weight: planeDistribution.weights[k] * density,
      mean: mean[1] + om / oo * (Math.fround(value) - mean[0]),
      variance: mm - om ** 2 / oo,
    };
  });
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const source = "π̃ ∝ π N(y; μ_O, Σ_OO), μ_M + Σ_MO Σ_OO⁻¹ (y − μ_O), Σ_MM − Σ_MO Σ_OO⁻¹ Σ_OM";
  parts.forEach(({ weight, mean, variance }, k) => {
    const component = posterior.components[k];
    check.within(`component ${k + 1}: weight`, posterior.weights[k], weight / total, 1e-9, source);
    check.within(`component ${k + 1}: mean`, component.mean[1], mean, 1e-9, source);
    check.within(`component ${k + 1}: variance`, component.covariance()[1][1], variance, 1e-9, source);
    check.within(`component ${k + 1}: the seen entry`, component.mean[0], value, 1e-7, "it is seen; float32");
  });
  seen.dispose();
});

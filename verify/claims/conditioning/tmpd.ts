/** Claims about TMPD against posteriors and its own formula, in closed form on Gaussian data. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  exactPosterior,
  linearObservation,
  type LinearOperator,
  operatorMatrix,
} from "../../../src/conditioning/observation.ts";
import {
  blurOperator,
  gaussianKernel,
  maskOperator,
  poolingOperator,
} from "../../../src/conditioning/operators.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { Matrix } from "../../../src/math/linear_algebra.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { coupledDistribution } from "../../instruments/coupled_distribution.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";
import { allSdes } from "../../problems/sdes.ts";
import { exactMoments, pair } from "../../reference/imputation_moments.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const shape = [2, 4, 1];
const size = 8;
const mean = Array.from({ length: size }, (_, i) => 0.3 * Math.sin(2 * i));

/** Independent pixels, each of its own variance. */
const independent = new Gaussian({ mean, variances: mean.map((_, i) => 0.04 + 0.1 * i) });

/** Pixels whose correlations are positive and negative. */
const correlated = new Gaussian({
  mean,
  covariance: mean.map((_, i) =>
    mean.map((_, j) =>
      0.6 * Math.cos(1.3 * (i - j)) * Math.exp(-Math.abs(i - j) / 4) * (1 + 0.1 * i) * (1 + 0.1 * j)
    )
  ),
});

const someSeen = maskOperator(shape, [1, 1, 0, 1, 0, 0, 1, 0]);

/** Largest difference of two predictions over the largest that is expected. */
function relativeError(observed: tf.Tensor, expected: tf.Tensor): Promise<number> {
  return scoped(() => firstOf(observed.sub(expected).abs().max().div(expected.abs().max())));
}

function states(check: Check, sde: Sde, t: number): tf.Tensor {
  const spread = Math.hypot(sde.alpha(t) * 0.7, sde.sigma(t));
  return tf.tidy(() => createRng(check.seed).fork("states").normal([3, ...shape]).mul(spread));
}

async function observed(check: Check, operator: LinearOperator, noiseStd: number) {
  const y = tf.tidy(() => operator.apply(correlated.sample(createRng(check.seed), 1).reshape([1, ...shape])));
  return await linearObservation(operator, y, noiseStd);
}

/** D = x/α − ν ε̂ loses what float32 rounds off x/α, which is of order ν: relative to the data, 2⁻²⁴ (1 + ν), some times over. */
const rounding = (sde: Sde, t: number) => 32 * 2 ** -24 * (1 + noiseRatio(sde, t));

claim(
  "TMPD is exact where seen pixels are independent, whatever their variances, and ΠGDM is not",
  async (check) => {
    for (const noiseStd of [0, 0.3]) {
      const observation = await observed(check, someSeen, noiseStd);
      const posterior = await exactPosterior(independent, observation);
      for (const sde of allSdes) {
        const score = (method: "tmpd" | "pigdm") =>
          posteriorScore(scoreModel(independent, sde), observation, { method, dataStd: 0.6, iterations: 8 });
        for (const t of [0.003, 0.3, 0.95].map((part) => sde.tMin + part * (sde.tMax - sde.tMin))) {
          const x = states(check, sde, t);
          const exact = scoreModel(posterior, sde).predictedNoise(x, t);
          const tmpd = score("tmpd").predictedNoise(x, t);
          check.atMost(
            `noise ${noiseStd}, ${sde.config.kind}, t = ${t}: relative error of ε̂`,
            await relativeError(tmpd, exact),
            rounding(sde, t),
            "the posterior in closed form; float32 rounds D by 2⁻²⁴ ν",
            { detectable: "row sums of another matrix, a wrong factor of the noise or of the gradient" },
          );
          if (t === 0.3) {
            const pigdm = score("pigdm").predictedNoise(x, t);
            const other = await relativeError(pigdm, exact);
            check.atLeast(
              `noise ${noiseStd}, ${sde.config.kind}, t = ${t}: ΠGDM's`,
              other,
              10 * rounding(sde, t),
              "one variance for all",
            );
            pigdm.dispose();
          }
          tf.dispose([x, exact, tmpd]);
        }
      }
      observation.y.dispose();
    }
  },
);

claim(
  "on correlated pixels TMPD has the score of its formula, with row sums bounded below",
  async (check) => {
    const operators: Record<string, LinearOperator> = {
      "seen pixels": someSeen,
      "pooling": poolingOperator(shape, 2),
      "blur": blurOperator(shape, gaussianKernel(0.5)),
    };
    let bounded = 0;
    for (const [name, operator] of Object.entries(operators)) {
      for (const noiseStd of [0, 0.3]) {
        const observation = await observed(check, operator, noiseStd);
        const matrix = new Matrix(await operatorMatrix(operator));
        const y = [...await observation.y.data()];
        const sde = allSdes[1];
        for (const t of [0.3, 0.5, 0.8]) {
          const x = states(check, sde, t);
          const values = await x.data<"float32">();
          const inRows = [0, 1, 2].map((row) => Array.from(values.subarray(size * row, size * (row + 1))));
          const own = rowSumNoise(sde, t, inRows, matrix, y, noiseStd);
          bounded += own.bounded;
          const expected = tf.tensor(own.noise);
          const options = { method: "tmpd", dataStd: 0.7 } as const;
          const seen = posteriorScore(scoreModel(correlated, sde), observation, options).predictedNoise(x, t);
          check.atMost(
            `${name}, noise ${noiseStd}, t = ${t}: relative error of ε̂`,
            await relativeError(seen.reshape([3, size]), expected),
            // A bound of a tenth divides the rounding of D by it.
            10 * rounding(sde, t),
            "Boys et al. 2023, with A V Aᵀ 1 as variances, by matrices in float64",
            { detectable: "a bound that is missing or another, sums over unseen pixels" },
          );
          tf.dispose([x, seen, expected]);
        }
        observation.y.dispose();
      }
    }
    check.atLeast("row sums that the bound raises", bounded, 3, "else it were not examined");
  },
);

/** ε̂ − (1/ν) C Aᵀ v, v_i = (y − A D)_i/(max((A C Aᵀ 1)_i, r² (A Aᵀ 1)_i/10) + s²), with C = ν² Σ (Σ + ν²)⁻¹. */
function rowSumNoise(sde: Sde, t: number, states: number[][], a: Matrix, y: number[], noiseStd: number) {
  const ratio = noiseRatio(sde, t);
  const r2 = 1 / (1 / ratio ** 2 + 1 / 0.7 ** 2);
  let bounded = 0;
  const noise = states.map((state) => {
    const posterior = correlated.posterior(state.map((value) => value / sde.alpha(t)), ratio);
    const covariance = new Matrix(posterior.covariance());
    const sumsOf = (m: Matrix) => m.to2DArray().map((row) => row.reduce((sum, value) => sum + value));
    const sums = sumsOf(a.mmul(covariance).mmul(a.transpose()));
    const even = sumsOf(a.mmul(a.transpose()));
    const seen = a.mmul(Matrix.columnVector([...posterior.mean]));
    const weighted = sums.map((sum, i) => {
      const least = r2 * even[i] / 10;
      if (sum < least) bounded++;
      return (y[i] - seen.get(i, 0)) / (Math.max(sum, least) + noiseStd ** 2);
    });
    const pull = covariance.mmul(a.transpose()).mmul(Matrix.columnVector(weighted));
    return Array.from(posterior.noise, (value, i) => value - pull.get(i, 0) / ratio);
  });
  return { noise, bounded };
}

claim(
  "of one number seen, TMPD draws what the exact score draws, and tends to the posterior",
  async (check) => {
    const prior = new Gaussian({ mean: [0, 0], covariance: [[1, pair.correlation], [pair.correlation, 1]] });
    const sde = allSdes[0];
    const seen = tf.tensor2d([[pair.seen]]);
    const observation = await linearObservation(maskOperator([2], [1, 0]), seen);
    const exact = scoreModel(await exactPosterior(prior, observation), sde);
    const tmpd = posteriorScore(scoreModel(prior, sde), observation, { method: "tmpd" });
    const errors: number[] = [];
    for (const steps of [24, 96]) {
      const grid = { kind: "log-snr", steps } as const;
      const drawn = await coupledDistribution(tmpd, ddim({ eta: 1 }), 2, { grid });
      const expected = await coupledDistribution(exact, ddim({ eta: 1 }), 2, { grid });
      const source = "the distribution of the same steps with the exact score; float32";
      check.within(`${steps} steps: mean`, drawn.mean[1], expected.mean[1], 4e-6, source);
      check.within(
        `${steps} steps: variance`,
        drawn.covariance[1][1],
        expected.covariance[1][1],
        4e-6,
        source,
      );
      errors.push(Math.abs(drawn.covariance[1][1] - exactMoments.variance));
    }
    check.atMost(
      "variance's distance from the posterior's, 96 steps over 24",
      errors[1] / errors[0],
      0.4,
      "order 1: a quarter",
    );
    seen.dispose();
  },
);

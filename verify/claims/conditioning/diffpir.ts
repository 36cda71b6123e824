/** Claims about DiffPIR: its proximal step by matrices, and what it draws on a pair of normals. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { diffpirModel } from "../../../src/conditioning/diffpir.ts";
import {
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
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { noiseRatio } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { Matrix, solve } from "../../../src/math/linear_algebra.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { coupledDistribution } from "../../instruments/coupled_distribution.ts";
import { allSdes } from "../../problems/sdes.ts";
import { exactMoments, pair } from "../../reference/imputation_moments.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const shape = [4, 4, 1];
const picture = new Gaussian({
  mean: Array.from({ length: 16 }, (_, i) => 0.3 * Math.sin(2 * i)),
  covariance: Array.from(
    { length: 16 },
    (_, i) => Array.from({ length: 16 }, (_, j) => 0.5 * Math.exp(-Math.abs(i - j) / 3)),
  ),
});

claim(
  "DiffPIR's denoised data are the proximal step from the model's, through every operator",
  async (check) => {
    const operators: Record<string, LinearOperator> = {
      "eight pixels": maskOperator(shape, Array.from({ length: 16 }, (_, i) => i < 8 ? 1 : 0)),
      "pooling": poolingOperator(shape, 2),
      "blur": blurOperator(shape, gaussianKernel(0.5)),
      "five random projections": randomProjection(createRng(9), shape, 5),
    };
    const lambda = 3;
    for (const [name, operator] of Object.entries(operators)) {
      const a = new Matrix(await operatorMatrix(operator));
      for (const noiseStd of [0, 0.2]) {
        const y = tf.tidy(() =>
          operator.apply(picture.sample(createRng(check.seed), 1).reshape([1, ...shape]))
        );
        const observation = await linearObservation(operator, y, noiseStd);
        const seen = Matrix.columnVector([...await y.data()]);
        for (const sde of allSdes) {
          const model = diffpirModel(scoreModel(picture, sde), observation, { lambda, iterations: 40 });
          for (const t of [0.1, 0.5, 0.9]) {
            const x = tf.tidy(() =>
              createRng(check.seed).fork("states").normal([2, ...shape]).mul(
                Math.hypot(sde.alpha(t), sde.sigma(t)),
              )
            );
            const ratio = noiseRatio(sde, t);
            const rho = lambda * (noiseStd / ratio) ** 2;
            const data = model.denoised(x, t);
            const [observed, values] = [await data.data(), await x.data()];
            let worst = 0;
            for (const row of [0, 1]) {
              const state = Array.from(
                values.subarray(16 * row, 16 * row + 16),
                (value) => value / sde.alpha(t),
              );
              const mean = Matrix.columnVector([...picture.posterior(state, ratio).mean]);
              const weights = Matrix.add(a.mmul(a.transpose()), Matrix.eye(a.rows).mul(rho));
              const moved = a.transpose().mmul(solve(weights, Matrix.sub(seen, a.mmul(mean))));
              Matrix.add(mean, moved).to1DArray().forEach((value, i) => {
                worst = Math.max(worst, Math.abs(value - observed[16 * row + i]));
              });
            }
            check.atMost(
              `${name}, noise ${noiseStd}, ${sde.config.kind}, t = ${t}: error of D′`,
              worst,
              // The blur's matrix has the condition number 20.
              (name === "blur" ? 2 ** -14 : 2 ** -17) * (1 + ratio),
              "argmin ‖y − A z‖² + λ (s²/ν²) ‖z − D‖² by matrices in float64; float32 rounds D by 2⁻²⁴ ν",
              { detectable: "ρ without λ, without the square, with ν for 1/ν" },
            );
            tf.dispose([x, data]);
          }
        }
        y.dispose();
      }
    }
  },
);

claim(
  "of a pair of normals whose first is seen, DiffPIR draws its own distribution, which is not the posterior",
  async (check) => {
    const prior = new Gaussian({ mean: [0, 0], covariance: [[1, pair.correlation], [pair.correlation, 1]] });
    const sde = allSdes[0];
    const seen = tf.tensor2d([[pair.seen]]);
    const observation = await linearObservation(maskOperator([2], [1, 0]), seen);
    const model = diffpirModel(scoreModel(prior, sde), observation);
    const rows: string[][] = [[
      "the posterior",
      exactMoments.mean.toFixed(4),
      exactMoments.variance.toFixed(4),
    ]];
    for (const steps of [12, 48]) {
      const times = timeGrid(sde, { kind: "log-snr", steps });
      const drawn = await coupledDistribution(model, ddim(), 2, { grid: times });
      const own = hiddenLaw(
        Array.from(times, (time) => noiseRatio(sde, time)),
        sde.priorStd / sde.alpha(times[0]),
      );
      const source = "DDIM's steps with D′ = (what was seen, D₂), carried in float64; float32";
      check.within(`${steps} steps: mean`, drawn.mean[1], own.mean, 5e-6, source);
      check.within(`${steps} steps: variance`, drawn.covariance[1][1], own.variance, 5e-6, source);
      check.within(
        `${steps} steps: what was seen`,
        drawn.mean[0],
        pair.seen,
        1e-6,
        "a proximal step without noise is exact",
      );
      check.atLeast(
        `${steps} steps: the mean's distance from the posterior's`,
        Math.abs(own.mean - exactMoments.mean),
        0.02,
        "computed",
      );
      rows.push([`${steps} steps`, own.mean.toFixed(4), own.variance.toFixed(4)]);
    }
    check.table(
      "The hidden one of a pair of correlation .8 whose first is seen as 1.5, by DiffPIR and DDIM",
      ["", "mean", "variance"],
      rows,
    );
    seen.dispose();
  },
);

/** Mean and variance of D₂ at the end: y ← D′ + (μ/ν)(y − D′) with D′ = (seen, D₂(y)), from N(0, start²). */
function hiddenLaw(ratios: readonly number[], start: number): { mean: number; variance: number } {
  const [rho, seen] = [pair.correlation, pair.seen];
  // y = offset + first z₁ + second z₂ of each coordinate.
  let own = [[0, start, 0], [0, 0, start]];
  /** D₂ as [offset, first, second]. */
  const hidden = (ratio: number) => {
    const determinant = (1 + ratio ** 2) ** 2 - rho ** 2;
    // Σ (Σ + ν²)⁻¹, second row.
    const [aside, along] = [rho * ratio ** 2 / determinant, (1 + ratio ** 2 - rho ** 2) / determinant];
    return own[0].map((value, i) => aside * value + along * own[1][i]);
  };
  for (let k = 0; k + 1 < ratios.length; k++) {
    const kept = ratios[k + 1] / ratios[k];
    const data = [[seen, 0, 0], hidden(ratios[k])];
    own = own.map((part, j) => part.map((value, i) => data[j][i] + kept * (value - data[j][i])));
  }
  const [mean, first, second] = hidden(ratios[ratios.length - 1]);
  return { mean, variance: first ** 2 + second ** 2 };
}

claim(
  "DiffPIR refuses numbers that it cannot have, and without outputs is the model itself",
  async (check) => {
    const model = scoreModel(picture, allSdes[0]);
    const y = tf.tensor2d([[0.5]]);
    const observation = await linearObservation(maskOperator(shape, [1, ...new Array(15).fill(0)]), y);
    const nothing = await linearObservation(maskOperator(shape, new Array(16).fill(0)), tf.zeros([1, 0]));
    await check.throws(
      "λ = 0",
      () => diffpirModel(model, observation, { lambda: 0 }),
      /^lambda must be a positive number, got 0$/,
    );
    await check.throws(
      "no iterations",
      () => diffpirModel(model, observation, { iterations: 0 }),
      /^iterations must be a positive integer, got 0$/,
    );
    await check.throws(
      "wide states",
      () => diffpirModel(model, observation).denoised(tf.zeros([2, 4]), 0.5),
      /takes samples of shape \[4,4,1\], got \[2,4\]$/,
    );
    check.holds("nothing seen", diffpirModel(model, nothing) === model, "no condition");
    tf.dispose([y, nothing.y]);
  },
);

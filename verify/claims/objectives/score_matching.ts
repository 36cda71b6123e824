/**
 * Claims about the score matchings: their common optimum, the identities that tie them together, their gradients.
 * @module
 */
import { Matrix, solve } from "../../../src/math/linear_algebra.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  denoisingScoreMatching,
  explicitScoreMatching,
  type ScoreFunction,
} from "../../../src/objectives/score_matching.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { losses, numbers, sigma, signs } from "../../problems/score_matching_losses.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const dimension = 3;

const mean = [0.5, -1, 2];

const covariance = [[1, 0.4, 0.1], [0.4, 0.8, -0.2], [0.1, -0.2, 0.5]];

/** Every sign vector beside every sign vector: independent pairs. */
function crossed(): { data: tf.Tensor2D; other: tf.Tensor2D } {
  // Σ = L Lᵀ (Cholesky): μ + L v has the mean and the covariance of the Gaussian, and that is all a quadratic sees.
  const l = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = covariance[i][j] - l[i].slice(0, j).reduce((sum, a, k) => sum + a * l[j][k], 0);
      l[i][j] = i === j ? Math.sqrt(rest) : rest / l[j][j];
    }
  }
  const pairs = signs(dimension).flatMap((v) => signs(dimension).map((e) => [v, e]));
  return {
    data: tf.tensor2d(
      pairs.map(([v]) => mean.map((m, i) => m + l[i].reduce((sum, a, k) => sum + a * v[k], 0))),
    ),
    other: tf.tensor2d(pairs.map(([, e]) => e)),
  };
}

/** s(x) = x A + b of θ = (A row-major, b). */
function linear(theta: tf.Tensor1D): ScoreFunction {
  const [a, b] = tf.split(theta, [dimension ** 2, dimension]);
  return (x) => tf.add(tf.matMul(x, tf.reshape(a, [dimension, dimension]) as tf.Tensor2D), b);
}

/** −(Σ + ν²)⁻¹, and b = (Σ + ν²)⁻¹ μ: the score of the noised Gaussian. */
function exactTheta(noise: number): number[] {
  const total = new Matrix(covariance.map((row, i) => row.map((c, j) => c + (i === j ? noise ** 2 : 0))));
  const precision = solve(total, Matrix.eye(dimension));
  return [
    ...Matrix.mul(precision, -1).to1DArray(),
    ...precision.mmul(Matrix.columnVector(mean)).to1DArray(),
  ];
}

claim(
  "all score matching objectives have the same optimum on a Gaussian: its score, or the noised one's",
  async (check) => {
    const size = dimension ** 2 + dimension;
    for (const [name, { noise, loss }] of Object.entries(losses)) {
      const gradientAt = (theta: readonly number[]) =>
        numbers(() => {
          const { data, other } = crossed();
          const slope = tf.grad((theta: tf.Tensor) => loss(linear(theta as tf.Tensor1D), data, other));
          return slope(tf.tensor1d([...theta]));
        });
      // A quadratic's gradient is linear: its matrix, column by column, and its zero.
      const zero = await gradientAt(new Array(size).fill(0));
      const columns: number[][] = [];
      for (let i = 0; i < size; i++) {
        const unit = await gradientAt(zero.map((_, j) => i === j ? 1 : 0));
        columns.push(unit.map((g, j) => g - zero[j]));
      }
      const optimum = solve(new Matrix(columns).transpose(), Matrix.columnVector(zero.map((g) => -g)));
      const expected = exactTheta(noise);
      const worst = Math.max(...optimum.to1DArray().map((value, i) => Math.abs(value - expected[i])));
      check.atMost(
        `${name}: largest error of A and b`,
        worst,
        1e-4,
        `−(Σ + σ²)⁻¹(x − μ) with σ = ${noise}: the data and directions have the exact moments; ` +
          "float32 times the condition number, 200",
        {
          detectable: `a factor of 1.0001; without the half it is ${Math.max(...expected.map(Math.abs)) / 2}`,
        },
      );
    }
  },
);

claim(
  "denoising differs from explicit score matching by a constant, whatever the parameters",
  async (check) => {
    const precision = exactTheta(sigma);
    const trace = -[0, 4, 8].reduce((sum, i) => sum + precision[i], 0);
    const expected = (dimension / sigma ** 2 - trace) / 2;
    for (let trial = 0; trial < 4; trial++) {
      const [difference] = await numbers(() => {
        const { data, other } = crossed();
        const theta = createRng(check.seed).fork(`θ ${trial}`).normal([1, 12]).reshape([12]) as tf.Tensor1D;
        const noisy = tf.add(data, tf.mul(other, sigma)) as tf.Tensor2D;
        const exact = linear(tf.tensor1d(precision))(noisy) as tf.Tensor2D;
        const denoising = denoisingScoreMatching(linear(theta), data, other, sigma);
        return denoising.sub(explicitScoreMatching(linear(theta), noisy, exact));
      });
      check.within(
        `J_DSM − J_ESM, parameters ${trial}`,
        difference,
        expected,
        2e-5,
        "½(d/σ² − tr(Σ + σ²)⁻¹): Vincent 2011, eq. 11, on a Gaussian; float32 of losses of tens: 4.3e-6 over 300 seeds",
      );
    }
  },
);

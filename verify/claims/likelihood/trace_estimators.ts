/**
 * Estimated traces, bits per dimension, and what likelihoods promise of batches and bad input.
 * @module
 */
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import { Matrix, symmetricEigen } from "../../../src/math/linear_algebra.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { toModel } from "../../../src/data/dataset.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { decodeLatent, encodeLatent, interpolateLatents } from "../../../src/likelihood/latents.ts";
import {
  bitsPerDimension,
  dequantize,
  pixelRange,
  type ValueRange,
} from "../../../src/likelihood/dequantization.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { type Sde, vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { failsFrom, mixture } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const covariance = [[1, 0.6, -0.2], [0.6, 0.8, 0.1], [-0.2, 0.1, 0.5]];

claim(
  "Hutchinson's estimate is eᵀMe for the drawn e: unbiased, with the variance of theory",
  async (check) => {
    const sde = vpSde();
    const rows = 4096;
    const problem = new Gaussian({ mean: [0, 0, 0], covariance });
    const model = scoreModel(problem, sde);
    const point = [0.4, -0.2, 0.6];
    const method = { kind: "dopri5", rtol: 1e-6, atol: 1e-6, maxAttempts: 60 } as const;
    const x = tf.tensor2d(Array.from({ length: rows }, () => point));
    const matrix = logVolumes(sde);
    const one = tf.tensor2d([point]);
    const exact = (await logLikelihood(model, one, { method })).logDensity[0];
    const trace = matrix[0][0] + matrix[1][1] + matrix[2][2];
    for (const distribution of ["rademacher", "gaussian"] as const) {
      const rng = () => createRng(check.seed).fork("probes");
      const { logDensity } = await logLikelihood(model, x, { trace: { rng: rng(), distribution }, method });
      const drawn = distribution === "rademacher" ? rng().rademacher([rows, 3]) : rng().normal([rows, 3]);
      const e = await drawn.data();
      drawn.dispose();
      const form = (row: number) => quadraticForm(matrix, e.subarray(3 * row, 3 * row + 3));
      const worst = logDensity.reduce((most, value, row) => {
        return Math.max(most, Math.abs(value - (exact + form(row) - trace)) / (1 + Math.abs(form(row))));
      }, 0);
      check.atMost(
        `${distribution}: largest error of a row, relative`,
        worst,
        1e-4,
        "∫ Jacobian dt = M = ½ ln(C_T C_ε⁻¹), so one e for the whole flow gives eᵀMe; 25 steps at 1e-6",
        { detectable: "vectors drawn anew on the way" },
      );
      const squares = matrix.map((line, i) =>
        line.reduce((sum, m, j) => sum + (distribution === "rademacher" && i === j ? 0 : m * m), 0)
      );
      const expected = 2 * squares.reduce((a, b) => a + b);
      const average = logDensity.reduce((a, b) => a + b) / rows;
      const spread = logDensity.reduce((sum, value) => sum + (value - average) ** 2, 0) / (rows - 1);
      check.atMost(
        `${distribution}: error of the mean over ${rows} vectors`,
        Math.abs(average - exact),
        6.2 * Math.sqrt(expected / rows) + 1e-4,
        "unbiased: 6.2 standard errors",
        { detectable: `a bias of ${(12 * Math.sqrt(expected / rows)).toFixed(3)} nats`, alarmRate: 6e-10 },
      );
      check.within(
        `${distribution}: variance over ${rows} vectors`,
        spread,
        expected,
        0.35 * expected,
        "2 Σ M_ij², for signs without the diagonal; 6 standard errors for a kurtosis up to 15",
        { detectable: "the other distribution's variance, or a vector of another length" },
      );
    }
    const four = { rng: createRng(3), probes: 4 };
    const several = await logLikelihood(model, one, { trace: four, method });
    const again = createRng(3);
    const values = [];
    for (let k = 0; k < 4; k++) {
      const probe = again.rademacher([1, 3]);
      values.push(quadraticForm(matrix, await probe.data()));
      probe.dispose();
    }
    const average = values.reduce((a, b) => a + b) / 4;
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / 12);
    check.within(
      "mean of four probes",
      several.logDensity[0],
      exact + average - trace,
      2e-5,
      "eᵀMe, averaged",
    );
    check.within("standard error of four probes", several.standardError[0], error, 1e-5, "s/√4");
    const single = await logLikelihood(model, one, { trace: { rng: createRng(1) }, method });
    check.equal("standard error of a single probe", single.standardError[0], NaN, "one number has no spread");
    tf.dispose([x, one]);
  },
);

/** M = ½ ln(C_T C_ε⁻¹) in the eigenbasis of the data's covariance, which the flow stretches by √(C_T/C_ε). */
function logVolumes(sde: Sde): number[][] {
  const { values, vectors } = symmetricEigen(new Matrix(covariance));
  const scales = Array.from(values, (value) => {
    const [early, late] = [sde.tMin, sde.tMax].map((t) => sde.alpha(t) ** 2 * value + sde.sigma(t) ** 2);
    return Math.log(late / early) / 2;
  });
  return vectors!.mmul(Matrix.diag(scales)).mmul(vectors!.transpose()).to2DArray();
}

/** eᵀMe. */
function quadraticForm(matrix: number[][], e: ArrayLike<number>): number {
  return matrix.reduce((sum, line, i) => sum + line.reduce((s, m, j) => s + e[i] * m * e[j], 0), 0);
}

claim(
  "the likelihood of a sample does not depend on the rest of its batch, with any trace and solver",
  async (check) => {
    const model = scoreModel(mixture, vpSde());
    const rows = [[0.1, 0.4, 0.2], [-1.5, 0.6, 0.1], [3, -2, 1]];
    const methods = [
      { kind: "dopri5", rtol: 0.01, atol: 0.01, maxAttempts: 200 },
      { kind: "rk4", grid: { kind: "log-snr", steps: 4 } },
    ] as const;
    for (const method of methods) {
      for (const estimated of [true, false]) {
        const run = async (first: number, states: number[][]) => {
          const x = tf.tensor2d(states);
          const trace = estimated ? { rng: createRng(5).startingAt(first), probes: 2 } : "exact" as const;
          const { logDensity } = await logLikelihood(model, x, { method, trace });
          x.dispose();
          return Array.from(logDensity);
        };
        const together = await run(0, rows);
        const split = [...await run(0, rows.slice(0, 1)), ...await run(1, rows.slice(1))];
        const what = `${method.kind}, ${estimated ? "estimated" : "exact"} trace: 3 = 1 + 2`;
        check.equal(what, split, together, "bit for bit: a row's steps and probes are its own");
      }
    }
  },
);

claim(
  "bits per dimension are the same in any range of values, and 8 for the uniform distribution on 256 levels",
  async (check) => {
    const unit = { low: 0, high: 1 };
    const symmetric = { low: -1, high: 1 };
    const bytes = Uint8Array.of(0, 17, 128, 255, 254, 1);
    const values = async (range?: ValueRange) => {
      const x = dequantize(bytes, [2, 3], createRng(7), range);
      const result = Array.from(await x.data());
      x.dispose();
      return result;
    };
    // One distribution of pixels in each range: N(0.4, 0.3²) on [0, 1].
    const bits = async (range: ValueRange) => {
      const width = range.high - range.low;
      const [centre, std] = [range.low + 0.4 * width, 0.3 * width];
      const density = (await values(range)).reduce(
        (sum, x) => sum - ((x - centre) / std) ** 2 / 2 - Math.log(2 * Math.PI * std * std) / 2,
        0,
      );
      return bitsPerDimension(density, bytes.length, range);
    };
    const expected = await bits(unit);
    for (const [name, range] of [["[−1, 1]", symmetric], ["the models' range", pixelRange]] as const) {
      check.within(
        `${name} against [0, 1]`,
        await bits(range),
        expected,
        1e-6,
        "a change of scale; float32",
        {
          detectable: "1 bit, which a wrong offset costs",
        },
      );
    }
    check.within("uniform density on [0, 1]", bitsPerDimension(0, 784, unit), 8, 1e-12, "log₂ 256");
    check.within(
      "uniform density on [−1, 1]",
      bitsPerDimension(-784 * Math.LN2, 784, symmetric),
      8,
      1e-12,
      "log₂ 256",
    );
    check.within(
      "uniform density, 32 levels",
      bitsPerDimension(0, 10, { ...unit, levels: 32 }),
      5,
      1e-12,
      "log₂ 32",
    );
    const inside = (await values(unit)).map((x, i) => Math.floor(x * 256) === bytes[i]);
    check.equal(
      "every value is in its byte's bin",
      inside,
      Array(6).fill(true),
      "uniform noise",
    );
    const middle = (await values()).map((x, i) => Math.abs(x - toModel(bytes)[i]) <= 1.0001 / 255);
    check.equal(
      "the models' values are in the middle of the bins",
      middle,
      Array(6).fill(true),
      "b/127.5 − 1",
    );
  },
);

claim("invalid arguments of likelihoods and codes are errors that name the value", async (check) => {
  const model = scoreModel(mixture, vpSde());
  const [x, two] = [tf.tensor2d([[0, 0, 0]]), tf.zeros([2, 3])];
  const bad: [string, () => unknown, RegExp][] = [
    ["probes", () => logLikelihood(model, x, { trace: { rng: createRng(1), probes: 0 } }), /probes .* got 0/],
    [
      "more probes than are allowed",
      () => logLikelihood(model, x, { trace: { rng: createRng(1), probes: 1_000_001 } }),
      /^probes must be at most 1000000, got 1000001$/,
    ],
    [
      "more draws than are allowed",
      () => continuousElbo(model, x, { rng: createRng(1), draws: 10_000_001 }),
      /^draws must be at most 10000000, got 10000001$/,
    ],
    [
      "a state without samples",
      () => logLikelihood(model, tf.scalar(1)),
      /x must be \[samples, …\], got \[\]/,
    ],
    [
      "rtol",
      () => encodeLatent(model, x, { kind: "dopri5", rtol: 0 }),
      /rtol must be a positive number, got 0/,
    ],
    [
      "steps",
      () => encodeLatent(model, x, { kind: "rk4", grid: { kind: "uniform", steps: 0 } }),
      /steps .* got 0/,
    ],
    [
      "a solution that does not arrive",
      () => decodeLatent(model, x, { kind: "dopri5", maxAttempts: 2 }),
      /did not reach time 0.001 in 2 attempts, it is at 0\.\d+, where the last step's error was [\d.e+-]+ times the tolerance$/,
    ],
    [
      "a flow that breaks",
      () =>
        decodeLatent(failsFrom(model, 0.5, NaN), two, { kind: "rk4", grid: { kind: "uniform", steps: 9 } }),
      /NaN or infinite after the step from 0\.\d+ to 0\.4/,
    ],
    ["an empty range", () => bitsPerDimension(0, 3, { low: 1, high: 1 }), /low < high, got 1 and 1/],
    ["a dimension of 0", () => bitsPerDimension(0, 0), /dimension .* got 0/],
    [
      "bytes of another number",
      () => dequantize([1, 2], [1, 3], createRng(1)),
      /\[1, 3\] does not fit 2 values/,
    ],
    ["parallel codes", () => interpolateLatents(x, x, [0.5]), /span a plane/],
    ["codes of two shapes", () => interpolateLatents(x, tf.zeros([1, 2]), [0.5]), /got \[1,3\] and \[1,2\]/],
  ];
  for (const [what, action, message] of bad) await check.throws(what, action, message);
});

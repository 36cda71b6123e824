/** Claims about times drawn by importance: their distribution, and the same loss with less variance. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { drawNoiseLevels } from "../../../src/objectives/denoising.ts";
import { importanceDensity, importanceTime } from "../../../src/objectives/importance.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { alarmRate, checkUniform, standardNormalQuantile } from "../../instruments/statistics.ts";
import { allSdes } from "../../problems/sdes.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const eigenvalues = [4, 1, 0.04];
const dimension = eigenvalues.length;

/** g²/σ² at a time. */
const rate = (sde: Sde, t: number) => (sde.diffusionCoefficient(t) / sde.sigma(t)) ** 2;

/** ∫_a^b f dt by Simpson's rule on points that crowd, in proportion to t, where t is small. */
function integral(a: number, b: number, f: (t: number) => number): number {
  const panels = 6000;
  const at = (k: number) => a * Math.pow(b / a, k / panels);
  let sum = 0;
  for (let k = 0; k < panels; k++) {
    const [from, to] = [at(k), at(k + 1)];
    sum += (to - from) / 6 * (f(from) + 4 * f((from + to) / 2) + f(to));
  }
  return sum;
}

claim("times drawn by importance have the density g²/σ², whose closed form inverts", (check) => {
  for (const sde of allSdes) {
    const { kind } = sde.config;
    const total = integral(sde.tMin, sde.tMax, (t) => rate(sde, t));
    let [inversion, density] = [0, 0];
    for (let k = 0; k <= 40; k++) {
      const t = importanceTime(sde, k / 40);
      const behind = t > sde.tMin ? integral(sde.tMin, t, (t) => rate(sde, t)) / total : 0;
      inversion = Math.max(inversion, Math.abs(behind - k / 40));
      const expected = rate(sde, t) / total * (sde.tMax - sde.tMin);
      density = Math.max(density, Math.abs(importanceDensity(sde, t) / expected - 1));
    }
    const source = "Simpson's rule on g²/σ², 6,000 panels; Song et al. 2021 (ScoreFlow), Section 4.3";
    check.atMost(
      `${kind}: share of ∫ g²/σ² before the time of a share, worst of 41`,
      inversion,
      1e-11,
      source,
    );
    check.atMost(`${kind}: density, worst relative error`, density, 1e-11, source);
    check.equal(
      `${kind}: the ends`,
      [importanceTime(sde, 0), importanceTime(sde, 1)].map((t) => t.toFixed(9)),
      [sde.tMin, sde.tMax].map((t) => t.toFixed(9)),
      "all of the mass lies between tMin and tMax",
    );
    const objective = { kind: "sde", sde: sde.config, weighting: "likelihood", times: "importance" } as const;
    const { noiseRatio: ratios } = drawNoiseLevels(objective, createRng(check.seed), 20_000);
    const [first, last] = [sde.tMin, sde.tMax].map((t) => Math.log(noiseRatio(sde, t)));
    const shares = ratios.map((ratio) => (Math.log(ratio) - first) / (last - first));
    checkUniform(check, `${kind}: drawn ln ν`, shares, "(σ²/α²)' = g²/α², so the density is even in ln ν");
  }
});

/**
 * Moments 1 … 4 of w ‖ε̂* − ε‖²/d at noise ratio ν: the error along eigenvector i is N(0, λ/(λ + ν²)), and a sum of squares
 * of Gaussians of variances v has the cumulants 2^{r−1} (r−1)! Σ v^r.
 */
function moments(ratio: number, weight: number): number[] {
  const powers = [1, 2, 3, 4].map((r) =>
    eigenvalues.reduce((sum, l) => sum + (l / (l + ratio ** 2)) ** r, 0)
  );
  const [k1, k2, k3, k4] = powers.map((power, i) => [1, 2, 8, 48][i] * power);
  return [
    k1,
    k2 + k1 ** 2,
    k3 + 3 * k2 * k1 + k1 ** 3,
    k4 + 4 * k3 * k1 + 3 * k2 ** 2 + 6 * k2 * k1 ** 2 + k1 ** 4,
  ].map((moment, i) => moment * (weight / dimension) ** (i + 1));
}

/** Mean, variance and fourth central moment of the loss of one sample, over times of a density relative to the even one. */
function distributionOfLoss(
  sde: Sde,
  density: (t: number) => number,
): { mean: number; variance: number; fourth: number } {
  const length = sde.tMax - sde.tMin;
  const [m1, m2, m3, m4] = [0, 1, 2, 3].map((i) =>
    integral(
      sde.tMin,
      sde.tMax,
      (t) => moments(noiseRatio(sde, t), rate(sde, t) / density(t))[i] * density(t) / length,
    )
  );
  return { mean: m1, variance: m2 - m1 ** 2, fourth: m4 - 4 * m3 * m1 + 6 * m2 * m1 ** 2 - 3 * m1 ** 4 };
}

claim(
  "importance sampling of times keeps the likelihood-weighted loss at its floor, and reduces its variance as theory says",
  async (check) => {
    const problem = new Gaussian({ mean: [0, 0, 0], variances: eigenvalues });
    const rows = 40_000;
    const z = standardNormalQuantile(1 - alarmRate / 2);
    const reductions: string[][] = [];
    for (const sde of allSdes) {
      const { kind } = sde.config;
      // ∫ g²/σ² λ/(λ + ν²) dt = ln ν² − ln(λ + ν²) between the ends.
      const antiderivative = (t: number) =>
        eigenvalues.reduce((sum, l) => sum - Math.log1p(l / noiseRatio(sde, t) ** 2), 0);
      const floor = (antiderivative(sde.tMax) - antiderivative(sde.tMin)) / dimension / (sde.tMax - sde.tMin);
      const distributions = {
        uniform: distributionOfLoss(sde, () => 1),
        importance: distributionOfLoss(sde, (t) => importanceDensity(sde, t)),
      };
      for (const times of ["uniform", "importance"] as const) {
        const rng = createRng(check.seed).fork(`${kind} ${times}`);
        const objective = { kind: "sde", sde: sde.config, weighting: "likelihood", times } as const;
        const { noiseRatio: ratios, weight } = drawNoiseLevels(objective, rng.fork("levels"), rows);
        const [data, noise] = [
          problem.sample(rng.fork("data"), rows),
          rng.fork("noise").normal([rows, dimension]),
        ];
        const errors = tf.tidy(() => {
          const scale = tf.tensor2d(Float32Array.from(ratios), [rows, 1]);
          return problem.predictNoise(data.add(noise.mul(scale)), ratios).sub(noise).square().mean(1);
        });
        const values = await errors.data();
        const losses = weight.map((w, i) => w * values[i]);
        tf.dispose([data, noise, errors]);
        const mean = losses.reduce((a, b) => a + b) / rows;
        const variance = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (rows - 1);
        const distribution = distributions[times];
        check.within(
          `${kind}, ${times}: the distribution's mean`,
          distribution.mean,
          floor,
          1e-9 * floor,
          "the floor in closed form",
        );
        check.within(
          `${kind}, ${times}: mean of ${rows} losses`,
          mean,
          floor,
          z * Math.sqrt(distribution.variance / rows) + 1e-5 * floor,
          "Σ [ln ν² − ln(λ + ν²)]/d between the ends, over tMax − tMin: unbiased",
          {
            alarmRate,
            detectable: `${
              (200 * z * Math.sqrt(distribution.variance / rows) / floor).toPrecision(2)
            }% of the floor`,
          },
        );
        const spread = Math.sqrt((distribution.fourth - distribution.variance ** 2) / rows);
        check.within(
          `${kind}, ${times}: variance`,
          variance,
          distribution.variance,
          z * spread + 1e-4 * distribution.variance,
          "moments of sums of squared Gaussians, over the times' density; its spread by the fourth moment",
          { alarmRate, detectable: `${(200 * z * spread / distribution.variance).toPrecision(2)}% of it` },
        );
      }
      const [plain, important] = [distributions.uniform.variance, distributions.importance.variance];
      check.atMost(
        `${kind}: variance by importance over variance by even times`,
        important / plain,
        kind === "ve" ? 1 + 1e-9 : 0.5,
        kind === "ve" ? "VE's times are those of importance already" : "at least halved",
      );
      reductions.push([kind, ...[floor, plain, important, plain / important].map((v) => v.toPrecision(4))]);
    }
    check.table(
      "Variance of one sample's likelihood-weighted loss, exact score of N(0, diag(4, 1, 0.04))",
      ["SDE", "mean", "uniform times", "by importance", "ratio"],
      reductions,
    );
  },
);

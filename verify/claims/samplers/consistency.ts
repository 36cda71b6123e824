/**
 * Claims about consistency sampling: its distribution under an exact consistency function, what it costs, the levels that it visits, and
 * that nothing takes a consistency function for a score.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { classifierFreeGuided, classifierGuided } from "../../../src/conditioning/guidance.ts";
import { mixtureClassifier } from "../../../src/conditioning/guidance.ts";
import { replacementSampler } from "../../../src/conditioning/imputation.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../../src/distributions/gaussian_mixture.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import { stepsForNfe } from "../../../src/samplers/nfe_budget.ts";
import {
  samplerByName,
  samplerInfo,
  samplerNames,
  scoreSamplerNames,
} from "../../../src/samplers/registry.ts";
import { consistency } from "../../../src/samplers/consistency.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { type GridConfig, timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { gaussianConsistency, mixtureConsistency } from "../../reference/exact_consistency.ts";
import { alongDistribution } from "../../problems/plane_mixture.ts";
import { allSdes } from "../../problems/sdes.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import { checkMean, checkUniform, checkVariance, standardNormalCdf } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const [mean, std] = [0.4, 0.7];
const gaussian = gaussianConsistency(mean, std);
const levels = (steps: number): GridConfig => ({ kind: "levels", steps });

/** Exact draws of x at tMax: data of `distribution` under noise. */
function startOf(sde: Sde, distribution: Gaussian | GaussianMixture, count: number, seed: number): tf.Tensor {
  const rng = createRng(seed).fork(`start ${sde.config.kind}`);
  return tf.tidy(() =>
    distribution.sample(rng.fork("data"), count).mul(sde.alpha(sde.tMax))
      .add(rng.fork("noise").normal([count, 1]).mul(sde.sigma(sde.tMax)))
  );
}

claim("consistency sampling of a Gaussian draws it exactly in 1, 2, 3 and 4 steps", async (check) => {
  const count = 100_000;
  for (const [i, sde] of allSdes.entries()) {
    const model = scoreModel(gaussian, sde);
    const initial = startOf(sde, new Gaussian({ mean: [mean], variances: [std ** 2] }), count, check.seed);
    for (const steps of [1, 2, 3, 4]) {
      const rng = createRng(check.seed).fork(`steps ${steps} ${i}`);
      const x = await drawSamples(model, consistency(), {
        shape: [count, 1],
        grid: levels(steps),
        rng,
        initial,
      });
      const values = Float64Array.from(await x.data());
      x.dispose();
      const where = `${sde.config.kind}, ${steps} steps`;
      const standard = values.map((value) => (value - mean) / std);
      checkUniform(
        check,
        `${where}: ranks`,
        standard.map(standardNormalCdf),
        "N(.4, .49), the data's distribution",
      );
      const average = (f: (z: number) => number) => standard.reduce((sum, z) => sum + f(z), 0) / count;
      checkMean(check, `${where}: mean`, average((z) => z), 0, 1, count, "the data's mean");
      checkVariance(check, `${where}: variance`, average((z) => z * z), 1, count, "the data's variance");
    }
    initial.dispose();
  }
});

claim(
  "consistency sampling of a mixture on a line draws it exactly in 1, 2 and 4 steps",
  { engines: ["wasm"] },
  async (check) => {
    const count = 4000;
    const distribution = scalarDistribution(alongDistribution, 0);
    for (const [i, sde] of allSdes.entries()) {
      const model = scoreModel(mixtureConsistency(alongDistribution), sde);
      const initial = startOf(sde, alongDistribution, count, check.seed);
      for (const steps of check.thorough ? [1, 2, 4] : [[1, 2, 4, 2][i % 4]]) {
        const rng = createRng(check.seed).fork(`steps ${steps} ${i}`);
        const run = { shape: [count, 1], grid: levels(steps), rng, initial };
        const x = await drawSamples(model, consistency(), run);
        const ranks = Float64Array.from(await x.data(), (value) => distribution.cdf(value));
        x.dispose();
        checkUniform(check, `${sde.config.kind}, ${steps} steps: ranks`, ranks, "F_0 of F_0⁻¹(F_ν(y))");
      }
      initial.dispose();
    }
  },
);

claim(
  "a consistency step goes to the end of the trajectory and back to the noise asked for",
  async (check) => {
    for (const sde of allSdes) {
      const model = scoreModel(gaussian, sde);
      const times = timeGrid(sde, levels(3));
      const rows = 50;
      const initial = createRng(3).normal([rows, 1]).mul(sde.priorStd);
      const draws = createRng(5);
      let expected = Float64Array.from(await initial.data());
      const end = (x: number, t: number) =>
        mean + (x / sde.alpha(t) - mean) * std / Math.hypot(std, noiseRatio(sde, t));
      const states: Float64Array[] = [];
      for (const [i, s] of times.entries()) {
        if (i === 0) continue;
        const z = i === 3 ? null : await draws.normal([rows, 1]).data();
        expected = expected.map((x, row) => {
          const data = end(x, times[i - 1]);
          return z === null ? data : sde.alpha(s) * data + sde.sigma(s) * z[row];
        });
        states.push(expected);
      }
      const run = { shape: [rows, 1], grid: levels(3), rng: createRng(5), initial };
      for await (const { x, step, done, evaluations } of sample(model, consistency(), run)) {
        if (step === 0) continue;
        const values = await x.data();
        const worst = states[step - 1].reduce(
          (most, value, row) => Math.max(most, Math.abs(value - values[row])),
          0,
        );
        check.atMost(
          `${sde.config.kind}: step ${step}`,
          worst,
          2e-4,
          "Song et al. 2023, Alg. 1, in float64; y up to 600 is rounded by 3e-5, a few times",
          {
            detectable: "any other mixture of end and noise",
          },
        );
        check.equal(`${sde.config.kind}: evaluations after step ${step}`, evaluations, step, "one a step");
        if (done) x.dispose();
      }
      initial.dispose();
    }
  },
);

claim(
  "without the final denoising, consistency sampling ends with the noise of the last time",
  async (check) => {
    const sde = allSdes[0];
    const [count, smallest] = [50_000, 0.3];
    const grid = Float64Array.of(
      sde.tMax,
      sde.timeAtHalfLogSnr(-Math.log(2)),
      sde.timeAtHalfLogSnr(-Math.log(smallest)),
    );
    const initial = startOf(sde, new Gaussian({ mean: [mean], variances: [std ** 2] }), count, check.seed);
    const run = { shape: [count, 1], grid, rng: createRng(check.seed), initial, denoise: false };
    const x = await drawSamples(scoreModel(gaussian, sde), consistency(), run);
    const [alpha, spread] = [sde.alpha(grid[2]), Math.hypot(std, smallest)];
    const ranks = Float64Array.from(
      await x.data(),
      (value) => standardNormalCdf((value / alpha - mean) / spread),
    );
    checkUniform(check, "ranks", ranks, "p_t of the last time, ν = .3");
    tf.dispose([x, initial]);
  },
);

claim("a levels grid visits the noise ratios of its list, and refuses invalid ones", async (check) => {
  for (const sde of allSdes) {
    const times = timeGrid(sde, { kind: "levels", steps: 3, ratios: [3, 0.25] });
    check.equal(`${sde.config.kind}: ends`, [times[0], times[3]], [sde.tMax, sde.tMin], "the SDE's own");
    for (const [i, ratio] of [3, 0.25].entries()) {
      const reached = noiseRatio(sde, times[i + 1]);
      check.within(`${sde.config.kind}: ν = ${ratio}`, reached / ratio, 1, 1e-9, "the list");
    }
  }
  const [sde] = allSdes;
  const grid = (config: Omit<GridConfig, "kind">) => () => timeGrid(sde, { kind: "levels", ...config });
  await check.throws(
    "five steps",
    grid({ steps: 5 }),
    /^the levels grid has default ratios for at most 4 steps, got 5: /,
  );
  await check.throws("one ratio", grid({ steps: 3, ratios: [1] }), /of 3 steps needs 2 ratios, got 1$/);
  for (const ratios of [[1, 2], [1, 1], [1e9, 1], [1, 0], [1, NaN]]) {
    await check.throws(String(ratios), grid({ steps: 3, ratios }), /must decrease strictly between .*, got /);
  }
  check.equal(
    "within 3 evaluations",
    stepsForNfe("consistency", 3),
    { steps: 3, options: {} },
    "no denoising",
  );
  await check.throws(
    "within none",
    () => stepsForNfe("consistency", 0),
    /needs at least 1 evaluations, for one step,/,
  );
});

claim(
  "samplers and conditioning that need a score refuse a consistency function, and the consistency sampler refuses a score",
  async (check) => {
    check.equal(
      "samplers of consistency functions",
      samplerNames.filter((name) => !scoreSamplerNames.includes(name)),
      samplerNames.filter((name) => samplerInfo(name).create({}).needs === "consistency"),
      "what they say they need",
    );
    const sde = allSdes[0];
    const model = scoreModel(gaussian, sde);
    const run = { shape: [2, 1], grid: { kind: "log-snr", steps: 4 }, rng: createRng(1) } as const;
    for (const name of scoreSamplerNames) {
      await check.throws(
        name,
        () => drawSamples(model, samplerByName(name), run),
        /needs a score, and this model is a consistency function: use the sampler consistency$/,
      );
    }
    const distribution = GaussianMixture.from({
      weights: [0.5, 0.5],
      means: [[-1], [1]],
      covariances: [[[1]], [[1]]],
    });
    const score = scoreModel(distribution, sde);
    const known = { mask: [1], known: tf.tensor2d([[0.5]]) };
    for (const sampler of [consistency(), replacementSampler(consistency(), known)]) {
      await check.throws(
        `${sampler.name} of a score`,
        () => drawSamples(score, sampler, run),
        /needs a consistency function, and this model gives a score: use another sampler$/,
      );
    }
    const x = tf.ones([2, 1]);
    const seen = { operator: maskOperator([1], [1]), y: tf.tensor2d([[0.5]]), noiseStd: 0.1 };
    const uses: [name: string, use: () => unknown][] = [
      ["score", () => model.score(x, 0.5)],
      ["odeDrift", () => model.odeDrift(x, 0.5)],
      ["posteriorScore", () => posteriorScore(model, seen)],
      ["classifierGuided", () => classifierGuided(model, mixtureClassifier(distribution), 0)],
      ["classifierFreeGuided", () => classifierFreeGuided(score, model, 2)],
      ["logLikelihood", () => logLikelihood(model, x)],
      ["continuousElbo", () => continuousElbo(model, x, { rng: createRng(1) })],
    ];
    for (const [name, use] of uses) {
      await check.throws(
        name,
        use,
        /needs a score, and this model is a consistency function|^a consistency function has no (score|odeDrift)/,
      );
    }
    await check.throws(
      "predictor-corrector",
      () => predictorCorrector({ predictor: consistency(), corrector: langevin() }),
      /^consistency needs a consistency function, which no corrector can use$/,
    );
    tf.dispose([x, seen.y, known.known]);
  },
);

claim("consistency sampling with imputation keeps known values", async (check) => {
  const sde = allSdes[0];
  const known = { mask: [1, 0], known: tf.tensor2d([[0.25, 0]]) };
  const run = { shape: [64, 2], grid: levels(3), rng: createRng(check.seed) };
  const x = await drawSamples(scoreModel(gaussian, sde), replacementSampler(consistency(), known), run);
  const values = await x.data();
  check.holds(
    "known coordinates",
    values.every((value, i) => i % 2 === 1 || value === 0.25),
    "put in exactly",
  );
  check.holds("hidden coordinates differ", new Set(values).size > 60, "they are drawn");
  tf.dispose([x, known.known]);
});

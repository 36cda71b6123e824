/**
 * The distributions of imputation and RePaint on a correlated pair of which one number is seen: their own, which are biased, exactly; by how
 * much they miss the posterior; and what they draw.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  repaintSampler,
  replacementSampler,
  withExactKnownValues,
} from "../../../src/conditioning/imputation.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { histogram } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { eulerMaruyama } from "../../../src/samplers/euler_maruyama.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { type GridConfig, timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { coupledDistribution } from "../../instruments/coupled_distribution.ts";
import {
  type AffineSteps,
  correctedSteps,
  ddimSteps,
  eulerMaruyamaSteps,
  exactMoments,
  imputedLimit,
  imputedMoments,
  pair,
} from "../../reference/imputation_moments.ts";
import { allSdes } from "../../problems/sdes.ts";
import { checkMean, checkVariance } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const prior = new Gaussian({
  mean: [0, 0],
  covariance: [[1, pair.correlation], [pair.correlation, 1]],
});
/** The hidden entry must not matter, whatever stands there. */
const known = () => ({ mask: [1, 0], known: tf.tensor2d([[pair.seen, NaN]]) });
const ancestral = ddim({ eta: 1 });
const langevinStep = (sde: Sde) => (t: number) => 0.1 * sde.sigma(t) ** 2;
const corrector = (sde: Sde) => langevin({ stepSize: langevinStep(sde) });

interface Case {
  readonly name: string;
  readonly sampler: (sde: Sde) => Sampler;
  readonly affineSteps: (sde: Sde) => AffineSteps;
  readonly grid?: GridConfig["kind"];
  readonly resamplings?: number;
  readonly jump?: number;
}

const cases: readonly Case[] = [
  {
    name: "ancestral sampling",
    sampler: () => replacementSampler(ancestral, known()),
    affineSteps: () => ddimSteps(1),
  },
  {
    name: "the probability flow by DDIM",
    sampler: () => replacementSampler(ddim(), known()),
    affineSteps: () => ddimSteps(0),
  },
  {
    name: "Euler–Maruyama",
    sampler: () => replacementSampler(eulerMaruyama(), known()),
    affineSteps: () => eulerMaruyamaSteps,
    grid: "uniform",
  },
  {
    name: "a predictor and a corrector, put in after both",
    sampler: (sde) =>
      replacementSampler(predictorCorrector({ predictor: ancestral, corrector: corrector(sde) }), known()),
    affineSteps: (sde) => correctedSteps(langevinStep(sde), false),
  },
  {
    name: "a predictor and a corrector, put in after each",
    sampler: (sde) =>
      predictorCorrector({
        predictor: replacementSampler(ancestral, known()),
        corrector: replacementSampler(corrector(sde), known()),
      }),
    affineSteps: (sde) => correctedSteps(langevinStep(sde), true),
  },
  {
    name: "RePaint, each step three times",
    sampler: () => repaintSampler(ancestral, { ...known(), resamplings: 3 }),
    affineSteps: () => ddimSteps(1),
    resamplings: 3,
  },
  {
    name: "RePaint, five steps twice",
    sampler: () => repaintSampler(ancestral, { ...known(), resamplings: 2, jump: 5 }),
    affineSteps: () => ddimSteps(1),
    resamplings: 2,
    jump: 5,
  },
];

const steps = 24;

claim(
  "samples by imputation have the distribution that affine recursion gives, bias included",
  async (check) => {
    for (const sde of allSdes) {
      for (const { name, sampler, affineSteps, grid = "log-snr", ...how } of cases) {
        const times = timeGrid(sde, { kind: grid, steps });
        const model = scoreModel(prior, sde);
        const distribution = await coupledDistribution(model, sampler(sde), 2, { grid: times });
        const own = imputedMoments(sde, affineSteps(sde), times, how);
        const where = `${sde.config.kind}, ${name}`;
        const source = "moments carried through the steps in float64; float32 rounds 2⁻²⁴ a step";
        const rounding = 10 * steps * (how.resamplings ?? 1) * 2 ** -24;
        check.equal(`${where}: seen entry`, distribution.mean[0], pair.seen, "pasted exactly");
        check.equal(`${where}: its variance`, distribution.covariance[0][0], 0, "pasted exactly");
        check.within(`${where}: mean`, distribution.mean[1], own.mean[1], rounding, source, {
          detectable: "a wrong coefficient, time or noise level of any step",
        });
        const ratio = distribution.covariance[1][1] / own.covariance[1][1];
        check.within(`${where}: variance over its own`, ratio, 1, rounding, source, {
          detectable: "a wrong coefficient, time or noise level of any step",
        });
      }
    }
  },
);

claim(
  "imputation's bias has a limit: mean 0.750 and variance 0.494 for a posterior of 1.2 and 0.36",
  (check) => {
    for (const sde of allSdes) {
      const limit = imputedLimit(noiseRatio(sde, sde.tMin));
      const at = (steps: number) => {
        const times = timeGrid(sde, { kind: "log-snr", steps });
        const { mean, covariance } = imputedMoments(sde, ddimSteps(1), times, { denoise: false });
        const alpha = sde.alpha(sde.tMin);
        return [mean[1] / alpha, covariance[1][1] / alpha ** 2];
      };
      const [coarse, fine] = [at(1024), at(2048)];
      // Error terms: 1/N², of order 1e-5 here; and a prior that is not p_T, of relative size 1/ν_T².
      const source =
        "ordinary differential equations solved in closed form; Richardson's extrapolation of order 1";
      const extrapolated = fine.map((value, i) => 2 * value - coarse[i]);
      const tolerance = 1e-4 + 2 / noiseRatio(sde, sde.tMax) ** 2;
      check.within(`${sde.config.kind}: mean`, extrapolated[0], limit.mean, tolerance, source);
      check.within(`${sde.config.kind}: variance`, extrapolated[1], limit.variance, tolerance, source);
    }
    const end = imputedLimit(0);
    check.within("mean where the noise ends", end.mean, 0.75, 1e-12, "(o/ρ)(1 − √(1 − ρ²))");
    check.within(
      "variance where the noise ends",
      end.variance,
      0.4944,
      5e-5,
      "(1 − ρ²)/(2ρ) ln((1 + ρ)/(1 − ρ))",
    );
  },
);

claim("RePaint's bias shrinks with the number of resamplings", async (check) => {
  const sde = allSdes[0];
  const model = scoreModel(prior, sde);
  const times = timeGrid(sde, { kind: "log-snr", steps });
  const counts = [1, 2, 5, 20];
  const rows: string[][] = [];
  let last = Infinity;
  for (const resamplings of counts) {
    const sampler = repaintSampler(ancestral, { ...known(), resamplings });
    const distribution = resamplings <= 5
      ? await coupledDistribution(model, sampler, 2, { grid: times })
      : imputedMoments(sde, ddimSteps(1), times, { resamplings });
    const [mean, variance] = [distribution.mean[1], distribution.covariance[1][1]];
    const error = Math.abs(mean - exactMoments.mean);
    check.atMost(
      `error of the mean, each step ${resamplings} times`,
      error,
      last,
      "that of fewer resamplings",
    );
    last = error;
    rows.push([
      resamplings === 1 ? "imputation" : `RePaint, ${resamplings} times`,
      ...[mean, variance].map(brief),
    ]);
  }
  check.atMost("error of the mean, each step 20 times", last, 0.05, "less than a sixth of imputation's 0.5");
  rows.push(["the posterior", brief(exactMoments.mean), brief(exactMoments.variance)]);
  check.table(
    `A pair of unit normals, correlation 0.8, first seen as 1.5: the second's distribution after ${steps} ancestral steps`,
    ["method", "mean", "variance"],
    rows,
  );
});

claim("samples by imputation and RePaint have the methods' exact distributions", async (check) => {
  const count = 20_000;
  for (const [i, sde] of allSdes.entries()) {
    const chosen = check.thorough ? cases : [cases[0], cases[3 + i % (cases.length - 3)]];
    for (const { name, sampler, affineSteps, grid = "log-snr", ...how } of chosen) {
      const times = timeGrid(sde, { kind: grid, steps });
      const rng = createRng(check.seed).fork(`${sde.config.kind} ${name}`);
      const run = { shape: [count, 2], grid: times, rng };
      const x = await drawSamples(scoreModel(prior, sde), sampler(sde), run);
      const values = await x.data();
      x.dispose();
      const hidden = Float64Array.from({ length: count }, (_, row) => values[2 * row + 1]);
      const own = imputedMoments(sde, affineSteps(sde), times, how);
      const [mean, variance] = [own.mean[1], own.covariance[1][1]];
      const where = `${sde.config.kind}, ${name}`;
      const source = "its moments, carried through the steps";
      const average = hidden.reduce((sum, value) => sum + value) / count;
      checkMean(check, `${where}: mean`, average, mean, Math.sqrt(variance), count, source);
      const squares = hidden.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
      checkVariance(check, `${where}: variance`, squares, variance, count, source);
      const exactly = values.every((value, at) => at % 2 === 1 || value === pair.seen);
      check.holds(`${where}: the seen entry of every sample is exactly 1.5`, exactly, "pasted at the end");
      check.plot(`${name}, ${sde.config.kind}`, bias(`${name}, ${sde.config.kind}`, hidden, mean, variance));
    }
  }
});

/** Draws, their own distribution and the posterior. */
function bias(title: string, values: Float64Array, mean: number, variance: number): string {
  const range = [-1.6, 3.4] as const;
  const x = Float64Array.from({ length: 201 }, (_, i) => range[0] + (range[1] - range[0]) * i / 200);
  const normal = (mean: number, variance: number) =>
    x.map((at) => Math.exp(-0.5 * (at - mean) ** 2 / variance) / Math.sqrt(2 * Math.PI * variance));
  const { mean: exact, variance: spread } = exactMoments;
  return plot([
    histogram(values, { bins: 80, range, label: "drawn" }),
    { kind: "line", x, y: normal(mean, variance), label: "own distribution" },
    { kind: "line", x, y: normal(exact, spread), label: "posterior", dashed: true },
  ], { title, x: { label: "hidden entry" }, y: { label: "density" } });
}

function brief(value: number): string {
  return value.toFixed(4);
}

claim("RePaint takes one to a million resamplings and jumps of one step up", async (check) => {
  const repainted = (options: object) => () => repaintSampler(ancestral, { ...known(), ...options });
  check.equal("a million", repainted({ resamplings: 1e6 })().name, `repainted ${ancestral.name}`, "allowed");
  await check.throws(
    "more",
    repainted({ resamplings: 1_000_001 }),
    /^resamplings must be at most 1000000, got 1000001$/,
  );
  await check.throws(
    "none",
    repainted({ resamplings: 0 }),
    /^resamplings must be a positive integer, got 0$/,
  );
  await check.throws("no jump", repainted({ jump: 0 }), /^jump must be a positive integer, got 0$/);
  const needing: Sampler = { ...ancestral, needs: "consistency" };
  const wrapped = [
    replacementSampler(needing, known()),
    repaintSampler(needing, known()),
    withExactKnownValues(needing, known()),
  ];
  check.equal(
    "what samplers need",
    wrapped.map(({ needs }) => needs),
    new Array(3).fill("consistency"),
    "as alone",
  );
  check.equal(
    "imputed",
    replacementSampler(ancestral, known()).name,
    `imputed ${ancestral.name}`,
    "its name",
  );
});

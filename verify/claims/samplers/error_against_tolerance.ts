/**
 * The distributions of samplers that choose their own steps: how far they are from the data's, against the tolerance asked for.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import type { LineMark } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { dpmSolverAdaptive } from "../../../src/samplers/dpm_solver_adaptive.ts";
import { odeDormandPrince } from "../../../src/samplers/ode_dopri5.ts";
import { sample } from "../../../src/samplers/sample.ts";
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { alongDistribution } from "../../problems/plane_mixture.ts";
import { allSdes } from "../../problems/sdes.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import { alarmRate, dkwDistance, standardNormalCdf, uniformDistance } from "../../instruments/statistics.ts";

/** Where these claims are examined, and what the report says of their pictures. */
export const area: Area = {
  webgpu: "thorough",
  plots: {
    title: "Error against tolerance, for samplers that choose their steps",
    text:
      "ode-dopri5 and dpm-solver-adaptive move particles from the quantiles of p_T; where they end, the data's distribution should give the ranks that they " +
      "started with. adaptive-sde is seen through draws: below the dashed line differences are chance.",
  },
};

/** Where distributions are looked at, the end among them. */
const grid = { kind: "uniform", steps: 4 } as const;

/** P(x_t ≤ x) of the data's distribution. */
function exactDistribution(sde: Sde, t: number) {
  const distribution = scalarDistribution(alongDistribution, noiseRatio(sde, t));
  return {
    cdf: (x: number) => distribution.cdf(x / sde.alpha(t)),
    quantile: (rank: number) => sde.alpha(t) * distribution.quantile(rank),
  };
}

/** Ranks from one in ten thousand to all but as many. */
const ranks = Array.from({ length: 161 }, (_, i) => standardNormalCdf(-3.72 + 7.44 * i / 160));

/** Solvers of the flow; the tolerances at which they are looked at, and how much of the SDEs' list. */
const flows = [
  { name: "ode-dopri5", solver: odeDormandPrince, tolerances: [1e-3, 1e-4, 1e-5, 1e-6], each: 1 },
  { name: "dpm-solver-adaptive", solver: dpmSolverAdaptive, tolerances: [1e-2, 1e-3, 1e-4], each: 4 },
];

for (const { name, solver, tolerances, each } of flows) {
  claim(`${name} draws three modes with an error that falls with its tolerance`, async (check) => {
    const curves: LineMark[] = [];
    for (const sde of allSdes.filter((_, i) => i % each === 0)) {
      const start = exactDistribution(sde, sde.tMax);
      const initial = tf.tensor2d(ranks.map((rank) => [start.quantile(rank)]));
      const errors: number[] = [];
      for (const tolerance of tolerances) {
        const sampler = solver({ rtol: tolerance, atol: tolerance, maxAttempts: 1500 });
        const options = { shape: [ranks.length, 1], grid, rng: createRng(1), initial, denoise: false };
        let error = 0;
        for await (
          const { x, step, time, done } of sample(scoreModel(alongDistribution, sde), sampler, options)
        ) {
          if (step === 0) continue;
          const { cdf } = exactDistribution(sde, time);
          const moved = Array.from(await x.data(), (x, i) => Math.abs(cdf(x) - ranks[i]));
          const mean = moved.reduce((sum, change) => sum + change) / moved.length;
          error = Math.max(error, mean);
          if (done) x.dispose();
        }
        errors.push(error);
        check.atMost(
          `${sde.config.kind}, tolerance ${tolerance}: mean change of a rank, at the worst of four times`,
          error,
          10 * tolerance + 2e-5,
          "a flow on a line keeps ranks; some 20 steps of half the tolerance each, in a density of order 1; float32 states",
          { detectable: "a tolerance that is not kept, a flow that does not follow p_t" },
        );
      }
      initial.dispose();
      curves.push({ kind: "line", label: sde.config.kind, x: tolerances, y: errors, dots: true });
    }
    curves.push({ kind: "line", label: "∝ tolerance", x: tolerances, y: tolerances, dashed: true });
    check.plot(
      `${name}: how far it moves ranks, by tolerance`,
      plot(curves, {
        title: `${name} (chooses its steps)`,
        x: { label: "rtol = atol", scale: "log" },
        y: { label: "sup |F − F_exact|", scale: "log" },
      }),
    );
  });
}

claim(
  "adaptive-sde draws three modes to within half its tolerance, at the end and on the way",
  async (check) => {
    const count = check.thorough ? 10_000 : 1000;
    const tolerances = check.thorough ? [0.2, 0.1, 0.05, 0.02] : [0.2, 0.1, 0.05];
    const chance = dkwDistance(count, alarmRate);
    const curves: LineMark[] = [];
    for (const sde of check.thorough ? allSdes : [allSdes[0]]) {
      const errors: number[] = [];
      for (const tolerance of tolerances) {
        const rng = createRng(check.seed).fork(`adaptive ${sde.config.kind} ${tolerance}`);
        const options = { shape: [count, 1], grid, rng, denoise: false };
        const sampler = adaptiveSde({ rtol: tolerance, atol: tolerance / 10, maxAttempts: 1500 });
        let error = 0;
        for await (
          const { x, step, time, done } of sample(scoreModel(alongDistribution, sde), sampler, options)
        ) {
          if (step === 0) continue;
          const { cdf } = exactDistribution(sde, time);
          error = uniformDistance(Float64Array.from(await x.data(), cdf));
          if (done) x.dispose();
          check.atMost(
            `${sde.config.kind}, tolerance ${tolerance}, t = ${time.toPrecision(3)}: distance from p_t`,
            error,
            chance + tolerance / 2,
            `chance (Dvoretzky–Kiefer–Wolfowitz over ${count} draws); a step keeps a solution that is an order better ` +
              "than the difference which the tolerance bounds",
            { alarmRate, detectable: `a distribution ${(2 * chance + tolerance / 2).toFixed(2)} away` },
          );
        }
        errors.push(error);
      }
      curves.push({ kind: "line", label: sde.config.kind, x: tolerances, y: errors, dots: true });
    }
    const typical = tolerances.map(() => 0.87 / Math.sqrt(count));
    curves.push({ kind: "line", label: "chance alone", x: tolerances, y: typical, dashed: true });
    check.plot(
      "adaptive-sde: distance of its distribution from the data's, by tolerance",
      plot(curves, {
        title: "adaptive-sde (chooses its steps)",
        x: { label: "rtol = 10 atol", scale: "log" },
        y: { label: "sup |F_n − F_exact|", scale: "log" },
      }),
    );
  },
);

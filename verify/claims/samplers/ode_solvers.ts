/**
 * The probability-flow solvers beyond their first error term: the flow of a mixture against its distribution functions,
 * Runge–Kutta 4, and a grid whose steps alternate.
 * @module
 */
import { samplerByName } from "../../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import { halfLogSnr, noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import type { GridConfig } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { bumps, flowed, whole } from "../../instruments/flow_map.ts";
import {
  type GaussianProblem,
  marginalVariance,
  responseOf,
  varianceSlope,
} from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { outputVariance } from "../../instruments/impulse_response.ts";
import { multistepError } from "../../reference/error_constants.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

claim("the probability flow of a one-dimensional mixture keeps ranks: F_ε(x_ε) = F_T(x_T)", async (check) => {
  const ranks = [0.02, 0.1, 0.28, 0.3, 0.32, 0.5, 0.75, 0.9, 0.98];
  const solvers = [
    { sampler: "ode-rk4", kind: "log-snr", steps: 16, order: 4 },
    { sampler: "ode-heun", kind: "log-snr", steps: 50, order: 2 },
    { sampler: "edm-heun", kind: "karras", steps: 50, order: 2 },
    { sampler: "dpm++2m", kind: "log-snr", steps: 50, order: 2 },
    { sampler: "ddim", kind: "log-snr", steps: 50, order: 1 },
    { sampler: "ode-euler", kind: "log-snr", steps: 50, order: 1 },
  ] as const;
  for (const [name, sde] of Object.entries(narrowSdes)) {
    const start = scalarDistribution(bumps, noiseRatio(sde, sde.tMax));
    const end = scalarDistribution(bumps, noiseRatio(sde, sde.tMin));
    const states = ranks.map((rank) => [sde.alpha(sde.tMax) * start.quantile(rank)]);
    const change = async (sampler: string, grid: GridConfig, options: SamplerOptions = {}) => {
      const { values } = await flowed(bumps, sde, states, sampler, grid, options);
      return Math.hypot(...ranks.map((rank, i) => end.cdf(values[i] / sde.alpha(sde.tMin)) - rank));
    };
    check.atMost(
      `${name}, ode-dopri5 at 1e-6: change of ranks`,
      await change("ode-dopri5", whole, { rtol: 1e-6, atol: 1e-6 }),
      5e-5,
      "some 20 steps of the tolerance each, density about 1, nine ranks",
      { detectable: "ranks moved by 2e-5" },
    );
    for (const { sampler, kind, steps, order } of solvers) {
      const coarse = await change(sampler, { kind, steps });
      const fine = await change(sampler, { kind, steps: 2 * steps });
      check.within(
        `${name}, ${sampler}: order in the change of ranks, ${steps} to ${2 * steps} steps`,
        Math.log2(coarse / fine),
        order,
        order === 4 ? 0.4 : 0.15,
        "a flow in one dimension keeps ranks, so all change is the solver's",
        { detectable: `a flow that is wrong by ${fine.toExponential(1)} in rank` },
      );
    }
  }
});

claim("Runge–Kutta 4 repeats a float64 Runge–Kutta on Gaussian data, and has order 4", async (check) => {
  const errors: Record<string, number[]> = {};
  for (const [name, sde] of Object.entries(narrowSdes)) {
    const problem = { sde, s0Squared: 0.25 };
    const exact = marginalVariance(problem, sde.tMin);
    errors[name] = [];
    for (const steps of [4, 8, 16, 32]) {
      const variance = await outputVarianceOf("ode-rk4", problem, { kind: "uniform", steps });
      errors[name].push(variance - exact);
      const expected = rungeKuttaVariance(problem, steps);
      check.within(
        `${name}: V at N = ${steps}`,
        variance,
        expected,
        expected * steps * 2 ** -22,
        "the classical tableau on x' = ½ C'/C x, written again",
        { detectable: "2e-6 of V; RK4's own error at N = 8 is 20 times that or more" },
      );
    }
  }
  for (const name of ["σ^t", "VE"]) {
    const order = Math.log2(errors[name][2] / errors[name][3]);
    check.within(
      `${name}: order between N = 16 and 32`,
      order,
      4,
      0.3,
      "float32 leaves no more steps to see order 4",
    );
  }
});

async function outputVarianceOf(
  sampler: string,
  problem: GaussianProblem,
  grid: GridConfig | Float64Array,
): Promise<number> {
  const response = await responseOf(problem, samplerByName(sampler), grid);
  return outputVariance(response, marginalVariance(problem, problem.sde.tMax));
}

function rungeKuttaVariance(problem: GaussianProblem, steps: number): number {
  const { tMin, tMax } = problem.sde;
  const rate = (t: number) => varianceSlope(problem, t) / marginalVariance(problem, t) / 2;
  const h = (tMin - tMax) / steps;
  let gain = 1;
  for (let i = 0; i < steps; i++) {
    const t = tMax + i * h;
    const k1 = rate(t);
    const k2 = rate(t + h / 2) * (1 + h / 2 * k1);
    const k3 = rate(t + h / 2) * (1 + h / 2 * k2);
    const k4 = rate(i === steps - 1 ? tMin : t + h) * (1 + h * k3);
    gain *= 1 + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  return gain ** 2 * marginalVariance(problem, tMax);
}

claim("DPM-Solver++(2M) keeps order 2 and its constant where steps in λ alternate 1 : 2", async (check) => {
  for (const [name, sde] of Object.entries(narrowSdes)) {
    const problem = { sde, s0Squared: 0.25 };
    const exact = marginalVariance(problem, sde.tMin);
    const pairs = [12, 24, 48];
    const [a, b, c] = await Promise.all(
      pairs.map(async (n) =>
        n ** 2 * (await outputVarianceOf("dpm++2m", problem, alternating(sde, n)) - exact)
      ),
    );
    // A pair of length H = 3h: h³ [D'/12 + D''(1/6 + 2/4)] and (2h)³ [D'/12 + D''(1/6 + 1/8)], over H³.
    const expected = multistepError(problem, "log-snr", { first: 1 / 3, slope: 0.75 / 27, bend: 3 / 27 });
    const rounding = 2 ** -24 * 0.25 * 96 * 48 ** 2 * 8 / 3;
    check.within(
      `${name}: n²·(V − C) for n pairs, extrapolated`,
      (a - 6 * b + 8 * c) / 3,
      expected,
      0.03 * Math.abs(expected) + rounding,
      "first error term with the step ratio r in it",
      { detectable: "an inverted step ratio, whose error is of order 1" },
    );
  }
});

/** n equal intervals in λ, each cut at a third. */
function alternating(sde: Sde, pairs: number): Float64Array {
  const from = halfLogSnr(sde, sde.tMax);
  const to = halfLogSnr(sde, sde.tMin);
  const times = Float64Array.from({ length: 2 * pairs + 1 }, (_, i) => {
    const place = Math.floor(i / 2) + (i % 2) / 3;
    return sde.timeAtHalfLogSnr(from + (to - from) * place / pairs);
  });
  times[0] = sde.tMax;
  times[2 * pairs] = sde.tMin;
  return times;
}

/**
 * SA-Solver against its equations in float64, and its order.
 * @module
 */
import { noiseRatio, type Sde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { saSolver } from "../../../src/samplers/sa_solver.ts";
import {
  checkRecursion,
  type Coefficients,
  type Recursion,
  s0Squared,
  simpson,
  sum,
} from "../../instruments/gaussian_recursion.ts";
import { marginalVariance } from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { type Area, claim } from "../../suite/claim.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** A τ that differs at the starts of any two steps. */
function fallingTau(t: number): number {
  return 0.2 + t;
}

const recursions: readonly Recursion[] = [
  ...[
    { what: "", options: {}, orders: [3, 4], tau: () => 1 },
    {
      what: " without a corrector, τ = 0.7",
      options: { predictorOrder: 2, correctorOrder: 0, tau: 0.7 },
      orders: [2, 0],
      tau: () => 0.7,
    },
    {
      what: " of orders 1 and 3, τ = 2.5",
      options: { predictorOrder: 1, correctorOrder: 3, tau: 2.5 },
      orders: [1, 3],
      tau: () => 2.5,
    },
    {
      what: " of orders 4 and 2, τ = 0",
      options: { predictorOrder: 4, correctorOrder: 2, tau: 0 },
      orders: [4, 2],
      tau: () => 0,
    },
    {
      what: " whose τ goes down from step to step",
      options: { predictorOrder: 2, correctorOrder: 2, tau: fallingTau },
      orders: [2, 2],
      tau: fallingTau,
    },
  ].map(({ what, options, orders, tau }) => ({
    name: `sa-solver${what}`,
    sampler: saSolver(options),
    method: (sde: Sde, times: Float64Array, noise: (t: number) => number) =>
      stochasticAdams(sde, times, noise, orders, tau),
    deterministic: options.tau === 0,
  })),
];

for (const recursion of recursions) {
  claim(
    `${recursion.name} on Gaussian data agrees with its equations in float64`,
    async (check) => await checkRecursion(check, recursion),
  );
}

/** SA-Solver in y, each step corrected from its own start with its own noise; integrals by Simpson's rule. */
function stochasticAdams(
  sde: Sde,
  times: Float64Array,
  noise: (t: number) => number,
  [predictorOrder, correctorOrder]: readonly number[],
  tauOf: (t: number) => number,
): Coefficients {
  const lambdas = Array.from(times, (t) => -Math.log(noiseRatio(sde, t)));
  const data: Coefficients[] = [];
  /** The step from `start` to the next time with the values at these, and with noise. */
  const step = (y: Coefficients, start: number, nodes: number[]): Coefficients => {
    const [from, to] = [lambdas[start], lambdas[start + 1]];
    const tau = tauOf(times[start]);
    const rate = 1 + tau ** 2;
    let next: Coefficients = y.map((c) => c * Math.exp(-rate * (to - from)));
    for (const j of nodes) {
      const others = nodes.filter((k) => k !== j);
      const weight = simpson(from, to, (lambda) => {
        const basis = others.reduce((p, k) => p * (lambda - lambdas[k]) / (lambdas[j] - lambdas[k]), 1);
        return rate * Math.exp(-rate * (to - lambda)) * basis;
      }, 200);
      next = sum(1, next, weight, data[j]);
    }
    const draw = Array.from({ length: start + 2 }, (_, k) => Number(k === start + 1));
    const std = noiseRatio(sde, times[start + 1]) * Math.sqrt(1 - Math.exp(-2 * tau ** 2 * (to - from)));
    return tau === 0 ? next : sum(1, next, std, draw);
  };
  const latest = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => from - i).filter((j) => j >= 0);
  let settled: Coefficients = [1 / sde.alpha(times[0])];
  let y = settled;
  for (let k = 0; k + 1 < times.length; k++) {
    data.push(y.map((c) => c * (1 - noiseRatio(sde, times[k]) * noise(times[k]) * sde.alpha(times[k]))));
    settled = k > 0 && correctorOrder > 0 ? step(settled, k - 1, latest(k, correctorOrder)) : y;
    y = step(settled, k, latest(k, predictorOrder));
  }
  return y.map((c) => c * sde.alpha(times[times.length - 1]));
}

claim(
  "SA-Solver without noise has order p, and with a corrector the smaller of p + 1 and its own",
  (check) => {
    const problem = { sde: narrowSdes["VP"], s0Squared };
    const { sde } = problem;
    const exact = Math.sqrt(marginalVariance(problem, sde.tMin) / marginalVariance(problem, sde.tMax));
    const noise = (t: number) => sde.sigma(t) / marginalVariance(problem, t);
    for (
      const [orders, expected] of [[[2, 0], 2], [[1, 2], 2], [[1, 3], 2], [[2, 3], 3], [[3, 4], 4]] as const
    ) {
      const [coarse, fine] = [128, 256].map((steps) => {
        const times = timeGrid(sde, { kind: "log-snr", steps });
        return Math.abs(stochasticAdams(sde, times, noise, orders, () => 0)[0] - exact);
      });
      check.within(
        `orders ${orders}`,
        Math.log2(coarse / fine),
        expected,
        0.25,
        "a step's error of the next power",
      );
    }
  },
);

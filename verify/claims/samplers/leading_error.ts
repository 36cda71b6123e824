/**
 * The exact distributions of the samplers on Gaussian data, measured through the real tensor code with impulses, against the first
 * error terms that theory gives: an order says how fast an error falls, its constant also that nothing else is wrong.
 * @module
 */
import { plot } from "../../../src/plots/plot.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { deis } from "../../../src/samplers/deis.ts";
import { ipndm } from "../../../src/samplers/ipndm.ts";
import { lms } from "../../../src/samplers/lms.ts";
import { unipc } from "../../../src/samplers/unipc.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import type { SolverType } from "../../../src/samplers/solver_type.ts";
import type { Sde } from "../../../src/diffusion/sde.ts";
import type { GridConfig } from "../../../src/diffusion/time_grid.ts";
import { type Area, type Check, claim } from "../../suite/claim.ts";
import {
  type GaussianProblem,
  marginalVariance,
  responseOf,
  varianceSlope,
} from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { outputMean, outputVariance } from "../../instruments/impulse_response.ts";
import {
  correctedError,
  ddimError,
  ddpmTerms,
  equalWeightsError,
  eulerMaruyamaTerms,
  exponentialTerms,
  flowError,
  type FlowGain,
  lineDataGain,
  lineNoiseGain,
  meanError,
  middleDataGain,
  middleNoiseGain,
  multistepError,
  reverseDiffusionTerms,
  singlestepError,
  stochasticError,
  stochasticMiddleStep,
  stochasticSinglestepError,
  type StochasticStep,
  twoNoisesError,
  withAncestralNoise,
} from "../../reference/error_constants.ts";

/** Where these claims are examined, and what the report says of their pictures. */
export const area: Area = {
  webgpu: "thorough",
  plots: {
    title: "Error against steps, on Gaussian data",
    text: "Difference of the output's exact variance V from the data's C.",
  },
  tables: {
    title: "Leading constants",
    text:
      "On Gaussian data a sampler's output variance V is known exactly, without drawing. Its error V − C at each N goes as K/Nᵖ: " +
      "the orders are read off successive N, “limit” is Nᵖ (V − C) extrapolated to N = ∞, and “theory” is K, the " +
      "first term of the sampler's error, computed from its equations by quadrature.",
  },
};

type GridKind = GridConfig["kind"];

const mean = 0.7;
const s0Squared = 0.25;

/** A sampler on a grid, with the limit of N^order·(variance error) that theory gives. */
interface Case {
  readonly sampler: Sampler;
  /** What is said of it; default the sampler's name. */
  readonly label?: string;
  readonly grid: GridKind;
  readonly order: 1 | 2;
  readonly constant: (problem: GaussianProblem) => number;
  readonly only?: string;
  /** Three step counts, each twice the one before; default 32, 64, 128. */
  readonly counts?: readonly [number, number, number];
}

const cases: Case[] = [
  oneStep("euler-maruyama", eulerMaruyamaTerms),
  oneStep("reverse-diffusion", reverseDiffusionTerms),
  { ...oneStep("ddpm", ddpmTerms), only: "VP" },
  oneStep("exponential-sde", exponentialTerms),
  ...(["log-snr", "karras"] as const).flatMap((grid) =>
    [0, 0.5, 1].map((eta): Case => ({
      sampler: ddim({ eta }),
      grid,
      order: 1,
      constant: (problem) => ddimError(problem, grid, eta),
    }))
  ),
  flow("ode-euler", "uniform", 1, "t"),
  flow("ode-heun", "uniform", 2, "t"),
  // Shifted grids are for the straight paths; under sub-VP their error is far from its first term at a hundred steps.
  { ...flow("ode-euler", "shifted", 1, "t"), only: "flow" },
  { ...flow("ode-heun", "shifted", 2, "t"), only: "flow" },
  flow("edm-heun", "karras", 2, "noise ratio"),
  flow("edm-heun", "quadratic", 2, "noise ratio"),
  ...(["log-snr", "karras"] as const).map((grid): Case => ({
    sampler: samplerByName("dpm++2m"),
    grid,
    order: 2,
    constant: (problem) => multistepError(problem, grid),
    // Equal steps in λ round the same coefficient the same way every time, so rounding adds up: fewer steps.
    counts: grid === "log-snr" ? [16, 32, 64] : undefined,
  })),
  {
    sampler: unipc({ solverOrder: 1 }),
    label: "unipc of order 1",
    grid: "log-snr",
    order: 2,
    constant: (problem) => correctedError(problem, "log-snr"),
    counts: [16, 32, 64],
  },
  {
    sampler: lms({ solverOrder: 2 }),
    label: "lms of order 2",
    grid: "karras",
    order: 2,
    constant: (problem) => twoNoisesError(problem, "karras", "noise ratio"),
  },
  {
    sampler: deis({ solverOrder: 2 }),
    label: "deis of order 2",
    grid: "log-snr",
    order: 2,
    constant: (problem) => twoNoisesError(problem, "log-snr", "lambda"),
  },
  ...(["log-snr", "karras"] as const).map((grid): Case => ({
    sampler: ipndm(),
    grid,
    order: 2,
    constant: (problem) => equalWeightsError(problem, grid, "one noise"),
  })),
  ...([["pndm", "log-snr"], ["plms", "karras"]] as const).map(([name, grid]): Case => ({
    sampler: samplerByName(name),
    grid,
    order: 2,
    constant: (problem) => equalWeightsError(problem, grid, "several evaluations"),
    // Below forty equal steps in λ the first steps, whose errors are of the third power, still show.
    counts: grid === "log-snr" ? [40, 80, 160] : undefined,
  })),
  ...(["log-snr", "karras"] as const).flatMap((grid) => [
    singlestep("dpm-solver-2", grid, middleNoiseGain),
    singlestep("dpm++2s", grid, middleDataGain),
  ]),
  singlestep("dpm-solver-2", "karras", lineNoiseGain, "heun"),
  singlestep("dpm++2s", "karras", lineDataGain, "heun"),
  stochasticSinglestep("dpm++2s-ancestral", "karras", withAncestralNoise(middleDataGain)),
  stochasticSinglestep("dpm-solver-2-ancestral", "karras", withAncestralNoise(middleNoiseGain)),
  // Its second-order terms nearly cancel, so that they lead from more steps on, whose rounding adds up where steps are equal in λ.
  stochasticSinglestep("sde-dpm++2s", "karras", stochasticMiddleStep, [64, 128, 256]),
];

function oneStep(
  name: string,
  terms: (problem: GaussianProblem, t: number) => { q: number; w: number },
): Case {
  const constant = (problem: GaussianProblem) =>
    stochasticError(problem, "uniform", (t) => terms(problem, t));
  return { sampler: samplerByName(name), grid: "uniform", order: 1, constant };
}

function flow(name: string, grid: GridKind, order: 1 | 2, variable: "t" | "noise ratio"): Case {
  const constant = (problem: GaussianProblem) => flowError(problem, grid, order, variable);
  return { sampler: samplerByName(name), grid, order, constant };
}

function singlestep(name: string, grid: GridKind, gain: FlowGain, solverType?: SolverType): Case {
  const constant = (problem: GaussianProblem) => singlestepError(problem, grid, 2, gain);
  const label = solverType === undefined ? name : `${name} with solverType ${solverType}`;
  const sampler = { ...samplerByName(name, { solverType }), name: label };
  return { sampler, grid, order: 2, constant, counts: [16, 32, 64] };
}

function stochasticSinglestep(
  name: string,
  grid: GridKind,
  step: StochasticStep,
  counts?: Case["counts"],
): Case {
  const constant = (problem: GaussianProblem) => stochasticSinglestepError(problem, grid, step);
  return { sampler: samplerByName(name), grid, order: 2, constant, counts };
}

/** V − C_ε of the sampler's output variance V, from the exact start. */
async function varianceError(sampler: Sampler, sde: Sde, kind: GridKind, steps: number): Promise<number> {
  const problem = { sde, s0Squared };
  const response = await responseOf(problem, sampler, { kind, steps });
  return outputVariance(response, marginalVariance(problem, sde.tMax)) - marginalVariance(problem, sde.tMin);
}

async function examineCase(check: Check, example: Case): Promise<void> {
  const { sampler, label = sampler.name, grid, order, constant, only, counts = [32, 64, 128] } = example;
  const rows: string[][] = [];
  const marks = [];
  for (const [name, sde] of Object.entries(narrowSdes)) {
    if (only !== undefined && only !== name) continue;
    const errors: number[] = [];
    for (const steps of counts) errors.push(await varianceError(sampler, sde, grid, steps));
    const expected = constant({ sde, s0Squared });
    const [a, b, c] = errors.map((error, i) => error * counts[i] ** order);
    // Richardson: N^p e = K + K'/N + K''/N² + …; three step counts remove two terms.
    const limit = (a - 6 * b + 8 * c) / 3;
    check.within(
      `${name}: N${order === 1 ? "" : "²"}·(V − C), extrapolated from N = ${counts}`,
      limit,
      expected,
      tolerance(order, expected, counts[2]),
      "first error term from the local defects and the exact flow (leading_constants.ts)",
      { detectable: "1% (order 1) or 3% (order 2) of the first error term, and anything of lower order" },
    );
    const orders = [Math.log2(errors[0] / errors[1]), Math.log2(errors[1] / errors[2])];
    rows.push([
      name,
      ...errors.map((error) => error.toExponential(3)),
      ...orders.map((p) => p.toFixed(3)),
      limit.toPrecision(4),
      expected.toPrecision(4),
    ]);
    marks.push({ kind: "line" as const, label: name, x: counts, y: errors.map(Math.abs), dots: true });
  }
  const title = `${label}, ${grid} grid`;
  check.table(
    title,
    ["SDE", ...counts.map((n) => `N = ${n}`), "order", "order", "limit", "theory"],
    rows,
  );
  const axes = { x: { scale: "log", label: "steps" }, y: { scale: "log", label: "|V − C|" } } as const;
  check.plot(title, plot(marks, { title, ...axes }));
}

/** The extrapolation's own remainder, and float32's rounding of V blown up by N^order and the extrapolation's weights. */
function tolerance(order: 1 | 2, expected: number, steps: number): number {
  const rounding = 2 ** -24 * s0Squared * Math.sqrt(steps) * steps ** order * 5;
  return (order === 1 ? 0.005 : 0.015) * Math.max(Math.abs(expected), 0.3) + rounding;
}

for (const example of cases) {
  const { sampler, label = sampler.name, grid, order } = example;
  claim(
    `${label} on a ${grid} grid has weak order ${order} with the constant of theory`,
    async (check) => await examineCase(check, example),
  );
}

claim("Euler–Maruyama's leading constants are the known ones", async (check) => {
  for (const [name, published] of [["VP", 0.358], ["sub-VP", 0.3949], ["σ^t", 0.5011]] as const) {
    const sde = narrowSdes[name];
    const span = sde.tMax - sde.tMin;
    const constant = closedConstant({ sde, s0Squared });
    check.within(`${name}: K`, constant, published, 5e-5, "an independent calculation, four digits");
    const local = stochasticError({ sde, s0Squared }, "uniform", eulerMaruyamaTerms) / span;
    check.within(`${name}: K from local defects`, local, constant, 1e-5, "two derivations of one constant");
    const error = await varianceError(samplerByName("euler-maruyama"), sde, "uniform", 1024);
    check.within(`${name}: (V − C)/h at N = 1024`, error * 1024 / span, constant, 0.04 * constant, "K, ±4%", {
      detectable: "4% of K; a score wrong by a factor of 1.001",
    });
  }
});

/** K = (C_ε/α_ε)² {∫ (α/C)² (f²C − fC') dt − ½ [α²C'/C²]}, the form after integrating by parts. */
function closedConstant(problem: GaussianProblem): number {
  const { sde } = problem;
  const slope = (t: number) => varianceSlope(problem, t);
  const integrand = (t: number) => {
    const c = marginalVariance(problem, t);
    return (sde.alpha(t) / c) ** 2 * (sde.driftCoefficient(t) ** 2 * c - sde.driftCoefficient(t) * slope(t));
  };
  const edge = (t: number) => sde.alpha(t) ** 2 * slope(t) / marginalVariance(problem, t) ** 2;
  const intervals = 20_000; // Simpson's rule
  const h = (sde.tMax - sde.tMin) / intervals;
  let sum = 0;
  for (let i = 0; i <= intervals; i++) {
    sum += (i === 0 || i === intervals ? 1 : i % 2 === 1 ? 4 : 2) * integrand(sde.tMin + i * h);
  }
  const bracket = edge(sde.tMax) - edge(sde.tMin);
  return (marginalVariance(problem, sde.tMin) / sde.alpha(sde.tMin)) ** 2 * (sum * h / 3 - bracket / 2);
}

claim(
  "a sampler's mean has the error of its drift, and none where the drift is integrated exactly",
  async (check) => {
    const grids: Record<string, GridKind> = {
      "dpm++2m": "log-snr",
      "ddim": "log-snr",
      "edm-heun": "karras",
      "ancestral": "karras",
    };
    for (const [name, sde] of Object.entries(narrowSdes)) {
      const meanOf = async (sampler: string, steps: number) => {
        const grid = { kind: grids[sampler] ?? "uniform", steps } as const;
        const response = await responseOf({ sde, s0Squared, m0: mean }, samplerByName(sampler), grid);
        return outputMean(response, sde.alpha(sde.tMax) * mean);
      };
      const exact = sde.alpha(sde.tMin) * mean;
      for (const sampler of ["exponential-sde", ...Object.keys(grids)]) {
        check.within(
          `${name}: mean of ${sampler}`,
          await meanOf(sampler, 32),
          exact,
          32 * 2 ** -22,
          "exact, but for rounding",
        );
      }
      for (const sampler of ["euler-maruyama", "reverse-diffusion", "ode-euler"] as const) {
        const [a, b, c] = [
          64 * (await meanOf(sampler, 64) - exact),
          128 * (await meanOf(sampler, 128) - exact),
          256 * (await meanOf(sampler, 256) - exact),
        ];
        const expected = mean * meanError({ sde, s0Squared }, sampler);
        check.within(
          `${name}: N·(mean error) of ${sampler}, extrapolated`,
          (a - 6 * b + 8 * c) / 3,
          expected,
          0.01 * Math.abs(expected) + 256 * 5 * mean * 2 ** -22,
          "the drift's second-order defect, carried to the end",
          { detectable: "2% of the first error term" },
        );
      }
    }
  },
);

/**
 * The samplers whose steps have a memory, or several stages, against the same method in float64 on the coefficients of Gaussian
 * data; ancestral sampling against its published rule; the adaptive SDE solver at its tolerances.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { saSolver } from "../../../src/samplers/sa_solver.ts";
import { dpmSolver2Ancestral, dpmSolver2SAncestral } from "../../../src/samplers/dpm_solver_ancestral.ts";
import { sdeDpmSolver2S } from "../../../src/samplers/dpm_solver_sde_singlestep.ts";
import { sdeDpmSolver2M, sdeDpmSolver3M } from "../../../src/samplers/dpm_solver_sde.ts";
import { dpmSolver3 } from "../../../src/samplers/dpm_solver_singlestep.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { deis } from "../../../src/samplers/deis.ts";
import { ipndm } from "../../../src/samplers/ipndm.ts";
import { lms } from "../../../src/samplers/lms.ts";
import { plms, pndm } from "../../../src/samplers/pndm.ts";
import { bFunctions, solverPredictions, unipc, type UnipcOptions } from "../../../src/samplers/unipc.ts";
import { edmStochastic } from "../../../src/samplers/edm_stochastic.ts";
import { drawSamples, sample } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { noiseRatio, type Sde, veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { bumps } from "../../instruments/flow_map.ts";
import { marginalVariance, responseOf } from "../../problems/gaussian_1d.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { outputVariance } from "../../instruments/impulse_response.ts";
import { thirdsGain } from "../../reference/error_constants.ts";
import { scalarDistribution } from "../../reference/scalar_mixture.ts";
import { alarmRate, dkwDistance, uniformDistance } from "../../instruments/statistics.ts";
import { mixture, shape } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const s0Squared = 0.25;

/** A state x as a linear function of x_T and the draws: their coefficients. */
type Coefficients = readonly number[];

/** a·x + b·y. */
function sum(a: number, x: Coefficients, b: number, y: Coefficients): number[] {
  return Array.from({ length: Math.max(x.length, y.length) }, (_, k) => a * (x[k] ?? 0) + b * (y[k] ?? 0));
}

/** x plus a new draw times c. */
function withDraw(x: Coefficients, c: number): number[] {
  return [...x, c];
}

/** A method in float64: the coefficients at the end of a grid. ε̂(x, t) is `noise(t)` times x. */
type Method = (sde: Sde, times: Float64Array, noise: (t: number) => number) => Coefficients;

/** A τ that differs at the starts of any two steps. */
function fallingTau(t: number): number {
  return 0.2 + t;
}

/** Where a solver's polynomials have their nodes: the point k of a grid, and between two points v, dν = density(v) dv. */
interface Variable {
  readonly at: (sde: Sde, times: Float64Array, k: number) => number;
  readonly density: (v: number, ratios: readonly [number, number]) => number;
}

const byNoiseRatio: Variable = { at: (sde, times, k) => noiseRatio(sde, times[k]), density: () => 1 };
const byLambda: Variable = {
  at: (sde, times, k) => -Math.log(noiseRatio(sde, times[k])),
  density: (lambda) => -Math.exp(-lambda),
};
/** As if the points were equally spaced in ν. */
const byIndex: Variable = { at: (_, __, k) => k, density: (_, [from, to]) => to - from };

const methods: readonly { name: string; sampler: Sampler; method: Method; deterministic: boolean }[] = [
  { name: "dpm-solver-3", sampler: samplerByName("dpm-solver-3"), method: thirds, deterministic: true },
  {
    name: "dpm-solver-3 with the parabola's integral",
    sampler: dpmSolver3({ solverType: "heun" }),
    method: parabolas,
    deterministic: true,
  },
  ...([
    ["unipc", {}],
    ["unipc with DDIM's last step", { lastStep: "ddim" }],
    ["unipc of order 3", { solverOrder: 3 }],
    ["unipc of data", { solverPrediction: "data" }],
    ["unipc of order 1 with B(h) = h", { solverOrder: 1, bFunction: "bh1" }],
    ["unipc of data with B(h) = e^h − 1", { bFunction: "bh2", solverPrediction: "data" }],
    ["unipc of order 3 of data with B(h) = h", {
      solverOrder: 3,
      bFunction: "bh1",
      solverPrediction: "data",
    }],
  ] as const).map(([name, options]) => ({
    name,
    sampler: unipc(options),
    method: (sde: Sde, times: Float64Array) => correctedMultistep(sde, times, options),
    deterministic: true,
  })),
  ...([
    ["lms", lms(), linear(4, byNoiseRatio)],
    ["lms of order 3", lms({ solverOrder: 3 }), linear(3, byNoiseRatio)],
    ["deis", deis(), linear(3, byLambda)],
    ["deis of order 2", deis({ solverOrder: 2 }), linear(2, byLambda)],
    ["ipndm", ipndm(), linear(4, byIndex)],
    ["ipndm of order 3", ipndm({ solverOrder: 3 }), linear(3, byIndex)],
    ["pndm", pndm(), pseudoMultistep(3, [[0, 0.5, 0.5, 1], [1 / 6, 1 / 3, 1 / 3, 1 / 6]])],
    ["plms", plms(), pseudoMultistep(1, [[0, 1], [1 / 2, 1 / 2]])],
  ] as const).map(([name, sampler, method]) => ({ name, sampler, method, deterministic: true })),
  {
    name: "dpm++2m with DDIM's last step",
    sampler: dpmSolver2M({ lastStep: "ddim" }),
    method: (sde, times, noise) => multistep(sde, times, noise, true),
    deterministic: true,
  },
  {
    name: "dpm++2m with the line's integral",
    sampler: dpmSolver2M({ solverType: "heun" }),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 1, { eta: 0 }),
    deterministic: true,
  },
  {
    name: "dpm++2m",
    sampler: dpmSolver2M(),
    method: (sde, times, noise) => multistep(sde, times, noise, false),
    deterministic: true,
  },
  {
    name: "sde-dpm++2m",
    sampler: samplerByName("sde-dpm++2m"),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 2, {}),
    deterministic: false,
  },
  {
    name: "sde-dpm++2m with the line's integral, η = 0.5 and S_noise = 1.1",
    sampler: sdeDpmSolver2M({ solverType: "heun", eta: 0.5, sNoise: 1.1 }),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 1, { eta: 0.5, sNoise: 1.1 }),
    deterministic: false,
  },
  {
    name: "sde-dpm++2m with η = 0",
    sampler: sdeDpmSolver2M({ eta: 0 }),
    method: (sde, times, noise) => multistep(sde, times, noise, false),
    deterministic: true,
  },
  {
    name: "sde-dpm++3m",
    sampler: samplerByName("sde-dpm++3m"),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 3, {}),
    deterministic: false,
  },
  {
    name: "sde-dpm++3m with η = 0.5 and S_noise = 1.1",
    sampler: sdeDpmSolver3M({ eta: 0.5, sNoise: 1.1 }),
    method: (sde, times, noise) => stochasticMultistep(sde, times, noise, 3, { eta: 0.5, sNoise: 1.1 }),
    deterministic: false,
  },
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
  {
    name: "edm-stochastic",
    sampler: edmStochastic({ gamma: 0.2, sTmax: 5 }),
    method: churning,
    deterministic: false,
  },
  {
    name: "adaptive-sde",
    sampler: adaptiveSde({ rtol: 1e9, firstStep: 10, maxAttempts: 2 }),
    method: improvedEuler,
    deterministic: false,
  },
];

for (const { name, sampler, method, deterministic } of methods) {
  claim(`${name} on Gaussian data agrees with its equations in float64`, async (check) => {
    for (const [label, sde] of Object.entries(narrowSdes)) {
      // A last step of its own order is told from DDIM's where the grid ends above tMin, too.
      const kinds = [
        "log-snr",
        "karras",
        ...name.endsWith("DDIM's last step") ? ["sgm-uniform"] as const : [],
      ] as const;
      for (const kind of kinds) {
        const steps = name === "adaptive-sde" ? 64 : 12;
        const times = timeGrid(sde, { kind: name === "adaptive-sde" ? "quadratic" : kind, steps });
        const problem = { sde, s0Squared };
        const noise = (t: number) => sde.sigma(t) / marginalVariance(problem, t);
        const [gain, ...draws] = method(sde, times, noise);
        const start = marginalVariance(problem, sde.tMax);
        const expected = gain ** 2 * start + draws.reduce((total, c) => total + c * c, 0);
        const observed = outputVariance(await responseOf(problem, sampler, times), start);
        check.within(
          `${label}, ${kind}: variance after ${steps} steps`,
          observed,
          expected,
          // Terms of a step may be larger than what they leave.
          8 * steps * 2 ** -22 * expected,
          "the paper's equations on coefficients; rounding of float32 states",
          { detectable: `${(8 * steps * 2 ** -22).toExponential(0)} of the variance` },
        );
        if (deterministic) check.equal(`${label}, ${kind}: draws`, draws.length, 0, "the probability flow");
      }
    }
  });
}

function thirds(sde: Sde, times: Float64Array): Coefficients {
  let y = 1 / sde.alpha(times[0]);
  for (let k = 0; k + 1 < times.length; k++) {
    const [from, to] = [noiseRatio(sde, times[k]), noiseRatio(sde, times[k + 1])];
    y *= thirdsGain(from, Math.log(from / to), (ratio) => ratio / (s0Squared + ratio ** 2));
  }
  return [y * sde.alpha(times[times.length - 1])];
}

/** DPM-Solver-3 with the exact integral of the parabola through its noises, by Simpson's rule; the second of them with a line. */
function parabolas(sde: Sde, times: Float64Array): Coefficients {
  const p = (ratio: number) => ratio / (s0Squared + ratio ** 2);
  let y = 1 / sde.alpha(times[0]);
  for (let k = 0; k + 1 < times.length; k++) {
    const from = noiseRatio(sde, times[k]);
    const h = Math.log(from / noiseRatio(sde, times[k + 1]));
    const third = h / 3;
    const moved = (part: number, noises: readonly number[]) => {
      const count = 400;
      let total = 0;
      for (let i = 0; i <= count; i++) {
        const u = part * h * i / count;
        const basis = (j: number) =>
          noises.reduce((product, _, m) => m === j ? product : product * (u / third - m) / (j - m), 1);
        const value = noises.reduce((sum, noise, j) => sum + noise * basis(j), 0);
        total += (i === 0 || i === count ? 1 : i % 2 === 1 ? 4 : 2) * -from * Math.exp(-u) * value;
      }
      return y + total * part * h / count / 3;
    };
    const noises = [p(from) * y];
    noises.push(p(from * Math.exp(-third)) * moved(1 / 3, noises));
    noises.push(p(from * Math.exp(-2 * third)) * moved(2 / 3, noises));
    y = moved(1, noises);
  }
  return [y * sde.alpha(times[times.length - 1])];
}

/** DPM-Solver++(2M), whose last step may be of order 1. */
function multistep(sde: Sde, times: Float64Array, noise: (t: number) => number, ends: boolean): Coefficients {
  let x = 1;
  let [before, last] = [NaN, NaN];
  for (let k = 0; k + 1 < times.length; k++) {
    const [t, s] = [times[k], times[k + 1]];
    const h = Math.log(noiseRatio(sde, t) / noiseRatio(sde, s));
    const data = x * (1 - sde.sigma(t) * noise(t)) / sde.alpha(t);
    const first = k === 0 || ends && k + 2 === times.length;
    const middle = first ? data : data + h / (2 * last) * (data - before);
    x = sde.sigma(s) / sde.sigma(t) * x + sde.alpha(s) * (1 - Math.exp(-h)) * middle;
    [before, last] = [data, h];
  }
  return [x];
}

/** Linear multistep solvers: the integral over a step of the polynomial through the noises at its start and at the points before. */
function linear(order: number, { at, density }: Variable): Method {
  return (sde, times) => {
    const noises: number[] = [];
    let y = 1 / sde.alpha(times[0]);
    for (let k = 0; k + 1 < times.length; k++) {
      const ratios = [noiseRatio(sde, times[k]), noiseRatio(sde, times[k + 1])] as const;
      noises.push(y * ratios[0] / (s0Squared + ratios[0] ** 2));
      const nodes = Array.from({ length: Math.min(order, k + 1) }, (_, j) => k - j);
      const places = nodes.map((j) => at(sde, times, j));
      // Neville's scheme.
      const polynomial = (v: number) => {
        let values = nodes.map((j) => noises[j]);
        for (let width = 1; width < nodes.length; width++) {
          values = values.slice(1).map((value, i) =>
            ((v - places[i]) * value - (v - places[i + width]) * values[i]) / (places[i + width] - places[i])
          );
        }
        return values[0];
      };
      y += simpson(at(sde, times, k), at(sde, times, k + 1), (v) => density(v, ratios) * polynomial(v));
    }
    return [y * sde.alpha(times[times.length - 1])];
  };
}

/**
 * Four-step Adams–Bashforth with DDIM's steps after `count` steps of a Runge–Kutta rule with them: where in time its noises are
 * predicted, each after DDIM's step with the one before, and their weights.
 */
function pseudoMultistep(
  count: number,
  [places, weights]: readonly [readonly number[], readonly number[]],
): Method {
  return (sde, times) => {
    const p = (ratio: number) => ratio / (s0Squared + ratio ** 2);
    const noises: number[] = [];
    let y = 1 / sde.alpha(times[0]);
    for (let k = 0; k + 1 < times.length; k++) {
      const ratioAt = (part: number) => noiseRatio(sde, times[k] + part * (times[k + 1] - times[k]));
      const from = ratioAt(0);
      noises.push(p(from) * y);
      let noise: number;
      if (k < count) {
        noise = 0;
        let own = noises[k];
        for (const [i, part] of places.entries()) {
          own = p(ratioAt(part)) * (y + (ratioAt(part) - from) * own);
          noise += weights[i] * own;
        }
      } else {
        // Adams and Bashforth's weights from backward differences: 1, 1/2, 5/12, 3/8.
        let differences = noises.slice(-4).toReversed();
        noise = 0;
        for (const weight of [1, 1 / 2, 5 / 12, 3 / 8].slice(0, differences.length)) {
          noise += weight * differences[0];
          differences = differences.slice(1).map((value, i) => differences[i] - value);
        }
      }
      y += (ratioAt(1) - from) * noise;
    }
    return [y * sde.alpha(times[times.length - 1])];
  };
}

/** ∫ f from one value to another, by Simpson's rule. */
function simpson(from: number, to: number, f: (v: number) => number): number {
  const count = 400;
  let total = 0;
  for (let i = 0; i <= count; i++) {
    total += (i === 0 || i === count ? 1 : i % 2 === 1 ? 4 : 2) * f(from + (to - from) * i / count);
  }
  return total * (to - from) / count / 3;
}

claim(
  "linear multistep solvers have the order of their number of noises after a start that is fine enough",
  (check) => {
    const problem = { sde: narrowSdes["VP"], s0Squared };
    const { sde } = problem;
    const exact = Math.sqrt(marginalVariance(problem, sde.tMin) / marginalVariance(problem, sde.tMax));
    // Steps that grow with the square of their number, so that the first, of order 1, are of the square of the others.
    const graded = (steps: number) => {
      const lambda = (t: number) => -Math.log(noiseRatio(sde, t));
      const [from, to] = [lambda(sde.tMax), lambda(sde.tMin)];
      return Float64Array.from(
        { length: steps + 1 },
        (_, k) => sde.timeAtHalfLogSnr(from + (to - from) * (k / steps) ** 2),
      );
    };
    const solvers = { lms: { variable: byNoiseRatio, largest: 4 }, deis: { variable: byLambda, largest: 3 } };
    for (const [name, { variable, largest }] of Object.entries(solvers)) {
      for (let order = 1; order <= largest; order++) {
        const [coarse, fine] = [256, 512].map((steps) =>
          Math.abs(
            linear(order, variable)(sde, graded(steps), () => NaN)[0] - exact,
          )
        );
        check.within(
          `${name} of order ${order}: order`,
          Math.log2(coarse / fine),
          order,
          0.15,
          "Adams and Bashforth's methods",
        );
      }
    }
  },
);

/** φ_1(h) = (e^h − 1)/h, φ_{k+1}(h) = (φ_k(h) − 1/k!)/h (Zhao et al. 2023), by its series Σ_n h^n/(n + k)!. */
function phi(k: number, h: number): number {
  let term = 1;
  for (let n = 2; n <= k; n++) term /= n;
  let total = 0;
  for (let n = 0; n < 60; n++) {
    total += term;
    term *= h / (n + k + 1);
  }
  return total;
}

/** The solution of a small linear system, by Cramer's rule. */
function solved(rows: readonly (readonly number[])[], right: readonly number[]): number[] {
  const determinant = (m: readonly (readonly number[])[]): number =>
    m.length === 0 ? 1 : m[0].reduce(
      (sum, value, j) =>
        sum + (-1) ** j * value * determinant(m.slice(1).map((row) => row.filter((_, k) => k !== j))),
      0,
    );
  return right.map((_, j) =>
    determinant(rows.map((row, i) => row.map((value, k) => k === j ? right[i] : value))) / determinant(rows)
  );
}

/**
 * UniPC-p by its equations (Zhao et al. 2023): R_p(h) a B(h) = φ_p(h), a = 1/2 where there is one; for data with h < 0.
 * The last step may be of order 1, from the corrected state. `weights` may give the a B(h) of a step in another way.
 */
function correctedMultistep(
  sde: Sde,
  times: Float64Array,
  { solverOrder = 2, bFunction = "varying", solverPrediction = "noise", lastStep = "own" }: UnipcOptions,
  weights = (r: readonly number[], h: number) => {
    if (bFunction !== "varying" && r.length === 1) return [(bFunction === "bh1" ? h : Math.expm1(h)) / 2];
    const rows = r.map((_, i) => r.map((value) => value ** i));
    return solved(rows, r.map((_, i) => h * phi(i + 2, h) * [1, 2, 6][i]));
  },
): Coefficients {
  const lambdas = Array.from(times, (t) => -Math.log(noiseRatio(sde, t)));
  const ofData = solverPrediction === "data";
  const values: number[] = [];
  /** The state y = x/α at point k + 1 from y at point k, by the values at the points of `nodes`, the first of which is k. */
  const moved = (y: number, k: number, nodes: readonly number[]) => {
    const h = lambdas[k + 1] - lambdas[k];
    const signed = ofData ? -h : h;
    const others = nodes.slice(1);
    const r = others.map((j) => (lambdas[j] - lambdas[k]) / h);
    const slopes = others.map((j, i) => (values[j] - values[k]) / r[i]);
    const sum = weights(r, signed).reduce((sum, weight, i) => sum + weight * slopes[i], 0);
    const change = Math.expm1(signed) * values[k] + (r.length === 0 ? 0 : sum);
    return ofData ? y * Math.exp(-h) - change : y - Math.exp(-lambdas[k + 1]) * change;
  };
  let settled = 1 / sde.alpha(times[0]); // corrected, at the last step's start
  let y = settled;
  for (let k = 0; k + 1 < times.length; k++) {
    const ratio = noiseRatio(sde, times[k]);
    values.push(y * (ofData ? s0Squared : ratio) / (s0Squared + ratio ** 2));
    const before = (from: number) =>
      Array.from({ length: Math.min(solverOrder, from + 1) }, (_, j) => from - j);
    if (k > 0) settled = moved(settled, k - 1, [...before(k - 1), k]);
    y = moved(settled, k, lastStep === "ddim" && k + 2 === times.length ? [k] : before(k));
  }
  return [y * sde.alpha(times[times.length - 1])];
}

claim(
  "UniPC-p has order p + 1, whatever its B(h) and its prediction",
  (check) => {
    const problem = { sde: narrowSdes["VP"], s0Squared };
    const { sde } = problem;
    const exact = Math.sqrt(marginalVariance(problem, sde.tMin) / marginalVariance(problem, sde.tMax));
    for (const solverOrder of [1, 2, 3]) {
      for (const bFunction of bFunctions) {
        for (const solverPrediction of solverPredictions) {
          const options = { solverOrder, bFunction, solverPrediction };
          const [coarse, fine] = [256, 512].map((steps) => {
            const times = timeGrid(sde, { kind: "log-snr", steps });
            return Math.abs(correctedMultistep(sde, times, options)[0] - exact);
          });
          check.within(
            `${Object.values(options)}: order`,
            Math.log2(coarse / fine),
            solverOrder + 1,
            0.15,
            "Zhao et al. 2023, Theorem 3.1; the first steps, of lower order, are where ε̂ and x̂_0 hardly change",
          );
        }
      }
    }
  },
);

claim("UniPC's coefficients keep order 3, which those of its authors' program do not", (check) => {
  // UniPC_v of Zhao et al. 2023: Σ_k h φ_{k+1}(h) A_km D_m/r_m, where A is the inverse of C_mk = r_m^{k−1}/k!. With r = (r, 1).
  const varying = (stale: boolean) => (r: readonly number[], h: number) => {
    const one = h * phi(2, h);
    if (r.length === 1) return [one];
    const two = h * phi(3, h);
    const det = (r[1] - r[0]) / 2;
    const inverse = [[r[1] / 2 / det, -r[0] / 2 / det], [-1 / det, 1 / det]];
    // uni_pc.py, multistep_uni_pc_vary_update: the loop over k ends at K − 2, and the new value's weight is read with that k.
    if (stale) return [one * inverse[0][0], two * inverse[0][1]];
    return [0, 1].map((m) => one * inverse[0][m] + two * inverse[1][m]);
  };
  for (const [label, sde] of Object.entries(narrowSdes)) {
    const exact = Math.sqrt(
      marginalVariance({ sde, s0Squared }, sde.tMin) / marginalVariance({ sde, s0Squared }, sde.tMax),
    );
    const order = (stale: boolean) => {
      const [coarse, fine] = [256, 512].map((steps) => {
        const times = timeGrid(sde, { kind: "log-snr", steps });
        return Math.abs(correctedMultistep(sde, times, {}, varying(stale))[0] - exact);
      });
      return Math.log2(coarse / fine);
    };
    check.within(
      `${label}: order with the equations' coefficients`,
      order(false),
      3,
      0.15,
      "Zhao et al. 2023, Prop. 3.1",
    );
    check.within(
      `${label}: order with the program's`,
      order(true),
      1,
      0.15,
      "a step's error of the second power",
    );
  }
});

/**
 * The SDE-DPM-Solvers++ in y with D(λ) a polynomial through the last data predictions: 2, a line by its value in the middle; 1, a line
 * by its integral; 3, a parabola with half of its second-order term, by its integral. Integrals by Simpson's rule of
 * (1 + η) e^{−(1 + η)(λ_s − λ)} D(λ).
 */
function stochasticMultistep(
  sde: Sde,
  times: Float64Array,
  noise: (t: number) => number,
  rule: 1 | 2 | 3,
  { eta = 1, sNoise = 1 },
): Coefficients {
  const alpha = (k: number) => sde.alpha(times[k]);
  const lambda = (k: number) => -Math.log(noiseRatio(sde, times[k]));
  let y: Coefficients = [1 / alpha(0)];
  const data: Coefficients[] = [];
  for (let k = 0; k + 1 < times.length; k++) {
    const ratio = noiseRatio(sde, times[k]);
    data.push(y.map((c) => c * (1 - ratio * noise(times[k]) * alpha(k))));
    const h = lambda(k + 1) - lambda(k);
    const moment = (power: number) => {
      const count = 400;
      let total = 0;
      for (let i = 0; i <= count; i++) {
        const u = h * i / count;
        const value = (1 + eta) * Math.exp(-(1 + eta) * (h - u)) * u ** power;
        total += (i === 0 || i === count ? 1 : i % 2 === 1 ? 4 : 2) * value;
      }
      return total * h / count / 3;
    };
    y = sum(Math.exp(-(1 + eta) * h), y, moment(0), data[k]);
    if (k > 0) {
      const last = lambda(k) - lambda(k - 1);
      let slope = sum(1 / last, data[k], -1 / last, data[k - 1]);
      if (rule === 3 && k > 1) {
        const before = lambda(k - 1) - lambda(k - 2);
        const other = sum(1 / before, data[k - 1], -1 / before, data[k - 2]);
        const half = sum(1 / (last + before), slope, -1 / (last + before), other);
        slope = sum(1, slope, last, half);
        y = sum(1, y, moment(2) / 2, half);
      }
      y = sum(1, y, rule === 2 ? moment(0) * h / 2 : moment(1), slope);
    }
    const fresh = sNoise * noiseRatio(sde, times[k + 1]) * Math.sqrt(1 - Math.exp(-2 * eta * h));
    if (eta > 0) y = withDraw(y, fresh);
  }
  return y.map((c) => c * alpha(times.length - 1));
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
      const count = 200;
      let weight = 0;
      for (let i = 0; i <= count; i++) {
        const lambda = from + (to - from) * i / count;
        const basis = nodes.filter((k) => k !== j)
          .reduce((p, k) => p * (lambda - lambdas[k]) / (lambdas[j] - lambdas[k]), 1);
        const value = rate * Math.exp(-rate * (to - lambda)) * basis;
        weight += (i === 0 || i === count ? 1 : i % 2 === 1 ? 4 : 2) * value * (to - from) / count / 3;
      }
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

function churning(sde: Sde, times: Float64Array): Coefficients {
  let y: Coefficients = [1 / sde.alpha(times[0])];
  const p = (ratio: number) => ratio / (s0Squared + ratio ** 2);
  for (let k = 0; k + 1 < times.length; k++) {
    const [from, to] = [noiseRatio(sde, times[k]), noiseRatio(sde, times[k + 1])];
    const raised = from > 5 ? from : Math.min(1.2 * from, noiseRatio(sde, sde.tMax));
    y = withDraw(y, Math.sqrt(raised ** 2 - from ** 2));
    const euler = 1 + (to - raised) * p(raised);
    const gain = 1 + (to - raised) / 2 * (p(raised) + p(to) * euler);
    y = y.map((c) => c * gain);
  }
  return y.map((c) => c * sde.alpha(times[times.length - 1]));
}

function improvedEuler(sde: Sde, times: Float64Array, noise: (t: number) => number): Coefficients {
  let x: Coefficients = [1];
  for (let k = 0; k + 1 < times.length; k++) {
    const [t, s] = [times[k], times[k + 1]];
    const drift = (u: number) =>
      sde.driftCoefficient(u) + sde.diffusionCoefficient(u) ** 2 * noise(u) / sde.sigma(u);
    const draw = (u: number) => sde.diffusionCoefficient(u) * Math.sqrt(t - s);
    const near = withDraw(x.map((c) => c * (1 - (t - s) * drift(t))), draw(t));
    const again = withDraw(x, draw(s)).map((c, i) => c - (t - s) * drift(s) * near[i]);
    x = sum(0.5, near, 0.5, again);
  }
  return x;
}

claim("with η = 0 the stochastic DPM-Solvers are those of the probability flow", async (check) => {
  const pairs = [
    { sampler: sdeDpmSolver2M({ eta: 0 }), flow: "dpm++2m" },
    { sampler: sdeDpmSolver2S({ eta: 0 }), flow: "dpm++2s" },
    { sampler: dpmSolver2SAncestral({ eta: 0 }), flow: "dpm++2s" },
    { sampler: dpmSolver2Ancestral({ eta: 0 }), flow: "dpm-solver-2" },
  ];
  for (const [i, sde] of [vpSde(), narrowSdes["VE"]].entries()) {
    const run = (sampler: Sampler) =>
      drawSamples(scoreModel(mixture, sde), sampler, {
        shape,
        grid: { kind: "karras", steps: 6 },
        rng: createRng(i),
      });
    for (const { sampler, flow } of pairs) {
      const [ours, theirs] = [await run(sampler), await run(samplerByName(flow))];
      const worst = tf.tidy(() => ours.sub(theirs).abs().max());
      check.atMost(
        `${sampler.name} and ${flow}, ${sde.config.kind}`,
        (await worst.data())[0],
        1e-5,
        "no noise; float32 of 6 steps",
      );
      tf.dispose([ours, theirs, worst]);
    }
  }
});

claim("edm-stochastic adds noise in a step that begins exactly at S_tmin or at S_tmax", async (check) => {
  const sde = veSde({ sigmaMin: 0.01, sigmaMax: 10 });
  const [t, s] = [0.5, 0.4];
  const ratio = sde.sigma(t);
  const x = createRng(4).normal(shape);
  const stepped = async (options: { sTmin?: number; sTmax?: number }) => {
    const sampler = edmStochastic({ gamma: 0.2, ...options });
    const next = await sampler.start(scoreModel(mixture, sde), createRng(5)).step(x, t, s);
    const values = await next.data();
    next.dispose();
    return [...values];
  };
  const noised = await stepped({});
  const plain = await stepped({ sTmin: 2 * ratio });
  check.holds("noise changes the step", noised.some((value, i) => value !== plain[i]), "γ = 0.2 and γ = 0");
  const cases = [
    { what: "S_tmin = ν", options: { sTmin: ratio }, expected: noised },
    { what: "S_tmax = ν", options: { sTmax: ratio }, expected: noised },
    { what: "S_tmin = S_tmax = ν", options: { sTmin: ratio, sTmax: ratio }, expected: noised },
    { what: "S_tmin above ν", options: { sTmin: ratio * (1 + 1e-15) }, expected: plain },
    { what: "S_tmax below ν", options: { sTmax: ratio * (1 - 1e-15) }, expected: plain },
  ];
  for (const { what, options, expected } of cases) {
    check.equal(
      what,
      await stepped(options),
      expected,
      "Karras et al. 2022, Alg. 2: γ if σ ∈ [S_tmin, S_tmax]",
    );
  }
  x.dispose();
});

claim(
  "the adaptive SDE solver's next step is 0.9 E^−0.9 times as long, by the E of its equations",
  async (check) => {
    const sde = veSde({ sigmaMin: 0.01, sigmaMax: 10 });
    const [rtol, atol] = [0.1, 0.02];
    // Under VE x/α is x, so what the network is asked about are the states x and x' of each attempt, at t and at t − h.
    const asked: { x: Float32Array; t: number }[] = [];
    const score = (x: Float32Array, t: number) => Array.from(x, (v) => -v / (s0Squared + sde.sigma(t) ** 2));
    const model = scoreModel({
      predictNoise: (y, ratio) => {
        const t = sde.timeAtHalfLogSnr(-Math.log((ratio as Float64Array)[0]));
        asked.push({ x: y.dataSync<"float32">().slice(), t });
        return y.mul(sde.sigma(t) / (s0Squared + sde.sigma(t) ** 2));
      },
    }, sde);
    const samples = await drawSamples(model, adaptiveSde({ rtol, atol, firstStep: 0.2, maxAttempts: 500 }), {
      shape: [1, 4],
      grid: { kind: "uniform", steps: 1 },
      rng: createRng(check.seed),
      denoise: false,
    });
    samples.dispose();
    const attempts = Array.from({ length: asked.length / 2 }, (_, k) => [asked[2 * k], asked[2 * k + 1]]);
    check.atLeast("attempts", attempts.length, 20, "enough to compare");
    let previous = attempts[0][0].x;
    let [rejected, accepted] = [0, 0];
    for (const [k, [from, to]] of attempts.entries()) {
      if (k + 2 >= attempts.length) break; // The last step ends where the grid does.
      const h = from.t - to.t;
      const [before, after] = [score(from.x, from.t), score(to.x, to.t)];
      const [g, gEnd] = [from.t, to.t].map((t) => sde.diffusionCoefficient(t));
      const squares = Array.from(to.x, (near, i) => {
        const noise = (near - from.x[i] - h * g ** 2 * before[i]) / g;
        const second = from.x[i] + h * gEnd ** 2 * after[i] + gEnd * noise;
        const scale = Math.max(atol, rtol * Math.max(Math.abs(near), Math.abs(previous[i])));
        return ((near - second) / 2 / scale) ** 2;
      });
      const error = Math.sqrt(squares.reduce((a, b) => a + b) / 4);
      const next = attempts[k + 1];
      const kept = next[0].t === from.t;
      check.equal(
        `attempt ${k + 1}, E = ${error.toPrecision(4)}: rejected`,
        kept,
        error > 1,
        "accepted if E ≤ 1",
      );
      check.within(
        `attempt ${k + 1}, E = ${error.toPrecision(4)}: the next length over 0.9 E^−0.9 h`,
        (next[0].t - next[1].t) / (0.9 * error ** -0.9 * h),
        1,
        1e-3,
        "Jolicoeur-Martineau et al. 2021, Alg. 1 with θ = 0.9, r = 0.9; E by float32 states",
        { detectable: "another power" },
      );
      if (kept) rejected++;
      else [accepted, previous] = [accepted + 1, to.x];
    }
    check.atLeast(
      "rejected steps, and accepted ones",
      Math.min(rejected, accepted),
      1,
      "both rules are seen",
    );
  },
);

claim("ancestral sampling under VE is the published rule for SMLD", async (check) => {
  const sde = veSde();
  const model = scoreModel(mixture, sde);
  const x = createRng(4).normal(shape);
  for (const [t, s] of [[0.9, 0.8], [0.5, 0.45], [0.2, 1e-5]]) {
    const moved = await samplerByName("ancestral").start(model, createRng(5)).step(x, t, s);
    const difference = tf.tidy(() => {
      const [now, next] = [sde.sigma(t) ** 2, sde.sigma(s) ** 2];
      const z = createRng(5).normal(shape);
      const expected = x.add(model.score(x, t).mul(now - next)).add(
        z.mul(Math.sqrt(next * (now - next) / now)),
      );
      return moved.sub(expected).abs().max();
    });
    check.atMost(
      `largest difference in the step from ${t} to ${s}`,
      (await difference.data())[0],
      1e-4,
      "Song et al. 2021, eq. 47: x + (σ_t² − σ_s²) score + √(σ_s² (σ_t² − σ_s²)/σ_t²) z; float32 of numbers up to 20",
      { detectable: "any other share of the noise" },
    );
    tf.dispose([moved, difference]);
  }
  x.dispose();
});

claim(
  "the adaptive SDE solver draws two modes to within its tolerance, and evaluates more for a smaller one",
  async (check) => {
    for (const sde of [vpSde(), narrowSdes["VE"]]) {
      const { kind } = sde.config;
      const distribution = scalarDistribution(bumps, noiseRatio(sde, sde.tMin));
      const run = async (count: number, tolerance: number) => {
        const grid = { kind: "uniform", steps: 1 } as const;
        const options = { shape: [count, 1], grid, rng: createRng(check.seed), denoise: false };
        const sampler = adaptiveSde({ rtol: tolerance, atol: tolerance / 10, maxAttempts: 1500 });
        let evaluations = 0;
        let ranks = new Float64Array();
        for await (const state of sample(scoreModel(bumps, sde), sampler, options)) {
          if (!state.done) continue;
          evaluations = state.evaluations;
          ranks = Float64Array.from(await state.x.data(), (x) => distribution.cdf(x / sde.alpha(sde.tMin)));
          state.x.dispose();
        }
        return { evaluations, ranks };
      };
      const count = 3000;
      const noise = dkwDistance(count, alarmRate);
      check.atMost(
        `${kind}: distance from the distribution at a tolerance of 0.05`,
        uniformDistance((await run(count, 0.05)).ranks),
        noise + 0.025,
        `chance (Dvoretzky–Kiefer–Wolfowitz over ${count} draws) and half the tolerance`,
        { alarmRate, detectable: "a distribution 0.15 away: rejected noise drawn anew, half a score" },
      );
      check.atLeast(
        `${kind}: evaluations at a tolerance of 0.02, over those at 0.2`,
        (await run(64, 0.02)).evaluations / (await run(64, 0.2)).evaluations,
        2,
        "the error of a step falls at most with its length, so a tenth asks for up to ten times as many",
      );
    }
  },
);

claim(
  "invalid options of multistep and singlestep samplers are errors that name the value",
  async (check) => {
    const bad: [string, () => unknown, RegExp][] = [
      ["gamma", () => edmStochastic({ gamma: 0.5 }), /gamma must lie in \[0, √2 − 1\], got 0.5/],
      ["range", () => edmStochastic({ sTmin: 2, sTmax: 1 }), /got 2 and 1/],
      ["S_noise", () => edmStochastic({ sNoise: 0 }), /sNoise must be a positive number, got 0/],
      ["rtol", () => adaptiveSde({ rtol: -1 }), /rtol must be a positive number, got -1/],
      ["firstStep", () => adaptiveSde({ firstStep: 0 }), /firstStep must be a positive number, got 0/],
      ["order of UniPC", () => unipc({ solverOrder: 0 }), /^solverOrder must be a positive integer, got 0$/],
      ["order of LMS", () => lms({ solverOrder: 5 }), /^solverOrder must be at most 4, got 5$/],
      ["order of DEIS", () => deis({ solverOrder: 4 }), /^solverOrder must be at most 3, got 4$/],
      [
        "B(h)",
        () => unipc({ bFunction: "bh3" as "bh1" }),
        /^bFunction must be "varying" or "bh1" or "bh2", got "bh3"$/,
      ],
      [
        "a solution given up",
        () =>
          drawSamples(scoreModel(mixture, vpSde()), adaptiveSde({ maxAttempts: 3 }), {
            shape,
            grid: { kind: "uniform", steps: 1 },
            rng: createRng(1),
          }),
        /adaptive-sde: step 1 of 1.* did not reach time 0.001 in 3 attempts/,
      ],
    ];
    for (const [what, action, message] of bad) await check.throws(what, action, message);
  },
);

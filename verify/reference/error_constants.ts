/**
 * Theory of a sampler's first error term on one-dimensional Gaussian data N(·, s0²), in float64: how the local defects of
 * its steps, carried to the end by the exact flow, change the variance of its output. No sampler's code is used.
 * @module
 */
import { noiseRatio, type Sde } from "../../src/diffusion/sde.ts";
import { type GridConfig, timeGrid } from "../../src/diffusion/time_grid.ts";
import { type GaussianProblem, marginalVariance, varianceSlope } from "../problems/gaussian_1d.ts";

/** A central difference of a smooth function of time. */
export function derivative(f: (t: number) => number, t: number): number {
  const h = 1e-4 * t;
  return (8 * (f(t + h) - f(t - h)) - (f(t + 2 * h) - f(t - 2 * h))) / (12 * h);
}

/**
 * Σ over a grid so fine that it is an integral: lim N^order·(error of N steps), for local defects
 * defect(t)·|Δv|^(order + 1) in the variable v(t).
 */
export function leadingError(
  sde: Sde,
  kind: GridConfig["kind"],
  order: number,
  variable: (t: number) => number,
  defect: (t: number) => number,
): number {
  const steps = 20_000;
  const times = timeGrid(sde, { kind, steps });
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const width = Math.abs(variable(times[i]) - variable(times[i + 1]));
    sum += defect((times[i] + times[i + 1]) / 2) * (steps * width) ** order * width;
  }
  return sum;
}

/** The squared gain of the reverse SDE from t to tMin, (C_ε/C)² (α/α_ε)². */
function stochasticGain(problem: GaussianProblem, t: number): number {
  const { sde } = problem;
  const variances = marginalVariance(problem, sde.tMin) / marginalVariance(problem, t);
  return (variances * sde.alpha(t) / sde.alpha(sde.tMin)) ** 2;
}

/** The coefficients of h² in a one-step method x_s = (1 − h p + h² q) x_t + √(g² h + h² w) z, p = f + g²/C. */
export interface SecondOrder {
  readonly q: number;
  readonly w: number;
}

/** lim N·(variance error) of a one-step method for the reverse SDE: its defect is (p² + 2q) C + w − C''/2. */
export function stochasticError(
  problem: GaussianProblem,
  kind: GridConfig["kind"],
  second: (t: number) => SecondOrder,
): number {
  const { sde } = problem;
  return leadingError(sde, kind, 1, (t) => t, (t) => {
    const variance = marginalVariance(problem, t);
    const p = sde.driftCoefficient(t) + sde.diffusionCoefficient(t) ** 2 / variance;
    const { q, w } = second(t);
    const curvature = derivative((t) => varianceSlope(problem, t), t);
    return stochasticGain(problem, t) * ((p ** 2 + 2 * q) * variance + w - curvature / 2);
  });
}

/** Second-order coefficients of Euler–Maruyama. */
export function eulerMaruyamaTerms(): SecondOrder {
  return { q: 0, w: 0 };
}

/** Of the reverse diffusion sampler: expand √(1 − βh) for VP; Euler's for sub-VP; else the exact transition's α_t/α_s and variance. */
export function reverseDiffusionTerms(problem: GaussianProblem, t: number): SecondOrder {
  const { sde } = problem;
  switch (sde.config.kind) {
    case "vp":
      return { q: sde.diffusionCoefficient(t) ** 4 / 8, w: 0 };
    case "subvp":
      return { q: 0, w: 0 };
    default: {
      // The rule has 2 − scale on the state, and the variance g² h + w h².
      const f = sde.driftCoefficient(t);
      const slope = derivative((t) => sde.diffusionCoefficient(t) ** 2, t);
      const w = f * sde.diffusionCoefficient(t) ** 2 - slope / 2;
      return { q: transitionScaleTerm(sde, t) - w / marginalVariance(problem, t), w };
    }
  }
}

/** The coefficient of h² in 2 − α(t)/α(t − h). */
function transitionScaleTerm(sde: Sde, t: number): number {
  return (derivative((t) => sde.driftCoefficient(t), t) - sde.driftCoefficient(t) ** 2) / 2;
}

/** Of DDPM's rule on VP: (1 − βh/C)/√(1 − βh). */
export function ddpmTerms(problem: GaussianProblem, t: number): SecondOrder {
  const beta = problem.sde.diffusionCoefficient(t) ** 2;
  return { q: 3 / 8 * beta ** 2 - beta ** 2 / (2 * marginalVariance(problem, t)), w: 0 };
}

/** Of the exponential integrator with a frozen score. */
export function exponentialTerms(problem: GaussianProblem, t: number): SecondOrder {
  const { sde } = problem;
  const f = sde.driftCoefficient(t);
  const g2 = sde.diffusionCoefficient(t) ** 2;
  const slope = derivative((t) => sde.diffusionCoefficient(t) ** 2, t);
  const linear = (derivative((t) => sde.driftCoefficient(t), t) + f ** 2) / 2;
  return {
    q: linear + (slope + f * g2) / (2 * marginalVariance(problem, t)),
    w: -(slope + 2 * f * g2) / 2,
  };
}

/**
 * lim N·(mean error) for data of mean 1 on a uniform grid: the drift's gain 1 − h f + h² q is wrong by
 * (q − (f' + f²)/2) h², and the error goes to the end like any displacement.
 */
export function meanError(
  problem: GaussianProblem,
  sampler: "euler-maruyama" | "reverse-diffusion" | "ode-euler",
): number {
  const { sde } = problem;
  const { kind } = sde.config;
  const second = (t: number) =>
    sampler !== "reverse-diffusion" || kind === "subvp"
      ? 0
      : kind === "vp"
      ? sde.driftCoefficient(t) ** 2 / 2
      : transitionScaleTerm(sde, t);
  return leadingError(sde, "uniform", 1, (t) => t, (t) => {
    const f = sde.driftCoefficient(t);
    const gain = sampler === "ode-euler"
      ? Math.sqrt(marginalVariance(problem, sde.tMin) / marginalVariance(problem, t))
      : Math.sqrt(stochasticGain(problem, t));
    const defect = second(t) - (derivative((t) => sde.driftCoefficient(t), t) + f ** 2) / 2;
    return gain * sde.alpha(t) * defect;
  });
}

/**
 * lim N·(variance error) of DDIM with noise η: in u = ν² and C_y = s0² + u a step Δu is wrong by
 * ¼(1 + η²)² (1/C_y − 1/u) Δu², and shrinks what came before by ½(1 + η²) Δu/C_y.
 */
export function ddimError(problem: GaussianProblem, kind: GridConfig["kind"], eta: number): number {
  const { sde, s0Squared } = problem;
  const share = 1 + eta ** 2;
  const u = (t: number) => noiseRatio(sde, t) ** 2;
  const end = s0Squared + u(sde.tMin);
  return sde.alpha(sde.tMin) ** 2 * leadingError(sde, kind, 1, u, (t) => {
    const c = s0Squared + u(t);
    return (end / c) ** share * share ** 2 / 4 * (1 / c - 1 / u(t));
  });
}

/**
 * lim N^order·(variance error) of Euler's (order 1) or Heun's (order 2) rule for the probability flow in a variable v,
 * dx/dv = p x: a step's gain is wrong by −(p² + p') h²/2 or (p³/6 − p''/12) h³, going down in v.
 */
export function flowError(
  problem: GaussianProblem,
  kind: GridConfig["kind"],
  order: 1 | 2,
  variable: "t" | "noise ratio",
): number {
  const { sde, s0Squared } = problem;
  const end = marginalVariance(problem, sde.tMin);
  if (variable === "noise ratio") {
    return leadingError(sde, kind, order, (t) => noiseRatio(sde, t), (t) => {
      const v = noiseRatio(sde, t);
      const c = s0Squared + v ** 2; // p = v/c
      const slope = 1 / c - 2 * v ** 2 / c ** 2;
      const bend = -6 * v / c ** 2 + 8 * v ** 3 / c ** 3;
      return 2 * end * (order === 1 ? -(v ** 2 / c ** 2 + slope) / 2 : v ** 3 / c ** 3 / 6 - bend / 12);
    });
  }
  const p = (t: number) => varianceSlope(problem, t) / marginalVariance(problem, t) / 2;
  return leadingError(sde, kind, order, (t) => t, (t) => {
    const slope = (t: number) => derivative(p, t);
    return 2 * end * (order === 1 ? -(p(t) ** 2 + slope(t)) / 2 : p(t) ** 3 / 6 - derivative(slope, t) / 12);
  });
}

/** How the steps of a grid lie in its N equal intervals, for the multistep solver's defects. */
export interface StepPattern {
  /** Length of the first step, in intervals. */
  readonly first: number;
  /** Weight of D' in an interval's defect. */
  readonly slope: number;
  /** Weight of D''. */
  readonly bend: number;
}

/**
 * lim N²·(variance error) of DPM-Solver++(2M): in y = x/α a step of h in λ after one of h_previous is wrong by
 * −h³ [D'/12 + D'' (1/6 + h_previous/(4h))], the first by −h² D'/2, with D(λ) = s0² y/C_y along the flow y ∝ √C_y and
 * C_y = s0² + e^{−2λ}.
 */
export function multistepError(
  problem: GaussianProblem,
  kind: GridConfig["kind"],
  pattern: StepPattern = { first: 1, slope: 1 / 12, bend: 5 / 12 },
): number {
  const { sde, s0Squared } = problem;
  const lambda = (t: number) => -Math.log(noiseRatio(sde, t));
  const terms = (t: number) => {
    const u = noiseRatio(sde, t) ** 2;
    const c = s0Squared + u;
    // Relative to y at the end: s0² C_y^(−1/2) differentiated once and twice, times the gain to the end C_y^(−1/2).
    return { slope: s0Squared * u / c ** 2, bend: s0Squared * (-2 * u / c ** 2 + 3 * u ** 2 / c ** 3) };
  };
  const steps = leadingError(sde, kind, 2, lambda, (t) => {
    const { slope, bend } = terms(t);
    return -(pattern.slope * slope + pattern.bend * bend);
  });
  const fine = timeGrid(sde, { kind, steps: 20_000 });
  const firstStep = pattern.first * 20_000 * (lambda(fine[1]) - lambda(fine[0]));
  const start = -terms(sde.tMax).slope * firstStep ** 2 / 2;
  return 2 * marginalVariance(problem, sde.tMin) * (steps + start);
}

/** ε̂ along the flow y = √C_y, C_y = s0² + ν², and its first two derivatives by λ = −ln ν. */
function noiseAlongFlow(s0Squared: number, ratio: number): { noise: number; slope: number; bend: number } {
  const c = s0Squared + ratio ** 2;
  // d/dλ = −ν d/dν of ν C_y^(−1/2), and again.
  return {
    noise: ratio / Math.sqrt(c),
    slope: -ratio * s0Squared / c ** 1.5,
    bend: ratio * s0Squared * (s0Squared - 2 * ratio ** 2) / c ** 2.5,
  };
}

/**
 * lim N²·(variance error) of UniPC-1 with exact coefficients. A corrected step of h in λ integrates the line through ε̂ at its two
 * ends, wrong by −e^{−λ} h³ ε̂''/12 in y, and both values are those of predicted states, which are off by e^{−λ} h² ε̂'/2: another
 * −e^{−λ} h p e^{−λ} h² ε̂'/2, with ε̂ = p y. The last step, of DDIM alone, ends with an error of e^{−λ} h² ε̂'/2.
 */
export function correctedError({ sde, s0Squared }: GaussianProblem, kind: GridConfig["kind"]): number {
  const lambda = (t: number) => -Math.log(noiseRatio(sde, t));
  const steps = leadingError(sde, kind, 2, lambda, (t) => {
    const ratio = noiseRatio(sde, t);
    const c = s0Squared + ratio ** 2;
    const { slope, bend } = noiseAlongFlow(s0Squared, ratio);
    return -ratio * (bend / 12 + ratio ** 2 / c * slope / 2) / Math.sqrt(c);
  });
  const fine = timeGrid(sde, { kind, steps: 20_000 });
  const last = 20_000 * (lambda(fine[20_000]) - lambda(fine[19_999]));
  const ratio = noiseRatio(sde, sde.tMin);
  const end = ratio * last ** 2 / 2 * noiseAlongFlow(s0Squared, ratio).slope /
    Math.sqrt(s0Squared + ratio ** 2);
  return 2 * marginalVariance({ sde, s0Squared }, sde.tMin) * (steps + end);
}

/**
 * lim N²·(variance error) of linear multistep solvers of two noises, with a line in v = ν or v = λ, dy = w ε̂ dv with w = 1 or −ν: a
 * step of h after one as long is wrong by −(5/12) w ε̂'' h³ in y, the first by −w ε̂' h²/2, derivatives by v along the flow.
 */
export function twoNoisesError(
  { sde, s0Squared }: GaussianProblem,
  kind: GridConfig["kind"],
  variable: "noise ratio" | "lambda",
): number {
  const at = (t: number) => variable === "lambda" ? -Math.log(noiseRatio(sde, t)) : -noiseRatio(sde, t);
  // Both v's here grow along the run: λ and −ν, of which w is −ν and −1, and ε̂' and ε̂'' are those by −ν.
  const terms = (t: number) => {
    const ratio = noiseRatio(sde, t);
    const c = s0Squared + ratio ** 2;
    if (variable === "lambda") return { w: -ratio / Math.sqrt(c), ...noiseAlongFlow(s0Squared, ratio) };
    return { w: -1 / Math.sqrt(c), slope: -s0Squared / c ** 1.5, bend: -3 * s0Squared * ratio / c ** 2.5 };
  };
  const steps = leadingError(sde, kind, 2, at, (t) => -5 / 12 * terms(t).w * terms(t).bend);
  const fine = timeGrid(sde, { kind, steps: 20_000 });
  const first = 20_000 * (at(fine[1]) - at(fine[0]));
  const start = -terms(sde.tMax).w * terms(sde.tMax).slope * first ** 2 / 2;
  return 2 * marginalVariance({ sde, s0Squared }, sde.tMin) * (steps + start);
}

/**
 * lim N²·(variance error) of the solvers with a mean of three or more noises by the weights of equal steps. On the points k of the
 * grid that mean is right, but a step is wrong by ∫ε̂ dk ∫ν' dk − ∫ε̂ ν' dk = −ε̂' ν''/12 in y, derivatives by k. The first step of
 * one noise is wrong by −(dε̂/dν) Δν²/2, as `start` says; other first steps are negligible.
 */
export function equalWeightsError(
  { sde, s0Squared }: GaussianProblem,
  kind: GridConfig["kind"],
  start: "one noise" | "several evaluations",
): number {
  const points = 20_000;
  const ratios = Array.from(timeGrid(sde, { kind, steps: points }), (t) => noiseRatio(sde, t));
  const noise = (ratio: number) => ratio / Math.sqrt(s0Squared + ratio ** 2);
  let sum = 0;
  for (let k = 1; k < points; k++) {
    const [before, here, after] = ratios.slice(k - 1, k + 2);
    const wrong = -(noise(after) - noise(before)) / 2 * (after - 2 * here + before) / 12;
    sum += wrong / Math.sqrt(s0Squared + here ** 2);
  }
  const c = s0Squared + ratios[0] ** 2;
  if (start === "one noise") sum -= s0Squared / c ** 2 * (ratios[1] - ratios[0]) ** 2 / 2;
  return 2 * marginalVariance({ sde, s0Squared }, sde.tMin) * points ** 2 * sum;
}

/** What a one-step solver of the probability flow makes of y = 1 at ν = e^{−λ}, by λ + h, where ε̂(y, ν) = p(ν) y. */
export type FlowGain = (ratio: number, h: number, p: (ratio: number) => number) => number;

/**
 * lim N^order·(variance error) of a one-step solver in λ: the coefficient of h^(order + 1) in its gain over the exact one,
 * √(C_y(λ + h)/C_y(λ)), from two small steps.
 */
export function singlestepError(
  { sde, s0Squared }: GaussianProblem,
  kind: GridConfig["kind"],
  order: number,
  gain: FlowGain,
): number {
  const variance = (ratio: number) => s0Squared + ratio ** 2;
  const p = (ratio: number) => ratio / variance(ratio);
  const defect = (t: number) => {
    const ratio = noiseRatio(sde, t);
    const at = (h: number) =>
      (gain(ratio, h, p) / Math.sqrt(variance(ratio * Math.exp(-h)) / variance(ratio)) - 1) /
      h ** (order + 1);
    return 2 * at(0.01) - at(0.02);
  };
  const end = sde.alpha(sde.tMin) ** 2 * variance(noiseRatio(sde, sde.tMin));
  return 2 * end * leadingError(sde, kind, order, (t) => -Math.log(noiseRatio(sde, t)), defect);
}

/** DPM-Solver-2: the middle of the step in λ, by a step with constant noise, gives the noise for all of it. */
export const middleNoiseGain: FlowGain = (ratio, h, p) => {
  const middle = ratio * Math.exp(-h / 2);
  const between = 1 + (middle - ratio) * p(ratio);
  return 1 + (ratio * Math.exp(-h) - ratio) * p(middle) * between;
};

/** DPM-Solver++(2S): the same with the data prediction D = y − ν ε̂ held constant in dy = (y − D) dν/ν. */
export const middleDataGain: FlowGain = (ratio, h, p) => {
  const data = (y: number, ratio: number) => y - ratio * p(ratio) * y;
  const after = (d: number, h: number) => d + (1 - d) * Math.exp(-h);
  const middle = after(data(1, ratio), h / 2);
  return after(data(middle, ratio * Math.exp(-h / 2)), h);
};

/** What a stochastic one-step solver makes of y at ν = e^{−λ}, by λ + h, where ε̂(y, ν) = p(ν) y: gain·y + √noise·z. */
export type StochasticStep = (
  ratio: number,
  h: number,
  p: (ratio: number) => number,
) => { readonly gain: number; readonly noise: number };

/**
 * lim N²·(variance error) of a one-step solver in λ of the reverse SDE: the coefficient of h³ in gain² C_y(λ) + noise −
 * C_y(λ + h), from two small steps, times the squared gain of the reverse SDE to the end, (C_y,end/C_y)².
 */
export function stochasticSinglestepError(
  { sde, s0Squared }: GaussianProblem,
  kind: GridConfig["kind"],
  step: StochasticStep,
): number {
  const variance = (ratio: number) => s0Squared + ratio ** 2;
  const p = (ratio: number) => ratio / variance(ratio);
  const end = variance(noiseRatio(sde, sde.tMin));
  const defect = (t: number) => {
    const ratio = noiseRatio(sde, t);
    const at = (h: number) => {
      const { gain, noise } = step(ratio, h, p);
      return (gain ** 2 * variance(ratio) + noise - variance(ratio * Math.exp(-h))) / h ** 3;
    };
    return (2 * at(0.01) - at(0.02)) * (end / variance(ratio)) ** 2;
  };
  return sde.alpha(sde.tMin) ** 2 *
    leadingError(sde, kind, 2, (t) => -Math.log(noiseRatio(sde, t)), defect);
}

/** With the noise of ancestral sampling: the flow's step of 2h in λ, to ν↓ = ν e^{−2h}, and noise up to ν e^{−h}. */
export function withAncestralNoise(gain: FlowGain): StochasticStep {
  return (ratio, h, p) => ({
    gain: gain(ratio, 2 * h, p),
    noise: ratio ** 2 * (Math.exp(-2 * h) - Math.exp(-4 * h)),
  });
}

/**
 * DPM-Solver++ (stochastic), r = 1/2: an ancestral step to the middle of the way gives the data prediction D = d(ν) y of the
 * whole step, whose noise c z has the correlation √w with that of the middle, w = (1 − e^{−h/2})/(1 − e^{−h}).
 */
export const stochasticMiddleStep: StochasticStep = (ratio, h, p) => {
  const d = (ratio: number) => 1 - ratio * p(ratio);
  const std = (h: number) => ratio * Math.sqrt(Math.exp(-2 * h) - Math.exp(-4 * h));
  const weight = (1 - Math.exp(-2 * h)) * d(ratio * Math.exp(-h / 2));
  const between = Math.exp(-h) + (1 - Math.exp(-h)) * d(ratio);
  const correlation = Math.sqrt((1 - Math.exp(-h / 2)) / (1 - Math.exp(-h)));
  const [half, whole] = [weight * std(h / 2), std(h)];
  return {
    gain: Math.exp(-2 * h) + weight * between,
    noise: half ** 2 + whole ** 2 + 2 * correlation * half * whole,
  };
};

/** DPM-Solver-2 with the exact integral of the line through the noise at the start and in the middle: ∫ e^{−λ} (ε + slope·u) du. */
export const lineNoiseGain: FlowGain = (ratio, h, p) => {
  const middle = ratio * Math.exp(-h / 2);
  const slope = (p(middle) * (1 + (middle - ratio) * p(ratio)) - p(ratio)) / (h / 2);
  return 1 + (ratio * Math.exp(-h) - ratio) * p(ratio) + slope * (ratio * Math.exp(-h) * (1 + h) - ratio);
};

/** DPM-Solver++(2S) with the exact integral of the line through the data predictions: ∫ e^{u − h} (D + slope·u) du. */
export const lineDataGain: FlowGain = (ratio, h, p) => {
  const start = 1 - ratio * p(ratio);
  const middle = ratio * Math.exp(-h / 2);
  const between = start + (1 - start) * Math.exp(-h / 2);
  const slope = ((1 - middle * p(middle)) * between - start) / (h / 2);
  return start + (1 - start) * Math.exp(-h) + slope * (h - 1 + Math.exp(-h));
};

/** DPM-Solver-3: lines in λ through the noise at the start and at one and two thirds, the second found with the first. */
export const thirdsGain: FlowGain = (ratio, h, p) => {
  const at = (part: number) => ratio * Math.exp(-part * h);
  // dy = −e^{−λ} (ε + slope·(λ − λ_t)) dλ over the first part of the step.
  const moved = (part: number, slope: number) =>
    1 + (at(part) - ratio) * p(ratio) + slope * (at(part) * (1 + part * h) - ratio);
  const first = (p(at(1 / 3)) * moved(1 / 3, 0) - p(ratio)) / (h / 3);
  const second = (p(at(2 / 3)) * moved(2 / 3, first) - p(ratio)) / (2 * h / 3);
  return moved(1, second);
};

/**
 * Samplers on Gaussian data against the same method in float64. There every state is a linear function of x_T and of the draws, so
 * that a method is a recursion of their coefficients.
 * @module
 */
import type { Sampler } from "../../src/samplers/sampler.ts";
import type { Sde } from "../../src/diffusion/sde.ts";
import { type GridConfig, timeGrid } from "../../src/diffusion/time_grid.ts";
import { marginalVariance, responseOf } from "../problems/gaussian_1d.ts";
import { narrowSdes } from "../problems/sdes.ts";
import type { Check } from "../suite/claim.ts";
import { outputVariance } from "./impulse_response.ts";

/** The variance of the data. */
export const s0Squared = 0.25;

/** ε̂ of y = x/α at a noise ratio, over y. */
export function noiseOfRatio(ratio: number): number {
  return ratio / (s0Squared + ratio ** 2);
}

/** A state x as a linear function of x_T and the draws: their coefficients. */
export type Coefficients = readonly number[];

/** a·x + b·y. */
export function sum(a: number, x: Coefficients, b: number, y: Coefficients): number[] {
  return Array.from({ length: Math.max(x.length, y.length) }, (_, k) => a * (x[k] ?? 0) + b * (y[k] ?? 0));
}

/** x plus a new draw times c. */
export function withDraw(x: Coefficients, c: number): number[] {
  return [...x, c];
}

/** ∫ f from one value to another, by Simpson's rule. */
export function simpson(from: number, to: number, f: (v: number) => number, count = 400): number {
  let total = 0;
  for (let i = 0; i <= count; i++) {
    total += (i === 0 || i === count ? 1 : i % 2 === 1 ? 4 : 2) * f(from + (to - from) * i / count);
  }
  return total * (to - from) / count / 3;
}

/** A method in float64: the coefficients at the end of a grid. ε̂(x, t) is `noise(t)` times x. */
export type Method = (sde: Sde, times: Float64Array, noise: (t: number) => number) => Coefficients;

/** A sampler and its method. */
export interface Recursion {
  readonly name: string;
  readonly sampler: Sampler;
  readonly method: Method;
  /** Whether it draws nothing. */
  readonly deterministic: boolean;
  /** The grids on which both are compared; by default twelve steps of log-SNR and of Karras. */
  readonly grids?: readonly GridConfig[];
}

const usualGrids: readonly GridConfig[] = [{ kind: "log-snr", steps: 12 }, { kind: "karras", steps: 12 }];

/** Grids of a sampler whose last step is another: those, and one that ends above the SDE's tMin. */
export const gridsOfEndings: readonly GridConfig[] = [...usualGrids, { kind: "sgm-uniform", steps: 12 }];

/** Compares the variance at a run's end with the method's, under every SDE. */
export async function checkRecursion(
  check: Check,
  { sampler, method, deterministic, grids = usualGrids }: Recursion,
): Promise<void> {
  for (const [label, sde] of Object.entries(narrowSdes)) {
    for (const grid of grids) {
      const { kind, steps } = grid;
      const times = timeGrid(sde, grid);
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
}

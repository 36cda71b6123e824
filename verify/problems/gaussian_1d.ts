/**
 * One-dimensional Gaussian data N(m0, s0²) under every SDE, where every sampler's distribution can be known exactly.
 * @module
 */
import { scoreModel } from "../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../src/distributions/gaussian.ts";
import type { Sampler } from "../../src/samplers/sampler.ts";
import type { Sde } from "../../src/diffusion/sde.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";
import { type ImpulseResponse, impulseResponse } from "../instruments/impulse_response.ts";

/** Data and SDE. */
export interface GaussianProblem {
  readonly sde: Sde;
  /** Variance of the data. */
  readonly s0Squared: number;
  /** Mean of the data; default 0. */
  readonly m0?: number;
}

/** Variance C(t) = α² s0² + σ² of x_t. */
export function marginalVariance({ sde, s0Squared }: GaussianProblem, t: number): number {
  return sde.alpha(t) ** 2 * s0Squared + sde.sigma(t) ** 2;
}

/** C' = 2 f C + g². */
export function varianceSlope(problem: GaussianProblem, t: number): number {
  return 2 * problem.sde.driftCoefficient(t) * marginalVariance(problem, t) +
    problem.sde.diffusionCoefficient(t) ** 2;
}

/** A sampler's impulse response in such a problem, without the last denoise unless asked for. */
export async function responseOf(
  { sde, s0Squared, m0 = 0 }: GaussianProblem,
  sampler: Sampler,
  grid: GridConfig | Float64Array,
  denoise = false,
): Promise<ImpulseResponse> {
  const model = scoreModel(new Gaussian({ mean: [m0], variances: [s0Squared] }), sde);
  return await impulseResponse(model, sampler, { grid, denoise });
}

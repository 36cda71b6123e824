/**
 * The settings with which tasks and single calls draw unasked.
 * @module
 */
import { type VeOptions, veSde } from "../diffusion/sde.ts";
import type { Guidance } from "../networks/guidance_interval.ts";
import { samplerInfo } from "../samplers/registry.ts";
import type { SamplingConfig } from "./sampling.ts";

/** VE's numbers: the noise ratios that training saw. */
export const DEFAULT_VE = { sigmaMin: 0.005, sigmaMax: 40 } as const satisfies VeOptions;

/** The sampler that draws unasked. */
export const DEFAULT_SAMPLER = "dpm++2m";

/** The guidance of the shipped network: the best of those measured in docs/engines.md. A scale of 1 would be no guidance. */
export const DEFAULT_GUIDANCE = { scale: 1.3, from: 0.6, to: 6 } as const satisfies Guidance;

/** Steps of {@linkcode DEFAULT_SAMPLER} for posteriors: with fewer, samples overshoot their measurements. */
export const DEFAULT_POSTERIOR_STEPS = 15;

/** Iterations of the linear solver that each method takes unasked. */
export const DEFAULT_ITERATIONS = { mmps: 3, pigdm: 20 } as const;

/** ζ of DPS unasked, for {@linkcode DEFAULT_POSTERIOR_STEPS}: with half of it digits miss their measurements, with twice they overshoot. */
export const DEFAULT_DPS_SCALE = 8;

/** λ of DiffPIR unasked: with it a proximal step is Bayes' rule for data spread by more than the noise. */
export const DEFAULT_LAMBDA = 1;

/** Particles and steps of twisted sampling unasked. */
export const DEFAULT_PARTICLES = 16;
export const DEFAULT_TWISTED_STEPS = 50;

/** How often repaint does each step unasked. */
export const DEFAULT_RESAMPLINGS = 10;

/** The most steps for which a consistency function of digits has noise levels unasked. */
export const MOST_CONSISTENCY_STEPS = 4;

/** A sampler on its own grid, by default the default one, by default of its own number of steps. */
export function defaultSampling(
  steps?: number,
  name: typeof DEFAULT_SAMPLER | "consistency" = DEFAULT_SAMPLER,
): SamplingConfig {
  const { grid } = samplerInfo(name);
  return {
    sde: veSde(DEFAULT_VE).config,
    sampler: { name, options: {} },
    grid: { ...grid, steps: steps === undefined ? grid.steps : steps },
  };
}

/**
 * Runs of the probability flow of a mixture, from given states.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { scoreModel } from "../../src/diffusion/noise_predictor.ts";
import { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";
import { samplerByName } from "../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../src/samplers/sampler_info.ts";
import { sample, type SampleStep } from "../../src/samplers/sample.ts";
import type { Sde } from "../../src/diffusion/sde.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";
import { limited } from "./limited_predictor.ts";

/** Two separate bumps of unequal weight and width. */
export const bumps = GaussianMixture.from({
  weights: [0.3, 0.7],
  means: [[-1.5], [0.8]],
  covariances: [[[0.04]], [[0.25]]],
});

/** Where the flow takes states [B][d] by tMin, and how many evaluations that took. */
export async function flowed(
  problem: GaussianMixture,
  sde: Sde,
  states: readonly ArrayLike<number>[],
  sampler: string,
  grid: GridConfig,
  options: SamplerOptions = {},
): Promise<{ values: Float32Array; evaluations: number }> {
  const shape = [states.length, problem.dimension];
  const initial = tf.tensor(Float32Array.from(states.flatMap((state) => Array.from(state))), shape);
  const settings = { shape, grid, initial, rng: createRng(1), denoise: false };
  let last: SampleStep | undefined;
  // 500 attempts of Dormand–Prince: its runs at the smallest tolerances take less than half of them.
  const predictor = sampler === "ode-dopri5" ? limited(problem, 3000) : problem;
  for await (const step of sample(scoreModel(predictor, sde), samplerByName(sampler, options), settings)) {
    last = step;
  }
  const values = await last!.x.data<"float32">();
  tf.dispose([initial, last!.x]);
  return { values, evaluations: last!.evaluations };
}

/** One step: for solvers that choose their own. */
export const whole = { kind: "uniform", steps: 1 } as const;

/**
 * iPNDM, the multistep solver with the fixed weights of Adams and Bashforth from its first steps on.
 * @module
 */
import { noiseRatio } from "../diffusion/sde.ts";
import { linearMultistep, type MultistepOptions } from "./linear_multistep.ts";
import type { Sampler } from "./sampler.ts";

/** Adams and Bashforth's weights for equal steps, by the number of values, the latest first. */
const weights: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];

/** The weights of the noises predicted at the starts of this step and of `count` − 1 before, in their mean over the step. */
export function equalStepWeights(count: number): readonly number[] {
  return weights[count - 1];
}

/**
 * iPNDM (Zhang & Chen 2023, after Liu et al. 2022) on the probability flow: DDIM's step with a mean of the noises
 * predicted at the starts of this step and of those before. In y = x/α and ν = σ/α it is:
 *
 *   y_s = y_t + (ν_s − ν_t) (55 ε̂_0 − 59 ε̂_1 + 37 ε̂_2 − 9 ε̂_3)/24,
 *
 * and in the first steps (23 ε̂_0 − 16 ε̂_1 + 5 ε̂_2)/12, (3 ε̂_0 − ε̂_1)/2 and ε̂_0; `solverOrder` is the largest number of noises.
 * With 1 it is DDIM.
 *
 * The weights are those of equal steps. Order 2, as ε̂ and the lengths of the steps both change along the grid; on a grid of equal
 * steps in ν, which serves no sampler, `solverOrder`, beside the errors of the first steps. One evaluation a step.
 * @throws {TypeError | RangeError} When `solverOrder` is not 1, 2, 3 or 4.
 */
export function ipndm(options: MultistepOptions = {}): Sampler {
  return linearMultistep("ipndm", options, 4, (sde, times, s) => {
    const width = noiseRatio(sde, s) - noiseRatio(sde, times[0]);
    return equalStepWeights(times.length).map((weight) => width * weight);
  });
}

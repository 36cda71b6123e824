/**
 * The linear multistep sampler, Adams and Bashforth's method in the noise ratio.
 * @module
 */
import { noiseRatio } from "../diffusion/sde.ts";
import { lagrangeWeights } from "../math/lagrange.ts";
import { linearMultistep, type MultistepOptions } from "./linear_multistep.ts";
import type { Sampler } from "./sampler.ts";

/**
 * The linear multistep sampler (LMS; Katherine Crowson's k-diffusion, and ρAB-DEIS of Zhang & Chen 2023) on the probability flow,
 * which in y = x/α is dy = ε̂ dν. The polynomial in ν = σ/α through the noises predicted at the starts of this step and of those
 * before is integrated over the step:
 *
 *   y_s = y_t + Σ_j ε̂_j ∫ ℓ_j(ν) dν,   ℓ_j Lagrange's polynomials of the ν_j.
 *
 * With `solverOrder` 1 it is DDIM. Order `solverOrder` in the spacing of ν, on any grid, beside the errors of the first steps, by
 * one noise, by two and by three: these make order 2, and are small where the run begins at much noise. One evaluation a step.
 * @throws {TypeError | RangeError} When `solverOrder` is not 1, 2, 3 or 4.
 */
export function lms(options: MultistepOptions = {}): Sampler {
  return linearMultistep("lms", options, 4, (sde, times, s) => {
    const ratios = times.map((time) => noiseRatio(sde, time));
    return lagrangeWeights(ratios, ratios[0], noiseRatio(sde, s));
  });
}

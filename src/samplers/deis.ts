/**
 * DEIS, the exponential integrator with a polynomial in the logarithm of the noise ratio.
 * @module
 */
import { halfLogSnr } from "../diffusion/sde.ts";
import { lagrangeWeights } from "../math/lagrange.ts";
import { linearMultistep, type MultistepOptions } from "./linear_multistep.ts";
import type { Sampler } from "./sampler.ts";

/**
 * tAB-DEIS (Zhang & Chen 2023) with polynomials in ln ρ, ρ = σ/α, as diffusers has it: on the probability flow, which in
 * y = x/α is dy = ε̂ dρ, the polynomial in λ = −ln ρ through the noises predicted at the starts of this step and of those before is
 * integrated over the step:
 *
 *   y_s = y_t − Σ_j ε̂_j ∫ ℓ_j(λ) e^{−λ} dλ,   ℓ_j Lagrange's polynomials of the λ_j.
 *
 * It is UniPC without its corrections, and with `solverOrder` 1 DDIM. A step to sigma = 0, where λ is infinite, is DDIM's. Order
 * `solverOrder` in the spacing of λ, on any grid, beside the errors of the first steps, by one noise and by two: these make order 2,
 * and are small where the run begins at much noise. One evaluation a step.
 * @throws {TypeError | RangeError} When `solverOrder` is not 1, 2 or 3.
 */
export function deis(options: MultistepOptions = {}): Sampler {
  return linearMultistep("deis", options, 3, (sde, times, s) => {
    const lambdas = times.map((time) => halfLogSnr(sde, time));
    if (sde.sigma(s) === 0) return times.map((_, j) => j === 0 ? -Math.exp(-lambdas[0]) : 0);
    return lagrangeWeights(lambdas, lambdas[0], halfLogSnr(sde, s), (lambda) => -Math.exp(-lambda));
  });
}

/**
 * The exponential integrator of the reverse-time SDE.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import type { Sde } from "../diffusion/sde.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { integrate } from "../math/gauss_legendre.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * The exponential integrator of dx = [f x − g² ∇log p_t(x)] dt + g dw̄ (Zhang & Chen 2023; Pierret & Galerne 2025,
 * Table 1): from t to s the score is constant, and the remaining linear SDE is solved exactly, noise included.
 *
 *   x_s = (α_s/α_t) x_t + score(x_t, t) ∫_s^t (α_s/α_u) g(u)² du + α_s √(ν_t² − ν_s²) z,   ν = σ/α, z ~ N(0, I).
 *
 * Weak order 1. One evaluation a step.
 */
export function exponentialSde(): Sampler {
  return {
    name: "exponential-sde",
    start: (model, rng) =>
      statelessStepper(function* (x, t, s) {
        const { sde } = model;
        const from = noiseRatio(sde, t);
        const to = noiseRatio(sde, s);
        const score = yield* awaited(model.score(x, t));
        return x.mul(sde.alpha(s) / sde.alpha(t))
          .add(score.mul(scoreWeight(sde, t, s)))
          .add(rng.normal(x.shape).mul(sde.alpha(s) * Math.sqrt((from - to) * (from + to))));
      }),
  };
}

/** ∫_s^t (α_s/α_u) g(u)² du. */
function scoreWeight(sde: Sde, t: number, s: number): number {
  return sde.alpha(s) * integrate(s, t, (u) => sde.diffusionCoefficient(u) ** 2 / sde.alpha(u));
}

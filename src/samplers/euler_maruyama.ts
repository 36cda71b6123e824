/**
 * Euler–Maruyama on the reverse-time SDE.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Euler–Maruyama for the reverse SDE dx = [f x − g² ∇log p_t(x)] dt + g dw̄ (Song et al. 2021, eq. 6), from t to s =
 * t − h:
 *
 *   x_s = x_t − h [f(t) x_t − g(t)² score(x_t, t)] + g(t) √h z,   z ~ N(0, I).
 *
 * Weak order 1; strong order 1 as well, the noise being additive. One evaluation a step.
 */
export function eulerMaruyama(): Sampler {
  return {
    name: "euler-maruyama",
    start: (model, rng) =>
      statelessStepper(function* (x, t, s) {
        const h = t - s;
        const f = model.sde.driftCoefficient(t);
        const g = model.sde.diffusionCoefficient(t);
        const score = yield* awaited(model.score(x, t));
        return x.mul(1 - h * f)
          .add(score.mul(h * g * g))
          .add(rng.normal(x.shape).mul(g * Math.sqrt(h)));
      }),
  };
}

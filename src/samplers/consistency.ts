/**
 * The multistep sampler of consistency models.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Multistep consistency sampling (Song et al. 2023, Alg. 1) under any linear SDE: from x_t to the end f(x_t/α(t),
 * ν(t)) of its probability-flow trajectory, and back to the noise of time s,
 *
 *   x_s = α(s) f + σ(s) z.
 *
 * The last step returns f. One evaluation a step. Exact for an exact consistency function, at any number of steps.
 */
export function consistency(): Sampler {
  return {
    name: "consistency",
    needs: "consistency",
    start: (model, rng) => ({
      ...statelessStepper(function* (x, t, s) {
        const data = yield* awaited(model.denoised(x, t));
        return data.mul(model.sde.alpha(s)).add(rng.normal(x.shape).mul(model.sde.sigma(s)));
      }),
      stepToData: (x, t) => model.denoised(x, t),
    }),
  };
}

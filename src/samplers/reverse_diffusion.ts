/**
 * The reverse diffusion sampler, which discretizes the reverse SDE as the forward one was.
 * @module
 */
import { discretize } from "./discretization.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Reverse diffusion (Song et al. 2021, App. E, eq. 46): with x_t = x_s + f x_s + G z the forward step of `discretize`,
 *
 *   x_s = x_t − f x_t + G² score(x_t, t) + G z.
 *
 * Weak order 1. One evaluation a step.
 * @throws RangeError (in a step) where `discretize` is not defined
 */
export function reverseDiffusion(): Sampler {
  return {
    name: "reverse-diffusion",
    start: (model, rng) =>
      statelessStepper((x, t, s) => {
        const { drift, diffusion } = discretize(model.sde, s, t);
        return x.mul(1 - drift)
          .add(model.score(x, t).mul(diffusion ** 2))
          .add(rng.normal(x.shape).mul(diffusion));
      }),
  };
}

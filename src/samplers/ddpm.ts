/**
 * The sampling rule of denoising diffusion probabilistic models.
 * @module
 */
import { discretize } from "./discretization.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * DDPM's sampling (Ho et al. 2020, Alg. 2 with variance β; Song et al. 2021, eq. 4): with x_t = x_s + f x_s + G z the
 * forward step of `discretize`,
 *
 *   x_s = [x_t + G² score(x_t, t)]/(1 + f) + G z,   z ~ N(0, I);
 *
 * for `vp` 1 + f = √(1 − β) and G² = β. Where f = 0 it is reverse diffusion; `ddim({ eta: 1 })` is the variant with the
 * posterior's variance. Weak order 1. One evaluation a step.
 * @throws RangeError (in a step) where `discretize` is not defined
 */
export function ddpm(): Sampler {
  return {
    name: "ddpm",
    start: (model, rng) =>
      statelessStepper((x, t, s) => {
        const { drift, diffusion } = discretize(model.sde, s, t);
        return x.add(model.score(x, t).mul(diffusion ** 2)).mul(1 / (1 + drift))
          .add(rng.normal(x.shape).mul(diffusion));
      }),
  };
}

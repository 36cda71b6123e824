/**
 * The sampling rule of denoising diffusion probabilistic models.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { forwardStep } from "../diffusion/forward_step.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * DDPM's sampling (Ho et al. 2020, Alg. 2 with variance β; Song et al. 2021, eq. 4): with x_t = a x_s + G z the
 * forward step of `forwardStep`,
 *
 *   x_s = [x_t + G² score(x_t, t)]/a + G z,   z ~ N(0, I);
 *
 * for `vp` a = √(1 − β) and G² = β. Where a = 1 it is reverse diffusion; `ddim({ eta: 1 })` is the variant with the
 * posterior's variance. Weak order 1. One evaluation a step.
 * @throws {RangeError} In a step, when `forwardStep` is not defined or its a is not positive.
 */
export function ddpm(): Sampler {
  return {
    name: "ddpm",
    start: (model, rng) =>
      statelessStepper(function* (x, t, s) {
        const { scale, std } = forwardStep(model.sde, s, t);
        if (!(scale > 0)) {
          throw new RangeError(
            `DDPM's rule needs a forward step of positive scale, got ${scale}: use more steps`,
          );
        }
        const score = yield* awaited(model.score(x, t));
        return x.add(score.mul(std ** 2)).mul(1 / scale).add(rng.normal(x.shape).mul(std));
      }),
  };
}

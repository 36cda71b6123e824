/**
 * The reverse diffusion sampler, which discretizes the reverse SDE like the forward SDE.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { forwardStep } from "../diffusion/forward_step.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Reverse diffusion (Song et al. 2021, App. E, eq. 46): with x_t = a x_s + G z the forward step of `forwardStep`,
 *
 *   x_s = x_t − (a − 1) x_t + G² score(x_t, t) + G z.
 *
 * Weak order 1. One evaluation a step.
 * @throws {RangeError} In a step, when `forwardStep` is not defined.
 */
export function reverseDiffusion(): Sampler {
  return {
    name: "reverse-diffusion",
    start: (model, rng) =>
      statelessStepper(function* (x, t, s) {
        const { scale, std } = forwardStep(model.sde, s, t);
        const score = yield* awaited(model.score(x, t));
        return x.mul(2 - scale)
          .add(score.mul(std ** 2))
          .add(rng.normal(x.shape).mul(std));
      }),
  };
}

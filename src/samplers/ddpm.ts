/**
 * The sampling rule of denoising diffusion probabilistic models, in continuous time.
 * @module
 */
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * DDPM's sampling (Ho et al. 2020, Alg. 2 with variance β; Song et al. 2021, eq. 4) for a variance-preserving SDE.
 * A step from t to s = t − h has β = g(t)² h:
 *
 *   x_s = [x_t + β score(x_t, t)] / √(1 − β) + √β z,   z ~ N(0, I).
 *
 * Weak order 1. One evaluation a step. `ddim({ eta: 1 })` is the variant with the posterior's variance, for any SDE.
 *
 * Its steppers throw a RangeError for an SDE other than VP and for a step so long that g(t)² h ≥ 1.
 */
export function ddpm(): Sampler {
  return {
    name: "ddpm",
    start: (model, rng) => {
      const { sde } = model;
      if (sde.config.kind !== "vp") {
        throw new RangeError(
          `ddpm discretizes the vp SDE, got ${sde.config.kind}; ancestral works for any SDE`,
        );
      }
      return statelessStepper((x, t, s) => {
        const beta = sde.diffusion(t) ** 2 * (t - s);
        if (beta >= 1) {
          throw new RangeError(`ddpm needs steps with g(t)² h < 1, got ${beta}: take more steps`);
        }
        return x.add(model.score(x, t).mul(beta)).mul(1 / Math.sqrt(1 - beta))
          .add(rng.normal(x.shape).mul(Math.sqrt(beta)));
      });
    },
  };
}

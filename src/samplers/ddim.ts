/**
 * DDIM, from the deterministic DPM-Solver-1 to ancestral sampling.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { ancestralParts, requireEta } from "./added_noise.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";
import { requireOptions } from "../input/require.ts";

/** Options of {@linkcode ddim}. */
export interface DdimOptions {
  /** Fraction of the posterior's noise, in [0, 1]; default 0, the probability flow. */
  readonly eta?: number;
}

/**
 * DDIM (Song, Meng & Ermon 2021, eq. 12 and 16) for any linear SDE. In y = x/α and ν = σ/α, with
 * c = η (ν_s/ν_t) √(ν_t² − ν_s²):
 *
 *   y_s = y_t − (ν_t − √(ν_s² − c²)) ε̂(y_t, ν_t) + c z.
 *
 * η = 0 is DPM-Solver-1 (Lu et al. 2022): the exact solution for a constant ε̂, order 1. η = 1 is ancestral sampling:
 * the Gaussian posterior of x_s given x_t and x_0 = E[x_0|x_t] (Ho et al. 2020, eq. 6–7), weak order 1.
 * One evaluation a step.
 * @throws {RangeError} When eta is not in [0, 1].
 */
export function ddim(options: DdimOptions = {}): Sampler {
  requireOptions("options", options);
  const { eta = 0 } = options;
  requireEta(eta);
  return {
    name: eta === 0 ? "ddim" : eta === 1 ? "ancestral" : `ddim with eta ${eta}`,
    start: (model, rng) =>
      statelessStepper(function* (x, t, s) {
        const { sde } = model;
        const from = noiseRatio(sde, t);
        const to = noiseRatio(sde, s);
        const { kept, fresh } = ancestralParts(from, to, eta);
        const noise = yield* awaited(model.predictedNoise(x, t));
        const next = x.mul(sde.alpha(s) / sde.alpha(t)).add(noise.mul(sde.alpha(s) * (kept - from)));
        return fresh === 0 ? next : next.add(rng.normal(x.shape).mul(sde.alpha(s) * fresh));
      }),
  };
}

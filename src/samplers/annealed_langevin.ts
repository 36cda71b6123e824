/**
 * Annealed Langevin dynamics, the sampler of NCSN.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { awaited, tidied } from "../compute/tidied.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { langevinUpdate, repeated } from "./langevin.ts";
import type { Sampler } from "./sampler.ts";
import { requireOptions, requirePositive, requireWhole } from "../input/require.ts";

/** Options of {@linkcode annealedLangevin}. */
export interface AnnealedLangevinOptions {
  /**
   * The step size ε at the lowest noise level, as `NcsnSchedule.langevinStep` has it; default 0.1 σ_L². It is half
   * the ε of Song & Ermon 2019, whose Alg. 1 adds (α_i/2) s + √α_i z: their 2e-5 at σ_L = 0.01 is 1e-5 here, the
   * default.
   */
  readonly langevinStep?: number;
  /** T, steps at each noise level; default 100. */
  readonly steps?: number;
}

/**
 * Annealed Langevin dynamics (Song & Ermon 2020, Alg. 1; 2019, Alg. 1 with 2ε for ε) on y = x/α, whose noise levels
 * σ_i are the ratios ν of any SDE: at each grid time after the first, T steps with α_i = ε σ_i²/σ_L²,
 *
 *   y ← y + α_i score_i(y) + √(2α_i) z,   score_i(y) = −ε̂(y, σ_i)/σ_i.
 *
 * σ_L is the ratio at the SDE's tMin. T evaluations a step.
 * @throws {RangeError} When langevinStep is not positive or steps is not a positive integer.
 */
export function annealedLangevin(options: AnnealedLangevinOptions = {}): Sampler {
  requireOptions("options", options);
  const { langevinStep, steps = 100 } = options;
  if (langevinStep !== undefined) requirePositive("langevinStep", langevinStep);
  requireWhole("steps", steps, 1);
  return {
    name: "annealed-langevin",
    start: (model, rng) => ({
      step: (x, t, s) => {
        const { sde } = model;
        if (sde.sigma(s) === 0) return tf.tidy(() => x.mul(sde.alpha(s) / sde.alpha(t))); // no score there
        const lowest = noiseRatio(sde, sde.tMin);
        const relative = (langevinStep ?? 0.1 * lowest ** 2) / lowest ** 2; // ε/σ_L²
        // In x = α y this is a Langevin step of size α_s² α_i = σ_s² ε/σ_L².
        const stepSize = relative * sde.sigma(s) ** 2;
        return tidied((function* () {
          const start = x.mul(sde.alpha(s) / sde.alpha(t));
          return yield* awaited(repeated(start, steps, function* (x) {
            const score = yield* awaited(model.score(x, s));
            return langevinUpdate(x, score, rng.normal(x.shape), tf.scalar(stepSize));
          }));
        })());
      },
      dispose: () => {},
    }),
  };
}

/**
 * The stochastic sampler of EDM: each step adds a little noise, then takes Heun's step.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import type * as tf from "../compute/tf.ts";
import type { Rng } from "../compute/rng.ts";
import { noiseRatio, type Sde } from "../diffusion/sde.ts";
import { edmHeun } from "./edm_heun.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";
import { requireBetween, requireOptions, requirePositive } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** Options of {@linkcode edmStochastic}. */
export interface EdmStochasticOptions {
  /**
   * γ, the fraction by which a step first raises the noise ratio: the paper's S_churn/N, in [0, √2 − 1]; default 0.15.
   */
  readonly gamma?: number;
  /** S_tmin, the noise ratio below which no noise is added; default 0. */
  readonly sTmin?: number;
  /** S_tmax, the noise ratio above which no noise is added; default Infinity. */
  readonly sTmax?: number;
  /** S_noise, the factor on the standard deviation of the added noise; default 1. */
  readonly sNoise?: number;
}

/**
 * EDM's stochastic sampler (Karras et al. 2022, Alg. 2 with their σ = ν = σ/α and y = x/α):
 *
 *   ν̂ = (1 + γ) ν_t,   ŷ = y_t + S_noise √(ν̂² − ν_t²) z,   then the step of `edmHeun` from ν̂ to ν_s.
 *
 * γ is per step: for the paper's S_churn give S_churn/N. No step begins above the noise ratio of tMax, the largest
 * that a network was trained on; so the first adds no noise. The added noise follows the kernels exactly, so with γ
 * of order 1/N the distribution is that of the data to order 2, as Heun's. Two evaluations a step.
 * @throws {RangeError} When gamma is not in [0, √2 − 1], 0 ≤ sTmin ≤ sTmax does not hold, or sNoise is not positive.
 */
export function edmStochastic(options: EdmStochasticOptions = {}): Sampler {
  requireOptions("options", options);
  const { gamma = 0.15, sTmin = 0, sTmax = Infinity, sNoise = 1 } = options;
  if (!(typeof gamma === "number" && gamma >= 0 && gamma <= Math.SQRT2 - 1)) {
    throw new RangeError(`gamma must lie in [0, √2 − 1], got ${quoted(gamma)}`);
  }
  requireBetween("sTmin", sTmin, 0);
  if (!(typeof sTmax === "number" && sTmax >= sTmin)) {
    throw new RangeError(
      `sTmin and sTmax must be noise ratios in order, got ${sTmin} and ${quoted(sTmax)}`,
    );
  }
  requirePositive("sNoise", sNoise);
  return {
    name: "edm-stochastic",
    start: (model, rng) => {
      const heun = edmHeun().start(model, rng);
      return statelessStepper(function* (x, t, s) {
        const ratio = noiseRatio(model.sde, t);
        const start = ratio < sTmin || ratio > sTmax ? t : raisedTime(model.sde, t, gamma);
        return yield* awaited(heun.step(raised(model.sde, rng, x, t, start, sNoise), start, s));
      });
    },
  };
}

/** The time of the noise ratio (1 + γ) ν_t, or tMax if that comes first. */
export function raisedTime(sde: Sde, t: number, gamma: number): number {
  const ratio = (1 + gamma) * noiseRatio(sde, t);
  return gamma === 0
    ? t
    : ratio < noiseRatio(sde, sde.tMax)
    ? sde.timeAtHalfLogSnr(-Math.log(ratio))
    : Math.max(t, sde.tMax);
}

/** Diffuses x from time t to a later time, with the added noise scaled by S_noise. */
export function raised(
  sde: Sde,
  rng: Rng,
  x: tf.Tensor,
  t: number,
  later: number,
  sNoise = 1,
): tf.Tensor {
  const [from, to] = [noiseRatio(sde, t), noiseRatio(sde, later)];
  const fresh = sde.alpha(later) * sNoise * Math.sqrt(Math.max(0, (to - from) * (to + from)));
  return x.mul(sde.alpha(later) / sde.alpha(t)).add(rng.normal(x.shape).mul(fresh));
}

/**
 * The stochastic sampler of EDM: a little noise back in, then Heun's step over it.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import type { Rng } from "../compute/rng.ts";
import { noiseRatio, type Sde } from "../diffusion/sde.ts";
import { edmHeun } from "./edm_heun.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";
import { requireBetween, requireOptions, requirePositive } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** Options of {@linkcode edmStochastic}. */
export interface EdmStochasticOptions {
  /** γ, the part by which a step raises the noise ratio first: the paper's S_churn/N, in [0, √2 − 1]; default 0.15. */
  readonly gamma?: number;
  /** S_tmin, the noise ratio below which nothing is raised; default 0. */
  readonly sTmin?: number;
  /** S_tmax, the noise ratio above which nothing is raised; default Infinity. */
  readonly sTmax?: number;
  /** S_noise, the standard deviation of what is added, over that of γ's definition; default 1. */
  readonly sNoise?: number;
}

/**
 * EDM's stochastic sampler (Karras et al. 2022, Alg. 2 with their σ = ν = σ/α and y = x/α):
 *
 *   ν̂ = (1 + γ) ν_t,   ŷ = y_t + S_noise √(ν̂² − ν_t²) z,   then the step of `edmHeun` from ν̂ to ν_s.
 *
 * γ is a step's own: where the paper's S_churn is meant, give S_churn/N. No step begins above the noise ratio of tMax, which is
 * as far as a network was trained; so the first adds none. What noise is added follows the kernels exactly, so with γ of order
 * 1/N the distribution is that of the data to order 2, as Heun's. Two evaluations a step.
 * @throws RangeError unless 0 ≤ gamma ≤ √2 − 1, 0 ≤ sTmin ≤ sTmax and sNoise is positive
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
      return statelessStepper((x, t, s) => {
        const ratio = noiseRatio(model.sde, t);
        const start = ratio < sTmin || ratio > sTmax ? t : raisedTime(model.sde, t, gamma);
        return heun.step(raised(model.sde, rng, x, t, start, sNoise), start, s) as tf.Tensor;
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

/** Noise added to x at time t, as much as makes it x at a later time. */
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

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
   * γ, the fraction by which a step first raises the noise ratio, in [0, √2 − 1]; default 0.15 where `sChurn` is not
   * given. At most one of the two can be.
   */
  readonly gamma?: number;
  /** S_churn, at least 0: γ is S_churn/N, at most √2 − 1, with N the number of noise levels that the run visits. */
  readonly sChurn?: number;
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
 * γ is `gamma`, or min(S_churn/N, √2 − 1) with N the number of noise levels above 0 that the run visits. That is EDM's
 * num_steps and k-diffusion's len(sigmas) − 1, which count the last denoising as a step: one more than the steps of a
 * grid here. The added noise follows the kernels exactly, so with γ of order 1/N the distribution is that of the data
 * to order 2, as Heun's. Two evaluations a step.
 *
 * EDM's code differs where S_tmin is below σ_min or S_tmax above σ_max, which the paper's settings never have (Table
 * 5). It adds noise before the last denoising, too. And it begins at (1 + γ) σ_max, while no step here begins above the
 * noise ratio of tMax, the largest that a network was trained on; a grid that begins at that ratio over 1 + γ, or
 * lower, has the first step of EDM's code.
 * @throws {RangeError} When gamma is not in [0, √2 − 1], sChurn is negative, both are given, 0 ≤ sTmin ≤ sTmax does not
 * hold, or sNoise is not positive; when a run with sChurn starts without its times.
 */
export function edmStochastic(options: EdmStochasticOptions = {}): Sampler {
  requireOptions("options", options);
  const { gamma, sChurn, sTmin = 0, sTmax = Infinity, sNoise = 1 } = options;
  if (gamma !== undefined && !(typeof gamma === "number" && gamma >= 0 && gamma <= LARGEST_GAMMA)) {
    throw new RangeError(`gamma must lie in [0, √2 − 1], got ${quoted(gamma)}`);
  }
  if (sChurn !== undefined) {
    requireBetween("sChurn", sChurn, 0);
    if (gamma !== undefined) {
      throw new RangeError(
        `gamma and sChurn both say how much noise is added: give one, got gamma = ${gamma} and sChurn = ${sChurn}`,
      );
    }
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
    start: (model, rng, times) => {
      const { sde } = model;
      const fraction = sChurn === undefined ? gamma ?? 0.15 : gammaOfChurn(sde, sChurn, times);
      const heun = edmHeun().start(model, rng);
      return statelessStepper(function* (x, t, s) {
        const ratio = noiseRatio(sde, t);
        const start = ratio < sTmin || ratio > sTmax ? t : raisedTime(sde, t, fraction);
        return yield* awaited(heun.step(raised(sde, rng, x, t, start, sNoise), start, s));
      });
    },
  };
}

/** The largest γ. */
const LARGEST_GAMMA = Math.SQRT2 - 1;

/** γ of S_churn in a run that visits the given times. */
function gammaOfChurn(sde: Sde, sChurn: number, times: Float64Array | undefined): number {
  if (times === undefined) {
    throw new RangeError(
      `sChurn is shared out among the noise levels of a run: start needs its times, got none for sChurn = ${sChurn}`,
    );
  }
  return Math.min(sChurn / times.filter((t) => sde.sigma(t) > 0).length, LARGEST_GAMMA);
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

/**
 * DPM-Solver++ for the reverse-time SDE with two evaluations a step.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import type * as tf from "../compute/tf.ts";
import { halfLogSnr, noiseRatio } from "../diffusion/sde.ts";
import { addedNoise, type AddedNoiseOptions, ancestralParts } from "./added_noise.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * DPM-Solver++ (stochastic), as k-diffusion's sample_dpmpp_sde has it with r = 1/2. In y = x/α and ν = σ/α, with m the
 * time in the middle of the step in λ = ln(α/σ), ν_m = √(ν_t ν_s), and c and ν↓ the noise that an ancestral step adds
 * and the ratio that it goes down to, c² + ν↓² = ν²:
 *
 *   u   = (ν↓_m/ν_t) y_t + (1 − ν↓_m/ν_t) D(y_t, ν_t) + S_noise c_m z_m,      c = η (ν/ν_t) √(ν_t² − ν²),
 *   y_s = (ν↓_s/ν_t) y_t + (1 − ν↓_s/ν_t) D(u, ν_m) + S_noise c_s z_s,
 *
 * where z_m and z_s ~ N(0, I) are increments of one Brownian motion in ν: z_s = √w z_m + √(1 − w) z', with
 * w = (ν_t − ν_m)/(ν_t − ν_s). Weak order 2, which it owes to that: with independent z_m and z_s it is 1. η = 0 is
 * DPM-Solver++(2S).
 *
 * Two evaluations a step; a step to sigma = 0 is DDIM's.
 * @throws {RangeError} When eta is not in [0, 1] or sNoise is not positive.
 */
export function sdeDpmSolver2S(options: AddedNoiseOptions = {}): Sampler {
  const { eta, sNoise } = addedNoise(options);
  return {
    name: "sde-dpm++2s",
    start: (model, rng) =>
      statelessStepper(function* (x, t, s) {
        const { sde } = model;
        const from = noiseRatio(sde, t);
        const to = (time: number, data: tf.Tensor, noise: () => tf.Tensor) => {
          const { kept, fresh } = ancestralParts(from, noiseRatio(sde, time), eta);
          const alpha = sde.alpha(time);
          const moved = x.mul(alpha / sde.alpha(t) * kept / from).add(data.mul(alpha * (1 - kept / from)));
          return fresh === 0 ? moved : moved.add(noise().mul(alpha * sNoise * fresh));
        };
        const data = yield* awaited(model.denoised(x, t));
        const [start, end] = [halfLogSnr(sde, t), halfLogSnr(sde, s)];
        if (!Number.isFinite(end)) return to(s, data, () => rng.normal(x.shape));
        const middle = sde.timeAtHalfLogSnr((start + end) / 2);
        const between = noiseRatio(sde, middle);
        const share = (from - between) / (from - noiseRatio(sde, s));
        const draws = eta === 0 ? [] : [rng.normal(x.shape), rng.normal(x.shape)];
        const dataBetween = yield* awaited(model.denoised(to(middle, data, () => draws[0]), middle));
        const whole = () => draws[0].mul(Math.sqrt(share)).add(draws[1].mul(Math.sqrt(1 - share)));
        return to(s, dataBetween, whole);
      }),
  };
}

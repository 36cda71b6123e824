/**
 * The singlestep DPM-Solvers of order 2 with noise: each step follows the probability flow to less noise than it is to
 * end with, and adds the rest.
 * @module
 */
import { type Awaitable, awaited } from "../compute/tidied.ts";
import type * as tf from "../compute/tf.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { addedNoise, type AddedNoiseOptions, ancestralParts } from "./added_noise.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * DPM-Solver-2 with the noise of ancestral sampling: k-diffusion's sample_dpm_2_ancestral and diffusers'
 * KDPM2AncestralDiscreteScheduler. In y = x/α and ν = σ/α, with ν↓² = ν_s² − c² and ν_m = √(ν_t ν↓) the middle of the
 * way in ln ν:
 *
 *   u = y_t + (ν_m − ν_t) ε̂(y_t, ν_t),   y_s = y_t + (ν↓ − ν_t) ε̂(u, ν_m) + S_noise c z,   c = η (ν_s/ν_t) √(ν_t² − ν_s²).
 *
 * Where the flow to ν↓ is exact, so is the distribution at ν_s: weak order 2. The path is that of the reverse SDE for
 * η = 1 to order 1 only. η = 0 is DPM-Solver-2.
 *
 * Two evaluations a step, of which for η = 1 the second is at ν_s; a step to sigma = 0 is DDIM's.
 * @throws {RangeError} When eta is not in [0, 1] or sNoise is not positive.
 */
export function dpmSolver2Ancestral(options: AddedNoiseOptions = {}): Sampler {
  return ancestral("dpm-solver-2-ancestral", options, {
    predict: (model, x, t) => model.predictedNoise(x, t),
    moved: (y, noise, from, to) => y.add(noise.mul(to - from)),
  });
}

/**
 * DPM-Solver++(2S) with the noise of ancestral sampling, k-diffusion's sample_dpmpp_2s_ancestral. With the names of
 * {@linkcode dpmSolver2Ancestral} and D = E[x_0|x]:
 *
 *   u = (ν_m/ν_t) y_t + (1 − ν_m/ν_t) D(y_t, ν_t),   y_s = (ν↓/ν_t) y_t + (1 − ν↓/ν_t) D(u, ν_m) + S_noise c z.
 *
 * Weak order 2; the path is that of the reverse SDE for η = 1 to order 1 only. η = 0 is DPM-Solver++(2S).
 *
 * Two evaluations a step, of which for η = 1 the second is at ν_s; a step to sigma = 0 is DDIM's.
 * @throws {RangeError} When eta is not in [0, 1] or sNoise is not positive.
 */
export function dpmSolver2SAncestral(options: AddedNoiseOptions = {}): Sampler {
  return ancestral("dpm++2s-ancestral", options, {
    predict: (model, x, t) => model.denoised(x, t),
    moved: (y, data, from, to) => y.mul(to / from).add(data.mul(1 - to / from)),
  });
}

/** What a solver holds constant along the flow, and where that leads. */
interface Prediction {
  /** The model's prediction from a state at a time. */
  readonly predict: (model: AnyScoreModel, x: tf.Tensor, t: number) => Awaitable<tf.Tensor>;
  /** y moved from one noise ratio to another for a constant prediction. */
  readonly moved: (y: tf.Tensor, prediction: tf.Tensor, from: number, to: number) => tf.Tensor;
}

function ancestral(name: string, options: AddedNoiseOptions, { predict, moved }: Prediction): Sampler {
  const { eta, sNoise } = addedNoise(options);
  return {
    name,
    start: (model, rng) =>
      statelessStepper(function* (x, t, s) {
        const { sde } = model;
        const from = noiseRatio(sde, t);
        const { kept, fresh } = ancestralParts(from, noiseRatio(sde, s), eta);
        const y = x.div(sde.alpha(t));
        let used = yield* awaited(predict(model, x, t));
        if (kept > 0) {
          // For η = 1 the middle is s, which rounding must not pass.
          const middle = Math.max(s, sde.timeAtHalfLogSnr(-Math.log(from * kept) / 2));
          const between = moved(y, used, from, noiseRatio(sde, middle));
          used = yield* awaited(predict(model, between.mul(sde.alpha(middle)), middle));
        }
        const down = moved(y, used, from, kept);
        const next = fresh === 0 ? down : down.add(rng.normal(x.shape).mul(sNoise * fresh));
        return next.mul(sde.alpha(s));
      }),
  };
}

/**
 * Diffusion posterior sampling: after every step of a sampler, a step along the gradient of the misfit to an observation.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { awaited, type Pausing, tidied } from "../compute/tidied.ts";
import { type AnyScoreModel, requireScore } from "../diffusion/noise_predictor.ts";
import { pullBackNoise } from "../diffusion/pull_back.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { requireOptions, requirePositive } from "../input/require.ts";
import { requireSampler } from "../input/require_parts.ts";
import type { Sampler } from "../samplers/sampler.ts";
import { checkObservation, checkStates, type LinearObservation } from "./observation.ts";

/** Options of {@linkcode dpsSampler}. */
export interface DpsOptions {
  /** ζ, the length of the steps along the gradient, a positive number; default 1. */
  readonly scale?: number;
}

/**
 * DPS (Chung et al. 2023, Alg. 1) around any sampler: after each step from t to s,
 *
 *   x_s ← x_s − ζ ∇ ‖y − A D(x_t)‖,   D(x) = E[x_0 | x_t = x],
 *
 * with the norm of each row by itself. ζ is that of the authors' code; the paper's algorithm has the gradient of the
 * norm's square over the norm, which is twice this one. States are in units of the variance-preserving SDE, in which
 * x_t/√(α² + σ²) has variance 1 for data of variance 1, so that ζ means the same under every SDE: with ν = σ/α
 *
 *   x_s/α_s ← x_s/α_s + ζ √(1 + ν_s²) √(1 + ν_t²) J Aᵀ r/‖r‖,   r = y − A D(x_t), J = α ∂D/∂x.
 *
 * The noise of the observation is not used, and the length of a step does not depend on the misfit: this draws no
 * posterior, not even of Gaussian data, and what it draws depends on the number of steps, for which ζ is to be chosen.
 * `posteriorScore` has methods without such a number.
 *
 * A step takes one evaluation of the model and one vector-Jacobian product of it, by its `pullBack` or by
 * TensorFlow.js, beside those of the sampler.
 *
 * @example Four samples of the first coordinate, given the second
 * ```ts
 * import { useEngine } from "../compute/engine.ts";
 * import { createRng } from "../compute/rng.ts";
 * import * as tf from "../compute/tf.ts";
 * import { scoreModel } from "../diffusion/noise_predictor.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { Gaussian } from "../distributions/gaussian.ts";
 * import { ddim } from "../samplers/ddim.ts";
 * import { drawSamples } from "../samplers/sample.ts";
 * import { dpsSampler } from "./dps.ts";
 * import { linearObservation } from "./observation.ts";
 * import { maskOperator } from "./operators.ts";
 * await useEngine("wasm");
 * const prior = new Gaussian({ mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]] });
 * const seen = await linearObservation(maskOperator([2], [0, 1]), tf.tensor2d([[1.5]]));
 * const sampler = dpsSampler(ddim({ eta: 1 }), seen, { scale: 0.1 });
 * const run = { shape: [4, 2], grid: { kind: "log-snr", steps: 20 }, rng: createRng(1) } as const;
 * console.log(await (await drawSamples(scoreModel(prior, vpSde()), sampler, run)).array());
 * ```
 * @throws {RangeError} When the observation's shapes do not fit, its noise is negative, or the scale is not positive; in
 * a run, if the states do not have the operator's input shape.
 * @throws {TypeError} When a run starts, if the model is a consistency function; in a run, if it answers later, by a
 * promise, and has no `pullBack`.
 */
export function dpsSampler(
  sampler: Sampler,
  observation: LinearObservation,
  options: DpsOptions = {},
): Sampler {
  requireSampler("sampler", sampler);
  checkObservation(observation);
  requireOptions("options", options);
  const { scale = 1 } = options;
  requirePositive("scale", scale);
  return {
    name: `${sampler.name} with DPS`,
    needs: sampler.needs,
    start: (model, rng, times) => {
      requireScore(model, "DPS");
      const inner = sampler.start(model, rng, times);
      return {
        ...inner.begin && { begin: (x, t) => inner.begin!(x, t) },
        step: (x, t, s) =>
          tidied((function* () {
            checkStates(x, observation);
            const { alpha } = model.sde;
            const spread = (t: number) => Math.hypot(1, noiseRatio(model.sde, t));
            const next = yield* awaited<tf.Tensor>(inner.step(x, t, s));
            const pull = yield* descent(model, observation, x, t);
            return next.add(pull.mul(scale * alpha(s) * spread(s) * spread(t)));
          })()),
        ...inner.finish && { finish: (x) => inner.finish!(x) },
        dispose: () => inner.dispose(),
      };
    },
  };
}

/** J Aᵀ r/‖r‖, which is −α ∇‖r‖; 0 in rows without misfit. */
function* descent(
  model: AnyScoreModel,
  { operator, y }: LinearObservation,
  x: tf.Tensor,
  t: number,
): Pausing<tf.Tensor> {
  if (operator.outputShape.includes(0)) return tf.zerosLike(x);
  const misfit = tf.sub(y, operator.apply(yield* awaited<tf.Tensor>(model.denoised(x, t))));
  const length = misfit.square().sum(misfit.shape.slice(1).map((_, i) => i + 1), true).sqrt();
  const direction = operator.adjoint(misfit.div(tf.where(length.greater(0), length, tf.onesLike(length))));
  return direction.sub((yield* pullBackNoise(model, x, t, direction)).mul(model.sde.sigma(t)));
}

/**
 * Predictor-corrector sampling: one sampler after another at every step.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import type { Awaitable } from "../compute/tidied.ts";
import type { Sampler } from "./sampler.ts";
import { requireOptions } from "../input/require.ts";
import { requireSampler } from "../input/require_parts.ts";

/** The two halves of {@linkcode predictorCorrector}. */
export interface PredictorCorrectorOptions {
  /** Takes the state from t to s, e.g. `reverseDiffusion()`. */
  readonly predictor: Sampler;
  /** Improves the state at s, e.g. `langevin({ snr: 0.16 })`. */
  readonly corrector: Sampler;
}

/**
 * Predictor-corrector sampling (Song et al. 2021, Alg. 1): at every step the predictor goes from t to s, then the
 * corrector works at s, where the state now is. Evaluations a step: those of both.
 * @throws {RangeError} For a predictor or a corrector that needs a consistency function.
 */
export function predictorCorrector(options: PredictorCorrectorOptions): Sampler {
  requireOptions("options", options);
  const { predictor, corrector } = options;
  requireSampler("predictor", predictor);
  requireSampler("corrector", corrector);
  for (const { name, needs } of [predictor, corrector]) {
    if (needs !== undefined) {
      throw new RangeError(`${name} needs a consistency function, which no corrector can use`);
    }
  }
  return {
    name: `${predictor.name} with ${corrector.name}`,
    start: (model, rng, times) => {
      const predict = predictor.start(model, rng, times);
      const correct = corrector.start(model, rng, times);
      return {
        begin: async (x, t) => await both(x, predict.begin?.(x, t), (x) => correct.begin?.(x, t)),
        step: async (x, t, s) => await both(x, predict.step(x, t, s), (x) => correct.step(x, t, s)),
        finish: async (x) => await both(x, predict.finish?.(x), (x) => correct.finish?.(x)),
        dispose: () => {
          predict.dispose();
          correct.dispose();
        },
      };
    },
  };
}

/** Applies one function to x and another to its result, which is disposed; an absent function is skipped. */
async function both(
  x: tf.Tensor,
  first: Awaitable<tf.Tensor> | undefined,
  second: (x: tf.Tensor) => Awaitable<tf.Tensor> | undefined,
): Promise<tf.Tensor> {
  const between = await first ?? x.clone();
  let result: tf.Tensor | undefined;
  try {
    result = await second(between) ?? between;
    return result;
  } finally {
    if (result !== between) between.dispose();
  }
}

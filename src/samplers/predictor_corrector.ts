/**
 * Predictor-corrector sampling: one sampler after another at every step.
 * @module
 */
import type { Sampler } from "./sampler.ts";

/** The two halves of {@linkcode predictorCorrector}. */
export interface PredictorCorrectorOptions {
  /** Moves the state from t to s, e.g. `reverseDiffusion()`. */
  readonly predictor: Sampler;
  /** Improves the state at s, e.g. `langevin({ snr: 0.16 })`. */
  readonly corrector: Sampler;
}

/**
 * Predictor-corrector sampling (Song et al. 2021, Alg. 1): at every step the predictor goes from t to s, then the
 * corrector works at s, where the state now is. Evaluations a step: those of both.
 */
export function predictorCorrector(options: PredictorCorrectorOptions): Sampler {
  const { predictor, corrector } = options;
  return {
    name: `${predictor.name} with ${corrector.name}`,
    start: (model, rng) => {
      const predict = predictor.start(model, rng);
      const correct = corrector.start(model, rng);
      return {
        step: async (x, t, s) => {
          const predicted = await predict.step(x, t, s);
          try {
            return await correct.step(predicted, t, s);
          } finally {
            predicted.dispose();
          }
        },
        dispose: () => {
          predict.dispose();
          correct.dispose();
        },
      };
    },
  };
}

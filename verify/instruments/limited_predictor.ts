/** Noise predictors that answer so many times, so that a solver that never arrives fails in seconds. @module */
import type { NoisePredictor } from "../../src/diffusion/noise_predictor.ts";

/** A predictor of the same noise that throws when it is called more than `calls` times. */
export function limited(predictor: NoisePredictor, calls: number): NoisePredictor {
  let made = 0;
  return {
    predictNoise: (y, noiseRatio) => {
      if (++made > calls) throw new Error(`the run goes on after ${calls} evaluations`);
      return predictor.predictNoise(y, noiseRatio);
    },
  };
}

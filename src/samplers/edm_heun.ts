/**
 * The deterministic sampler of EDM: Heun's method in the noise ratio.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Heun's method in ν = σ/α for y = x/α, where the probability flow is dy/dν = ε̂(y, ν) whatever the SDE
 * (Karras et al. 2022, Alg. 1 with their σ = ν; best on their grid, `kind: "karras"`):
 *
 *   d = ε̂(y_t, ν_t),   y' = y_t + (ν_s − ν_t) d,   y_s = y_t + ½ (ν_s − ν_t) [d + ε̂(y', ν_s)].
 *
 * Order 2. Two evaluations a step; the step to ν_s = 0, if the grid has one, is Euler's.
 */
export function edmHeun(): Sampler {
  return {
    name: "edm-heun",
    start: (model) =>
      statelessStepper(function* (x, t, s) {
        const { sde } = model;
        const scale = sde.alpha(s) / sde.alpha(t);
        const width = sde.alpha(s) * (noiseRatio(sde, s) - noiseRatio(sde, t));
        const slope = yield* awaited(model.predictedNoise(x, t));
        const start = x.mul(scale);
        const euler = start.add(slope.mul(width));
        if (sde.sigma(s) === 0) return euler;
        const slopeAtEnd = yield* awaited(model.predictedNoise(euler, s));
        return start.add(slope.add(slopeAtEnd).mul(width / 2));
      }),
  };
}

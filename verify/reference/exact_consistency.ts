/**
 * The consistency functions of exact probability flows, as noise predictors that say so.
 * @module
 */
import { column, mapPerRow, type PerRow } from "../../src/compute/rows.ts";
import * as tf from "../../src/compute/tf.ts";
import type { NoisePredictor } from "../../src/diffusion/noise_predictor.ts";
import type { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";
import { scalarDistribution } from "./scalar_mixture.ts";

/** f(y, ν) = mean + (y − mean) s/√(s² + ν²) of N(mean, s² I): the flow of a Gaussian scales its offset from the mean. */
export function gaussianConsistency(mean: number, std: number): NoisePredictor {
  return {
    consistency: true,
    predictNoise: (y, noiseRatio) =>
      tf.tidy(() => {
        // (y − f)/ν = (y − mean) (1 − s/T)/ν = (y − mean) ν/(T (T + s)), T = √(s² + ν²).
        const factor = mapPerRow(noiseRatio, (ratio) => {
          const total = Math.hypot(std, ratio);
          return ratio / (total * (total + std));
        });
        return tf.mul(tf.sub(y, mean), column(factor, y));
      }),
  };
}

/** f(y, ν) = F_0⁻¹(F_ν(y)) of a mixture on a line: its flow keeps ranks. Reads values, so for engines that give them at once. */
export function mixtureConsistency(mixture: GaussianMixture): NoisePredictor {
  const data = scalarDistribution(mixture, 0);
  return {
    consistency: true,
    predictNoise: (y: tf.Tensor, noiseRatio: PerRow) => {
      if (typeof noiseRatio !== "number") throw new TypeError("one noise ratio for the batch");
      const noised = scalarDistribution(mixture, noiseRatio);
      const ends = Float64Array.from(y.dataSync(), (value) => {
        const [lower, upper] = [noised.cdf(value), noised.survival(value)];
        return lower < upper ? data.quantile(lower) : data.quantile(1 - upper);
      });
      const noise = Float32Array.from(y.dataSync(), (value, i) => (value - ends[i]) / noiseRatio);
      return tf.tensor(noise, y.shape);
    },
  };
}

/** What models of each kind answer, by the definitions of the papers. @module */
import type * as tf from "../../src/compute/tf.ts";
import type { Prediction } from "../../src/diffusion/prediction.ts";

/** A state x = α x_0 + σ ε, with what a noise predictor and a denoiser say of it. */
export interface Predicted {
  readonly alpha: number;
  readonly sigma: number;
  /** ε̂. */
  readonly noise: tf.Tensor;
  /** E[x_0 | x]. */
  readonly data: tf.Tensor;
  /** The standard deviation of EDM's data. */
  readonly sigmaData: number;
}

/** The answer of a model with that prediction. EDM's F is (D − c_skip y)/c_out of Karras et al. 2022, eq. 7 and Table 1. */
export function predictedAs(
  prediction: Prediction,
  { alpha, sigma, noise, data, sigmaData }: Predicted,
): tf.Tensor {
  switch (prediction) {
    case "noise":
      return noise;
    case "data":
      return data;
    case "velocity":
      return noise.mul(alpha).sub(data.mul(sigma));
    case "score":
      return noise.div(-sigma);
    case "flow":
      return noise.sub(data);
    case "edm": {
      const ratio = sigma / alpha;
      const total = Math.hypot(ratio, sigmaData);
      const y = data.add(noise.mul(ratio));
      return data.sub(y.mul((sigmaData / total) ** 2)).div(ratio * sigmaData / total);
    }
  }
}

/**
 * Likelihoods: exact ones by the probability flow, bounds in continuous and in discrete time, bits per dimension of
 * bytes, latent codes.
 *
 * @example The log density of the standard Gaussian at its mean
 * ```ts
 * import { Gaussian, scoreModel, useEngine, vpSde } from "../../mod.ts";
 * import { logLikelihood } from "./mod.ts";
 * import * as tf from "npm:@tensorflow/tfjs@4.22.0";
 * await useEngine("wasm");
 * const model = scoreModel(new Gaussian({ mean: [0], covariance: [[1]] }), vpSde());
 * const { logDensity } = await logLikelihood(model, tf.tensor2d([[0]]), { trace: "exact" });
 * console.assert(Math.abs(logDensity[0] + Math.log(2 * Math.PI) / 2) < 1e-3);
 * ```
 * @module
 */

// By the probability flow.
export { type Hutchinson, type Likelihood, type LikelihoodOptions, logLikelihood } from "./log_likelihood.ts";
export type { FlowMethod } from "./probability_flow.ts";
export { decodeLatent, encodeLatent, type FlowRunOptions, interpolateLatents } from "./latents.ts";

// Of bytes.
export {
  bitsPerDimension,
  decoderNats,
  dequantize,
  type NoisyBytes,
  pixelRange,
  truncatedNormalDequantize,
  unitWidthBin,
  type ValueRange,
} from "./dequantization.ts";

// Bounds.
export { type ContinuousElbo, continuousElbo, type ContinuousElboOptions } from "./continuous_bound.ts";
export {
  type DiscreteElbo,
  discreteElbo,
  type DiscreteElboOptions,
  learnVariances,
  type StepVariances,
} from "./discrete_bound.ts";

/**
 * Conditional sampling with an unconditional model: guidance by a class, imputation of hidden values and RePaint,
 * posterior scores of linear observations.
 *
 * @example A pair of numbers whose second is observed to be 0.5
 * ```ts
 * import { createRng, dpmSolver2M, drawSamples, Gaussian, scoreModel, useEngine, vpSde } from "../../mod.ts";
 * import { linearObservation, maskOperator, posteriorScore } from "./mod.ts";
 * import * as tf from "npm:@tensorflow/tfjs@4.22.0";
 * await useEngine("wasm");
 * const prior = scoreModel(new Gaussian({ mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]] }), vpSde());
 * const seen = await linearObservation(maskOperator([2], [0, 1]), tf.tensor2d([[0.5]]), 0.1);
 * const model = posteriorScore(prior, seen);
 * const grid = { kind: "log-snr", steps: 20 } as const;
 * const x = await drawSamples(model, dpmSolver2M(), { shape: [4, 2], grid, rng: createRng(0) });
 * console.log(await x.data());
 * ```
 * @module
 */

// Guidance by a class.
export {
  classifierFreeGuided,
  classifierGuided,
  mixtureClassifier,
  type NoisyClassifier,
} from "./guidance.ts";

// Predicted data within a range.
export { type ClipOptions, clippedModel } from "./clipped.ts";

// Imputation of hidden values.
export {
  type Known,
  type RepaintOptions,
  repaintSampler,
  replacementSampler,
  withExactKnownValues,
} from "./imputation.ts";
export { maskByName, maskFromPicture, type MaskName, maskNames, randomMask } from "./masks.ts";
export { channelBasis, greyBasis, greyMask, type OrthogonalBasis } from "./orthogonal_basis.ts";

// Linear observations with noise.
export { type DpsOptions, dpsSampler } from "./dps.ts";
export { diffpirModel, type DiffpirOptions } from "./diffpir.ts";
export { type TwistedOptions, twistedSampler } from "./twisted.ts";
export { posteriorScore, type PosteriorScoreMethod, type PosteriorScoreOptions } from "./posterior_score.ts";
export {
  exactPosterior,
  type LinearObservation,
  linearObservation,
  type LinearOperator,
} from "./observation.ts";
export {
  blurOperator,
  gaussianKernel,
  greyOperator,
  maskOperator,
  poolingOperator,
  projectionOperator,
  randomProjection,
} from "./operators.ts";

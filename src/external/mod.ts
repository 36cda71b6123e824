/**
 * Models from elsewhere: any function that predicts noise, data, a velocity, a score or EDM's raw output.
 *
 * @example The noise predictor of a function that answers later
 * ```ts
 * import { sigmaPowerSde } from "../../mod.ts";
 * import { externalModel } from "./mod.ts";
 * const model = externalModel(async (x) => await Promise.resolve(x.neg()), {
 *   sde: sigmaPowerSde(),
 *   prediction: "score",
 *   conditioning: "time",
 * });
 * console.log(typeof model.predictNoise);
 * ```
 * @module
 */
export { checkPrediction, type PredictionCheckOptions } from "./check_prediction.ts";
export {
  type Conditioning,
  conditionings,
  type ExternalModel,
  externalModel,
  type ExternalModelOptions,
  type ExternalPrediction,
  type ExternalPullBack,
  type ImageLayout,
  imageLayouts,
} from "./external_model.ts";
export {
  type Prediction,
  type PredictionFactors,
  predictionFactors,
  type PredictionLevel,
  predictions,
  type PredictionTarget,
  predictionTarget,
} from "../diffusion/prediction.ts";
export { readSchedulerConfig, type SchedulerConfig } from "./scheduler_config.ts";
export {
  onnxModel,
  type OnnxModelOptions,
  type OnnxNoisePredictor,
  type OnnxRuntimeModule,
} from "./onnx_model.ts";
export { ddimQuadraticIndices, type TimestepSpacing, timestepSpacings } from "./timesteps.ts";

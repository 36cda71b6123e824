/**
 * Models from elsewhere: any function that predicts noise, data, a velocity, a score or EDM's raw output.
 *
 * @example The noise predictor of a function that answers later
 * ```ts
 * import { sigmaPowerSde } from "../../mod.ts";
 * import { externalModel } from "./mod.ts";
 * const score = async (x, t) => await Promise.resolve(x.neg());
 * const model = externalModel(score, { sde: sigmaPowerSde(), prediction: "score", conditioning: "time" });
 * console.log(typeof model.predictNoise);
 * ```
 * @module
 */
export {
  type Conditioning,
  conditionings,
  externalModel,
  type ExternalModelOptions,
  type ExternalPrediction,
  type ImageLayout,
  imageLayouts,
  type Prediction,
  predictions,
} from "./external_model.ts";

/**
 * What the tasks do, as one call each: a request of plain data, which JSON keeps whole, and a plain result. They run in a browser
 * as on the command line, whose `--dry-run` prints the request.
 *
 * @example Two samples of a small untrained network
 * ```ts
 * import { createRng, useEngine } from "../../mod.ts";
 * import { mlp, networkPredictor } from "../networks/mod.ts";
 * import { runSampling, type SamplingRequest } from "./mod.ts";
 * await useEngine("wasm");
 * const network = { kind: "mlp", dimensions: 2, hidden: 8, layers: 1, noiseFeatures: 4, classes: 0 } as const;
 * const config = { network, preconditioning: { sigmaData: 0.5, centre: 0 } };
 * const noisePredictor = networkPredictor(config, mlp(network).initialise(createRng(1)));
 * const request: SamplingRequest = {
 *   sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 },
 *   sampler: { name: "dpm++2m", options: {} },
 *   grid: { kind: "karras", steps: 5 },
 *   label: "none",
 *   guidance: { scale: 1 },
 *   classifierScale: 0,
 *   denoise: true,
 *   count: 2,
 *   batch: 2,
 *   seed: 0,
 *   shard: { index: 1, shards: 1 },
 *   frames: false,
 * };
 * for await (const { samples, values } of runSampling(request, { noisePredictor })) {
 *   console.assert(samples === 2 && values.length === 4);
 * }
 * ```
 * @module
 */

// Drawing samples.
export { autoguidedNetwork } from "./autoguided_network.ts";
export { type SampledNetwork, sampledNetwork } from "./sampled_network.ts";
export { type Part, type SampleBatch, type Shard, shardBatches } from "./batches.ts";
export {
  type DrawnBatch,
  openSampling,
  runSampling,
  type Sampling,
  type SamplingConfig,
  type SamplingParts,
  type SamplingRequest,
} from "./sampling.ts";

// Noise levels from images.
export {
  type NcsnScheduleParts,
  type NcsnScheduleRequest,
  type NcsnScheduleResult,
  runNcsnSchedule,
} from "./ncsn_schedule.ts";

// Walks between images.
export {
  type InterpolationParts,
  type InterpolationRequest,
  type InterpolationResult,
  runInterpolation,
} from "./interpolation.ts";

// Measuring images.
export { type ElboParts, type ElboRequest, type ElboResult, runElbo } from "./elbo.ts";
export {
  type Dequantization,
  type LikelihoodMethod,
  type LikelihoodParts,
  type LikelihoodRequest,
  type LikelihoodResult,
  runLikelihood,
} from "./likelihood.ts";

export {
  type DensityMethod,
  type DensityParts,
  type DensityRequest,
  type DensityResult,
  runDensity,
} from "./density.ts";

// Measuring samples of any data.
export {
  type DataDistances,
  type DataEvaluationParts,
  type DataEvaluationResult,
  runDataEvaluation,
} from "./data_evaluation.ts";

// Measuring digits.
export {
  type Digits,
  type DigitsParts,
  drawDigits,
  type DrawingRequest,
  type EvaluationRequest,
  type EvaluationResult,
  type NearestImages,
  openQualityReference,
  type QualityReference,
  runEvaluation,
} from "./evaluation.ts";

// Training the classifiers of digits.
export { type NoisyAccuracy } from "../classifiers/noisy_accuracy.ts";
export { type ClassifierTraining } from "../classifiers/training.ts";
export {
  type ClassifierTrainingParts,
  type ClassifierTrainingRequest,
  type ClassifierTrainingResult,
  runClassifierTraining,
} from "./classifier_training.ts";

// Drawing from posteriors: inpainting, colours, restoration.
export {
  type Measurement,
  type MeasurementModel,
  type MeasurementOptions,
  openMeasurement,
} from "./measurement.ts";
export type { HiddenErrors, PosteriorImages, RestorationErrors } from "./posterior_errors.ts";
export {
  type PosteriorInputs,
  type PosteriorParts,
  type PosteriorRequest,
  type PosteriorResult,
  runPosterior,
} from "./posterior.ts";
export type { PosteriorMethod } from "./posterior_method.ts";
export type { ClassPreservation } from "../metrics/class_preservation.ts";
export type { ColourErrors } from "../metrics/colorization_error.ts";

// Searching for the best options of a sampler.
export {
  type Combination,
  listCombinations,
  runTuning,
  type Trial,
  type TuningMetric,
  type TuningParts,
  type TuningRequest,
  type TuningResult,
} from "./tuning.ts";

// Choosing among the models of a training run.
export {
  type CandidateModel,
  runSelection,
  type SelectionParts,
  type SelectionRequest,
  type SelectionResult,
} from "./selection.ts";

// Experiments in the plane.
export {
  type DensitiesRequest,
  type DensitiesResult,
  type LangevinRequest,
  type LangevinResult,
  type MatchingRequest,
  type MatchingResult,
  type ModesRequest,
  type ModesResult,
  type PlaneExperimentParts,
  type PlaneExperimentRequest,
  type PlaneExperimentResult,
  type PlaneExperimentResultOf,
  type PlanePicture,
  runPlaneExperiment,
} from "./plane_experiment.ts";

// Comparing samplers.
export {
  type ComparedNetworks,
  type ComparisonPlan,
  type ComparisonSettings,
  planComparison,
  type Refused,
  type Setting,
} from "./comparison_plan.ts";
export {
  type ComparisonParts,
  type ComparisonRequest,
  type ComparisonResult,
  type NamedNetwork,
  type Row,
  runComparison,
  type ShownRow,
} from "./comparison.ts";

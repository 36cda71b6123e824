/**
 * Score-based generative modelling through stochastic differential equations (Song et al. 2021).
 *
 * Data are diffused by an SDE; a noise predictor knows the score of the diffused distribution, because it was trained or because the distribution
 * is exact; samplers run time backwards.
 *
 * Tensors are TensorFlow.js tensors: import `npm:@tensorflow/tfjs@4.22.0` for functions of them.
 *
 * @example Sixteen points of a mixture, by the probability flow of the variance-preserving SDE
 * ```ts
 * import { createRng, dpmSolver2M, drawSamples, GaussianMixture, scoreModel, useEngine, vpSde } from "./mod.ts";
 * await useEngine("wasm");
 * const mixture = GaussianMixture.from({ weights: [0.7, 0.3], means: [[-2], [2]], covariances: [[[0.1]], [[0.1]]] });
 * const model = scoreModel(mixture, vpSde());
 * const grid = { kind: "log-snr", steps: 20 } as const;
 * const x = await drawSamples(model, dpmSolver2M(), { shape: [16, 1], grid, rng: createRng(0) });
 * console.log(await x.data());
 * ```
 * @module
 */
export { type CompiledFunction, type ExampleInput } from "./src/compute/compile.ts";
export { compile, type CompileOptions } from "./src/compute/compile.ts";
export {
  currentEngine,
  type Engine,
  type EngineName,
  type EngineOptions,
  useEngine,
} from "./src/compute/engine.ts";
export { createRng, type Rng, rngFromState, type RngState } from "./src/compute/rng.ts";
export { type PerRow } from "./src/compute/rows.ts";
export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from "./src/compute/tf.ts";

export { cosineBetas, linearBetas } from "./src/diffusion/beta_schedule.ts";
export {
  discreteDdpm,
  halfLogSnr,
  noiseRatio,
  priorLogDensity,
  type Sde,
  type SdeConfig,
  sdeFromConfig,
  sigmaPowerSde,
  subVpSde,
  transition,
  veSde,
  vpSde,
} from "./src/diffusion/sde.ts";
export type { BetaOptions, SigmaPowerOptions, VeOptions } from "./src/diffusion/sde.ts";
export { withMinimumNoise } from "./src/diffusion/smallest_noise.ts";
export { forwardStep } from "./src/diffusion/forward_step.ts";
export { CONSISTENCY_LEVELS, type GridConfig, timeGrid } from "./src/diffusion/time_grid.ts";
export {
  type NoisePredictor as NoisePredictor,
  requireScore,
  type ScoreModel,
  scoreModel,
  scoreModelFromNoise,
} from "./src/diffusion/noise_predictor.ts";
export { edmCoefficients, type Preconditioning } from "./src/diffusion/preconditioning.ts";

export { Banana, type BananaOptions } from "./src/distributions/banana.ts";
export { PointCloud } from "./src/distributions/point_cloud.ts";
export type { DataDistribution, ExactDistribution, Posterior } from "./src/distributions/distribution.ts";
export { diffusedLogDensity, diffusedPosterior } from "./src/distributions/distribution.ts";
export { Gaussian, type GaussianOptions } from "./src/distributions/gaussian.ts";
export { GaussianMixture, type GaussianMixtureConfig } from "./src/distributions/gaussian_mixture.ts";
export {
  checkerboard,
  gaussianRing,
  rings,
  swissRoll,
  toyByName,
  toyDistribution,
  type ToyName,
  toyNames,
  twoGaussians,
  twoMoons,
} from "./src/distributions/toys.ts";

export {
  classifierFreeGuided,
  classifierGuided,
  mixtureClassifier,
  type NoisyClassifier,
} from "./src/conditioning/guidance.ts";
export {
  type Known,
  type RepaintOptions,
  repaintSampler,
  replacementSampler,
  withExactKnownValues,
} from "./src/conditioning/imputation.ts";
export {
  exactPosterior,
  type LinearObservation,
  linearObservation,
  type LinearOperator,
} from "./src/conditioning/observation.ts";
export {
  blurOperator,
  gaussianKernel,
  greyOperator,
  maskOperator,
  poolingOperator,
  projectionOperator,
  randomProjection,
} from "./src/conditioning/operators.ts";
export {
  channelBasis,
  greyBasis,
  greyMask,
  type OrthogonalBasis,
} from "./src/conditioning/orthogonal_basis.ts";
export { posteriorScore, type PosteriorScoreOptions } from "./src/conditioning/posterior_score.ts";

export { annealedLangevin, type AnnealedLangevinOptions } from "./src/samplers/annealed_langevin.ts";
export {
  predictorNames,
  samplerByName,
  type SamplerEntry,
  samplerEntry,
  type SamplerKind,
  samplerNames,
  type SamplerOptions,
  scoreSamplerNames,
} from "./src/samplers/registry.ts";
export { type NfeBudgetRun as BudgetedRun, stepsForNfe } from "./src/samplers/nfe_budget.ts";
export { consistency } from "./src/samplers/consistency.ts";
export { ddim, type DdimOptions } from "./src/samplers/ddim.ts";
export { ddpm } from "./src/samplers/ddpm.ts";
export { odeDormandPrince, type ToleranceOptions } from "./src/samplers/ode_dopri5.ts";
export { dpmSolver2M } from "./src/samplers/dpm_solver_multistep.ts";
export { adaptiveSde, type AdaptiveSdeOptions } from "./src/samplers/adaptive_sde.ts";
export { edmHeun } from "./src/samplers/edm_heun.ts";
export { dpmSolver2, dpmSolver2S, dpmSolver3 } from "./src/samplers/dpm_solver_singlestep.ts";
export { edmStochastic, type EdmStochasticOptions } from "./src/samplers/edm_stochastic.ts";
export { eulerMaruyama } from "./src/samplers/euler_maruyama.ts";
export { exponentialSde } from "./src/samplers/exponential_sde.ts";
export {
  langevin,
  LANGEVIN_DIMENSIONS,
  type LangevinOptions,
  type LangevinRule,
  langevinRules,
} from "./src/samplers/langevin.ts";
export { odeEuler } from "./src/samplers/ode_euler.ts";
export { odeHeun } from "./src/samplers/ode_heun.ts";
export { odeRk4 } from "./src/samplers/ode_rk4.ts";
export { predictorCorrector, type PredictorCorrectorOptions } from "./src/samplers/predictor_corrector.ts";
export { reverseDiffusion } from "./src/samplers/reverse_diffusion.ts";
export { drawSamples, sample, type SampleOptions, type SampleStep } from "./src/samplers/sample.ts";
export { sdeDpmSolver2M } from "./src/samplers/dpm_solver_sde.ts";
export { unipc } from "./src/samplers/unipc.ts";
export { type Sampler, statelessStepper, type Stepper } from "./src/samplers/sampler.ts";

export {
  bitsPerDimension,
  decoderNats,
  dequantize,
  type NoisyBytes,
  pixelRange as modelRange,
  truncatedNormalDequantize,
  unitWidthBin as unitBin,
  type ValueRange,
} from "./src/likelihood/dequantization.ts";
export {
  type Hutchinson,
  type Likelihood,
  type LikelihoodOptions,
  logLikelihood,
} from "./src/likelihood/log_likelihood.ts";
export {
  type ContinuousElbo as LikelihoodBound,
  continuousElbo,
  type ContinuousElboOptions as LikelihoodBoundOptions,
} from "./src/likelihood/continuous_bound.ts";
export { decodeLatent, encodeLatent, interpolateLatents } from "./src/likelihood/latents.ts";
export type { FlowMethod } from "./src/likelihood/probability_flow.ts";

export {
  DIGITS,
  DIGITS_WAVES,
  NETWORK_PRESETS,
  type NetworkConfig,
  networkFromConfig,
} from "./src/networks/registry.ts";
export { mlp, type MlpConfig } from "./src/networks/mlp.ts";
export { type Model, readModel, writeModel } from "./src/networks/model_file.ts";
export {
  type Network,
  type Parameters,
  type ParameterSpec,
  unflatten,
  type Weights,
} from "./src/networks/network.ts";
export type { Guidance } from "./src/networks/guidance_interval.ts";
export {
  type Labels,
  type NetworkPredictor,
  networkPredictor,
  type PrepareOptions,
} from "./src/networks/network_predictor.ts";
export { exportOnnx, ONNX_INPUTS, ONNX_OUTPUTS } from "./src/networks/onnx_export.ts";
export type { ModelConfig } from "./src/networks/noise_prediction.ts";
export { NoisyDigitClassifier, readNoisyClassifier } from "./src/classifiers/noisy_classifier.ts";
export { TUTORIAL, type TutorialConfig, tutorialNetwork } from "./src/networks/tutorial.ts";
export { unet, type UNetConfig } from "./src/networks/unet.ts";
export {
  type NamedTensor,
  readSafetensors,
  type Safetensors,
  type StorageType,
  writeSafetensors,
} from "./src/networks/safetensors.ts";
export {
  loadNoisyClassifier,
  loadPretrained,
  type PretrainedName,
  pretrainedNames,
} from "./src/pretrained.ts";

export {
  consistencyDefaults,
  consistencyGap,
  type ConsistencyLevels,
  consistencyLoss,
  type ConsistencyObjective,
  drawConsistencyLevels,
} from "./src/objectives/consistency.ts";
export {
  denoisingLoss,
  denoisingLossOf,
  drawNoiseLevels,
  edmWeight,
  type NoiseLevels,
  type ObjectiveConfig,
  sdeWeight,
} from "./src/objectives/denoising.ts";
export { importanceDensity, importanceTime } from "./src/objectives/importance.ts";
export { implicitScoreMatching, quadraticForm } from "./src/objectives/implicit.ts";
export {
  denoisingScoreMatching,
  explicitScoreMatching,
  type ScoreFunction,
} from "./src/objectives/score_matching.ts";
export { sliceDirections, type SlicedOptions, slicedScoreMatching } from "./src/objectives/sliced.ts";
export {
  type DiscreteElbo as VariationalBound,
  discreteElbo,
  type DiscreteElboOptions as BoundOptions,
  learnVariances,
  posteriorStep,
  type StepVariances,
} from "./src/likelihood/discrete_bound.ts";
export { type FarthestPair, largestDistance } from "./src/data/largest_distance.ts";
export {
  bestLangevinStep,
  geometricLevels,
  levelOverlap,
  type NcsnSchedule as NoisePlan,
  ncsnSchedule,
  type NcsnScheduleOptions as NoisePlanOptions,
  ratioOfOverlap,
  varianceAfter,
} from "./src/diffusion/ncsn_levels.ts";
export {
  type Checkpoint,
  readCheckpoint,
  type RecipeChange,
  writeCheckpoint,
} from "./src/training/checkpoint.ts";
export {
  emaDecay,
  learningRate,
  OPTIMIZER_DEFAULTS,
  type OptimizerConfig,
  type OptimizerState,
} from "./src/training/optimizer.ts";
export {
  DivergedError,
  initialState,
  train,
  type TrainingBatch,
  type TrainingConfig,
  type TrainingState,
  type TrainOptions,
  type TrainStep,
} from "./src/training/train.ts";
export {
  type ScoreMatching,
  scoreMatchings,
  scoreNetwork,
  type ScoreTrainingConfig,
  type TrainedScore,
  trainScore,
} from "./src/training/train_score.ts";

export {
  maskByName,
  maskFromPicture,
  type MaskName,
  maskNames,
  randomMask,
} from "./src/conditioning/masks.ts";

export { type Batch, shuffledBatches } from "./src/data/batches.ts";
export { CIFAR10_CLASSES, cifar10Dataset } from "./src/data/cifar10.ts";
export { fromModel, type ImageDataset, modelToBytes, pixelMoments, toModel } from "./src/data/dataset.ts";
export { datasetChange, type DatasetIdentity, datasetIdentity } from "./src/data/identity.ts";
export { proceduralDigits } from "./src/data/digits.ts";
export { COLOUR_CONTRAST, colourDigits, colouredDigits, digitColours } from "./src/data/coloured_digits.ts";
export { type ImageFile, imageFolderDataset, type ImageFolderOptions } from "./src/data/image_folder.ts";
export { type IdxArray, readIdx, writeIdx } from "./src/data/idx.ts";
export { idxDataset } from "./src/data/mnist.ts";

export { energyDistance } from "./src/metrics/energy_distance.ts";
export {
  classAccuracy,
  type Classification,
  classify,
  readClassifier,
} from "./src/classifiers/digit_classifier.ts";
export { type FeatureMoments, featureMoments, frechetDistance } from "./src/metrics/frechet.ts";
export {
  type KernelDistance,
  kernelDistance,
  type KernelMoments,
  kernelMoments,
  type KernelSum,
} from "./src/metrics/kernel_distance.ts";
export { type PatchStatistics as PooledFeatures, patchStatistics } from "./src/metrics/pooled_features.ts";
export { type Manifold, manifold, manifoldFraction } from "./src/metrics/precision_recall.ts";
export { type BinomialEstimate as Proportion, wilsonInterval } from "./src/metrics/wilson_interval.ts";
export { slicedWasserstein } from "./src/metrics/sliced_wasserstein.ts";

export {
  animationFrames,
  type DensityAnimation as Film,
  densityAnimation,
  type DensityAnimationOptions as FilmOptions,
} from "./src/experiments/density_animation.ts";
export {
  type Distances,
  langevinPicture,
  type LangevinReport,
  type LangevinRun,
  type LangevinRunOptions,
  measureLangevin,
  modeShares,
  runLangevin,
} from "./src/experiments/exact_langevin.ts";
export { errorsPicture, fieldsPicture, levelsPicture } from "./src/experiments/field_pictures.ts";
export {
  type FieldErrors,
  type FieldMethod,
  fieldMethods,
  type FieldsOptions,
  type FieldsReport,
  type LearnedField,
  learnFields,
  measureFields,
} from "./src/experiments/learned_fields.ts";
export {
  measureModes,
  type ModesOptions,
  modesPicture,
  type ModesRow,
  separatedModes,
} from "./src/experiments/mode_proportions.ts";

export { encodeGif, type GifOptions } from "./src/images/gif.ts";
export { type GridLayout, imageGrid } from "./src/images/grid.ts";
export { type NpyArray, readNpy, writeNpy } from "./src/images/npy.ts";
export type { AxisOptions } from "./src/plots/axis.ts";
export {
  type ArrowsMark,
  type BarsMark,
  type DensityMark,
  histogram,
  type LineMark,
  type Mark,
  type MarkStyle,
  type PointsMark,
} from "./src/plots/marks.ts";
export { type PanelLayout, panels } from "./src/plots/panels.ts";
export { plot, type PlotOptions } from "./src/plots/plot.ts";
export { decodeJpeg } from "./src/images/jpeg.ts";
export { decodePicture } from "./src/images/picture_file.ts";
export { decodePng, encodePng, type Picture } from "./src/images/png.ts";
export {
  loadRasterizer,
  type Rasterizer,
  type RasterizerParts,
  type RasterOptions,
} from "./src/plots/rasterizer.ts";

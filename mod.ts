/**
 * Score-based generative modelling through stochastic differential equations (Song et al. 2021).
 *
 * Data are diffused by an SDE; a noise predictor, which is a trained network or an exact distribution, gives the score of the
 * diffused distribution; samplers run time backwards, from noise to data. This module has engines, SDEs, exact
 * distributions, the shipped networks and all samplers. What else there is has an entry of its own: `conditioning`,
 * `likelihood`, `networks`, `training`, `data`, `metrics`, `images`, `plots`, `experiments` and `runs`.
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

// Engines, random numbers, tensors.
export {
  currentEngine,
  type Engine,
  type EngineName,
  type EngineOptions,
  useEngine,
} from "./src/compute/engine.ts";
export { createRng, type Rng, rngFromState, type RngState } from "./src/compute/rng.ts";
export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from "./src/compute/tf.ts";
export type { PerRow } from "./src/compute/rows.ts";
export { type Awaitable, awaited, type Pausing, tidied } from "./src/compute/tidied.ts";

// From nothing to a picture in one call.
export { colorize, digits, inpaint } from "./src/pictures.ts";
export type {
  CallOptions,
  ColorizeOptions,
  CompletionOptions,
  DigitsOptions,
  DrawnCompletions,
  DrawnImages,
  ImageValues,
  InpaintOptions,
} from "./src/runs/drawn_pictures.ts";
export type { PictureNames, ShownPicture } from "./src/images/shown_picture.ts";
export type { Picture } from "./src/images/png.ts";
export type { MaskName } from "./src/conditioning/masks.ts";

// SDEs.
export {
  type BetaOptions,
  discreteDdpm,
  type EdmOptions,
  edmSde,
  halfLogSnr,
  noiseRatio,
  type Sde,
  type SdeConfig,
  type SigmaPowerOptions,
  sigmaPowerSde,
  subVpSde,
  type VeOptions,
  veSde,
  vpSde,
} from "./src/diffusion/sde.ts";
export {
  type GaussianStep,
  sdeByName,
  sdeFromConfig,
  type SdeInfo,
  sdeInfo,
  type SdeKind,
  sdeKinds,
  type SdeName,
  sdeNames,
} from "./src/diffusion/sde_registry.ts";
export { type FlowOptions, flowSde } from "./src/diffusion/flow_sde.ts";
export {
  cosineBetas,
  linearBetas,
  scaledLinearBetas,
  sigmoidBetas,
  zeroTerminalSnrBetas,
} from "./src/diffusion/beta_schedule.ts";
export {
  type CustomSde,
  customSde,
  type CustomSdeOptions,
  type CustomSdeTimes,
} from "./src/diffusion/custom_sde.ts";
export { withMinimumNoise } from "./src/diffusion/sde_registry.ts";

// Noise predictors: shipped networks and exact distributions, and their score models under an SDE.
export {
  type AnyScoreModel,
  type NoisePredictor,
  type ScoreModel,
  scoreModel,
  scoreModelFromNoise,
} from "./src/diffusion/noise_predictor.ts";
export { loadPretrained, type PretrainedName, pretrainedNames } from "./src/pretrained.ts";
export { Gaussian, type GaussianOptions } from "./src/distributions/gaussian.ts";
export { GaussianMixture, type GaussianMixtureConfig } from "./src/distributions/gaussian_mixture.ts";
export { PointCloud } from "./src/distributions/point_cloud.ts";
export { Banana, type BananaOptions } from "./src/distributions/banana.ts";
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
  type DataDistribution,
  diffusedLogDensity,
  diffusedPosterior,
  type ExactDistribution,
  type Posterior,
} from "./src/distributions/distribution.ts";

// Sampling: the loop, its time grid, samplers by name.
export { drawSamples, sample, type SampleOptions, type SampleStep } from "./src/samplers/sample.ts";
export type { AlignedModel } from "./src/diffusion/align_your_steps.ts";
export { type GridConfig, type GridKind, gridKinds, timeGrid } from "./src/diffusion/time_grid.ts";
export {
  nfeOfSteps,
  nfePerStep,
  predictorNames,
  samplerByName,
  samplerInfo,
  samplerNames,
  scoreSamplerNames,
} from "./src/samplers/registry.ts";
export {
  type SamplerDefault,
  type SamplerInfo,
  type SamplerKind,
  type SamplerOptionInfo,
  samplerOptionInfos,
  samplerOptionNames,
  type SamplerOptions,
} from "./src/samplers/sampler_info.ts";
export { type NfeBudgetRun, stepsForNfe } from "./src/samplers/nfe_budget.ts";
export { type Sampler, statelessStepper, type Stepper } from "./src/samplers/sampler.ts";

// Samplers of the probability flow, which draw no noise.
export { dpmSolver2M } from "./src/samplers/dpm_solver_multistep.ts";
export { dpmSolver2, dpmSolver2S, dpmSolver3 } from "./src/samplers/dpm_solver_singlestep.ts";
export { lms } from "./src/samplers/lms.ts";
export { deis } from "./src/samplers/deis.ts";
export { plms, pndm } from "./src/samplers/pndm.ts";
export { ipndm } from "./src/samplers/ipndm.ts";
export type { MultistepOptions } from "./src/samplers/linear_multistep.ts";
export { type BFunction, type SolverPrediction, unipc, type UnipcOptions } from "./src/samplers/unipc.ts";
export type { LastStep, LastStepOptions } from "./src/samplers/last_step.ts";
export { ddim, type DdimOptions } from "./src/samplers/ddim.ts";
export { edmHeun } from "./src/samplers/edm_heun.ts";
export { odeEuler } from "./src/samplers/ode_euler.ts";
export { odeHeun } from "./src/samplers/ode_heun.ts";
export { odeRk4 } from "./src/samplers/ode_rk4.ts";
export { dpmSolverAdaptive, type DpmSolverAdaptiveOptions } from "./src/samplers/dpm_solver_adaptive.ts";
export {
  dpmSolverFast,
  type DpmSolverFastOptions,
  type LastOrders,
  lastOrdersNames,
} from "./src/samplers/dpm_solver_fast.ts";
export { odeDormandPrince, type ToleranceOptions } from "./src/samplers/ode_dopri5.ts";

// Samplers of the reverse SDE.
export { ddpm } from "./src/samplers/ddpm.ts";
export { eulerMaruyama } from "./src/samplers/euler_maruyama.ts";
export { reverseDiffusion } from "./src/samplers/reverse_diffusion.ts";
export { exponentialSde } from "./src/samplers/exponential_sde.ts";
export { sdeDpmSolver2M, type SdeDpmSolver2MOptions, sdeDpmSolver3M } from "./src/samplers/dpm_solver_sde.ts";
export { saSolver, type SaSolverOptions } from "./src/samplers/sa_solver.ts";
export { sdeDpmSolver2S } from "./src/samplers/dpm_solver_sde_singlestep.ts";
export { dpmSolver2Ancestral, dpmSolver2SAncestral } from "./src/samplers/dpm_solver_ancestral.ts";
export type { SolverType, SolverTypeOptions } from "./src/samplers/solver_type.ts";
export type { AddedNoiseOptions } from "./src/samplers/added_noise.ts";
export { edmStochastic, type EdmStochasticOptions } from "./src/samplers/edm_stochastic.ts";
export { adaptiveSde, type AdaptiveSdeOptions } from "./src/samplers/adaptive_sde.ts";

// Langevin dynamics, alone and as a corrector, and NCSN's noise levels.
export { predictorCorrector, type PredictorCorrectorOptions } from "./src/samplers/predictor_corrector.ts";
export { langevin, type LangevinOptions, type LangevinRule, langevinRules } from "./src/samplers/langevin.ts";
export { annealedLangevin, type AnnealedLangevinOptions } from "./src/samplers/annealed_langevin.ts";
export {
  geometricLevels,
  type NcsnSchedule,
  ncsnSchedule,
  type NcsnScheduleOptions,
} from "./src/diffusion/ncsn_levels.ts";

// Consistency functions.
export { consistency } from "./src/samplers/consistency.ts";

// Compilation of functions of tensors, which the engine onnx runs natively.
export {
  compile,
  type CompiledFunction,
  type CompileOptions,
  type ExampleInput,
} from "./src/compute/compile.ts";

// Types of a shipped network, so that the core has all that its signatures name; the entry `networks` has them, too.
export type { Labels, NetworkPredictor, PrepareOptions } from "./src/networks/network_predictor.ts";
export type { Guidance } from "./src/networks/guidance_interval.ts";
export type { ModelConfig } from "./src/networks/noise_prediction.ts";
export type { DataUnits } from "./src/data/units.ts";
export type { NetworkConfig } from "./src/networks/registry.ts";
export type { MlpConfig } from "./src/networks/mlp.ts";
export type { TutorialConfig } from "./src/networks/tutorial.ts";
export type { UNetConfig } from "./src/networks/unet.ts";
export type { Network, Parameters, ParameterSpec, Weights } from "./src/networks/network.ts";
export type { Preconditioning } from "./src/diffusion/preconditioning.ts";

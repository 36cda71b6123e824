/**
 * Training: the loop, which can be resumed exactly, its checkpoints, and objectives: denoising, consistency, implicit
 * and sliced score matching.
 *
 * @example Twenty steps on numbers around 2
 * ```ts
 * import { createRng, useEngine } from "../../mod.ts";
 * import { OPTIMIZER_DEFAULTS, train, type TrainingConfig } from "./mod.ts";
 * await useEngine("wasm");
 * const config: TrainingConfig = {
 *   model: {
 *     network: { kind: "mlp", dimensions: 1, hidden: 16, layers: 1, noiseFeatures: 8, classes: 0 },
 *     preconditioning: { sigmaData: 0.1, centre: 2 },
 *   },
 *   objective: { kind: "edm", mean: -1.2, std: 1.2, sigmaData: 0.1 },
 *   optimizer: OPTIMIZER_DEFAULTS,
 *   steps: 20,
 *   batch: 8,
 *   labelDropout: 0,
 *   seed: 0,
 * };
 * const rng = createRng(1);
 * const batch = (step: number) => ({
 *   images: rng.fork(`step ${step}`).normalValues([8, 1]).map((z) => 2 + 0.1 * z),
 * });
 * for await (const { step, loss } of train(config, batch, { reportEvery: 10 })) {
 *   if (loss !== null) console.log(step, loss);
 * }
 * ```
 * @module
 */

// The loop and its checkpoints.
export {
  DivergedError,
  initialState,
  train,
  type TrainingBatch,
  type TrainingConfig,
  type TrainingState,
  type TrainOptions,
  type TrainStep,
} from "./train.ts";
export { OPTIMIZER_DEFAULTS, type OptimizerConfig, type OptimizerState } from "./optimizer.ts";
export {
  type Checkpoint,
  type DataSource,
  readCheckpoint,
  type RecipeChange,
  writeCheckpoint,
} from "./checkpoint.ts";

// Objectives of noise predictors and of consistency functions.
export {
  denoisingLossOf,
  drawNoiseLevels,
  type NoiseLevels,
  type ObjectiveConfig,
  type SdeTimes,
  type SdeWeighting,
} from "../objectives/denoising.ts";
export { consistencyDefaults, type ConsistencyObjective } from "../objectives/consistency.ts";

// Score matching of small networks.
export {
  type ScoreMatching,
  scoreNetwork,
  type ScoreTrainingConfig,
  type TrainedScore,
  trainScore,
} from "./train_score.ts";
export {
  denoisingScoreMatching,
  explicitScoreMatching,
  type ScoreFunction,
} from "../objectives/score_matching.ts";
export { implicitScoreMatching } from "../objectives/implicit.ts";
export { sliceDirections, type SlicedOptions, slicedScoreMatching } from "../objectives/sliced.ts";

/**
 * Training a score network at one noise level by any of the score matchings. (`train` is for noise-conditional
 * networks.)
 * @module
 */
import { createRng, type Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { mlp, type MlpConfig } from "../networks/mlp.ts";
import {
  namedParameters,
  type Network,
  parameterCount,
  type Parameters,
  requireWeights,
  unflatten,
} from "../networks/network.ts";
import type { Weights } from "../networks/network.ts";
import { implicitScoreMatching } from "../objectives/implicit.ts";
import { denoisingScoreMatching, type ScoreFunction } from "../objectives/score_matching.ts";
import { sliceDirections, slicedScoreMatching } from "../objectives/sliced.ts";
import { checkOptimizer, type OptimizerConfig, scalarTensors, stateTensors } from "./optimizer.ts";
import { compileStep, parameterGradient } from "./step.ts";
import { DivergedError, initialState, toHost } from "./train.ts";
import { requireFunction, requireOptions, requireWhole } from "../input/require.ts";
import { requireTensor } from "../compute/require_tensor.ts";
import { quoted } from "../input/quoted.ts";
import { requireSignal } from "../input/require_parts.ts";

/** A score matching: Hyvärinen's, Song et al.'s without and with the reduced variance, Vincent's. */
export type ScoreMatching = "implicit" | "sliced" | "sliced-vr" | "denoising";

/** The names of the score matchings. */
export const scoreMatchings: readonly ScoreMatching[] = ["implicit", "sliced", "sliced-vr", "denoising"];

/** Everything that determines a run, beside the data; plain JSON. */
export interface ScoreTrainingConfig {
  /** The network; its noise features are constant. */
  readonly network: MlpConfig;
  /** The objective. */
  readonly matching: ScoreMatching;
  /**
   * Standard deviation of the noise on the data whose score is learned; 0 for no noise, which denoising does not allow.
   */
  readonly sigma: number;
  /** The optimizer's options. */
  readonly optimizer: OptimizerConfig;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Rows of a batch. */
  readonly batch: number;
  /** Seed of initial weights, noise and directions. */
  readonly seed: number;
}

/** The result of a run. */
export interface TrainedScore {
  /** Moving averages of the weights. */
  readonly weights: Weights;
  /** The loss at each step. */
  readonly losses: readonly number[];
}

/**
 * Trains a perceptron s(x) on points. Its weights depend on the config and the data alone.
 *
 * @param points The data [batch, dimensions] of step 0, 1, …, which are disposed.
 * @param onStep Called now and then with the number of steps taken and the mean loss since the last call.
 * @param signal Ends the training once it is aborted: the next step throws its reason in its place.
 * @throws {RangeError} If a number is out of range or the data do not fit the network.
 * @throws {DivergedError} When a loss or a weight is not finite.
 */
export async function trainScore(
  config: ScoreTrainingConfig,
  points: (step: number) => tf.Tensor2D,
  onStep: (done: number, loss: number) => void = () => {},
  signal?: AbortSignal,
): Promise<TrainedScore> {
  checkConfig(config);
  requireFunction("points", points);
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  const network = mlp(config.network);
  const { parameters } = network;
  const shape: [number, number] = [config.batch, config.network.dimensions];
  const draws = drawsOf(config, createRng(config.seed), shape);
  const step = await compileStep<ScoreBatch>(
    ({ weights }, batch) =>
      parameterGradient(parameters, weights, (p) => loss(config, scoreOf(network, p), batch)),
    config.optimizer,
    parameterCount(network),
    { data: shape, ...draws.noise && { noise: shape }, ...draws.directions && { directions: shape } },
  );
  const losses: number[] = [];
  let state = stateTensors(initialState(network, config.seed));
  let unread: tf.Tensor[] = [];
  try {
    for (let done = 0; done < config.steps; done++) {
      signal?.throwIfAborted();
      const inputs = tf.tidy(() => ({
        state,
        scalars: scalarTensors(config.optimizer, done + 1, config.steps),
        batch: {
          data: checkedPoints(points(done), shape),
          ...draws.noise && { noise: draws.noise(done) },
          ...draws.directions && { directions: draws.directions(done) },
        },
      }));
      try {
        const result = step.run(inputs);
        state = result.state;
        unread.push(result.loss);
        result.norm.dispose();
      } finally {
        tf.dispose(inputs);
      }
      if (unread.length < 100 && done + 1 < config.steps) continue;
      losses.push(...await readLosses(unread, done + 1));
      onStep(done + 1, losses.slice(-unread.length).reduce((sum, value) => sum + value, 0) / unread.length);
      unread = [];
    }
    const { ema } = await toHost(state, config.steps);
    return { weights: unflatten(parameters, ema), losses };
  } finally {
    step.dispose();
    tf.dispose([state, unread]);
  }
}

/** A trained perceptron as a score function; `dispose` frees its weights. */
export function scoreNetwork(
  config: MlpConfig,
  weights: Weights,
): { readonly score: ScoreFunction; dispose(): void } {
  const network = mlp(config);
  requireWeights("weights", weights, network.parameters);
  const tensors = network.parameters.map(({ name, shape }) => tf.tensor(weights.get(name)!, [...shape]));
  const parameters = namedParameters(network.parameters, tensors);
  return {
    score: (x) => tf.tidy(() => scoreOf(network, parameters)(x)),
    dispose: () => tf.dispose(tensors),
  };
}

/** The network's output at the noise features of ν = 1, as a score. */
function scoreOf(network: Network, p: Parameters): ScoreFunction {
  return (x) => {
    const features = network.noiseFeatures(new Float64Array(x.shape[0]));
    return network.forward(p, x, tf.tensor2d(features, [x.shape[0], network.noiseFeatureCount]), null);
  };
}

function loss(
  { matching, sigma }: ScoreTrainingConfig,
  score: ScoreFunction,
  { data, noise, directions }: ScoreBatch,
): tf.Scalar {
  if (matching === "denoising") return denoisingScoreMatching(score, data, noise!, sigma);
  const x: tf.Tensor2D = noise === undefined ? data : tf.add(data, tf.mul(noise, sigma));
  if (matching === "implicit") return implicitScoreMatching(score, x);
  return slicedScoreMatching(score, x, directions!, { reducedVariance: matching === "sliced-vr" });
}

/** The tensors of one batch, each [B, dimensions]. */
interface ScoreBatch {
  readonly data: tf.Tensor2D;
  /** Of unit variance; absent where no noise is added. */
  readonly noise?: tf.Tensor2D;
  /** Directions of sliced score matching; absent for the others. */
  readonly directions?: tf.Tensor2D;
}

/** The random numbers of a step, drawn anew each step. */
interface Draws {
  noise?(step: number): tf.Tensor2D;
  directions?(step: number): tf.Tensor2D;
}

/** Draws a step's noise and directions. */
export function drawsOf(
  { matching, sigma }: Pick<ScoreTrainingConfig, "matching" | "sigma">,
  rng: Rng,
  shape: [number, number],
): Draws {
  const at = (what: string, step: number) => rng.fork(what).fork(`step ${step}`);
  const distribution = matching === "sliced" ? "normal" : "rademacher";
  return {
    ...sigma > 0 && { noise: (step) => at("noise", step).normal(shape) as tf.Tensor2D },
    ...(matching === "sliced" || matching === "sliced-vr") &&
      { directions: (step) => sliceDirections(at("directions", step), shape, distribution) },
  };
}

async function readLosses(tensors: readonly tf.Tensor[], done: number): Promise<number[]> {
  const losses: number[] = [];
  for (const [i, tensor] of tensors.entries()) {
    const [value] = await tensor.data();
    if (!Number.isFinite(value)) throw new DivergedError(done - tensors.length + i + 1, value);
    losses.push(value);
  }
  tf.dispose([...tensors]);
  return losses;
}

/** The points of a step; throws when they have another shape or type. */
function checkedPoints(points: tf.Tensor2D, shape: [number, number]): tf.Tensor2D {
  requireTensor("the points of a step", points, { shape });
  return points;
}

function checkConfig(config: ScoreTrainingConfig): void {
  requireOptions("config", config);
  const { matching, sigma, steps, batch, optimizer } = config;
  if (!scoreMatchings.includes(matching)) {
    throw new RangeError(`matching must be one of ${scoreMatchings.join(", ")}, got ${quoted(matching)}`);
  }
  const positive = matching === "denoising";
  if (!(Number.isFinite(sigma) && sigma >= 0) || (positive && sigma === 0)) {
    throw new RangeError(
      `sigma must be a ${positive ? "positive number" : "number from 0"}, got ${quoted(sigma)}`,
    );
  }
  requireWhole("steps", steps, 1);
  requireWhole("batch", batch, 1);
  checkOptimizer(optimizer);
}

/**
 * Score networks for a 2-D distribution, one by each score matching and one for all noise levels, beside the true
 * field.
 * @module
 */
import { createRng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { ExactDistribution } from "../distributions/distribution.ts";
import { networkFromConfig } from "../networks/registry.ts";
import type { MlpConfig } from "../networks/mlp.ts";
import { unflatten } from "../networks/network.ts";
import { networkPredictor } from "../networks/network_predictor.ts";
import { OPTIMIZER_DEFAULTS } from "../training/optimizer.ts";
import { train, type TrainingConfig } from "../training/train.ts";
import { type ScoreMatching, scoreMatchings, scoreNetwork, trainScore } from "../training/train_score.ts";
import { cellCentres, exactScore, MAP_SIDE } from "./plane.ts";
import {
  requireArray,
  requireFunction,
  requireOptions,
  requirePositive,
  requireWhole,
} from "../input/require.ts";
import { requirePlaneDistribution, requireSignal } from "../input/require_parts.ts";
import { checkName } from "../input/option_name.ts";

/** How a field is learned: a score matching at one noise level, or noise-conditional denoising. */
export type FieldMethod = ScoreMatching | "noise-conditional";

/** The names of the methods. */
export const fieldMethods: readonly FieldMethod[] = [...scoreMatchings, "noise-conditional"];

/** Options of the training. */
export interface FieldsOptions {
  /** Noise level σ at which fields are learned and compared, positive. */
  readonly sigma: number;
  /** Training steps of each network. */
  readonly steps: number;
  /** Rows of a batch; default 256. */
  readonly batch?: number;
  /** Hidden channels; default 64. */
  readonly hidden?: number;
  /** Seed of all random numbers. */
  readonly seed: number;
  /** The methods to train by; default all. */
  readonly methods?: readonly FieldMethod[];
  /** Called now and then with the method in training and its number of steps taken. */
  readonly onStep?: (method: FieldMethod, done: number) => void;
  /** Ends the training once it is aborted: the next step throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/** A learned field. */
export interface LearnedField {
  /** The method that it was trained by. */
  readonly method: FieldMethod;
  /** The score at points [B, 2] of the data noised by ν; only the noise-conditional one depends on ν. */
  score(x: tf.Tensor2D, noiseRatio: number): tf.Tensor;
  /** Disposes its weights. */
  dispose(): void;
}

const POOL = 1 << 15;

/**
 * Trains a network by each method on the same 32,768 draws of the distribution.
 *
 * @throws {RangeError} If a number of the options is out of range.
 */
export async function learnFields(
  distribution: ExactDistribution,
  options: FieldsOptions,
): Promise<LearnedField[]> {
  requirePlaneDistribution("distribution", distribution);
  requireOptions("options", options);
  const { sigma, steps, batch = 256, hidden = 64, seed, methods = fieldMethods, onStep, signal } = options;
  requirePositive("sigma", sigma);
  requireWhole("steps", steps, 1);
  requireWhole("batch", batch, 1, POOL / 2);
  requireWhole("hidden", hidden, 1, 1e6);
  requireArray("methods", methods);
  for (const method of methods) checkName("a method", method, fieldMethods);
  if (onStep !== undefined) requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  const drawn = distribution.sample(createRng(seed).fork("training data"), POOL);
  const data = (await drawn.data<"float32">()).slice();
  drawn.dispose();
  const rowsAt = (step: number) => {
    const first = step * batch % (POOL - batch);
    return data.subarray(2 * first, 2 * (first + batch));
  };
  const optimizer = { ...OPTIMIZER_DEFAULTS, rate: 5e-3, warmup: Math.min(100, steps), clip: 10, ema: 0.99 };
  const network: MlpConfig = { kind: "mlp", dimensions: 2, hidden, layers: 3, noiseFeatures: 4, classes: 0 };
  const fields: LearnedField[] = [];
  const learn = async (method: FieldMethod): Promise<LearnedField> => {
    if (method === "noise-conditional") {
      const config: TrainingConfig = {
        model: { network: { ...network, noiseFeatures: 16 }, preconditioning: { sigmaData: 1.2, centre: 0 } },
        objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 1.2 },
        optimizer: { ...optimizer, clip: 1 },
        steps,
        batch,
        labelDropout: 0,
        seed,
      };
      return await noiseConditional(config, rowsAt, (done) => onStep?.(method, done), signal);
    }
    const { weights } = await trainScore(
      { network, matching: method, sigma, optimizer, steps, batch, seed },
      (step) => tf.tensor2d(rowsAt(step), [batch, 2]),
      (done) => onStep?.(method, done),
      signal,
    );
    return { method, ...scoreNetwork(network, weights) };
  };
  try {
    for (const method of methods) fields.push(await learn(method));
  } catch (error) {
    for (const field of fields) field.dispose();
    throw error;
  }
  return fields;
}

async function noiseConditional(
  config: TrainingConfig,
  rowsAt: (step: number) => Float32Array,
  onStep: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<LearnedField> {
  const network = networkFromConfig(config.model.network);
  for await (
    const { step, snapshot } of train(config, (step) => ({ images: rowsAt(step) }), {
      reportEvery: 100,
      signal,
    })
  ) {
    if (step % 100 === 0) onStep(step);
    if (step < config.steps) continue;
    const noisePredictor = networkPredictor(
      config.model,
      unflatten(network.parameters, (await snapshot()).ema),
    );
    return {
      method: "noise-conditional",
      score: (x, noiseRatio) =>
        tf.tidy(() => tf.mul(noisePredictor.predictNoise(x, noiseRatio), -1 / noiseRatio)),
      dispose: () => noisePredictor.dispose(),
    };
  }
  throw new Error("training ended before its last step");
}

/** Distances of a learned field from the true one. */
export interface FieldErrors {
  /** The method that the field was trained by. */
  readonly method: FieldMethod;
  /** E‖s − s*‖²/E‖s*‖² over the data noised by σ: 1 for a network whose output is 0. */
  readonly relative: number;
  /** E‖ν(s − s*)‖²/2 over the data noised by each level ν, in units of the noise. */
  readonly byLevel: readonly number[];
  /** ‖s − s*‖ at σ in the cells of the square, [side²]. */
  readonly map: Float64Array;
  /** Median of the map over cells by their density, from the densest tenth of the cells to the sparsest. */
  readonly byDensity: readonly number[];
  /** s at σ in the cells of a coarser grid, [arrows², 2]. */
  readonly vectors: Float32Array;
}

/** All distances, and the data of their pictures. */
export interface FieldsReport {
  /** The level at which fields are compared. */
  readonly sigma: number;
  /** Levels of `byLevel`. */
  readonly levels: readonly number[];
  /** Share of the noised data in each tenth of the cells, densest first. */
  readonly share: readonly number[];
  /** One a field. */
  readonly fields: readonly FieldErrors[];
  /** The true field on the coarser grid, [arrows², 2]. */
  readonly truth: Float32Array;
  /** Centres of the coarser grid's cells. */
  readonly centres: Float32Array;
}

/** Arrows along the side of drawn fields. */
export const ARROW_SIDE = 20;

/** Measures learned fields against the distribution's own. */
export async function measureFields(
  distribution: ExactDistribution,
  fields: readonly LearnedField[],
  options: { sigma: number; seed: number; count?: number },
): Promise<FieldsReport> {
  requirePlaneDistribution("distribution", distribution);
  requireArray("fields", fields);
  requireOptions("options", options);
  const { sigma, seed, count = 4000 } = options;
  requirePositive("sigma", sigma);
  requireWhole("count", count, 1, 1e7);
  const levels = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2];
  const rng = createRng(seed).fork("measure");
  const cells = cellCentres(MAP_SIDE);
  const coarse = cellCentres(ARROW_SIDE);
  const logs = distribution.logDensity(cells, sigma);
  const logDensity = await logs.data();
  logs.dispose();
  const order = Array.from(logDensity.keys()).sort((a, b) => logDensity[b] - logDensity[a]);
  const tenths = Array.from(
    { length: 10 },
    (_, i) => order.slice(Math.floor(i * order.length / 10), Math.floor((i + 1) * order.length / 10)),
  );
  const masses = tenths.map((tenth) => tenth.reduce((sum, i) => sum + Math.exp(logDensity[i]), 0));
  const mass = masses.reduce((a, b) => a + b, 0);
  /** Mean squares of s − s* and of s* over noised data. */
  const squares = async (field: LearnedField, ratio: number): Promise<[number, number]> => {
    const tensor = tf.tidy(() => {
      const x: tf.Tensor2D = tf.add(
        distribution.sample(rng.fork(`data ${ratio}`), count),
        tf.mul(rng.fork(`noise ${ratio}`).normal([count, 2]), ratio),
      );
      const exact = exactScore(distribution, x, ratio);
      const mean = (rows: tf.Tensor) => tf.mean(tf.sum(tf.square(rows), 1));
      return tf.stack([mean(tf.sub(field.score(x, ratio), exact)), mean(exact)]);
    });
    const [error, whole] = await tensor.data();
    tensor.dispose();
    return [error, whole];
  };
  const report: FieldErrors[] = [];
  for (const field of fields) {
    const [error, whole] = await squares(field, sigma);
    const byLevel: number[] = [];
    for (const level of levels) byLevel.push(level ** 2 * (await squares(field, level))[0] / 2);
    const distance = tf.tidy(() =>
      tf.norm(tf.sub(field.score(cells, sigma), exactScore(distribution, cells, sigma)), 2, 1)
    );
    const map = Float64Array.from(await distance.data());
    distance.dispose();
    const drawn = field.score(coarse, sigma);
    const vectors = (await drawn.data<"float32">()).slice();
    drawn.dispose();
    const byDensity = tenths.map((tenth) => median(tenth.map((i) => map[i])));
    report.push({ method: field.method, relative: error / whole, byLevel, map, byDensity, vectors });
  }
  const exact = exactScore(distribution, coarse, sigma);
  const truth = (await exact.data<"float32">()).slice();
  const centres = (await coarse.data<"float32">()).slice();
  tf.dispose([cells, coarse, exact]);
  return { sigma, levels, share: masses.map((m) => m / mass), fields: report, truth, centres };
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

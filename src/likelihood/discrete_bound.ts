/**
 * The variational bound on the likelihood of a discrete-time diffusion model (Sohl-Dickstein et al. 2015, eq. 14; Ho
 * et al. 2020, eq. 5), −log p(x_0) ≤ L_T + Σ_n L_{n−1} + L_0, term by term.
 *
 * The model's steps go down a time grid of any SDE. With q(x_s | x_t, x_0) = N(a x_t + b x_0, ṽ I) the model's step
 * is p(x_s | x_t) = N(a x_t + b x̂_0(x_t), v I), so every term but the last is a divergence between Gaussians.
 * @module
 */
import { logNormalProbability } from "../math/normal_distribution.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { awaited, tidied } from "../compute/tidied.ts";
import { type AnyScoreModel, requireScore } from "../diffusion/noise_predictor.ts";
import { noiseRatio, requireNoise, type Sde, transition } from "../diffusion/sde.ts";
import { requireFunction, requireOptions, requireWhole } from "../input/require.ts";
import { requireModel, requireRng, requireSignal } from "../input/require_parts.ts";
import { requireTensor } from "../compute/require_tensor.ts";
import { quoted } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";

/** The variances of the model's steps. */
export type StepVariances =
  /** ṽ, the posterior's: optimal for data at one point (Ho et al. 2020, "β̃"). */
  | "posterior"
  /** The forward step's: optimal for data N(0, I) ("β"). */
  | "forward"
  /** One variance for each step down the grid, as `learnVariances` finds them. */
  | Float64Array;

/** Options of the bound. */
export interface DiscreteElboOptions {
  /** Decreasing times, the first being the SDE's tMax; L_0 is of the step from the last to the data. */
  readonly times: Float64Array;
  /** Draws the noise; a sample's bound does not depend on the rest of its batch. */
  readonly rng: Rng;
  /** Default "posterior". */
  readonly variances?: StepVariances;
  /**
   * The number of equidistant values from −1 to 1 that data take, for which L_0 is −log of the datum's probability
   * (Ho et al. 2020, eq. 13); null to take −log of its density. Default 256.
   */
  readonly levels?: number | null;
  /** Called after every step with the number of steps taken. */
  readonly onStep?: (step: number) => void;
  /** Ends the computation once it is aborted: the next step throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/** The bound on −log p(x_0) of every sample, in nats. */
export interface DiscreteElbo {
  /** L_T, [B]: the KL divergence of the diffusion's end from the prior. */
  readonly prior: Float64Array;
  /** L_{n−1} of each step down the grid, [times − 1][B]. */
  readonly steps: readonly Float64Array[];
  /** L_0, [B]. */
  readonly reconstruction: Float64Array;
  /** The sum, [B]. */
  readonly total: Float64Array;
}

/** q(x_s | x_t, x_0) = N(fromState·x_t + fromData·x_0, variance·I) for s < t (Ho et al. 2020, eq. 7). */
export function posteriorStep(
  sde: Sde,
  t: number,
  s: number,
): { fromState: number; fromData: number; variance: number; forward: number } {
  const { scale, std } = transition(sde, s, t);
  requireNoise(sde, t);
  const [before, after] = [sde.sigma(s) ** 2, sde.sigma(t) ** 2];
  return {
    fromState: scale * before / after,
    fromData: sde.alpha(s) * std ** 2 / after,
    variance: std ** 2 * before / after,
    forward: std ** 2,
  };
}

/**
 * The bound's terms for data [B, …], one draw of noise for each sample and step.
 *
 * @throws {RangeError} When the times do not decrease from tMax, there are not as many variances as steps, or a
 * variance is not positive.
 */
export async function discreteElbo(
  model: AnyScoreModel,
  data: tf.Tensor,
  options: DiscreteElboOptions,
): Promise<DiscreteElbo> {
  requireRun(model, data, options);
  const { times, rng, variances = "posterior", levels = 256, onStep = () => {}, signal } = options;
  const { sde } = model;
  requireScore(model, "a variational bound");
  requireTimes(sde, times);
  if (!(variances instanceof Float64Array)) checkName("variances", variances, ["posterior", "forward"]);
  if (levels !== null) requireWhole("levels", levels, 2);
  if (variances instanceof Float64Array && variances.length !== times.length) {
    throw new RangeError(
      `${times.length} times need ${times.length} variances, the last for the step to the data: got ${variances.length}`,
    );
  }
  const [rows] = data.shape;
  const dimension = data.size / rows;
  const steps: Float64Array[] = [];
  for (let i = 0; i + 1 < times.length; i++) {
    const [t, s] = [times[i], times[i + 1]];
    const { fromData, variance, forward } = posteriorStep(sde, t, s);
    signal?.throwIfAborted();
    const errors = await squaredErrors(model, data, t, rng);
    const chosen = variances === "posterior"
      ? variance
      : variances === "forward"
      ? forward
      : requireVariance(variances[i], i);
    // KL of N(·, ṽ) from N(·, v), whose means are b (x_0 − x̂_0) apart.
    const spread = dimension * (variance / chosen - 1 - Math.log(variance / chosen));
    steps.push(errors.map((error) => 0.5 * (spread + fromData ** 2 * error / chosen)));
    onStep(i + 1);
  }
  const last = times[times.length - 1];
  const variance = variances instanceof Float64Array
    ? requireVariance(variances[times.length - 1], times.length - 1)
    : sde.sigma(last) ** 2;
  signal?.throwIfAborted();
  const reconstruction = await reconstructions(model, data, last, rng, variance, levels);
  onStep(times.length);
  const prior = await priorTerm(sde, data, times[0]);
  const total = prior.map((value, row) =>
    value + reconstruction[row] + steps.reduce((sum, step) => sum + step[row], 0)
  );
  return { prior, steps, reconstruction, total };
}

/**
 * The variances that minimize the bound, one for each step of the grid and one for the step to the data: ṽ + b² E|x_0
 * − x̂_0|²/d (Bao et al. 2022, Analytic-DPM, theorem 1), the mean taken over the data [B, …].
 *
 * @throws {RangeError} When the times do not decrease from tMax.
 */
export async function learnVariances(
  model: AnyScoreModel,
  data: tf.Tensor,
  options: Pick<DiscreteElboOptions, "times" | "rng" | "onStep" | "signal">,
): Promise<Float64Array> {
  requireRun(model, data, options);
  const { times, rng, onStep = () => {}, signal } = options;
  const { sde } = model;
  requireScore(model, "a variational bound");
  requireTimes(sde, times);
  const learned = new Float64Array(times.length);
  for (let i = 0; i < times.length; i++) {
    signal?.throwIfAborted();
    const errors = await squaredErrors(model, data, times[i], rng);
    const mean = errors.reduce((sum, error) => sum + error, 0) / data.size;
    if (i + 1 < times.length) {
      const { fromData, variance } = posteriorStep(sde, times[i], times[i + 1]);
      learned[i] = variance + fromData ** 2 * mean;
    } else {
      learned[i] = mean;
    }
    onStep(i + 1);
  }
  return learned;
}

/** |x_0 − x̂_0(x_t)|² of every sample, x_t drawn from the diffusion: ν² |ε̂ − ε|², which loses no digits at small ν. */
async function squaredErrors(
  model: AnyScoreModel,
  data: tf.Tensor,
  t: number,
  rng: Rng,
): Promise<Float64Array> {
  const { sde } = model;
  const errors = await tidied((function* () {
    const noise = rng.normal(data.shape);
    const state = tf.add(tf.mul(data, sde.alpha(t)), tf.mul(noise, sde.sigma(t)));
    const predicted = yield* awaited(model.predictedNoise(state, t));
    return tf.sum(tf.reshape(tf.squaredDifference(predicted, noise), [data.shape[0], -1]), 1);
  })());
  const values = await errors.data<"float32">();
  errors.dispose();
  return Float64Array.from(values, (value) => noiseRatio(sde, t) ** 2 * value);
}

/** −log p(x_0 | x_t) under N(x̂_0(x_t), variance·I). */
async function reconstructions(
  model: AnyScoreModel,
  data: tf.Tensor,
  t: number,
  rng: Rng,
  variance: number,
  levels: number | null,
): Promise<Float64Array> {
  const { sde } = model;
  const [rows] = data.shape;
  const dimension = data.size / rows;
  const deviation = Math.sqrt(variance);
  if (levels === null) {
    const errors = await squaredErrors(model, data, t, rng);
    return errors.map((error) => 0.5 * (dimension * Math.log(2 * Math.PI * variance) + error / variance));
  }
  const difference = await tidied((function* () {
    const noise = rng.normal(data.shape);
    const state = tf.add(tf.mul(data, sde.alpha(t)), tf.mul(noise, sde.sigma(t)));
    const predicted = yield* awaited(model.predictedNoise(state, t));
    return tf.mul(tf.sub(predicted, noise), noiseRatio(sde, t)); // x_0 − x̂_0
  })());
  const [differences, values] = [await difference.data<"float32">(), await data.data<"float32">()];
  difference.dispose();
  const half = 1 / (levels - 1);
  const result = new Float64Array(rows);
  for (let i = 0; i < values.length; i++) {
    // The outermost values include all probability beyond them.
    const low = values[i] <= -1 + half / 2 ? -Infinity : (differences[i] - half) / deviation;
    const high = values[i] >= 1 - half / 2 ? Infinity : (differences[i] + half) / deviation;
    result[Math.floor(i / dimension)] -= logNormalProbability(low, high);
  }
  return result;
}

/** KL of q(x_T | x_0) = N(α x_0, σ² I) from the prior. */
async function priorTerm(sde: Sde, data: tf.Tensor, t: number): Promise<Float64Array> {
  const [rows] = data.shape;
  const dimension = data.size / rows;
  const squares = tf.tidy(() => tf.sum(tf.reshape(tf.square(data), [rows, -1]), 1));
  const values = await squares.data<"float32">();
  squares.dispose();
  const ratio = (sde.sigma(t) / sde.priorStd) ** 2;
  const pull = (sde.alpha(t) / sde.priorStd) ** 2;
  return Float64Array.from(
    values,
    (square) => 0.5 * (dimension * (ratio - 1 - Math.log(ratio)) + pull * square),
  );
}

function requireTimes(sde: Sde, times: Float64Array): void {
  if (!(times instanceof Float64Array)) {
    throw new TypeError(`the times of a bound must be a Float64Array, got ${quoted(times)}`);
  }
  if (times[0] !== sde.tMax) {
    throw new RangeError(`the times of a bound must begin with tMax = ${sde.tMax}, got ${times[0]}`);
  }
  for (let i = 1; i < times.length; i++) {
    if (!(times[i] < times[i - 1] && times[i] > 0)) {
      throw new RangeError(
        `the times of a bound must decrease and be positive, got ${times[i]} after ${times[i - 1]}`,
      );
    }
  }
}

function requireVariance(variance: number, step: number): number {
  if (!(variance > 0 && variance < Infinity)) {
    throw new RangeError(`the variance of step ${step + 1} must be a positive number, got ${variance}`);
  }
  return variance;
}

/** Throws unless the arguments are a model, data and options of a bound. */
function requireRun(
  model: AnyScoreModel,
  data: tf.Tensor,
  options: Pick<DiscreteElboOptions, "rng" | "onStep" | "signal">,
): void {
  requireModel("model", model);
  requireTensor("data", data, { leastRank: 2 });
  requireOptions("options", options);
  requireRng("rng", options.rng);
  if (options.onStep !== undefined) requireFunction("onStep", options.onStep);
  requireSignal("signal", options.signal);
}

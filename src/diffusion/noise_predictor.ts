/**
 * One noise predictor serves every SDE: x_t/α(t) is the data plus noise of ratio ν(t) = σ(t)/α(t), so the score, the
 * denoised state and the probability flow's drift under an SDE follow from the predicted noise ε̂(y, ν).
 * @module
 */
import { column, mapPerRow, type PerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import { noiseRatio, requireNoise, type Sde } from "./sde.ts";
import { requireResult, requireTensor } from "../compute/require_tensor.ts";
import { quoted } from "../input/quoted.ts";
import { requireFunction } from "../input/require.ts";
import { requireModel, requireNoisePredictor, requireSde } from "../input/require_parts.ts";

/**
 * Predicts the noise in y = x_0 + ν ε.
 *
 * `Result` is a tensor, or a promise of one for a model that answers later.
 */
export interface NoisePredictor<Result extends Awaitable<tf.Tensor> = tf.Tensor> {
  /**
   * ε̂(y, ν) = (y − E[x_0 | y])/ν, of y's shape [B, …]. Implementations compute it without that difference, which
   * loses all digits in float32 when ν is small.
   */
  predictNoise(y: tf.Tensor, noiseRatio: PerRow): Result;
  /**
   * (∂ε̂/∂y)ᵀ dy, of y's shape, for dy of y's shape: the vector-Jacobian product that likelihoods and posterior scores
   * need. Absent where TensorFlow.js differentiates `predictNoise`, or nothing does.
   */
  pullBack?(y: tf.Tensor, noiseRatio: PerRow, dy: tf.Tensor): Result;
  /**
   * Whether ε̂ is (y − f(y, ν))/ν of a consistency function f, which gives no score. Absent where ε̂ is the
   * conditional mean.
   */
  readonly consistency?: true;
}

/**
 * The score of the marginals p_t of one SDE, and what follows from it, by a noise predictor. States x are [B, …],
 * times one for the batch or one per row; the caller owns what is returned, and arguments are not disposed.
 *
 * `Result` is a tensor, or a promise of one for a model that answers later.
 */
export interface ScoreModel<Result extends Awaitable<tf.Tensor> = tf.Tensor> {
  /** The SDE whose marginals are the p_t. */
  readonly sde: Sde;
  /**
   * Whether the model is a consistency function: then `denoised` is f(x/α, ν), the end of x's probability-flow
   * trajectory, and `score` and `odeDrift` throw. Absent for a score.
   */
  readonly consistency?: true;
  /** The noise ε̂ predicted in x = α x_0 + σ ε. */
  predictedNoise(x: tf.Tensor, t: PerRow): Result;
  /** ∇ log p_t(x) = −ε̂/σ; a RangeError where σ(t) = 0. */
  score(x: tf.Tensor, t: PerRow): Result;
  /** Tweedie's mean E[x_0 | x_t = x] = (x − σ ε̂)/α. */
  denoised(x: tf.Tensor, t: PerRow): Result;
  /** dx/dt of the probability flow, f x − ½ g² ∇ log p_t(x) (Song et al. 2021, eq. 13); a RangeError where σ(t) = 0. */
  odeDrift(x: tf.Tensor, t: PerRow): Result;
  /**
   * (∂ε̂/∂x)ᵀ dy of `predictedNoise`, for dy of x's shape. Absent where TensorFlow.js differentiates `predictedNoise`, or
   * nothing does.
   */
  pullBack?(x: tf.Tensor, t: PerRow, dy: tf.Tensor): Result;
}

/** A score model that answers at once or later: what samplers take. */
export type AnyScoreModel = ScoreModel<Awaitable<tf.Tensor>>;

/**
 * Throws for a consistency function where a score is needed.
 * @throws {TypeError} When the model is a consistency function, naming `what` needs a score.
 */
export function requireScore(model: AnyScoreModel, what: string): void {
  requireModel("model", model);
  if (!model.consistency) return;
  throw new TypeError(
    `${what} needs a score, and this model is a consistency function: draw from it with the sampler consistency`,
  );
}

/** An answer, copied where it is the argument itself: what is answered is disposed, and the argument is the caller's. */
function apart(answer: Awaitable<tf.Tensor>, argument: tf.Tensor): Awaitable<tf.Tensor> {
  const own = (value: tf.Tensor) => value === argument ? value.clone() : value;
  return answer instanceof Promise ? answer.then(own) : own(answer);
}

/** The score model that a noise predictor gives under an SDE. */
export function scoreModel<Result extends Awaitable<tf.Tensor>>(
  noisePredictor: NoisePredictor<Result>,
  sde: Sde,
): ScoreModel<Result> {
  requireNoisePredictor("noise predictor", noisePredictor);
  const scaled = (x: tf.Tensor, t: PerRow) => tf.mul(x, column(mapPerRow(t, (t) => 1 / sde.alpha(t)), x));
  const ratios = (t: PerRow) => mapPerRow(t, (t) => noiseRatio(sde, t));
  return scoreModelFromNoise(sde, (x, t) => noisePredictor.predictNoise(scaled(x, t), ratios(t)), {
    consistency: noisePredictor.consistency,
    ...noisePredictor.pullBack && {
      pullBack: (x, t, dy) =>
        tidied((function* () {
          const pulled = yield* awaited<tf.Tensor>(
            noisePredictor.pullBack!(scaled(x, t), ratios(t), dy),
          );
          requireResult("the pull-back", pulled, x);
          return scaled(pulled, t);
        })()) as Result,
    },
  });
}

/**
 * Throws for times at which an SDE has no marginal.
 * @throws {RangeError} When a time is not from 0 to tMax, naming the first.
 */
function checkTimes({ tMax }: Sde, t: PerRow): void {
  if (!(t instanceof Float64Array) && typeof t !== "number") {
    throw new TypeError(`times must be a number or a Float64Array, one for each row, got ${quoted(t)}`);
  }
  for (const time of typeof t === "number" ? [t] : t) {
    // A solver's times may exceed tMax by rounding. NaN marks a row that is not finite, for which the solver throws.
    const broken = typeof t !== "number" && Number.isNaN(time);
    if (!broken && !(time >= 0 && time <= tMax * (1 + 1e-9))) {
      throw new RangeError(`times must be from 0 to ${tMax}, got ${time}`);
    }
  }
}

/** Throws for times as {@linkcode checkTimes} does, and for those at which σ(t) = 0. */
function checkNoisy(sde: Sde, t: PerRow): void {
  checkTimes(sde, t);
  for (const time of typeof t === "number" ? [t] : t) if (!Number.isNaN(time)) requireNoise(sde, time);
}

/**
 * The score model with the given noise prediction ε̂(x, t), x = α x_0 + σ ε; the other functions follow from it.
 *
 * Each function throws a TypeError or a RangeError if ε̂ is not a float32 tensor of x's shape.
 *
 * @param options `consistency` for ε̂ = (x/α − f)/ν of a consistency function f; `pullBack` for (∂ε̂/∂x)ᵀ dy.
 */
export function scoreModelFromNoise<Result extends Awaitable<tf.Tensor>>(
  sde: Sde,
  noise: (x: tf.Tensor, t: PerRow) => Result,
  { consistency, pullBack }: Pick<ScoreModel<Result>, "consistency" | "pullBack"> = {},
): ScoreModel<Result> {
  requireSde("sde", sde);
  requireFunction("noise", noise);
  if (pullBack !== undefined) requireFunction("pullBack", pullBack);
  function* predicted(x: tf.Tensor, t: PerRow): Pausing<tf.Tensor> {
    const value = yield* awaited(apart(noise(x, t), x));
    requireResult("the predicted noise", value, x);
    return value;
  }
  /** a(t)·x + b(t)·ε̂(x, t), or b(t)·ε̂(x, t) alone, at times that `check` accepts. */
  const view =
    (a: ((t: number) => number) | null, b: (t: number) => number, check = checkTimes) =>
    (x: tf.Tensor, t: PerRow) =>
      tidied((function* () {
        requireTensor("x", x);
        check(sde, t);
        const part = tf.mul(yield* predicted(x, t), column(mapPerRow(t, b), x));
        return a === null ? part : tf.add(tf.mul(x, column(mapPerRow(t, a), x)), part);
      })()) as Result;
  const scoreless = (name: string) => () => {
    throw new TypeError(`a consistency function has no ${name}: use a score network`);
  };
  return {
    sde,
    ...consistency && { consistency },
    predictedNoise: (x, t) => {
      requireTensor("x", x);
      checkTimes(sde, t);
      return tidied(predicted(x, t)) as Result;
    },
    score: consistency ? scoreless("score") : view(null, (t) => -1 / sde.sigma(t), checkNoisy),
    denoised: view((t) => 1 / sde.alpha(t), (t) => -noiseRatio(sde, t)),
    odeDrift: consistency
      ? scoreless("odeDrift")
      : view((t) => sde.driftCoefficient(t), (t) =>
        0.5 * sde.diffusionCoefficient(t) ** 2 / sde.sigma(t), checkNoisy),
    ...pullBack && {
      pullBack: (x, t, dy) =>
        tidied((function* () {
          requireTensor("x", x);
          requireResult("dy", dy, x);
          checkTimes(sde, t);
          const pulled = yield* awaited(apart(pullBack(x, t, dy.clone()), x));
          requireResult("the pull-back", pulled, x);
          return pulled;
        })()) as Result,
    },
  };
}

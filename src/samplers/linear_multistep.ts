/**
 * The step that linear multistep solvers share: x/α moves by a weighted sum of the noises predicted so far.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import type { Sde } from "../diffusion/sde.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { type PastPrediction, PredictionHistory, weightedSum } from "./prediction_history.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/** Options of a linear multistep solver. */
export interface MultistepOptions {
  /** How many predicted noises a step goes by, once there are so many: 1 to 4, which is the default; of `deis` 1 to 3. */
  readonly solverOrder?: number;
}

/** The weights in (x/α)_s of the noises predicted at `times`: first at the step's start, then at those of the steps before. */
type NoiseWeights = (sde: Sde, times: readonly number[], s: number) => readonly number[];

/**
 * The sampler whose steps on the probability flow are (x/α)_s = (x/α)_t + Σ_j w_j ε̂_j. A first step, or one that does not continue
 * the last, goes by its own ε̂ alone, the next by two, and so on up to `solverOrder`. One evaluation a step.
 *
 * @param largest The largest `solverOrder`, which is the default.
 * @throws {TypeError | RangeError} When `solverOrder` is no whole number from 1 to the largest.
 */
export function linearMultistep(
  name: string,
  options: MultistepOptions,
  largest: number,
  weights: NoiseWeights,
): Sampler {
  requireOptions("options", options);
  const { solverOrder = largest } = options;
  requireWhole("solverOrder", solverOrder, 1, largest);
  return { name, start: (model) => new LinearMultistepRun(model, solverOrder, weights) };
}

class LinearMultistepRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #history: PredictionHistory;
  readonly #weights: NoiseWeights;

  constructor(model: AnyScoreModel, order: number, weights: NoiseWeights) {
    this.#model = model;
    this.#history = new PredictionHistory(order - 1);
    this.#weights = weights;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { sde } = this.#model;
    const now = { value: yield* awaited(this.#model.predictedNoise(x, t)), time: t };
    const used = [now, ...this.#history.before(t)];
    const next = moved(sde, x, used, this.#weights(sde, used.map(({ time }) => time), s), s);
    this.#history.remember(now, s);
    return next;
  }

  dispose(): void {
    this.#history.dispose();
  }
}

/** x_s = (α_s/α_t) x_t + α_s Σ_j w_j ε̂_j, where the first of the noises was predicted at t. */
export function moved(
  sde: Sde,
  x: tf.Tensor,
  noises: readonly PastPrediction[],
  weights: readonly number[],
  s: number,
): tf.Tensor {
  const alpha = sde.alpha(s);
  return x.mul(alpha / sde.alpha(noises[0].time)).add(
    weightedSum(noises, weights.map((weight) => alpha * weight)),
  );
}

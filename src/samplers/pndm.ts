/**
 * PNDM and PLMS, the multistep solvers of four noises that begin with steps of more than one evaluation.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { noiseRatio, type Sde } from "../diffusion/sde.ts";
import { equalStepWeights } from "./ipndm.ts";
import { moved } from "./linear_multistep.ts";
import { type PastPrediction, PredictionHistory } from "./prediction_history.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/**
 * PNDM (F-PNDM of Liu et al. 2022) on the probability flow: DDIM's steps from t to s, φ(x, ε̂, t, s), with the mean,
 *
 *   (55 ε̂_0 − 59 ε̂_1 + 37 ε̂_2 − 9 ε̂_3)/24
 *
 * of the noises predicted at the starts of this step and of the three before. The first three steps are pseudo Runge–Kutta steps:
 * with r half-way between t and s in time,
 *
 *   ε_1 = ε̂(x, t),   ε_2 = ε̂(φ(x, ε_1, t, r), r),   ε_3 = ε̂(φ(x, ε_2, t, r), r),   ε_4 = ε̂(φ(x, ε_3, t, s), s),
 *
 * and the step is DDIM's with (ε_1 + 2 ε_2 + 2 ε_3 + ε_4)/6. So do the three steps after one that does not continue the last; one of
 * them to sigma = 0, where no noise is predicted, is DDIM's.
 *
 * The weights are those of equal steps. Order 2, as they prove. Four evaluations in each of the first three steps, and one in
 * each of the others.
 */
export function pndm(): Sampler {
  return { name: "pndm", start: (model) => new PseudoMultistepRun(model, 3, rungeKutta) };
}

/**
 * PLMS, PNDM as the web interfaces have it, after Katherine Crowson's PLMSSampler in latent diffusion: diffusers'
 * `PNDMScheduler(skip_prk_steps=True)`. As {@linkcode pndm}, but its first step is DDIM's with the mean of the noises predicted at
 * its start and, after DDIM's step, at its end; its second and its third step are those of `ipndm`. Order 2. Two evaluations in the
 * first step, and one in each of the others.
 */
export function plms(): Sampler {
  return { name: "plms", start: (model) => new PseudoMultistepRun(model, 1, improvedEuler) };
}

/** From ε̂(x, t), the noise with which a first step from t to s is DDIM's. */
type FirstNoise = (
  model: AnyScoreModel,
  x: tf.Tensor,
  t: number,
  s: number,
  noise: tf.Tensor,
) => Pausing<tf.Tensor>;

class PseudoMultistepRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #history = new PredictionHistory(3);
  readonly #firstSteps: number;
  readonly #first: FirstNoise;

  constructor(model: AnyScoreModel, firstSteps: number, first: FirstNoise) {
    this.#model = model;
    this.#firstSteps = firstSteps;
    this.#first = first;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { sde } = this.#model;
    const now = { value: yield* awaited(this.#model.predictedNoise(x, t)), time: t };
    const past = this.#history.before(t);
    const next = past.length >= this.#firstSteps
      ? byMean(sde, x, [now, ...past], equalStepWeights(past.length + 1), s)
      : ddimStep(
        sde,
        x,
        sde.sigma(s) === 0 ? now.value : yield* this.#first(this.#model, x, t, s, now.value),
        t,
        s,
      );
    this.#history.remember(now, s);
    return next;
  }

  dispose(): void {
    this.#history.dispose();
  }
}

function* rungeKutta(
  model: AnyScoreModel,
  x: tf.Tensor,
  t: number,
  s: number,
  noise: tf.Tensor,
): Pausing<tf.Tensor> {
  const middle = (t + s) / 2;
  const { sde } = model;
  const second = yield* awaited(model.predictedNoise(ddimStep(sde, x, noise, t, middle), middle));
  const third = yield* awaited(model.predictedNoise(ddimStep(sde, x, second, t, middle), middle));
  const last = yield* awaited(model.predictedNoise(ddimStep(sde, x, third, t, s), s));
  return tf.addN([noise, second.mul(2), third.mul(2), last]).div(6);
}

function* improvedEuler(
  model: AnyScoreModel,
  x: tf.Tensor,
  t: number,
  s: number,
  noise: tf.Tensor,
): Pausing<tf.Tensor> {
  const last = yield* awaited(model.predictedNoise(ddimStep(model.sde, x, noise, t, s), s));
  return noise.add(last).div(2);
}

/** DDIM's step from t to s with the given noise. */
function ddimStep(sde: Sde, x: tf.Tensor, noise: tf.Tensor, t: number, s: number): tf.Tensor {
  return byMean(sde, x, [{ value: noise, time: t }], [1], s);
}

/** DDIM's step to s with a weighted mean of noises, of which the first was predicted where the step begins. */
function byMean(
  sde: Sde,
  x: tf.Tensor,
  noises: readonly PastPrediction[],
  weights: readonly number[],
  s: number,
): tf.Tensor {
  const width = noiseRatio(sde, s) - noiseRatio(sde, noises[0].time);
  return moved(sde, x, noises, weights.map((weight) => width * weight), s);
}

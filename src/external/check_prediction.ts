/**
 * Whether a model predicts what is said of it, found by giving it noise, or noisy data.
 * @module
 */
import { requireTensor } from "../compute/require_tensor.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, tidied } from "../compute/tidied.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import { noiseRatio, type Sde } from "../diffusion/sde.ts";
import { requireOptions, requireShape } from "../input/require.ts";
import { requireNoisePredictor, requireRng, requireSde } from "../input/require_parts.ts";
import { type Prediction, predictions } from "../diffusion/prediction.ts";
import type { ExternalModel } from "./external_model.ts";

/** A model that answers at once or later. */
type AnyNoisePredictor = NoisePredictor<Awaitable<tf.Tensor>>;

/** What a prediction is checked on. */
export interface PredictionCheckOptions {
  /** Draws the noise. */
  readonly rng: Rng;
  /** The states' shape [B, …], for a check on noise alone; some hundreds of numbers are enough. */
  readonly shape?: readonly number[];
  /** Some data [B, …] as the model was trained on, not disposed, for a check that finds more. */
  readonly data?: tf.Tensor;
}

/** The largest part of the noise that denoised data may hold; it is 10 v/(v + 100) for Gaussian data of mean square v. */
const MOST_NOISE = 0.4;

/** The largest squared error, as a multiple of the best linear prediction's. */
const MOST_ERROR = 1.5;

/** By how much the error of another reading must be smaller than a model's own. */
const LEAST_GAIN = 0.8;

/**
 * Throws if a model does not seem to predict what is said of it. It is a heuristic, which takes data to have a root mean
 * square of about 1, at most 2.
 *
 * By `shape`, it denoises y = ν ε at ν = 10: data that are predicted from nothing but noise hold at most two fifths of it. With
 * an SDE whose α falls toward 0 this tells noise and scores from each other and from all else, and data, velocities and
 * EDM's outputs from noise and scores, but not from each other; with other SDEs it finds what is wrongly taken for noise.
 *
 * By `data`, it compares E|ε̂ − ε|² on noisy data of three noise ratios, a tenth of the data's root mean square, that and
 * ten times that, with the best linear prediction's, v/(v + ν²) for data of mean square v. The error of a right model is
 * smaller, and smaller than that of any other reading of it. With α = 1 throughout, noise that is read as a velocity may
 * still pass, as it may for EDM's output: the readings differ little.
 *
 * @example A model that predicts the data and is taken for one that predicts noise
 * ```ts
 * import { createRng } from "../compute/rng.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { checkPrediction } from "./check_prediction.ts";
 * import { externalModel } from "./external_model.ts";
 * const sde = vpSde();
 * const model = externalModel((x) => x.mul(0), { sde, prediction: "noise", conditioning: "time" });
 * const check = checkPrediction(model, sde, { shape: [8, 28, 28, 1], rng: createRng(0) });
 * const sentence = await check.catch((error) => error.message);
 * console.assert(sentence.includes("read as data"));
 * ```
 * @throws {RangeError} When there are neither a shape nor data, or both.
 * @throws {Error} When the prediction does not fit; for an {@linkcode ExternalModel} it names the predictions that do.
 */
export async function checkPrediction(
  noisePredictor: NoisePredictor<Awaitable<tf.Tensor>> | ExternalModel,
  sde: Sde,
  options: PredictionCheckOptions,
): Promise<void> {
  requireNoisePredictor("noisePredictor", noisePredictor);
  requireSde("sde", sde);
  requireOptions("options", options);
  const { rng, shape, data } = options;
  requireRng("rng", rng);
  if ((shape === undefined) === (data === undefined)) {
    throw new RangeError("a check of a prediction needs a shape or data, one of the two");
  }
  if (shape !== undefined) requireShape("shape", shape);
  if (data !== undefined) requireTensor("data", data, { leastRank: 2 });
  const within = (ratio: number) =>
    Math.min(Math.max(ratio, noiseRatio(sde, sde.tMin)), noiseRatio(sde, sde.tMax));
  const measured = async (model: AnyNoisePredictor): Promise<number> =>
    data === undefined
      ? await noiseLeft(model, rng.fork("noise").normal(shape!), within(10))
      : await relativeError(model, data, rng, within);
  const [most, what] = data === undefined
    ? [MOST_NOISE, "the part of pure noise that its denoised data hold"]
    : [MOST_ERROR, "its squared error, over that of the best linear prediction,"];
  const own = await measured(noisePredictor);
  const others: [Prediction, number][] = [];
  if ("readAs" in noisePredictor) {
    for (const prediction of predictions) {
      if (prediction === noisePredictor.prediction) continue;
      others.push([prediction, await measured(noisePredictor.readAs(prediction))]);
    }
  }
  const fits = (value: number) => Math.abs(value) <= most;
  const better = others.filter(([, value]) => fits(value) && (!fits(own) || value < LEAST_GAIN * own))
    .sort((a, b) => Math.abs(a[1]) - Math.abs(b[1]));
  if (fits(own) && (data === undefined || better.length === 0)) return;
  const said = "readAs" in noisePredictor ? noisePredictor.prediction : "noise";
  const remedy = better.length > 0
    ? `read as ${better.map(([prediction, value]) => `${prediction} it is ${number(value)}`).join(", as ")}`
    : "no other prediction fits: check the SDE, the conditioning, the layout and the scale of states";
  throw new Error(
    `the model does not seem to predict ${said}: ${what} is ${
      number(own)
    }, where at most ${most} is expected; ${remedy}`,
  );
}

/** A number, to three places. */
const number = (value: number) => String(Number(value.toFixed(3)));

/** ⟨y − ν ε̂, ε⟩/⟨ε, ε⟩ at y = ν ε. Disposes ε. */
async function noiseLeft(model: AnyNoisePredictor, noise: tf.Tensor, ratio: number): Promise<number> {
  const left = await tidied((function* () {
    const y = noise.mul(ratio);
    const denoised = y.sub((yield* awaited(model.predictNoise(y, ratio))).mul(ratio));
    return denoised.mul(noise).sum().div(noise.square().sum());
  })());
  noise.dispose();
  return await readAndDispose(left);
}

/** The geometric mean over three noise ratios of E|ε̂ − ε|² over v/(v + ν²). */
async function relativeError(
  model: AnyNoisePredictor,
  data: tf.Tensor,
  rng: Rng,
  within: (ratio: number) => number,
): Promise<number> {
  const meanSquare = await readAndDispose(tf.tidy(() => data.square().mean()));
  let product = 1;
  for (const factor of [0.1, 1, 10]) {
    const ratio = within(factor * Math.sqrt(meanSquare));
    const error = await tidied((function* () {
      const noise = rng.fork(`noise ${factor}`).normal(data.shape);
      const predicted = yield* awaited(model.predictNoise(data.add(noise.mul(ratio)), ratio));
      return predicted.sub(noise).square().mean();
    })());
    product *= await readAndDispose(error) * (meanSquare + ratio ** 2) / meanSquare;
  }
  return Math.cbrt(product);
}

async function readAndDispose(scalar: tf.Tensor): Promise<number> {
  const [value] = await scalar.data();
  scalar.dispose();
  return value;
}

/**
 * Models from elsewhere: any function that predicts noise, clean data, a velocity, a score or EDM's raw output becomes a noise
 * predictor.
 * @module
 */
import { requireResult, requireTensor } from "../compute/require_tensor.ts";
import { column, mapPerRow, type PerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import { type Prediction, predictionFactors, predictions } from "../diffusion/prediction.ts";
import { edmCoefficients } from "../diffusion/preconditioning.ts";
import { hasZeroTerminalSnr, type Sde } from "../diffusion/sde.ts";
import { checkName } from "../input/option_name.ts";
import { requireFunction, requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import { requireSde } from "../input/require_parts.ts";
import { quotedShape } from "../input/quoted.ts";

/**
 * What a model is told of the noise: the SDE's time t; N t, as diffusers' flow matching tells with N = 1000; the index N t − 1 of
 * one of N steps, 0 … N − 1, as a real number or rounded; the noise ratio ν = σ/α, which is EDM's σ; or ln(ν)/4, EDM's c_noise.
 */
export const conditionings = [
  "time",
  "scaled-time",
  "index",
  "whole-index",
  "sigma",
  "log-sigma-quarter",
] as const;

/** The name of what a model is told of the noise. */
export type Conditioning = typeof conditionings[number];

/** The order of an image's axes: [B, height, width, channels] or [B, channels, height, width]. */
export const imageLayouts = ["nhwc", "nchw"] as const;

/** The name of an order of axes. */
export type ImageLayout = typeof imageLayouts[number];

/**
 * A model's function: the output for states x [B, …] and conditions [B], of x's shape. It may answer by a promise. Neither
 * argument may be disposed, and the result is disposed after use.
 */
export type ExternalPrediction = (x: tf.Tensor, condition: tf.Tensor) => Awaitable<tf.Tensor>;

/**
 * The vector-Jacobian product of a model's function at states x and conditions: Jᵀ dy with J = ∂output/∂x, for dy of the
 * output's shape; of x's shape. No argument may be disposed, and the result is disposed after use.
 */
export type ExternalPullBack = (x: tf.Tensor, condition: tf.Tensor, dy: tf.Tensor) => Awaitable<tf.Tensor>;

/** How a model from elsewhere is to be understood. */
export interface ExternalModelOptions {
  /** The SDE whose states x = α x_0 + σ ε the model was trained on; `discreteDdpm` for one of DDPM's steps. */
  readonly sde: Sde;
  /** What its output is. */
  readonly prediction: Prediction;
  /** What it is told of the noise. */
  readonly conditioning: Conditioning;
  /** N, the steps that an index counts or a time is scaled by; default the number of betas of a discrete-time DDPM. */
  readonly steps?: number;
  /** The standard deviation of the data, for `edm`; default 0.5. */
  readonly sigmaData?: number;
  /** The order of axes that the model takes and gives; states are `nhwc`, the default. */
  readonly layout?: ImageLayout;
  /**
   * The function's vector-Jacobian product. Likelihoods and posterior scores need it, unless the function computes at once
   * by TensorFlow.js operations.
   */
  readonly pullBack?: ExternalPullBack;
}

/** The noise predictor of a model from elsewhere. */
export interface ExternalModel extends NoisePredictor<Awaitable<tf.Tensor>> {
  /** What the model's output is taken for. */
  readonly prediction: Prediction;
  /**
   * The state [B, …] at a time of the SDE to which DDIM's step leads from noise alone, z [B, …] of unit variance, where the last β
   * is 1: α D(z) + σ z, D the data that the model predicts of z. `drawSamples` takes it as `initial`, with a grid that begins
   * there. Absent unless the SDE has zero terminal SNR.
   *
   * @throws {RangeError} When the model predicts noise or a score, which at α = 0 say nothing of the data, naming predictions
   * that do.
   */
  fromPureNoise?(z: tf.Tensor, time: number): Awaitable<tf.Tensor>;
  /** The same function, with its output taken for something else. */
  readAs(prediction: Prediction): ExternalModel;
}

/**
 * The noise predictor of a model from elsewhere, for every sampler, guidance and imputation. Likelihoods and posterior scores
 * take it if it has `pullBack`, or computes at once by TensorFlow.js operations, which are differentiated.
 *
 * With the time t at which the SDE has noise ratio ν, and its α and σ there, the model is called with x = α y, and
 *
 *   ε̂ = out,   (y − out)/ν,   (σ x + α out)/(α² + σ²),   −σ out,   (x + α out)/(α + σ)   for noise, data, velocity, score, flow,
 *
 * as `predictionFactors` has it.
 *
 * @example A model that predicts the data, which is always 3, from an image of one number in PyTorch's layout
 * ```ts
 * import * as tf from "../compute/tf.ts";
 * import { linearBetas } from "../diffusion/beta_schedule.ts";
 * import { discreteDdpm } from "../diffusion/sde.ts";
 * import { externalModel } from "./external_model.ts";
 * const model = externalModel(async (x, index) => await Promise.resolve(tf.fill(x.shape, 3)), {
 *   sde: discreteDdpm(linearBetas()),
 *   prediction: "data",
 *   conditioning: "index",
 *   layout: "nchw",
 * });
 * const noise = await model.predictNoise(tf.tensor4d([[[[5]]]]), 0.5);
 * console.assert((await noise.data())[0] === 4);
 * ```
 * @throws {TypeError | RangeError} When an option is missing or not one of those allowed. When used, if the output is not a
 * float32 tensor of the input's shape, naming both.
 */
export function externalModel(
  predict: ExternalPrediction,
  options: ExternalModelOptions,
): ExternalModel {
  requireFunction("predict", predict);
  const { toCondition, toNoise, input } = understood(options);
  const { sde, layout = "nhwc", pullBack } = options;
  const toModel = (states: tf.Tensor) => layout === "nchw" ? states.transpose([0, 3, 1, 2]) : states.clone();
  const fromModel = (out: tf.Tensor) => layout === "nchw" ? out.transpose([0, 2, 3, 1]) : out;
  /** The model's arguments at y, and the factors in x = c y and ε̂ = a y + b out. */
  function argumentsAt(y: tf.Tensor, noiseRatio: PerRow) {
    requireTensor("y", y, layout === "nchw" ? { rank: 4 } : {});
    const perRow = (f: (t: number, ratio: number) => number) =>
      mapPerRow(noiseRatio, (ratio) => f(sde.timeAtHalfLogSnr(-Math.log(ratio)), ratio));
    const condition = perRow(toCondition);
    const conditions = typeof condition === "number"
      ? new Float64Array(y.shape[0]).fill(condition)
      : condition;
    const [c, a, b] = [input, toNoise.state, toNoise.output].map((factor) => column(perRow(factor), y));
    return { x: toModel(y.mul(c)), condition: tf.tensor1d(Float32Array.from(conditions)), a, b, c };
  }
  function* predicted(y: tf.Tensor, noiseRatio: PerRow): Pausing<tf.Tensor> {
    const { x, condition, a, b } = argumentsAt(y, noiseRatio);
    const out = yield* awaited(predict(x, condition));
    requireOutput("output", out, x);
    return y.mul(a).add(fromModel(out).mul(b));
  }
  /** a dy + b c Jᵀ dy. */
  function* pulledBack(y: tf.Tensor, noiseRatio: PerRow, dy: tf.Tensor): Pausing<tf.Tensor> {
    const { x, condition, a, b, c } = argumentsAt(y, noiseRatio);
    requireResult("dy", dy, y);
    const pulled = yield* awaited(pullBack!(x, condition, toModel(dy)));
    requireOutput("pull-back", pulled, x);
    return dy.mul(a).add(fromModel(pulled).mul(b).mul(c));
  }
  function* begun(z: tf.Tensor, time: number): Pausing<tf.Tensor> {
    requireTensor("z", z, layout === "nchw" ? { rank: 4 } : {});
    const condition = toCondition(1, Infinity);
    if (!Number.isFinite(condition)) {
      throw new RangeError(
        `a model that is told σ/α cannot be asked where it is infinite, got conditioning ${options.conditioning}: use one of times or indices`,
      );
    }
    const [alpha, sigma] = [sde.alpha(time), sde.sigma(time)];
    const { state, output } = predictionFactors(options.prediction, "data", {
      alpha: 0,
      sigma: 1,
      sigmaData: options.sigmaData,
    });
    // EDM's c_in x/α is x/√(σ² + σ_d² α²), which is x here, too.
    const given = toModel(z);
    const out = yield* awaited(predict(given, tf.fill([z.shape[0]], condition)));
    requireOutput("output", out, given);
    return z.mul(alpha * state + sigma).add(fromModel(out).mul(alpha * output));
  }
  return {
    predictNoise: (y, noiseRatio) => tidied(predicted(y, noiseRatio)),
    ...hasZeroTerminalSnr(sde.config) && { fromPureNoise: (z, time) => tidied(begun(z, time)) },
    ...pullBack && { pullBack: (y, noiseRatio, dy) => tidied(pulledBack(y, noiseRatio, dy)) },
    prediction: options.prediction,
    readAs: (prediction) => externalModel(predict, { ...options, prediction }),
  };
}

/** What the options say of a model, as functions of the time t and the noise ratio ν. */
interface Understood {
  /** What the model is told. */
  toCondition(t: number, ratio: number): number;
  /** The factor on y that gives its input. */
  input(t: number, ratio: number): number;
  /** The factors in ε̂ = state y + output out. */
  readonly toNoise: { readonly [factor in "state" | "output"]: (t: number, ratio: number) => number };
}

function understood(options: ExternalModelOptions): Understood {
  requireOptions("options", options);
  const { sde, prediction, conditioning, steps, sigmaData = 0.5, layout = "nhwc", pullBack } = options;
  requireSde("sde", sde);
  checkName("prediction", prediction, predictions);
  checkName("conditioning", conditioning, conditionings);
  checkName("layout", layout, imageLayouts);
  requirePositive("sigmaData", sigmaData);
  if (pullBack !== undefined) requireFunction("pullBack", pullBack);
  if (steps !== undefined) requireWhole("steps", steps, 1, 1e7);
  const count = steps ?? (sde.config.kind === "ddpm" ? sde.config.betas.length : undefined);
  if (count === undefined && ["index", "whole-index", "scaled-time"].includes(conditioning)) {
    throw new RangeError(
      `a model that is conditioned on ${
        conditioning === "scaled-time" ? "a scaled time" : "an index"
      } needs the number of steps, which the SDE ${sde.config.kind} does not have: give steps`,
    );
  }
  const index = (t: number) => Math.max(0, count! * t - 1);
  const toCondition: Record<Conditioning, Understood["toCondition"]> = {
    "time": (t) => t,
    "scaled-time": (t) => count! * t,
    "index": index,
    "whole-index": (t) => Math.round(index(t)),
    "sigma": (_, ratio) => ratio,
    "log-sigma-quarter": (_, ratio) => Math.log(ratio) / 4,
  };
  const factors = (t: number) =>
    predictionFactors(prediction, "noise", { alpha: sde.alpha(t), sigma: sde.sigma(t), sigmaData });
  return {
    toCondition: toCondition[conditioning],
    input: prediction === "edm" ? (_, ratio) => edmCoefficients(sigmaData, ratio).input : (t) => sde.alpha(t),
    toNoise: { state: (t) => sde.alpha(t) * factors(t).state, output: (t) => factors(t).output },
  };
}

/** Throws unless a model's output or pull-back is a float32 tensor of its input's shape. */
function requireOutput(what: string, out: unknown, given: tf.Tensor): asserts out is tf.Tensor {
  requireTensor(`the model's ${what}`, out, { leastRank: 0 });
  if (String(out.shape) !== String(given.shape)) {
    throw new RangeError(
      `the model's ${what} must have the shape of its input, ${quotedShape(given.shape)}, got ${
        quotedShape(out.shape)
      }`,
    );
  }
}

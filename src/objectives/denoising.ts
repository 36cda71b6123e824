/**
 * Denoising score matching (Vincent 2011): noise is added to data and the network predicts it back,
 * E w(ν) ‖ε̂(x_0 + ν ε, ν) − ε‖². An objective is a distribution of noise levels and their weights.
 * @module
 */
import { sizeOf } from "../math/shape.ts";
import { column } from "../compute/rows.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import { checkName } from "../input/option_name.ts";
import { noiseRatio, requireNoise, type Sde, type SdeConfig } from "../diffusion/sde.ts";
import { sdeFromConfig } from "../diffusion/sde_registry.ts";
import { importanceDensity, importanceTime } from "./importance.ts";
import {
  requireFinite,
  requireNumbers,
  requireOptions,
  requirePositive,
  requireWhole,
} from "../input/require.ts";
import { requireNoisePredictor, requireRng } from "../input/require_parts.ts";
import { requireTensor } from "../compute/require_tensor.ts";

/** How noise levels are drawn and weighted; plain JSON. */
export type ObjectiveConfig =
  | {
    /** ln ν ~ N(mean, std²) and the weight (ν² + σ_d²)/(ν σ_d)² on the data's error (Karras et al. 2022, Table 1). */
    readonly kind: "edm";
    readonly mean: number;
    readonly std: number;
    readonly sigmaData: number;
  }
  | {
    /** The mean over uniform t on [tMin, tMax] of an SDE (Song et al. 2021, eq. 7). */
    readonly kind: "sde";
    readonly sde: SdeConfig;
    /**
     * λ = σ²; λ = g², which bounds the likelihood (Song et al. 2021, "Maximum likelihood training"); or λ = g⁴/4, which makes
     * the error that of the probability flow's velocity dx/dt: under the flow's SDE of ε − x_0, flow matching's target.
     */
    readonly weighting: SdeWeighting;
    /**
     * How t is drawn. `importance` has the density ∝ g²/σ², by which the loss is divided, so that its mean stays. `logit-normal`
     * draws the more of the middle: the logit of t's share of [tMin, tMax] is normal (Esser et al. 2024, eq. 19).
     */
    readonly times?: SdeTimes;
    /** Mean and standard deviation of that logit, for `logit-normal` times. Default 0 and 1. */
    readonly logit?: { readonly mean: number; readonly std: number };
  }
  | {
    /**
     * A finite list of noise ratios, each as likely, all errors of the noise weighted 1: NCSN's λ(σ_i) = σ_i² (Song &
     * Ermon 2019, eq. 6) and DDPM's L_simple (Ho et al. 2020, eq. 14).
     */
    readonly kind: "levels";
    readonly ratios: readonly number[];
  };

/** The name of a weight of an SDE's objective. */
export type SdeWeighting = "variance" | "likelihood" | "velocity";

/** The weights that an SDE's objective may have. */
export const sdeWeightings: readonly SdeWeighting[] = ["variance", "likelihood", "velocity"];

/** The name of a distribution of an SDE's times. */
export type SdeTimes = "uniform" | "importance" | "logit-normal";

/** How an SDE's objective may draw times. */
export const sdeTimes: readonly SdeTimes[] = ["uniform", "importance", "logit-normal"];

/** Noise levels of a batch, float64. */
export interface NoiseLevels {
  /** [B], ν = σ/α. */
  readonly noiseRatio: Float64Array;
  /** [B], weight w of ‖ε̂ − ε‖². */
  readonly weight: Float64Array;
}

/**
 * Draws `rows` noise levels; row i comes from the generator's sample i.
 *
 * @throws {RangeError} When the config's numbers are out of range.
 */
export function drawNoiseLevels(objective: ObjectiveConfig, rng: Rng, rows: number): NoiseLevels {
  requireOptions("objective", objective);
  requireRng("rng", rng);
  requireWhole("rows", rows, 1);
  checkName("an objective's kind", objective.kind, ["edm", "sde", "levels"]);
  if (objective.kind === "edm") {
    const { mean, std, sigmaData } = objective;
    requireFinite("mean", mean);
    requirePositive("std", std);
    requirePositive("sigmaData", sigmaData);
    const ratios = Float64Array.from(rng.normalValues([rows]), (z) => Math.exp(mean + std * z));
    if (!ratios.every((ratio) => ratio > 0 && ratio < Infinity)) {
      throw new RangeError(`mean and std must give noise ratios that float64 has, got ${mean} and ${std}`);
    }
    return { noiseRatio: ratios, weight: ratios.map((ratio) => edmWeight(ratio, sigmaData)) };
  }
  if (objective.kind === "levels") {
    const { ratios } = objective;
    requireNumbers("ratios", ratios, (ratio) => ratio > 0, "positive numbers");
    if (ratios.length === 0) throw new RangeError("an objective needs at least one noise ratio");
    return {
      noiseRatio: rng.uniformValues([rows]).map((u) => ratios[Math.floor(u * ratios.length)]),
      weight: new Float64Array(rows).fill(1),
    };
  }
  checkName("weighting", objective.weighting, sdeWeightings);
  checkName("times", objective.times === undefined ? "uniform" : objective.times, sdeTimes);
  const sde = sdeFromConfig(objective.sde);
  const important = objective.times === "importance";
  const times = drawTimes(objective, sde, rng, rows);
  return {
    noiseRatio: times.map((t) => noiseRatio(sde, t)),
    weight: times.map((t) =>
      sdeWeight(sde, t, objective.weighting) / (important ? importanceDensity(sde, t) : 1)
    ),
  };
}

/** Times of an SDE's objective, one a row. */
function drawTimes(
  { times = "uniform", logit = { mean: 0, std: 1 } }: Extract<ObjectiveConfig, { kind: "sde" }>,
  sde: Sde,
  rng: Rng,
  rows: number,
): Float64Array {
  const atShare = (share: number) => sde.tMin + (sde.tMax - sde.tMin) * share;
  if (times === "importance") return rng.uniformValues([rows]).map((u) => importanceTime(sde, u));
  if (times === "uniform") return rng.uniformValues([rows]).map(atShare);
  requireOptions("logit", logit);
  requireFinite("the logit's mean", logit.mean);
  requirePositive("the logit's std", logit.std);
  return Float64Array.from(
    rng.normalValues([rows]),
    (z) => atShare(1 / (1 + Math.exp(-logit.mean - logit.std * z))),
  );
}

/** EDM's weight of the noise's squared error: ν² times that of the data's, so 1 + (ν/σ_d)². */
export function edmWeight(noiseRatio: number, sigmaData: number): number {
  return 1 + (noiseRatio / sigmaData) ** 2;
}

/**
 * λ(t)/σ(t)², the weight of the noise's squared error when λ(t) weights the score's:
 * 1 for λ = σ², g²/σ² for λ = g², (g²/2σ)² for the velocity, as dx/dt = f x + g²/(2σ) ε̂.
 */
export function sdeWeight(sde: Sde, t: number, weighting: SdeWeighting): number {
  requireNoise(sde, t);
  if (weighting === "variance") return 1;
  const g2 = sde.diffusionCoefficient(t) ** 2;
  return weighting === "likelihood" ? g2 / sde.sigma(t) ** 2 : (g2 / (2 * sde.sigma(t))) ** 2;
}

/**
 * The loss, a scalar: mean over rows of w times the mean over coordinates of (ε̂ − ε)².
 *
 * @param predicted ε̂, [B, …].
 * @param noise ε, [B, …].
 * @param weight w, [B, 1, …].
 */
export function denoisingLoss(predicted: tf.Tensor, noise: tf.Tensor, weight: tf.Tensor): tf.Scalar {
  if (weight.size !== noise.shape[0]) {
    throw new RangeError(`weight must hold one number a row, got ${weight.size} for ${noise.shape[0]} rows`);
  }
  const [rows, ...shape] = noise.shape;
  const size = sizeOf(shape);
  return tf.tidy(() => {
    const errors = tf.reshape(tf.square(tf.sub(predicted, noise)), [rows, size]);
    // In two stages: a single float32 sum over a batch loses digits on wasm.
    return tf.mean(tf.mul(tf.mean(errors, 1), tf.reshape(weight, [rows])));
  });
}

/** The loss of any noise predictor on data [B, …] and noise [B, …] at given levels. */
export function denoisingLossOf(
  noisePredictor: NoisePredictor,
  data: tf.Tensor,
  noise: tf.Tensor,
  levels: NoiseLevels,
): tf.Scalar {
  requireNoisePredictor("noise predictor", noisePredictor);
  requireTensor("data", data);
  requireTensor("noise", noise, { shape: data.shape });
  requireOptions("levels", levels);
  const { noiseRatio, weight } = levels;
  requireNumbers("noiseRatio", noiseRatio, (ratio) => ratio >= 0, "numbers from 0");
  requireNumbers("weight", weight);
  return tf.tidy(() => {
    const noisy = tf.add(data, tf.mul(noise, column(noiseRatio, data)));
    return denoisingLoss(noisePredictor.predictNoise(noisy, noiseRatio), noise, column(weight, data));
  });
}

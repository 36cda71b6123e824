/**
 * Autoguidance: a network guided by a worse version of itself.
 * @module
 */
import { atOnce, gradientOf } from "../compute/gradient.ts";
import { column, type PerRow, requireRatios } from "../compute/rows.ts";
import type * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import { requireNoisePredictor } from "../input/require_parts.ts";
import { checkedGuidance, type Guidance, guidanceWeight } from "./guidance_interval.ts";

/**
 * The noise predictor of a good network guided by a bad one (Karras et al. 2024, eq. 3): of denoised data D,
 *
 *   D = D_bad + w (D_good − D_bad),
 *
 * and of ε̂ = (y − D)/ν the same. The bad one has the same task and less capacity or training, so that both err in the
 * same places, the bad one more: w above 1 leads away from there without exaggerating a class. A weight of 1 is the good
 * network and 0 the bad one, and then the other one is not evaluated; other weights give the score of no distribution. On
 * Gaussian data, if good and bad take them to have standard deviations s_g and s_b, the probability flow ends at
 * s_g^w s_b^(1 − w) from ever more noise.
 *
 * @example Two networks that take normal numbers to be of standard deviation 1 and 2
 * ```ts
 * import { createRng, ddim, drawSamples, Gaussian, scoreModel, useEngine, vpSde } from "../../mod.ts";
 * import { autoguided } from "./mod.ts";
 * await useEngine("wasm");
 * const [good, bad] = [1, 4].map((variance) => new Gaussian({ mean: [0], variances: [variance] }));
 * const model = scoreModel(autoguided(good, bad, 2), vpSde());
 * const run = { shape: [100, 1], grid: { kind: "log-snr", steps: 50 }, rng: createRng(1) } as const;
 * console.log(await (await drawSamples(model, ddim(), run)).data()); // of standard deviation near 1/2
 * ```
 * @param guidance w, or w in an interval of noise ratios outside of which it is 1.
 * @throws {TypeError} When an argument is no noise predictor, or a consistency function, which has no score.
 * @throws {RangeError} When the weight is not finite or the interval is invalid.
 */
export function autoguided<Result extends Awaitable<tf.Tensor>>(
  good: NoisePredictor<Result>,
  bad: NoisePredictor<Result>,
  guidance: number | Guidance,
): NoisePredictor<Result> {
  requireNoisePredictor("good", good);
  requireNoisePredictor("bad", bad);
  const { scale, from, to } = checkedGuidance(guidance);
  if (good.consistency || bad.consistency) {
    throw new TypeError("autoguidance needs scores, and a consistency function has none");
  }
  /** bad + w (good − bad) of what each of the predictors gives for y. */
  const combined = (
    y: tf.Tensor,
    noiseRatio: PerRow,
    of: (one: NoisePredictor<Result>) => Pausing<tf.Tensor>,
  ) =>
    tidied((function* () {
      requireRatios(noiseRatio);
      const weightAt = (ratio: number) => guidanceWeight({ scale, from, to }, ratio);
      const weights = typeof noiseRatio === "number" ? weightAt(noiseRatio) : noiseRatio.map(weightAt);
      const all = (value: number) =>
        typeof weights === "number" ? weights === value : weights.every((w) => w === value);
      if (all(1)) return yield* of(good);
      if (all(0)) return yield* of(bad);
      const worse = yield* of(bad);
      return worse.add((yield* of(good)).sub(worse).mul(column(weights, y)));
    })()) as Result;
  return {
    predictNoise: (y, noiseRatio) =>
      combined(y, noiseRatio, (one) => awaited<tf.Tensor>(one.predictNoise(y, noiseRatio))),
    ...(good.pullBack ?? bad.pullBack) && {
      pullBack: (y, noiseRatio, dy) => combined(y, noiseRatio, (one) => pulledBack(one, y, noiseRatio, dy)),
    },
  };
}

/** (∂ε̂/∂y)ᵀ dy of a predictor, by TensorFlow.js where it has none of its own. */
function* pulledBack(
  one: NoisePredictor<Awaitable<tf.Tensor>>,
  y: tf.Tensor,
  noiseRatio: PerRow,
  dy: tf.Tensor,
): Pausing<tf.Tensor> {
  if (one.pullBack !== undefined) return yield* awaited(one.pullBack(y, noiseRatio, dy));
  const noise = (y: tf.Tensor) =>
    atOnce(one.predictNoise(y, noiseRatio), "the predicted noise", ": give pullBack");
  return gradientOf(noise, "the predicted noise")(y, dy);
}

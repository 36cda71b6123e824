/**
 * The continuous-time evidence lower bound (ELBO), the denoising loss with likelihood weighting; it needs no solver.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { awaited, tidied } from "../compute/tidied.ts";
import { type AnyScoreModel, requireScore } from "../diffusion/noise_predictor.ts";
import { drawNoiseLevels } from "../objectives/denoising.ts";
import type { Sde } from "../diffusion/sde.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { requireModel, requireRng, requireSignal } from "../input/require_parts.ts";
import { requireTensor } from "../compute/require_tensor.ts";

/** Options of the bound's Monte Carlo estimate. */
export interface ContinuousElboOptions {
  /** Times and noise are drawn from here; row i is sample `rng.firstSample + i`. */
  readonly rng: Rng;
  /** Times for each sample, a positive integer; default 16. */
  readonly draws?: number;
  /** How times are drawn: by importance (the default), or uniformly, which has the same mean and more variance. */
  readonly times?: "importance" | "uniform";
  /** Ends the computation once it is aborted: the next evaluation throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/** Bounds of a batch, in nats. */
export interface ContinuousElbo {
  /** Upper bound on E[−log p(x(tMin)) | x_0] of each sample [B], an unbiased estimate of it. */
  readonly bound: Float64Array;
  /**
   * Variance [B] of the estimate from a single time; that of `bound` is smaller by the number of draws. NaN for one
   * draw.
   */
  readonly variance: Float64Array;
}

/**
 * Upper bound on the negative log-likelihood of x(tMin) given data x_0 [B, …] under the model's reverse SDE (Song,
 * Durkan, Murray & Ermon 2021, Theorem 3, from tMin on; the loss of Kingma et al. 2021): with q(x_t | x_0) = N(α x_0,
 * σ² I),
 *
 *   E_q[−log p(x(tMin))] ≤ ½ d ln(2π e σ(tMin)²) + KL(q(x_tMax | x_0) ‖ N(0, priorStd² I)) + ½ ∫ g²/σ² E‖ε̂ − ε‖² dt.
 *
 * Where the score is exact its mean over data exceeds the entropy of x(tMin) by the mismatch KL(p_tMax ‖ prior) alone.
 * x_0 is not disposed; samples do not influence each other.
 *
 * @throws {RangeError} When x_0 has no samples or no dimensions, or the number of draws is not a positive integer.
 */
export async function continuousElbo(
  model: AnyScoreModel,
  x0: tf.Tensor,
  options: ContinuousElboOptions,
): Promise<ContinuousElbo> {
  requireModel("model", model);
  requireTensor("x0", x0, { leastRank: 0, empty: true });
  requireOptions("options", options);
  const { rng, draws = 16, times = "importance", signal } = options;
  requireRng("rng", rng);
  requireSignal("signal", signal);
  if (x0.rank < 2 || x0.size === 0) throw new RangeError(`x0 must be [samples, …], got [${x0.shape}]`);
  requireWhole("draws", draws, 1, 1e7);
  const { sde } = model;
  requireScore(model, "a likelihood's bound");
  const rows = x0.shape[0];
  const dimension = x0.size / rows;
  const objective = { kind: "sde", sde: sde.config, weighting: "likelihood", times } as const;
  const [levelRng, noiseRng] = [rng.fork("level"), rng.fork("noise")];
  const losses: Float64Array[] = [];
  for (let draw = 0; draw < draws; draw++) {
    signal?.throwIfAborted();
    const { noiseRatio, weight } = drawNoiseLevels(objective, levelRng, rows);
    const at = noiseRatio.map((ratio) => sde.timeAtHalfLogSnr(-Math.log(ratio)));
    const squares = await tidied((function* () {
      const noise = noiseRng.normal(x0.shape);
      const x = x0.mul(column(at.map(sde.alpha), x0)).add(noise.mul(column(at.map(sde.sigma), x0)));
      const predicted = yield* awaited(model.predictedNoise(x, at));
      return predicted.sub(noise).square().reshape([rows, dimension]).sum(1);
    })());
    const values = await squares.data();
    squares.dispose();
    losses.push(weight.map((w, row) => (sde.tMax - sde.tMin) / 2 * w * values[row]));
  }
  const norms = tf.tidy(() => x0.square().reshape([rows, dimension]).sum(1));
  const squaredNorms = await norms.data();
  norms.dispose();
  const of = (row: number) => losses.map((loss) => loss[row]);
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / draws;
  return {
    bound: Float64Array.from(
      squaredNorms,
      (squaredNorm, row) =>
        firstEntropy(sde, dimension) + lastDivergence(sde, squaredNorm, dimension) + mean(of(row)),
    ),
    variance: Float64Array.from(squaredNorms, (_, row) => {
      const average = mean(of(row));
      return of(row).reduce((sum, loss) => sum + (loss - average) ** 2, 0) / (draws - 1);
    }),
  };
}

/** Entropy of q(x_tMin | x_0), in nats. */
function firstEntropy(sde: Sde, dimension: number): number {
  return dimension * Math.log(Math.sqrt(2 * Math.PI * Math.E) * sde.sigma(sde.tMin));
}

/** KL(N(α x_0, σ² I) ‖ N(0, priorStd² I)) at tMax, in nats. */
function lastDivergence(sde: Sde, squaredNorm: number, dimension: number): number {
  const [mean, variance] = [sde.alpha(sde.tMax) ** 2 * squaredNorm, sde.sigma(sde.tMax) ** 2].map((v) =>
    v / sde.priorStd ** 2
  );
  return (mean + dimension * (variance - 1 - Math.log(variance))) / 2;
}

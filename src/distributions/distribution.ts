/**
 * The interfaces of data distributions: one can be sampled, an exact one is also an exact noise predictor.
 * @module
 */
import { column, mapPerRow, type PerRow } from "../compute/rows.ts";
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import { noiseRatio, requireNoise, type Sde } from "../diffusion/sde.ts";
import { requireTensor } from "../compute/require_tensor.ts";
import { requireMethods, requireNumbers } from "../input/require.ts";
import { requireDistribution, requireSde } from "../input/require_parts.ts";

/** A distribution of vectors that can be sampled. */
export interface DataDistribution {
  /** Number of coordinates d. */
  readonly dimension: number;
  /** Draws [count, d], row i from the random stream of sample rng.firstSample + i. */
  sample(rng: Rng, count: number): tf.Tensor2D;
}

/** A distribution whose noised versions y = x_0 + ν ε have a known density, so that it is its own noise predictor. */
export interface ExactDistribution extends DataDistribution, NoisePredictor {
  /** Log density [B] in nats of y = x_0 + ν ε at y [B, …] (d numbers a row); ν = 0 is the distribution itself. */
  logDensity(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor1D;
  /** E[x_0 | y], of y's shape; keeps the digits that y − ν ε̂ would lose at large ν. */
  posteriorMean(y: tf.Tensor, noiseRatio: PerRow): tf.Tensor;
}

/** The posterior of x_0 given y = x_0 + ν ε; float64 on the host. */
export interface Posterior {
  /** Log density of y, in nats. */
  readonly logDensity: number;
  /** Probability of each component of a mixture given y. */
  readonly responsibilities: Float64Array;
  /** ε̂ = (y − E[x_0 | y])/ν. */
  readonly noise: Float64Array;
  /** E[x_0 | y]. */
  readonly mean: Float64Array;
  /** Cov[x_0 | y], [d, d], computed on first access. */
  covariance(): number[][];
}

/** Log density [B] in nats of p_t under an SDE at states x [B, …]: that of y = x/α, less d ln α. */
export function diffusedLogDensity(
  distribution: ExactDistribution,
  sde: Sde,
  x: tf.Tensor,
  t: PerRow,
): tf.Tensor1D {
  requireDistribution("distribution", distribution);
  requireSde("sde", sde);
  requireTensor("x", x);
  return tf.tidy(() => {
    const y = tf.mul(x, column(mapPerRow(t, (t) => 1 / sde.alpha(t)), x));
    const density = distribution.logDensity(y, mapPerRow(t, (t) => noiseRatio(sde, t)));
    const volume = mapPerRow(t, (t) => distribution.dimension * Math.log(sde.alpha(t)));
    return tf.sub(density, column(volume, density));
  });
}

/**
 * Log density and score of p_t under an SDE at one state x, and the posterior of x_0, in float64: the reference for
 * the float32 tensor code.
 */
export function diffusedPosterior(
  distribution: { posterior(y: ArrayLike<number>, noiseRatio: number): Posterior },
  sde: Sde,
  x: ArrayLike<number>,
  t: number,
): Posterior & { readonly score: Float64Array } {
  requireMethods("distribution", distribution, ["posterior"], "a Gaussian or a GaussianMixture");
  requireSde("sde", sde);
  requireNumbers("x", x);
  requireNoise(sde, t);
  const alpha = sde.alpha(t);
  const posterior = distribution.posterior(
    Float64Array.from(x, (value) => value / alpha),
    noiseRatio(sde, t),
  );
  return {
    ...posterior,
    logDensity: posterior.logDensity - x.length * Math.log(alpha),
    score: posterior.noise.map((value) => -value / sde.sigma(t)),
  };
}

/**
 * A batch of states [B, …] as rows [B, d].
 *
 * @throws {RangeError} When a row does not hold d numbers.
 */
export function asRows(y: tf.Tensor, dimension: number): tf.Tensor2D {
  requireTensor("y", y);
  const rows = y.shape[0];
  if (y.rank < 1 || y.size !== rows * dimension) {
    throw new RangeError(`expected ${dimension} numbers a row, got a batch of shape [${y.shape}]`);
  }
  return tf.reshape(y, [rows, dimension]);
}

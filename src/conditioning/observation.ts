/**
 * Linear observations of a sample with Gaussian noise: y = A x_0 + s η, η ~ N(0, I).
 * @module
 */
import * as tf from "../compute/tf.ts";
import { Gaussian } from "../distributions/gaussian.ts";
import { GaussianMixture } from "../distributions/gaussian_mixture.ts";
import { requireMethods, requireOptions } from "../input/require.ts";
import { requireTensor } from "../compute/require_tensor.ts";
import { quoted } from "../input/quoted.ts";
import { sizeOf } from "../math/shape.ts";

/** A linear map of samples, with its adjoint: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩. The rows of a batch do not influence each other. */
export interface LinearOperator {
  /** Shape of one sample, such as [28, 28, 1]. */
  readonly inputShape: readonly number[];
  /** Shape of the observation of one sample. */
  readonly outputShape: readonly number[];
  /** A x, [B, …outputShape] for x [B, …inputShape]; the caller owns the result. */
  apply(x: tf.Tensor): tf.Tensor;
  /** Aᵀ y, [B, …inputShape] for y [B, …outputShape]; the caller owns the result. */
  adjoint(y: tf.Tensor): tf.Tensor;
}

/** An observation y = A x_0 + noiseStd η. */
export interface LinearObservation {
  /** A. */
  readonly operator: LinearOperator;
  /** The observed values y, [B, …outputShape], or [1, …outputShape] for the whole batch; owned by the caller. */
  readonly y: tf.Tensor;
  /** Standard deviation of the noise, not negative; 0 for an exact observation. */
  readonly noiseStd: number;
}

/**
 * Makes an observation and checks that its values are finite.
 *
 * @param y [B or 1, …outputShape]; not copied
 * @throws {RangeError} When y has another shape, holds NaN or an infinity, or noiseStd is negative.
 */
export async function linearObservation(
  operator: LinearOperator,
  y: tf.Tensor,
  noiseStd = 0,
): Promise<LinearObservation> {
  const observation = { operator, y, noiseStd };
  checkObservation(observation);
  const wrong = (await y.data()).find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`an observation must hold finite numbers, got ${wrong}`);
  return observation;
}

/** Throws when an observation's shapes do not fit or noiseStd is invalid. */
export function checkObservation(observation: LinearObservation): void {
  requireOptions("observation", observation);
  const { operator, y, noiseStd } = observation;
  requireMethods("operator", operator, ["apply", "adjoint"], "a linear operator, as maskOperator() makes it");
  requireTensor("an observation", y, { empty: operator.outputShape.includes(0) });
  if (String(y.shape.slice(1)) !== String(operator.outputShape) || y.rank < 1) {
    throw new RangeError(`an observation must be [samples, ${operator.outputShape}], got [${y.shape}]`);
  }
  if (!(Number.isFinite(noiseStd) && noiseStd >= 0)) {
    throw new RangeError(`noiseStd must be a finite number of at least 0, got ${quoted(noiseStd)}`);
  }
}

/** Throws when states [B, …] are not what an operator takes, or an observation's rows are neither one nor theirs. */
export function checkStates({ shape }: tf.Tensor, { operator, y }: LinearObservation): void {
  if (String(shape.slice(1)) !== String(operator.inputShape)) {
    throw new RangeError(`the operator takes samples of shape [${operator.inputShape}], got [${shape}]`);
  }
  if (y.shape[0] !== 1 && y.shape[0] !== shape[0]) {
    throw new RangeError(`expected one observation, or one a sample, got ${y.shape[0]} for ${shape[0]}`);
  }
}

/**
 * The exact posterior distribution of x_0 given one observation; it is an exact noise predictor, for `scoreModel` and
 * any sampler.
 *
 * @example A correlated pair of which one coordinate is observed
 * ```ts
 * import { useEngine } from "../compute/engine.ts";
 * import * as tf from "../compute/tf.ts";
 * import { Gaussian } from "../distributions/gaussian.ts";
 * import { exactPosterior, linearObservation } from "./observation.ts";
 * import { maskOperator } from "./operators.ts";
 * await useEngine("wasm");
 * const prior = new Gaussian({ mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]] });
 * const seen = await linearObservation(maskOperator([2], [1, 0]), tf.tensor2d([[1.5]]));
 * const posterior = await exactPosterior(prior, seen);
 * console.assert(Math.abs(posterior.components[0].mean[1] - 1.2) < 1e-6);
 * ```
 * @param observation of one sample, y [1, …outputShape]
 * @throws {RangeError} When there is more than one observation, the operator does not take the distribution's
 * vectors, or the observation has no density (it has no noise and the observed quantity no variance).
 */
export async function exactPosterior(
  distribution: Gaussian | GaussianMixture,
  observation: LinearObservation,
): Promise<GaussianMixture> {
  if (!(distribution instanceof Gaussian || distribution instanceof GaussianMixture)) {
    throw new TypeError(`distribution must be a Gaussian or a GaussianMixture, got ${quoted(distribution)}`);
  }
  checkObservation(observation);
  const { operator, y, noiseStd } = observation;
  if (y.shape[0] !== 1) throw new RangeError(`an exact posterior takes one observation, got ${y.shape[0]}`);
  const prior = distribution instanceof GaussianMixture
    ? distribution
    : new GaussianMixture([1], [distribution]);
  const matrix = await operatorMatrix(operator);
  if (matrix.length === 0) return prior;
  return prior.observing(matrix, await y.data(), noiseStd ** 2);
}

/** A as rows of numbers, [outputs][inputs], from its products with the unit vectors. */
export async function operatorMatrix(operator: LinearOperator): Promise<number[][]> {
  const [inputs, outputs] = [sizeOf(operator.inputShape), sizeOf(operator.outputShape)];
  const seen = tf.tidy(() => operator.apply(tf.eye(inputs).reshape([inputs, ...operator.inputShape])));
  const values = await seen.data();
  seen.dispose();
  return Array.from(
    { length: outputs },
    (_, i) => Array.from({ length: inputs }, (_, j) => values[j * outputs + i]),
  );
}

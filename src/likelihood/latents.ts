/**
 * Latent codes: the probability flow maps data to the prior and back, one to one.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { type FlowMethod, solveFlow } from "./probability_flow.ts";
import { requireNumbers, requireOptions } from "../input/require.ts";
import { requireModel, requireSignal } from "../input/require_parts.ts";
import { requireTensor } from "../compute/require_tensor.ts";

/** What ends the solution of a flow early. */
export interface FlowRunOptions {
  /** Ends the computation once it is aborted: the next evaluation throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/**
 * The latent codes at tMax of x [B, …] at tMin (Song et al. 2021, Section 4.3); near N(0, priorStd²) for data of the
 * model's distribution. x is not disposed, the caller owns the result.
 *
 * @throws {RangeError} When the method is invalid.
 * @throws {Error} When the state becomes NaN or infinite, or the solver does not reach the end.
 */
export async function encodeLatent(
  model: AnyScoreModel,
  x: tf.Tensor,
  method?: FlowMethod,
  options: FlowRunOptions = {},
): Promise<tf.Tensor> {
  requireModel("model", model);
  requireTensor("x", x);
  requireOptions("options", options);
  requireSignal("signal", options.signal);
  return await solveFlow(model.sde, model.odeDrift, x, "to prior", method, options.signal);
}

/**
 * The samples at tMin of latent codes [B, …] at tMax: the inverse of {@linkcode encodeLatent}, with the same errors.
 */
export async function decodeLatent(
  model: AnyScoreModel,
  codes: tf.Tensor,
  method?: FlowMethod,
  options: FlowRunOptions = {},
): Promise<tf.Tensor> {
  requireModel("model", model);
  requireTensor("codes", codes);
  requireOptions("options", options);
  requireSignal("signal", options.signal);
  return await solveFlow(model.sde, model.odeDrift, codes, "to data", method, options.signal);
}

/**
 * Spherical interpolation (Shoemake 1985; White 2016): at weight w,
 *
 *   [sin((1 − w) θ) a + sin(w θ) b]/sin θ,   θ the angle between a and b,
 *
 * which keeps the norm of Gaussian vectors of many dimensions; linear interpolation shortens them.
 *
 * @param a,b of one shape [1, …]
 * @param weights M numbers from 0 (a) to 1 (b)
 * @returns [M, …]
 * @throws {RangeError} When the shapes differ, or the vectors have no angle between 0 and π.
 */
export async function interpolateLatents(
  a: tf.Tensor,
  b: tf.Tensor,
  weights: readonly number[],
): Promise<tf.Tensor> {
  requireTensor("a", a);
  requireTensor("b", b);
  requireNumbers("weights", weights);
  if (weights.length === 0) throw new RangeError("weights must hold at least one number, got none");
  if (a.shape[0] !== 1 || String(a.shape) !== String(b.shape)) {
    throw new RangeError(`a and b must have one shape [1, …], got [${a.shape}] and [${b.shape}]`);
  }
  const cosine = tf.tidy(() => a.mul(b).sum().div(a.square().sum().mul(b.square().sum()).sqrt()));
  const angle = Math.acos((await cosine.data())[0]);
  cosine.dispose();
  if (!(Math.sin(angle) > 1e-6)) {
    throw new RangeError(`a and b must span a plane, got an angle of ${angle} between them`);
  }
  const at = (w: number) => {
    const [first, second] = [Math.sin((1 - w) * angle), Math.sin(w * angle)].map((sine) =>
      sine / Math.sin(angle)
    );
    return a.mul(first).add(b.mul(second));
  };
  return tf.tidy(() => tf.concat(weights.map(at), 0));
}

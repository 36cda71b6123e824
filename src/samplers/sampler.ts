/**
 * The interface of sampling algorithms, which take a batch of states from one noise level to a lower one.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import type { Rng } from "../compute/rng.ts";
import { type Awaitable, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { requireFunction } from "../input/require.ts";

/** A sampling algorithm with its options. The state of a run (history, step sizes) is held by its stepper. */
export interface Sampler {
  /** The name in errors and reports. */
  readonly name: string;
  /** "consistency" if the model must be a consistency function. Absent if it must give a score. */
  readonly needs?: "consistency";
  /**
   * Starts a run on one batch; all noise of the run comes from `rng`. `times` are those that the run will visit, for
   * samplers whose options depend on their number; absent where the caller does not know them.
   */
  start(model: AnyScoreModel, rng: Rng, times?: Float64Array): Stepper;
}

/** One run of an algorithm on one batch. */
export interface Stepper {
  /**
   * The state at time s, of x [B, …] at time t. The caller owns the result; x is not disposed. A promise where the
   * model gives one, or the algorithm reads numbers back from the device (adaptive steps).
   */
  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor>;
  /**
   * The data predicted from x [B, …] at time t, in the place of the run's last step and of the denoising after it,
   * unless denoising is switched off. Absent where a step leaves noise that a denoising removes.
   */
  stepToData?(x: tf.Tensor, t: number): Awaitable<tf.Tensor>;
  /**
   * The state that replaces the starting state x at time t; absent to start from x. As in `step`, x is not disposed.
   */
  begin?(x: tf.Tensor, t: number): Awaitable<tf.Tensor>;
  /** The result that replaces the last state x, which may be denoised; absent to return x. */
  finish?(x: tf.Tensor): Awaitable<tf.Tensor>;
  /** Disposes the run's tensors. */
  dispose(): void;
}

/** A stepper without state between steps, from a generator function that computes one step. */
export function statelessStepper(
  step: (x: tf.Tensor, t: number, s: number) => Pausing<tf.Tensor>,
): Stepper {
  requireFunction("step", step);
  return { step: (x, t, s) => tidied(step(x, t, s)), dispose: () => {} };
}

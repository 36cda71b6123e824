/**
 * What a sampling algorithm is: something that moves a batch of states from one noise level to a lower one.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { Rng } from "../compute/rng.ts";
import type { ScoreModel } from "../diffusion/noise_predictor.ts";
import { requireFunction } from "../input/require.ts";

/** An algorithm. It holds options only; whatever a run remembers (history, step sizes) lives in its stepper. */
export interface Sampler {
  /** The name that errors and reports use. */
  readonly name: string;
  /** What it asks of the model beside a score: a consistency function instead. Absent for a score. */
  readonly needs?: "consistency";
  /** Opens one run on one batch; all noise of the run comes from `rng`. */
  start(model: ScoreModel, rng: Rng): Stepper;
}

/** One run of an algorithm on one batch. */
export interface Stepper {
  /**
   * Moves x [B, …] from time t to time s. The caller owns the result; x is not disposed. Only an algorithm that has to
   * read a number back from the device (adaptive steps) returns a promise.
   */
  step(x: tf.Tensor, t: number, s: number): tf.Tensor | Promise<tf.Tensor>;
  /**
   * The data that x [B, …] at time t lead to, in the place of the run's last step and of the denoising after it, unless that is
   * switched off. Absent where a step leaves noise that a denoising removes.
   */
  stepToData?(x: tf.Tensor, t: number): tf.Tensor | Promise<tf.Tensor>;
  /** What a run begins with in the place of the starting state x at time t; absent for x itself. As in `step`, x is not disposed. */
  begin?(x: tf.Tensor, t: number): tf.Tensor | Promise<tf.Tensor>;
  /** What a run hands out in the place of its last state x, which may be denoised; absent for x itself. */
  finish?(x: tf.Tensor): tf.Tensor | Promise<tf.Tensor>;
  /** Frees what the run remembers. */
  dispose(): void;
}

/** A stepper without memory, from what one step computes; every step is one `tf.tidy`. */
export function statelessStepper(step: (x: tf.Tensor, t: number, s: number) => tf.Tensor): Stepper {
  requireFunction("step", step);
  return { step: (x, t, s) => tf.tidy(() => step(x, t, s)), dispose: () => {} };
}

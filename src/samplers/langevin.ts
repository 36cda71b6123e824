/**
 * Langevin dynamics at a fixed noise level: the corrector of predictor-corrector samplers.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { ScoreModel } from "../denoiser.ts";
import type { Rng } from "../compute/rng.ts";
import type { Sampler } from "./sampler.ts";

/** Options of {@linkcode langevin}. */
export interface LangevinOptions {
  /** Target ratio r of the norms of the score's push and of the noise; default 0.16, Song et al.'s for VE. */
  readonly snr?: number;
  /** Moves at each noise level; default 1. */
  readonly steps?: number;
  /** A step size ε(t) of one's own instead of the rule with `snr`. */
  readonly stepSize?: (t: number) => number;
}

/**
 * Langevin dynamics at time s (Song et al. 2021, Alg. 4 and 5); a step from t to s makes `steps` moves
 *
 *   x ← x + ε g + √(2ε) z,   g = score(x, s),   ε = 2 a (r ‖z‖/‖g‖)².
 *
 * Both norms are each sample's own, so that no sample depends on its batch (the papers' code takes batch means). The
 * factor a = (α_t/α_s)² is 1 for VE and, to first order, Alg. 5's 1 − β of the step just taken for VP.
 *
 * The rule is made for many dimensions, where the norms hardly fluctuate; there a variance C settles at C (1 + r²). In a
 * few dimensions ‖g‖ comes near zero and moves get out of hand: give a `stepSize`.
 * @throws RangeError unless snr is positive and steps a positive integer
 */
export function langevin(options: LangevinOptions = {}): Sampler {
  const { snr = 0.16, steps = 1, stepSize } = options;
  if (!(snr > 0 && Number.isFinite(snr))) throw new RangeError(`snr must be a positive number, got ${snr}`);
  requireSteps(steps);
  return {
    name: "langevin",
    start: (model, rng) => ({
      step: (x, t, s) => {
        const { sde } = model;
        if (sde.sigma(s) === 0) return x.clone(); // no score there
        const damping = (sde.alpha(t) / sde.alpha(s)) ** 2;
        return repeated(
          x,
          steps,
          (x) =>
            stepSize === undefined
              ? moveAtSnr(model, rng, x, s, snr, damping)
              : langevinMove(x, model.score(x, s), rng.normal(x.shape), tf.scalar(stepSize(s))),
        );
      },
      dispose: () => {},
    }),
  };
}

/** x + ε g + √(2ε) z, with ε a scalar or one per row. */
export function langevinMove(x: tf.Tensor, score: tf.Tensor, z: tf.Tensor, stepSize: tf.Tensor): tf.Tensor {
  return x.add(score.mul(stepSize)).add(z.mul(stepSize.mul(2).sqrt()));
}

/** Applies a move `count` times, each in one `tf.tidy`, freeing the states between; x is kept. */
export function repeated(x: tf.Tensor, count: number, move: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  let current = x;
  try {
    for (let i = 0; i < count; i++) {
      const next = tf.tidy(() => move(current));
      if (current !== x) current.dispose();
      current = next;
    }
  } catch (error) {
    if (current !== x) current.dispose();
    throw error;
  }
  return current;
}

/** Refuses a number of moves that is none. */
export function requireSteps(steps: number): void {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new RangeError(`steps must be a positive integer, got ${steps}`);
  }
}

function moveAtSnr(
  model: ScoreModel,
  rng: Rng,
  x: tf.Tensor,
  s: number,
  snr: number,
  damping: number,
): tf.Tensor {
  const g = model.score(x, s);
  const z = rng.normal(x.shape);
  const stepSize = squaredNorm(z).div(squaredNorm(g)).mul(2 * damping * snr ** 2);
  return langevinMove(x, g, z, stepSize);
}

/** ‖row‖² of each row, [B, 1, …, 1]. */
function squaredNorm(x: tf.Tensor): tf.Tensor {
  return x.square().sum(x.shape.slice(1).map((_, i) => i + 1), true);
}

/**
 * Consistency models (Song et al. 2023): a function f(y, ν) that maps every point of a probability-flow trajectory to
 * the trajectory's end at ν = 0, so f(y, 0) = y. It is learned from pairs of neighbouring points, which must agree.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import type { Guidance } from "../networks/guidance_interval.ts";
import { checkNumber } from "../input/fields.ts";
import { requireNumbers, requireOptions, requireWhole } from "../input/require.ts";

/**
 * The objective of a consistency model; plain JSON. The recipe follows Geng et al. 2024 ("Consistency models made
 * easy").
 */
export interface ConsistencyObjective {
  /** The kind of objective. */
  readonly kind: "consistency";
  /** Mean of ln t, t the larger noise ratio of a pair, before it is clamped. */
  readonly mean: number;
  /** Standard deviation of ln t. */
  readonly std: number;
  /** Smallest and largest t. */
  readonly range: readonly [smallest: number, largest: number];
  /** Fraction of pairs whose ln t is uniform from ln `highFrom` to the range's end instead, in [0, 1]. */
  readonly highShare: number;
  /** The lower end of these pairs' range. */
  readonly highFrom: number;
  /** The gap ln(t/r) between a pair's noise ratios. */
  readonly gap: {
    /** Gap at the first step. */
    readonly first: number;
    /** Gap from the fraction `settled` of the steps on; on the way there it falls exponentially. */
    readonly last: number;
    /** Fraction of all steps, in (0, 1]. */
    readonly settled: number;
  };
  /** c of the pseudo-Huber loss √(‖Δ‖² + c²) − c. */
  readonly huber: number;
  /**
   * Distillation: how the teacher, whose probability flow leads from t to r, follows its labels. Null for consistency
   * training, where the pair is the same data with the same noise, scaled by t and by r.
   */
  readonly teacher: Guidance | null;
}

/**
 * The recipe for data of `size` numbers: ln t ~ N(−.6, 1.6²) in [.005, 40], an eighth log-uniform in [4, 40]; gap
 * from 1.2 to .12 over three quarters of the steps; c = .00054 √size, as in Song & Dhariwal 2023.
 */
export function consistencyDefaults(size: number, teacher: Guidance | null): ConsistencyObjective {
  requireWhole("size", size, 1);
  if (teacher !== null) requireOptions("teacher", teacher);
  return {
    kind: "consistency",
    mean: -0.6,
    std: 1.6,
    range: [0.005, 40],
    highShare: 1 / 8,
    highFrom: 4,
    gap: { first: 1.2, last: 0.12, settled: 0.75 },
    huber: 0.00054 * Math.sqrt(size),
    teacher,
  };
}

/** The noise ratios of pairs, float64, [B] each. */
interface ConsistencyLevels {
  /** t, at which the student is trained. */
  readonly far: Float64Array;
  /** r < t, at which its moving average gives the target. */
  readonly near: Float64Array;
  /** 1/(t − r), the weight of a pair's loss. */
  readonly weight: Float64Array;
}

/** ln(t/r) after a fraction of the steps, from 0 to 1. */
export function consistencyGap(objective: ConsistencyObjective, done: number): number {
  const { gap } = objective;
  return gap.first * (gap.last / gap.first) ** Math.min(1, done / gap.settled);
}

/**
 * Draws the noise ratios of `rows` pairs; row i comes from the generator's sample i.
 *
 * @param done Fraction of the run's steps already taken, from 0 to 1.
 */
export function drawConsistencyLevels(
  objective: ConsistencyObjective,
  rng: Rng,
  rows: number,
  done: number,
): ConsistencyLevels {
  const { mean, std, range: [smallest, largest], highShare, highFrom } = objective;
  const normal = rng.fork("normal").normalValues([rows]);
  const uniform = rng.fork("uniform").uniformValues([rows]);
  const far = rng.fork("kind").uniformValues([rows]).map((kind, row) =>
    kind < highShare
      ? highFrom * (largest / highFrom) ** uniform[row]
      : Math.min(largest, Math.max(smallest, Math.exp(mean + std * normal[row])))
  );
  const gap = consistencyGap(objective, done);
  return {
    far,
    near: far.map((t) => t * Math.exp(-gap)),
    weight: far.map((t) => -1 / (t * Math.expm1(-gap))),
  };
}

/**
 * The loss, a scalar: mean over rows of w (√(‖Δ‖² + c²) − c) with Δ = predicted − target (Song & Dhariwal 2023, eq. 8).
 *
 * @param predicted f(y_t, t), [B, …].
 * @param target f(y_r, r), [B, …], through which no gradient should flow.
 * @param weight w, [B, 1, …].
 * @param huber c, positive.
 */
export function consistencyLoss(
  predicted: tf.Tensor,
  target: tf.Tensor,
  weight: tf.Tensor,
  huber: number,
): tf.Scalar {
  const rows = target.shape[0];
  return tf.tidy(() => {
    const squares = tf.sum(tf.reshape(tf.square(tf.sub(predicted, target)), [rows, -1]), 1);
    // √(s + c²) − c without the difference, which loses all digits where s is far below c².
    const errors = tf.div(squares, tf.add(tf.sqrt(tf.add(squares, huber * huber)), huber));
    return tf.mean(tf.mul(errors, tf.reshape(weight, [rows])));
  });
}

/**
 * Throws a RangeError that names the first number of an objective that is out of range.
 */
export function checkConsistency(objective: ConsistencyObjective): void {
  requireOptions("objective", objective);
  requireNumbers("range", objective.range);
  requireOptions("gap", objective.gap);
  const { mean, std, range: [smallest, largest], highShare, highFrom, gap, huber } = objective;
  checkNumber("mean", mean);
  checkNumber("std", std, { above: 0 });
  if (!(smallest > 0 && smallest < largest)) {
    throw new RangeError(`range must be two rising positive numbers, got ${smallest} to ${largest}`);
  }
  checkNumber("highShare", highShare, { least: 0, most: 1 });
  checkNumber("highFrom", highFrom, { least: smallest, below: largest });
  checkNumber("gap.first", gap.first, { above: 0 });
  checkNumber("gap.last", gap.last, { above: 0 });
  checkNumber("gap.settled", gap.settled, { above: 0, most: 1 });
  checkNumber("huber", huber, { above: 0 });
}

/**
 * The noise levels and step size of annealed Langevin dynamics, computed from the data: the techniques of NCSNv2
 * (Song & Ermon 2020, "Improved techniques for training score-based generative models"). Everything is in the data's
 * own units.
 * @module
 */
import { normalCdf } from "../math/normal_distribution.ts";
import { requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** Levels and Langevin steps of a noise-conditional score network. */
export interface NcsnSchedule {
  /** σ_1, the largest level. */
  readonly largest: number;
  /** σ_L, the smallest. */
  readonly smallest: number;
  /** L, the number of levels. */
  readonly levels: number;
  /** T, Langevin steps at each level. */
  readonly stepsPerLevel: number;
  /**
   * The step size ε of x ← x + α_i s + √(2α_i) z with α_i = ε σ_i²/σ_L² (Song & Ermon 2020, Alg. 1), as
   * `annealedLangevin` takes it.
   */
  readonly langevinStep: number;
  /** γ = σ_{i−1}/σ_i. */
  readonly ratio: number;
  /**
   * s_T²/σ_i², the relative variance after T steps that start from samples of the level before: 1 if T suffices
   * (technique 4).
   */
  readonly variance: number;
}

/** What a schedule is computed from. */
export interface NcsnScheduleOptions {
  /** σ_1: the largest distance between two data (technique 1), see `largestDistance`. */
  readonly largest: number;
  /** σ_L, small enough for its noise to be invisible. Default .01, the paper's for images in [0, 1]. */
  readonly smallest?: number;
  /** D, the number of coordinates of a datum. */
  readonly dimension: number;
  /** C, the probability that noise of one level lies within the range of the level before (technique 2). Default .5. */
  readonly overlap?: number;
  /** T, Langevin steps at each level, as many as the budget allows (technique 4). Default 5. */
  readonly stepsPerLevel?: number;
}

/** L geometric levels from σ_1 down to σ_L (Song & Ermon 2019, section 4.2). */
export function geometricLevels(largest: number, smallest: number, levels: number): Float64Array {
  requirePositive("the smallest noise level", smallest);
  if (!(Number.isFinite(largest) && largest > smallest)) {
    throw new RangeError(
      `the largest noise level must exceed the smallest, got ${quoted(largest)} ≤ ${smallest}`,
    );
  }
  if (!Number.isInteger(levels) || levels < 2) {
    throw new RangeError(`levels must be a whole number from 2 up, got ${quoted(levels)}`);
  }
  requireWhole("levels", levels, 2, MOST_LEVELS);
  return Float64Array.from(
    { length: levels },
    (_, i) => largest * (smallest / largest) ** (i / (levels - 1)),
  );
}

/**
 * C, the probability that the norm of level i's noise lies within three standard deviations of level i − 1's, for
 * σ_{i−1}/σ_i = γ: Φ(√(2D)(γ − 1) + 3γ) − Φ(√(2D)(γ − 1) − 3γ) (technique 2, proposition 2).
 */
export function levelOverlap(ratio: number, dimension: number): number {
  requirePositive("the ratio", ratio);
  requireWhole("the dimension", dimension, 1, Number.MAX_SAFE_INTEGER);
  const shift = Math.sqrt(2 * dimension) * (ratio - 1);
  // Φ(−low) − Φ(−high) is the same; both terms are small, so that their difference keeps its digits.
  return normalCdf(3 * ratio - shift) - normalCdf(-3 * ratio - shift);
}

/**
 * The ratio γ > 1 at which neighbouring levels overlap by C.
 *
 * @throws {RangeError} Unless C is between 0 and .99 and the dimension a positive integer.
 */
export function ratioOfOverlap(overlap: number, dimension: number): number {
  if (!(typeof overlap === "number" && overlap > 0 && overlap < 0.99)) {
    throw new RangeError(`the overlap must be above 0 and below .99, got ${quoted(overlap)}`);
  }
  requireWhole("the dimension", dimension, 1, Number.MAX_SAFE_INTEGER);
  // √(2D)(γ − 1) − 3γ changes sign between these bounds: from full overlap to no overlap, if D lets levels separate
  // at all.
  let [low, high] = [1, 2];
  while (levelOverlap(high, dimension) > overlap) {
    high *= 2;
    if (high > 1e6) {
      throw new RangeError(
        `in ${dimension} dimensions all levels overlap by more than ${overlap}: give the number of levels instead`,
      );
    }
  }
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (levelOverlap(middle, dimension) > overlap) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * s_T²/σ_i², the relative variance after T Langevin steps at level i that start from the variance γ²σ_i² of level i −
 * 1, for data at a point (technique 4, eq. 4): (1 − ε/σ_L²)^{2T} (γ² − v) + v with v = 2ε/(σ_L² − σ_L² (1 −
 * ε/σ_L²)²).
 */
export function varianceAfter(
  plan: Pick<NcsnSchedule, "ratio" | "smallest" | "langevinStep" | "stepsPerLevel">,
): number {
  const { ratio, smallest, langevinStep, stepsPerLevel } = plan;
  const step = langevinStep / smallest ** 2;
  const kept = (1 - step) ** 2;
  // A relative step that rounds to 0, or is 2, gives the variance no limit: every step adds 2 ε/σ².
  if (kept === 1) return ratio ** 2 + 2 * step * stepsPerLevel;
  const limit = 2 * step / (1 - kept);
  return kept ** stepsPerLevel * (ratio ** 2 - limit) + limit;
}

/**
 * The ε for which s_T²/σ_i² is nearest to 1 (technique 4), by search: s_T²/σ_i² decreases from γ² as ε grows, until
 * the noise of the steps dominates.
 */
export function bestLangevinStep(ratio: number, smallest: number, stepsPerLevel: number): number {
  const distance = (step: number) =>
    Math.abs(
      varianceAfter({ ratio, smallest, stepsPerLevel, langevinStep: step * smallest ** 2 }) - 1,
    );
  // A scan of steps ε/σ_L² on (0, 1), then finer ones around the best.
  let [low, high] = [0, 1];
  let best = 0.5;
  for (let round = 0; round < 12; round++) {
    const width = (high - low) / 1000;
    for (let i = 1; i < 1000; i++) {
      const step = low + i * width;
      if (distance(step) < distance(best)) best = step;
    }
    [low, high] = [Math.max(0, best - width), Math.min(1, best + width)];
  }
  return best * smallest ** 2;
}

/**
 * The schedule of NCSNv2: σ_1 from the data, L from the overlap of neighbouring levels, ε from T.
 *
 * @throws {RangeError} When a number is out of its range.
 */
export function ncsnSchedule(options: NcsnScheduleOptions): NcsnSchedule {
  requireOptions("options", options);
  const { largest, smallest = 0.01, dimension, overlap = 0.5, stepsPerLevel = 5 } = options;
  requirePositive("the smallest noise level", smallest);
  if (!(Number.isFinite(largest) && largest > smallest)) {
    throw new RangeError(
      `the largest noise level must exceed the smallest, got ${quoted(largest)} ≤ ${smallest}`,
    );
  }
  requireWhole("stepsPerLevel", stepsPerLevel, 1);
  const widest = ratioOfOverlap(overlap, dimension);
  const levels = 1 + Math.max(1, Math.ceil(Math.log(largest / smallest) / Math.log(widest)));
  requireWhole("the number of levels", levels, 2, MOST_LEVELS);
  const ratio = (largest / smallest) ** (1 / (levels - 1));
  const langevinStep = bestLangevinStep(ratio, smallest, stepsPerLevel);
  const variance = varianceAfter({ ratio, smallest, langevinStep, stepsPerLevel });
  return { largest, smallest, levels, stepsPerLevel, langevinStep, ratio, variance };
}

/** The largest number of levels of a schedule. */
const MOST_LEVELS = 1e7;

/**
 * Numbers on the host for the rows of a batch: one for all rows, or one for each.
 * @module
 */
import * as tf from "./tf.ts";
import { requireBetween } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** One value for the whole batch, or one per row; float64 on the host. */
export type PerRow = number | Float64Array;

/** Applies a function of one value to the batch's value or to each row's. */
export function mapPerRow(values: PerRow, f: (value: number) => number): PerRow {
  if (typeof values !== "number" && !(values instanceof Float64Array)) {
    throw new TypeError(`expected a number or a Float64Array of one number a row, got ${quoted(values)}`);
  }
  // NaN marks a row that is not finite, for which the solver throws; it stays NaN.
  return typeof values === "number" ? f(values) : values.map((value) => Number.isNaN(value) ? NaN : f(value));
}

/**
 * The values as a float32 tensor that broadcasts against `like`: a scalar, or [B, 1, …, 1] of like's rank.
 *
 * @throws {RangeError} When there is not one value per row of `like`.
 */
export function column(values: PerRow, like: tf.Tensor): tf.Tensor {
  if (typeof values === "number") return tf.scalar(values, "float32");
  if (values.length !== like.shape[0]) {
    throw new RangeError(`expected one value per row, got ${values.length} for ${like.shape[0]} rows`);
  }
  return tf.tensor(Float32Array.from(values), [values.length, ...like.shape.slice(1).fill(1)]);
}

/**
 * Throws for invalid noise ratios: below 0 or not finite. NaN in an array is allowed: it marks a row that is not
 * finite.
 *
 * @throws {RangeError} When a ratio is invalid, naming it.
 */
export function requireRatios(noiseRatio: PerRow, most: number = Infinity): void {
  if (typeof noiseRatio === "number" || !(noiseRatio instanceof Float64Array)) {
    requireBetween("noiseRatio", noiseRatio, 0, most);
    return;
  }
  for (const ratio of noiseRatio) if (!Number.isNaN(ratio)) requireBetween("noiseRatio", ratio, 0, most);
}

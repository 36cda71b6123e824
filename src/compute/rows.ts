/**
 * Host numbers that belong to the rows of a batch: one for all, or one for each.
 * @module
 */
import * as tf from "./tf.ts";

/** One value for the whole batch, or one per row; float64 on the host. */
export type PerRow = number | Float64Array;

/** Applies a function of one value to the batch's value or to each row's. */
export function mapPerRow(values: PerRow, f: (value: number) => number): PerRow {
  return typeof values === "number" ? f(values) : values.map(f);
}

/**
 * The values as a float32 tensor that broadcasts against `like`: a scalar, or [B, 1, …, 1] of like's rank.
 *
 * @throws {RangeError} if there is not one value per row of `like`
 */
export function column(values: PerRow, like: tf.Tensor): tf.Tensor {
  if (typeof values === "number") return tf.scalar(values, "float32");
  if (values.length !== like.shape[0]) {
    throw new RangeError(`expected one value per row, got ${values.length} for ${like.shape[0]} rows`);
  }
  return tf.tensor(Float32Array.from(values), [values.length, ...like.shape.slice(1).fill(1)]);
}

/**
 * Conjugate gradients on every row of a batch at once.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { Pausing } from "../compute/tidied.ts";

/** A symmetric, positive definite matrix M as the product of two factors, each applied to every row. */
interface FactoredMatrix {
  /** The first factor; linear. */
  inner(v: tf.Tensor): Pausing<tf.Tensor>;
  /** M v, given inner(v). */
  outer(innerOfV: tf.Tensor, v: tf.Tensor): tf.Tensor;
}

/**
 * Approximates inner(v) for the solution v of M v = b by conjugate gradients from 0 (Hestenes & Stiefel 1952), row by
 * row: exact, but for rounding, after as many iterations as M has distinct eigenvalues. A row that has converged, or
 * whose M is not positive along the search direction, is not changed any more. Each iteration applies M once, and
 * inner(v) takes no further application.
 *
 * @param b [B, …]; not disposed
 */
export function* conjugateGradients(
  matrix: FactoredMatrix,
  b: tf.Tensor,
  iterations: number,
): Pausing<tf.Tensor> {
  let solution: tf.Tensor | null = null;
  let residual = b;
  let direction = b;
  let squares = product(b, b);
  for (let i = 0;; i++) {
    const within = yield* matrix.inner(direction);
    const image = matrix.outer(within, direction);
    const length = quotient(squares, product(direction, image));
    const step = within.mul(rankAs(length, within));
    solution = solution === null ? step : tf.add(solution, step);
    if (i + 1 === iterations) return solution;
    residual = residual.sub(image.mul(length));
    const next = product(residual, residual);
    direction = residual.add(direction.mul(quotient(next, squares)));
    squares = next;
  }
}

/** A scalar, or [B, 1, …] of another rank, so that it broadcasts against a batch. */
export function rankAs(values: tf.Tensor, batch: tf.Tensor): tf.Tensor {
  return values.rank === 0 ? values : values.reshape([values.shape[0], ...batch.shape.slice(1).fill(1)]);
}

/** ⟨a, b⟩ of each row, [B, 1, …, 1]. */
function product(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return a.mul(b).sum(a.shape.slice(1).map((_, i) => i + 1), true);
}

/** a/b where b is positive, else 0. */
function quotient(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const positive = b.greater(0);
  return tf.where(positive, a.div(tf.where(positive, b, tf.onesLike(b))), tf.zerosLike(a));
}

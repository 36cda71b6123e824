/**
 * Conjugate gradients on every row of a batch at once.
 * @module
 */
import * as tf from "../compute/tf.ts";

/**
 * Approximates the solution v of M v = b by conjugate gradients from 0 (Hestenes & Stiefel 1952), row by row: exact, but for
 * rounding, after as many iterations as M has distinct eigenvalues. A row that is done, or whose M is not positive along
 * the search direction, stays as it is.
 *
 * @param matrix M, symmetric and positive, applied to each row of [B, …]; called once an iteration
 * @param b [B, …]; not disposed
 */
export function conjugateGradients(
  matrix: (v: tf.Tensor) => tf.Tensor,
  b: tf.Tensor,
  iterations: number,
): tf.Tensor {
  return tf.tidy(() => {
    let solution = tf.zerosLike(b);
    let residual = b;
    let direction = b;
    let squares = inner(b, b);
    for (let i = 0; i < iterations; i++) {
      const image = matrix(direction);
      const length = quotient(squares, inner(direction, image));
      solution = solution.add(direction.mul(length));
      if (i + 1 === iterations) break;
      residual = residual.sub(image.mul(length));
      const next = inner(residual, residual);
      direction = residual.add(direction.mul(quotient(next, squares)));
      squares = next;
    }
    return solution;
  });
}

/** ⟨a, b⟩ of each row, [B, 1, …, 1]. */
function inner(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return a.mul(b).sum(a.shape.slice(1).map((_, i) => i + 1), true);
}

/** a/b where b is positive, else 0. */
function quotient(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const positive = b.greater(0);
  return tf.where(positive, a.div(tf.where(positive, b, tf.onesLike(b))), tf.zerosLike(a));
}

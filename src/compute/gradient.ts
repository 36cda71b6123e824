/**
 * Gradients of functions that a user may have written: a function that hides its gradient is an error in one sentence.
 * @module
 */
import * as tf from "./tf.ts";

/** The transposed Jacobian of f at x times dy, which is of f(x)'s shape; by default of ones. */
export type Gradient = (x: tf.Tensor, dy?: tf.Tensor) => tf.Tensor;

/**
 * The gradient of f, as `tf.grad` gives it.
 *
 * @param what What f computes, for errors, such as "the predicted noise".
 * @throws {Error} When used, if f's value does not come from its argument by TensorFlow.js operations with gradients: it was
 * computed from values that were read back, or is a constant.
 */
export function gradientOf(f: (x: tf.Tensor) => tf.Tensor, what: string): Gradient {
  const gradient = tf.grad(f);
  return (x, dy) => named(() => gradient(x, dy), what);
}

/** As {@linkcode gradientOf}, with f's value beside the gradient. */
export function valueAndGradientOf(
  f: (x: tf.Tensor) => tf.Tensor,
  what: string,
): (x: tf.Tensor, dy: tf.Tensor) => { value: tf.Tensor; grad: tf.Tensor } {
  const valueAndGradient = tf.valueAndGrad(f);
  return (x, dy) => named(() => valueAndGradient(x, dy), what);
}

function named<T>(action: () => T, what: string): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Cannot compute gradient"))) throw error;
    const lacking = /gradient function not found for (\w+)/.exec(error.message)?.[1];
    throw new Error(
      lacking === undefined
        ? `${what} has no gradient: compute it from its argument by TensorFlow.js operations alone`
        : `${what} has no gradient: TensorFlow.js knows none of the operation ${lacking}`,
      { cause: error },
    );
  }
}

/**
 * Gradients of functions, which may be a user's: a function without a TensorFlow.js gradient is an error.
 * @module
 */
import * as tf from "./tf.ts";
import type { Awaitable } from "./tidied.ts";

/** The transposed Jacobian of f at x times dy, a tensor of f(x)'s shape, by default ones. */
type Gradient = (x: tf.Tensor, dy?: tf.Tensor) => tf.Tensor;

/**
 * The gradient of f, as of `tf.grad`.
 *
 * @param what The name of f's value in errors, such as "the predicted noise".
 * @throws {Error} When used, if f's value is not computed from its argument by TensorFlow.js operations with
 * gradients alone: a part of it was computed from values that were read back, or all of it is constant.
 */
export function gradientOf(f: (x: tf.Tensor) => tf.Tensor, what: string): Gradient {
  const gradient = tf.grad((x) => withoutReads([x], () => atOnce(f(x), what), what));
  return (x, dy) => differentiated(() => gradient(x, dy), what);
}

/** As {@linkcode gradientOf}, with f's value beside the gradient. */
export function valueAndGradientOf(
  f: (x: tf.Tensor) => tf.Tensor,
  what: string,
): (x: tf.Tensor, dy: tf.Tensor) => { value: tf.Tensor; grad: tf.Tensor } {
  const valueAndGradient = tf.valueAndGrad((x: tf.Tensor) =>
    withoutReads([x], () => atOnce(f(x), what), what)
  );
  return (x, dy) => differentiated(() => valueAndGradient(x, dy), what);
}

/** As {@linkcode valueAndGradientOf}, for a scalar f of a list of tensors. */
export function valueAndGradientsOf(
  f: (...tensors: tf.Tensor[]) => tf.Scalar,
  what: string,
): (tensors: tf.Tensor[]) => { value: tf.Scalar; grads: tf.Tensor[] } {
  const valueAndGradients = tf.valueAndGrads((...tensors: tf.Tensor[]) =>
    withoutReads(tensors, () => f(...tensors), what)
  );
  return (tensors) => differentiated(() => valueAndGradients(tensors), what);
}

/**
 * The value of a function that is differentiated.
 *
 * @param remedy What the error's sentence ends with, such as ": give pullBack".
 * @throws {TypeError} When it is a promise, whose result is disposed: TensorFlow.js would not record how it came about.
 */
export function atOnce<T>(value: Awaitable<T>, what: string, remedy = ""): T {
  if (!(value instanceof Promise)) return value;
  value.then((late) => late instanceof tf.Tensor && late.dispose(), () => {});
  throw new TypeError(
    `${what} has no gradient: its model answers later, by a promise, and TensorFlow.js differentiates only what is computed at once${remedy}`,
  );
}

/**
 * The result of an action that differentiates; when it throws, the tensors that TensorFlow.js kept for the gradient
 * are disposed.
 */
function differentiated<T>(action: () => T, what: string): T {
  try {
    return action();
  } catch (error) {
    disposeTape();
    if (!(error instanceof Error && error.message.startsWith("Cannot compute gradient"))) throw error;
    const lacking = /gradient function not found for (\w+)/.exec(error.message)?.[1];
    throw lacking === undefined
      ? hidden(what, error)
      : new Error(`${what} has no gradient: TensorFlow.js knows none of the operation ${lacking}`, {
        cause: error,
      });
  }
}

/**
 * Runs an action whose operations TensorFlow.js records, and throws when it reads values that depend on the given
 * tensors: results computed from them outside TensorFlow.js would count as constants, and the gradient would be wrong
 * without an error.
 */
function withoutReads<T>(sources: readonly tf.Tensor[], action: () => T, what: string): T {
  const engine = tf.engine();
  const { readSync } = engine;
  engine.readSync = (dataId) => {
    const { gradientDepth, kernelDepth, activeTape } = engine.state;
    // Within a kernel, or a function with a custom gradient, values may be read.
    if (gradientDepth > 0 && kernelDepth === 0 && dependentData(sources, activeTape).has(dataId)) {
      throw hidden(what);
    }
    return readSync.call(engine, dataId);
  };
  try {
    return action();
  } finally {
    engine.readSync = readSync;
  }
}

/**
 * The data of some tensors and of all that was computed from them, by the operations in the order in which they were
 * recorded.
 */
function dependentData(
  sources: readonly tf.Tensor[],
  tape: ReturnType<typeof tf.engine>["state"]["activeTape"],
): Set<object> {
  const data = new Set<object>(sources.map(({ dataId }) => dataId));
  for (const { inputs, outputs } of tape) {
    if (!Object.values(inputs).some(({ dataId }) => data.has(dataId))) continue;
    for (const { dataId } of outputs) data.add(dataId);
  }
  return data;
}

function hidden(what: string, cause?: Error): Error {
  return new Error(
    `${what} has no gradient: compute it from its argument by TensorFlow.js operations alone`,
    { cause },
  );
}

/**
 * Disposes the tensors that a gradient's operations saved. TensorFlow.js does so only at the end of a successful
 * gradient.
 */
function disposeTape(): void {
  const { state } = tf.engine();
  // A gradient within a gradient shares the outer one's tape, which may continue.
  if (state.gradientDepth > 0) return;
  for (const { saved } of state.activeTape ?? []) tf.dispose(saved ?? []);
  state.activeTape = null as unknown as typeof state.activeTape;
}

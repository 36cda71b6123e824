/**
 * Gradients of functions that a user may have written: a function that hides its gradient is an error in one sentence.
 * @module
 */
import * as tf from "./tf.ts";

/** The transposed Jacobian of f at x times dy, which is of f(x)'s shape; by default of ones. */
type Gradient = (x: tf.Tensor, dy?: tf.Tensor) => tf.Tensor;

/**
 * The gradient of f, as `tf.grad` gives it.
 *
 * @param what What f computes, for errors, such as "the predicted noise".
 * @throws {Error} When used, if f's value does not come from its argument by TensorFlow.js operations with gradients alone: some
 * part of it was computed from values that were read back, or all of it is a constant.
 */
export function gradientOf(f: (x: tf.Tensor) => tf.Tensor, what: string): Gradient {
  const gradient = tf.grad((x) => withoutReads([x], () => f(x), what));
  return (x, dy) => differentiated(() => gradient(x, dy), what);
}

/** As {@linkcode gradientOf}, with f's value beside the gradient. */
export function valueAndGradientOf(
  f: (x: tf.Tensor) => tf.Tensor,
  what: string,
): (x: tf.Tensor, dy: tf.Tensor) => { value: tf.Tensor; grad: tf.Tensor } {
  const valueAndGradient = tf.valueAndGrad((x: tf.Tensor) => withoutReads([x], () => f(x), what));
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

/** What an action gives that differentiates; when it throws, the tensors are freed that TensorFlow.js kept for the way back. */
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
 * Runs an action of which TensorFlow.js records the operations, and refuses to let it read values that depend on some tensors:
 * what it computes from them outside TensorFlow.js would be taken for a constant, and the gradient be wrong without an error.
 */
function withoutReads<T>(sources: readonly tf.Tensor[], action: () => T, what: string): T {
  const engine = tf.engine();
  const { readSync } = engine;
  engine.readSync = (dataId) => {
    const { gradientDepth, kernelDepth, activeTape } = engine.state;
    // Within a kernel, or a function with a gradient of its own, values may be read.
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

/** The data of some tensors and of all that was computed from them, by the operations in the order in which they were recorded. */
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

/** Frees what the operations of a gradient have saved. TensorFlow.js does so only at the end of a gradient that succeeds. */
function disposeTape(): void {
  const { state } = tf.engine();
  // A gradient within a gradient shares the outer one's tape, which may go on.
  if (state.gradientDepth > 0) return;
  for (const { saved } of state.activeTape ?? []) tf.dispose(saved ?? []);
  state.activeTape = null as unknown as typeof state.activeTape;
}

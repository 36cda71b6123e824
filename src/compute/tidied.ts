/**
 * Computations on tensors that may wait for promises in between, tidied up as by `tf.tidy`, which cannot wait.
 * @module
 */
import { requireMethods } from "../input/require.ts";
import * as tf from "./tf.ts";

/** A computation with the result T: a generator that pauses at promises and goes on with what they resolve to. */
export type Pausing<T> = Generator<Promise<unknown>, T, unknown>;

/** What may be there at once or later. */
export type Awaitable<T> = T | Promise<T>;

/**
 * The value itself, or what the promise resolves to. `yield* awaited(value)` in a {@linkcode Pausing} computation is
 * what `await value` is in an async function, without a pause for what is no promise.
 */
export function* awaited<T>(value: Awaitable<T>): Pausing<T> {
  return value instanceof Promise ? (yield value) as T : value;
}

/**
 * Runs a computation to its end, and disposes the tensors that it made or was given by promises, except its result
 * and what `tf.keep` keeps. If no promise is in its way, the result is returned at once; else a promise of it, which
 * must not be awaited within `tf.tidy`.
 *
 * @example Twice what a promise gives
 * ```ts
 * import * as tf from "./tf.ts";
 * import { awaited, tidied } from "./tidied.ts";
 * const later = Promise.resolve(tf.scalar(21));
 * const twice = await tidied((function* () {
 *   const value = yield* awaited(later);
 *   return value.mul(2);
 * })());
 * console.assert((await twice.data())[0] === 42);
 * ```
 * @throws {TypeError} When the computation is not a generator.
 */
export function tidied<T>(computation: Pausing<T>): Awaitable<T> {
  requireMethods("computation", computation, ["next", "throw"], "a generator, as a function* returns it");
  const first = advance(() => computation.next());
  return first.done ? first.result : completed(computation, first);
}

/** A computation at its end, or at a pause with the tensors that it has made since the last one. */
type Progress<T> =
  | { readonly done: true; readonly result: T }
  | { readonly done: false; readonly pause: Promise<unknown>; readonly made: readonly tf.Tensor[] };

/** Goes on to the next pause or the end; what is made on the way to an error is disposed. */
function advance<T>(
  next: () => IteratorResult<Promise<unknown>, T>,
): Progress<T> {
  let pause: Promise<unknown> | undefined;
  const result = tf.tidy(() => {
    const { done, value } = next();
    if (done) return value;
    pause = value;
    return [...tf.engine().state.activeScope.track];
  });
  return pause === undefined
    ? { done: true, result: result as T }
    : { done: false, pause, made: result as tf.Tensor[] };
}

async function completed<T>(
  computation: Pausing<T>,
  progress: Progress<T>,
): Promise<T> {
  const made: tf.Tensor[] = [];
  let result: readonly tf.Tensor[] = [];
  try {
    while (!progress.done) {
      made.push(...progress.made);
      const next = await progress.pause.then(
        (value) => {
          made.push(...tensorsOf(value));
          return () => computation.next(value);
        },
        (error) => () => computation.throw(error),
      );
      progress = advance(next);
    }
    result = tensorsOf(progress.result);
    return progress.result;
  } finally {
    tf.dispose(made.filter((tensor) => !tensor.kept && !result.includes(tensor)));
  }
}

/** The tensors in a tensor, a list or an object of them. */
function tensorsOf(value: unknown): tf.Tensor[] {
  if (value instanceof tf.Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsOf) : [];
}

/**
 * Adaptive steps: every row of a batch has a time and a step length of its own.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { Awaitable } from "../compute/tidied.ts";
import { requireOptions, requirePositive } from "../input/require.ts";

/** The next tensors [B, …], and the ratio [B] of the error to the tolerance. */
export type Attempt = [tf.Tensor[], tf.Tensor];

/** A method that estimates the error of its steps. */
export interface AdaptiveMethod {
  /** The name in error messages. */
  readonly name: string;
  /**
   * One step of every row, from its time to its end. The caller owns the tensors.
   */
  attempt(tensors: readonly tf.Tensor[], times: Float64Array, ends: Float64Array): Awaitable<Attempt>;
  /** The next step's length after a step with the given error, which was accepted if the error is at most 1. */
  nextLength(error: number, row: number, time: number, end: number): number;
}

/**
 * Integrates tensors [B, …] from time `from` to time `to`. A row's step is accepted if its error is at most 1, else
 * tried again with another length; a row that has arrived stays unchanged. The given tensors are disposed.
 *
 * @param lengths The step length that each row would take next, changed in place.
 * @throws {Error} When an error is not finite or `to` is not reached in the allowed attempts, naming time and error.
 */
export async function adaptiveSteps(
  tensors: tf.Tensor[],
  from: number,
  to: number,
  lengths: Float64Array,
  maxAttempts: number,
  method: AdaptiveMethod,
): Promise<tf.Tensor[]> {
  const rows = lengths.length;
  const direction = Math.sign(to - from);
  const times = new Float64Array(rows).fill(from);
  let errors: Float32Array | null = null;
  try {
    for (let attempt = 0; times.some((time) => time !== to); attempt++) {
      if (attempt === maxAttempts) {
        const behind = furthest(times, to);
        const last = errors?.[times.indexOf(behind)].toPrecision(3) ?? "unknown";
        throw new Error(
          `${method.name} did not reach time ${to} in ${attempt} attempts, it is at ${behind}, ` +
            `where the last step's error was ${last} times the tolerance`,
        );
      }
      const ends = times.map((time, row) =>
        lengths[row] >= Math.abs(to - time) ? to : time + direction * lengths[row]
      );
      const [next, estimate] = await method.attempt(tensors, times, ends);
      errors = await readAndDispose(estimate);
      const accepted = new Uint8Array(rows);
      for (let row = 0; row < rows; row++) {
        if (times[row] === to) continue;
        const error = errors[row];
        if (!Number.isFinite(error) || ends[row] === times[row]) {
          tf.dispose(next);
          const what = Number.isFinite(error) ? error : "NaN or infinite";
          throw new Error(
            `${method.name} cannot go on from time ${times[row]}: the error estimate is ${what}`,
          );
        }
        const length = method.nextLength(error, row, times[row], ends[row]);
        if (error <= 1) {
          accepted[row] = 1;
          // A step that the end cut short says little about the length that the tolerance allows.
          lengths[row] = ends[row] === to ? Math.max(lengths[row], length) : length;
          times[row] = ends[row];
        } else {
          lengths[row] = length;
        }
      }
      tensors = tensors.map((tensor, index) => select(accepted, next[index], tensor));
    }
    return tensors;
  } catch (error) {
    tf.dispose(tensors);
    throw error;
  }
}

/** Root mean square of each row, [B]. */
export function rootMeanSquare(x: tf.Tensor): tf.Tensor {
  return x.square().mean(x.shape.slice(1).map((_, i) => i + 1)).sqrt();
}

/** Reads a tensor's numbers and disposes it. */
export async function readAndDispose(x: tf.Tensor): Promise<Float32Array> {
  const values = await x.data<"float32">();
  x.dispose();
  return values;
}

/** Throws for tolerances that are not positive. */
export function requireTolerances(options: { readonly rtol?: number; readonly atol?: number }): void {
  requireOptions("options", options);
  for (const name of ["rtol", "atol"] as const) {
    if (options[name] !== undefined) requirePositive(name, options[name]);
  }
}

/** The time that is farthest from the end. */
function furthest(times: Float64Array, to: number): number {
  return times.reduce((most, time) => Math.abs(time - to) > Math.abs(most - to) ? time : most, to);
}

/** Rows of `next` where accepted, else rows of `current`; both are disposed. */
function select(accepted: Uint8Array, next: tf.Tensor, current: tf.Tensor): tf.Tensor {
  const chosen = tf.tidy(() => {
    const mask = tf.tensor(accepted, [accepted.length, ...next.shape.slice(1).fill(1)], "bool");
    return tf.where(tf.broadcastTo(mask, next.shape), next, current);
  });
  next.dispose();
  current.dispose();
  return chosen;
}

/** Checks of tensors that are arguments or results of a caller's functions. @module */
import { quoted, quotedShape } from "../input/quoted.ts";
import * as tf from "./tf.ts";

/** The required properties of a tensor. */
interface TensorLimits {
  /** Number of axes. */
  readonly rank?: number;
  /** The fewest axes. */
  readonly leastRank?: number;
  /** Lengths of the axes, null for any length. */
  readonly shape?: readonly (number | null)[];
  /** Whether it may have no entries. */
  readonly empty?: boolean;
}

/**
 * Throws unless the value is a float32 tensor of the required shape. TensorFlow.js does not check element types: on
 * wasm it reads the bits of int32 as float32, and booleans corrupt its memory.
 *
 * @throws {TypeError} When it is not a tensor, was disposed or is not float32.
 * @throws {RangeError} When it has another shape, or no entries.
 */
export function requireTensor(
  name: string,
  value: unknown,
  limits: TensorLimits = {},
): asserts value is tf.Tensor {
  if (!(value instanceof tf.Tensor)) throw new TypeError(`${name} must be a tensor, got ${quoted(value)}`);
  if (value.isDisposed) throw new TypeError(`${name} must be a tensor that is not disposed`);
  if (value.dtype !== "float32") {
    throw new TypeError(
      `${name} must be a float32 tensor, got ${value.dtype} of shape ${quotedShape(value.shape)}: cast it`,
    );
  }
  const { rank, leastRank = 1, shape, empty = false } = limits;
  const fits = (rank === undefined || value.rank === rank) && value.rank >= leastRank &&
    (shape === undefined ||
      (value.rank === shape.length && shape.every((n, i) => n === null || n === value.shape[i])));
  if (!fits || (value.size === 0 && !empty)) {
    const wanted = shape !== undefined
      ? `have the shape [${shape.map((n) => n ?? "any").join(", ")}]`
      : rank !== undefined
      ? `have ${rank} axes`
      : `have ${leastRank === 1 ? "an axis" : `at least ${leastRank} axes`}`;
    throw new RangeError(`${name} must ${wanted} and entries, got ${quotedShape(value.shape)}`);
  }
}

/**
 * Throws unless the result of a caller's function is a float32 tensor of the required shape; operations would
 * broadcast another shape without an error. The later result of a promise is disposed.
 *
 * @param name The result's name in errors, such as `the predicted noise`.
 * @param like The tensor whose shape it must have.
 * @throws {TypeError} When it is a promise, not a tensor, was disposed or is not float32.
 * @throws {RangeError} When it has another shape.
 */
export function requireResult(name: string, value: unknown, like: tf.Tensor): asserts value is tf.Tensor {
  const wanted = `${name} must be a float32 tensor of shape ${quotedShape(like.shape)}`;
  if (!(value instanceof tf.Tensor)) {
    if (!(value instanceof Promise)) throw new TypeError(`${wanted}, got ${quoted(value)}`);
    const late = (brought: unknown) => brought instanceof tf.Tensor && brought !== like && brought.dispose();
    value.then(late, () => {});
    throw new TypeError(
      `${wanted}, got a promise: return the tensor itself, from a function that is not async`,
    );
  }
  if (value.isDisposed) throw new TypeError(`${wanted}, got one that was disposed`);
  const { dtype, shape } = value;
  const got = `got ${dtype} of shape ${quotedShape(shape)}`;
  if (dtype !== "float32") throw new TypeError(`${wanted}, ${got}`);
  if (shape.length !== like.rank || shape.some((size: number, axis: number) => size !== like.shape[axis])) {
    throw new RangeError(`${wanted}, ${got}`);
  }
}

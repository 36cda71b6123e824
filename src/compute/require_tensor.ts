/** Checks of tensors that come from outside. @module */
import { quoted, quotedShape } from "../input/quoted.ts";
import * as tf from "./tf.ts";

/** What a tensor must be like. */
interface TensorLimits {
  /** Number of axes. */
  readonly rank?: number;
  /** The fewest axes. */
  readonly leastRank?: number;
  /** Lengths of the axes, null where any length will do. */
  readonly shape?: readonly (number | null)[];
  /** Whether it may have no entries. */
  readonly empty?: boolean;
}

/**
 * Refuses what is no float32 tensor of the shape that is wanted. TensorFlow.js takes other element types for granted: on
 * wasm it reads the bits of whole numbers as fractions, and truth values break its memory.
 *
 * @throws {TypeError} if it is no tensor, was disposed or holds anything but float32
 * @throws {RangeError} if it has another shape, or no entries
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
 * Refuses what a function of one's own returned unless it is a float32 tensor of a shape; operations would broadcast another
 * shape without a word. What a promise brings later is disposed.
 *
 * @param name What was returned, such as `the predicted noise`.
 * @param like The tensor whose shape it must have.
 * @throws {TypeError} if it is a promise, no tensor, was disposed or holds anything but float32
 * @throws {RangeError} if it has another shape
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

/**
 * What a case for tracing is.
 * @module
 */
import * as tf from "../../src/compute/tf.ts";

/** A function to be held against its eager self. */
export interface TraceCase {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly apply: (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Values are uniform in this interval; (−2, 2) by default. */
  readonly interval?: readonly [number, number];
  /** Whether the gradient is held too; it is that of a weighted sum of the first output. */
  readonly differentiable?: boolean;
  /** Who computes eagerly: cpu, except where its kernel is absent or wrong. */
  readonly reference?: "cpu" | "wasm";
}

/** 1×1 convolution that leaves its image as it is, so that what follows meets the storage order of convolutions. */
export function fromConvolution(x: tf.Tensor): tf.Tensor4D {
  const channels = x.shape[3]!;
  const filter = tf.reshape(tf.eye(channels), [1, 1, channels, channels]) as tf.Tensor4D;
  return tf.conv2d(x as tf.Tensor4D, filter, 1, "same");
}

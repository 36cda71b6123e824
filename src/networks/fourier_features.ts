/**
 * Fourier features of a network's input: they resolve the position of a value within a quantization bin, on which
 * likelihoods of bytes depend (the Fourier features of Kingma et al. 2021, "Variational Diffusion Models", Appendix
 * C).
 * @module
 */
import { checkNumbers } from "../input/fields.ts";
import * as tf from "../compute/tf.ts";

/**
 * cos and sin of 2π x/period: [B, H, W, C] → [B, H, W, 2·C·periods]. Whole periods are taken off first, because a GPU's
 * cosine of a large float32 argument may be wrong.
 */
export function inputWaves(x: tf.Tensor, periods: readonly number[]): tf.Tensor {
  const waves = periods.flatMap((period) => {
    const turns = tf.div(x, period);
    const phase = tf.mul(tf.sub(turns, tf.floor(turns)), 2 * Math.PI);
    return [tf.cos(phase), tf.sin(phase)];
  });
  return tf.concat(waves, 3);
}

/** Throws a TypeError unless periods are a list, a RangeError unless each is a positive number. */
export function checkPeriods(periods: readonly number[]): void {
  checkNumbers("wavePeriods", periods, { above: 0 });
}

/**
 * How posterior samples differ from the images whose measurements they were drawn for.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { LinearOperator } from "../conditioning/observation.ts";
import { sizeOf } from "../math/shape.ts";
import { posteriorMoments } from "../metrics/posterior_moments.ts";

/** Images and the samples that were drawn for their measurements, in model units. */
export interface PosteriorImages {
  /** [height, width, channels]. */
  readonly shape: readonly number[];
  /** How many images. */
  readonly inputs: number;
  /** How many samples of each. */
  readonly samples: number;
  /** [inputs, …shape]. */
  readonly originals: Float32Array;
  /** [inputs, samples, …shape], not clipped. */
  readonly values: Float32Array;
}

/** What samples are where pixels were hidden, and where not. */
export interface HiddenErrors {
  /** Fraction of the pixels that are hidden. */
  readonly hidden: number;
  /** The most by which a known value was changed, in model units. */
  readonly knownError: number;
  /** Root mean square standard deviation of hidden values over the samples, in model units; null of one sample, or of none hidden. */
  readonly hiddenStd: number | null;
}

/** How far samples are from the originals and from what was measured, root mean squares in units of a pixel's range. */
export interface RestorationErrors {
  /** Of the means of samples, from the originals. */
  readonly meanError: number;
  /** Of samples, from the originals. */
  readonly sampleError: number;
  /** Of the samples' own measurements, without noise, from those that were made. */
  readonly residual: number;
}

/** How far known values are from what they were, and how far hidden ones vary. */
export function hiddenErrors(
  { originals, values, inputs, samples }: PosteriorImages,
  mask: ArrayLike<number>,
): HiddenErrors {
  const size = mask.length;
  let knownError = 0;
  values.forEach((value, at) => {
    const original = originals[Math.floor(at / (samples * size)) * size + at % size];
    if (mask[at % size] === 1) knownError = Math.max(knownError, Math.abs(value - original));
  });
  const { std } = posteriorMoments(values, inputs, samples);
  const hidden = std.filter((_, at) => mask[at % size] === 0);
  const squares = hidden.reduce((sum, value) => sum + value ** 2, 0);
  return {
    hidden: Array.from(mask).filter((known) => known === 0).length / size,
    knownError,
    hiddenStd: samples > 1 && hidden.length > 0 ? Math.sqrt(squares / hidden.length) : null,
  };
}

/** Root mean square errors of samples, of their means and of their measurements. */
export async function restorationErrors(
  { originals, values, inputs, samples, shape }: PosteriorImages,
  operator: LinearOperator,
  measured: tf.Tensor,
): Promise<RestorationErrors> {
  const { mean } = posteriorMoments(values, inputs, samples);
  const size = sizeOf(shape);
  const rms = (differences: Float32Array) =>
    Math.sqrt(differences.reduce((sum, value) => sum + value ** 2, 0) / differences.length) / 2;
  const residual = tf.tidy(() => {
    const x = tf.tensor(values, [inputs * samples, ...shape]);
    const again = tf.reshape(operator.apply(x), [inputs, samples, ...operator.outputShape]);
    return tf.sub(again, tf.expandDims(measured, 1));
  });
  const differences = await residual.data<"float32">();
  residual.dispose();
  return {
    meanError: rms(mean.map((value, at) => value - originals[at])),
    sampleError: rms(
      values.map((value, at) => value - originals[Math.floor(at / (samples * size)) * size + at % size]),
    ),
    residual: rms(differences),
  };
}

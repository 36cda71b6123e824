/** Per-pixel mean and standard deviation of the samples of each observation. @module */

/** Moments of the samples of each observation. */
interface PosteriorMoments {
  /** [observations, size]. */
  readonly mean: Float32Array;
  /** [observations, size], with the divisor samples − 1; 0 for one sample. */
  readonly std: Float32Array;
}

/**
 * Mean and standard deviation of each coordinate over the samples of one observation.
 *
 * @param values [observations, samples, size].
 * @throws {RangeError} When the length is not observations × samples × size.
 */
export function posteriorMoments(
  values: Float32Array,
  observations: number,
  samples: number,
): PosteriorMoments {
  const size = values.length / (observations * samples);
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`${values.length} values are not ${observations} × ${samples} samples`);
  }
  const mean = new Float32Array(observations * size);
  const std = new Float32Array(observations * size);
  for (let at = 0; at < mean.length; at++) {
    const start = Math.floor(at / size) * samples * size + at % size;
    const of = Array.from({ length: samples }, (_, sample) => values[start + sample * size]);
    const average = of.reduce((sum, value) => sum + value, 0) / samples;
    const squares = of.reduce((sum, value) => sum + (value - average) ** 2, 0);
    mean[at] = average;
    std[at] = Math.sqrt(squares / Math.max(1, samples - 1));
  }
  return { mean, std };
}

/**
 * Features of a noise level, computed on the host in float64: a GPU's cosine of a large float32 argument may be wrong.
 * @module
 */
import { quoted } from "../input/quoted.ts";
import { requireSize } from "./network.ts";

/** The lowest and highest angular frequency, in radians per unit of ln ν. */
const LOWEST = 0.25;
const HIGHEST = 16;

/**
 * Positional features (Vaswani et al. 2017) of ln ν: feature k of a row is cos(ω_k ln ν) for k < F/2 and
 * sin(ω_{k−F/2} ln ν) after, with ω_k = ¼·64^{k/(F/2−1)}, so from ¼ to 16.
 *
 * @param logNoiseRatio [rows].
 * @param count F, even and at least 4.
 * @returns [rows, F], row-major.
 */
export function positionalFeatures(logNoiseRatio: Float64Array, count: number): Float32Array {
  return waves(logNoiseRatio, positionalFrequencies(count));
}

/** The frequencies ω_k of {@linkcode positionalFeatures}, [count / 2]. */
export function positionalFrequencies(count: number): Float64Array {
  const half = count / 2;
  return Float64Array.from(
    { length: half },
    (_, k) => LOWEST * Math.pow(HIGHEST / LOWEST, k / (half - 1)),
  );
}

/** cos(ω_k u) for every k, then sin(ω_k u): [rows, 2·frequencies]. */
export function waves(values: Float64Array, frequencies: Float64Array): Float32Array {
  const half = frequencies.length;
  const features = new Float32Array(values.length * 2 * half);
  values.forEach((value, row) => {
    for (let k = 0; k < half; k++) {
      features[row * 2 * half + k] = Math.cos(frequencies[k] * value);
      features[row * 2 * half + half + k] = Math.sin(frequencies[k] * value);
    }
  });
  return features;
}

/** Throws a RangeError unless the count of positional features is even and at least 4. */
export function checkFeatureCount(count: number): void {
  if (!Number.isInteger(count) || count < 4 || count % 2 !== 0) {
    throw new RangeError(`noiseFeatures must be an even number of at least 4, got ${quoted(count)}`);
  }
  requireSize("noiseFeatures", count, 4);
}

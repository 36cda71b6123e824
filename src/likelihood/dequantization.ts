/**
 * Dequantization: bytes to real values that have a density, and densities to bits per dimension.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { noiseRatio, type Sde } from "../diffusion/sde.ts";
import { normalMass, truncatedNormal } from "../math/normal_distribution.ts";
import {
  requireFinite,
  requireNumbers,
  requireOptions,
  requireShape,
  requireWhole,
} from "../input/require.ts";
import { requireRng, requireSde } from "../input/require_parts.ts";
import { quotedShape } from "../input/quoted.ts";

/** An interval of real values that is cut into equal bins, one to each level of a pixel. */
export interface ValueRange {
  /** Where the first bin begins. */
  readonly low: number;
  /** Where the last bin ends. */
  readonly high: number;
  /** Number of bins; default 256. */
  readonly levels?: number;
}

/** A bin of width 1, for densities relative to that of the dequantization. */
export const unitWidthBin: ValueRange = { low: 0, high: 1, levels: 1 };

/** The bins around the values b/127.5 − 1 that models of images in this project work with. */
export const pixelRange: ValueRange = { low: -256 / 255, high: 256 / 255 };

/**
 * Bytes to real values, uniform in each byte's bin: low + (b + u)(high − low)/levels (Theis et al. 2016).
 *
 * @param bytes [B, …], whole numbers below the number of levels
 * @param shape [B, …]
 * @throws {RangeError} When the shape does not fit or the range is empty.
 */
export function dequantize(
  bytes: ArrayLike<number>,
  shape: readonly number[],
  rng: Rng,
  range: ValueRange = pixelRange,
): tf.Tensor {
  const width = binWidth(range);
  requireBins(bytes, range);
  const uniform = drawFor(bytes, shape, rng);
  return tf.tensor(Float32Array.from(uniform, (u, i) => range.low + (bytes[i] + u) * width), [...shape]);
}

/** Dequantized bytes and the log density of the noise. */
export interface NoisyBytes {
  /** [B, …], near the model's distribution at tMin. */
  readonly x: tf.Tensor;
  /** log q(x | bytes) of each sample [B], in nats. */
  readonly logDensity: Float64Array;
}

/**
 * Bytes to noisy values of the kind that a model was trained on (truncated-normal dequantization: Zheng et al. 2023,
 * "Improved Techniques for Maximum Likelihood Estimation for Diffusion ODEs"): x = α(tMin) c + σ(tMin) z, c the
 * middle of a byte's bin and z standard normal, truncated so that x/α stays in the bin. As for uniform noise,
 *
 *   log P(bytes) ≥ E[log p(x) − log q(x | bytes)],
 *
 * so `bitsPerDimension(log p(x) − log q(x | bytes), d, unitWidthBin)` bounds the bits that the bytes take from above.
 *
 * @param bytes [B, …], whole numbers below the number of levels
 * @param shape [B, …]
 * @throws {RangeError} When the shape does not fit or the range is empty.
 */
export function truncatedNormalDequantize(
  bytes: ArrayLike<number>,
  shape: readonly number[],
  rng: Rng,
  sde: Sde,
  range: ValueRange = pixelRange,
): NoisyBytes {
  requireSde("sde", sde);
  const width = binWidth(range);
  requireBins(bytes, range);
  const uniform = drawFor(bytes, shape, rng);
  const [alpha, sigma] = [sde.alpha(sde.tMin), sde.sigma(sde.tMin)];
  const bound = width / 2 / noiseRatio(sde, sde.tMin);
  const z = uniform.map((u) => truncatedNormal(u, bound));
  const values = Float32Array.from(z, (z, i) => alpha * (range.low + (bytes[i] + 0.5) * width) + sigma * z);
  const dimension = z.length / shape[0];
  const constant = Math.log(Math.sqrt(2 * Math.PI) * sigma * normalMass(bound));
  const logDensity = Float64Array.from({ length: shape[0] }, (_, row) => {
    const own = z.subarray(row * dimension, (row + 1) * dimension);
    return own.reduce((sum, z) => sum - z * z / 2 - constant, 0);
  });
  return { x: tf.tensor(values, [...shape]), logDensity };
}

/**
 * The decoder's term in nats for each value: added d times to a bound on E[−log p(x) | bytes], x = α c + σ ε at tMin
 * with noise that is not truncated (`continuousElbo`), it gives a bound on −log P(bytes). It is −h(q) + E[−log P(c |
 * x)] with P(c | x) ∝ q(x | c) over all levels (Kingma et al. 2021, Section 3.3); infinitely many levels are summed,
 * which bounds the finite sum.
 */
export function decoderNats(sde: Sde, range: ValueRange = pixelRange): number {
  requireSde("sde", sde);
  const gap = binWidth(range) / noiseRatio(sde, sde.tMin);
  const others = Math.ceil(20 / gap);
  /** −log P(c | x) for noise z; the other levels lie at distances gap, 2 gap, … from c. */
  const surprise = (z: number) => {
    let sum = 1;
    for (let k = 1; k <= others; k++) {
      sum += Math.exp(-k * gap * (k * gap / 2 + z)) + Math.exp(-k * gap * (k * gap / 2 - z));
    }
    return Math.log(sum);
  };
  const expected = integrateOverNormal(surprise);
  return expected - Math.log(Math.sqrt(2 * Math.PI * Math.E) * sde.sigma(sde.tMin));
}

/** E f(Z) of a standard normal Z, for f that grows no faster than a power. */
function integrateOverNormal(f: (z: number) => number): number {
  const step = 1 / 64; // of the trapezoidal rule, whose error on analytic functions is below the last bit at much larger steps
  let sum = 0;
  for (let z = -9; z <= 9; z += step) sum += f(z) * Math.exp(-z * z / 2);
  return sum * step / Math.sqrt(2 * Math.PI);
}

/**
 * Bits per dimension of dequantized data: −(log p(x)/d + ln(bin width))/ln 2. Its mean over dequantizations is an
 * upper bound on the bits that the discrete data take (Theis et al. 2016), whatever range they were scaled to.
 *
 * @param logDensity in nats, of x in the given range
 * @param dimension d
 * @throws {RangeError} When the range is empty or the dimension not a positive integer.
 */
export function bitsPerDimension(
  logDensity: number,
  dimension: number,
  range: ValueRange = pixelRange,
): number {
  requireFinite("logDensity", logDensity);
  requireWhole("dimension", dimension, 1);
  return -(logDensity / dimension + Math.log(binWidth(range))) / Math.LN2;
}

/** A uniform number for every byte. */
function drawFor(bytes: ArrayLike<number>, shape: readonly number[], rng: Rng): Float64Array {
  requireRng("rng", rng);
  requireShape("shape", shape);
  const uniform = rng.uniformValues(shape);
  if (uniform.length !== bytes.length) {
    throw new RangeError(`the shape ${quotedShape(shape)} does not fit ${bytes.length} values`);
  }
  return uniform;
}

function binWidth(range: ValueRange): number {
  requireOptions("range", range);
  const { low, high, levels = 256 } = range;
  requireFinite("low", low);
  requireFinite("high", high);
  if (!(high > low) || !Number.isFinite(high - low)) {
    throw new RangeError(`a range of values must have low < high, got ${low} and ${high}`);
  }
  requireWhole("levels", levels, 1);
  return (high - low) / levels;
}

/** Throws for values that are in no bin of the range. */
function requireBins(values: ArrayLike<number>, { levels = 256 }: ValueRange): void {
  const inside = (value: number) =>
    value >= 0 && (levels === 1 || (Number.isInteger(value) && value < levels));
  requireNumbers(
    "bytes",
    values,
    inside,
    levels === 1 ? "finite numbers from 0" : `whole numbers from 0 to ${levels - 1}`,
  );
}

/**
 * EDM preconditioning (Karras et al. 2022, Table 1) around a data mean: the network F sees inputs of unit variance
 * and is asked for targets of unit variance at every noise ratio ν,
 * D(y, ν) = centre + c_skip (y − centre) + c_out F(c_in (y − centre), c_noise).
 * @module
 */
import { column, mapPerRow, type PerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { checkFields, checkNumber } from "../input/fields.ts";
import { requirePositive } from "../input/require.ts";

/** What the preconditioning knows of the data. */
export interface Preconditioning {
  /** Standard deviation of the data about its centre, positive. */
  readonly sigmaData: number;
  /** Mean of the data. */
  readonly centre: number;
}

/**
 * Checks a preconditioning that was read from a file or given by a caller.
 * @throws {TypeError | RangeError} When it is no object of these two numbers, or one is out of its range.
 */
export function checkPreconditioning(value: unknown): asserts value is Preconditioning {
  checkFields("the preconditioning", value, ["sigmaData", "centre"]);
  checkNumber("the preconditioning's sigmaData", value.sigmaData, { above: 0, most: 1e6 });
  checkNumber("the preconditioning's centre", value.centre, { least: -1e6, most: 1e6 });
}

/**
 * EDM's four coefficients at noise ratio ν: c_skip = σ_d²/(ν²+σ_d²), c_out = ν σ_d/√(ν²+σ_d²),
 * c_in = 1/√(ν²+σ_d²), c_noise = ¼ ln ν.
 *
 * @throws {RangeError} if sigmaData is not a positive number
 */
export function edmCoefficients(
  sigmaData: number,
  noiseRatio: number,
): { skip: number; out: number; input: number; noise: number } {
  requirePositive("sigmaData", sigmaData);
  requirePositive("noiseRatio", noiseRatio);
  const total = Math.hypot(noiseRatio, sigmaData);
  return {
    skip: (sigmaData / total) ** 2,
    out: noiseRatio * sigmaData / total,
    input: 1 / total,
    noise: Math.log(noiseRatio) / 4,
  };
}

/** The network's input c_in (y − centre), of y's shape [B, …]. */
export function networkInput(
  { sigmaData, centre }: Preconditioning,
  y: tf.Tensor,
  noiseRatio: PerRow,
): tf.Tensor {
  return tf.tidy(() => {
    const scale = mapPerRow(noiseRatio, (ratio) => edmCoefficients(sigmaData, ratio).input);
    return tf.mul(tf.sub(y, centre), column(scale, y));
  });
}

/**
 * The predicted noise ε̂ = (y − D)/ν of the network's output F, of y's shape [B, …]:
 * (ν (y − centre) · c_in − σ_d F) · c_in, which loses no digits at small ν.
 */
export function noiseOfOutput(
  { sigmaData, centre }: Preconditioning,
  y: tf.Tensor,
  noiseRatio: PerRow,
  output: tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const fromInput = mapPerRow(noiseRatio, (ratio) => ratio * edmCoefficients(sigmaData, ratio).input ** 2);
    const fromOutput = mapPerRow(noiseRatio, (ratio) => sigmaData * edmCoefficients(sigmaData, ratio).input);
    return tf.sub(tf.mul(tf.sub(y, centre), column(fromInput, y)), tf.mul(output, column(fromOutput, y)));
  });
}

/**
 * What the network should put out for data x_0 and noise ε, both [B, …]: (x_0 − centre − c_skip (y − centre))/c_out
 * = (ν (x_0 − centre)/σ_d − σ_d ε) · c_in, which loses no digits at small ν. Its squared error is EDM's loss, and
 * σ_d² c_in² times it is the squared error of ε̂.
 */
export function networkTarget(
  { sigmaData, centre }: Preconditioning,
  data: tf.Tensor,
  noise: tf.Tensor,
  noiseRatio: PerRow,
): tf.Tensor {
  return tf.tidy(() => {
    const fromData = mapPerRow(
      noiseRatio,
      (ratio) => ratio / sigmaData * edmCoefficients(sigmaData, ratio).input,
    );
    const fromNoise = mapPerRow(noiseRatio, (ratio) => sigmaData * edmCoefficients(sigmaData, ratio).input);
    return tf.sub(
      tf.mul(tf.sub(data, centre), column(fromData, data)),
      tf.mul(noise, column(fromNoise, data)),
    );
  });
}

/**
 * EDM preconditioning (Karras et al. 2022, Table 1) around a data mean: the network F has inputs and targets of unit
 * variance at every noise ratio ν, D(y, ν) = centre + c_skip (y − centre) + c_out F(c_in (y − centre), c_noise).
 * @module
 */
import { checkFields, checkNumber } from "../input/fields.ts";
import { requirePositive } from "../input/require.ts";

/** The data's centre and standard deviation. */
export interface Preconditioning {
  /** Standard deviation of the data about its centre, positive. */
  readonly sigmaData: number;
  /** Mean of the data. */
  readonly centre: number;
}

/**
 * Checks a preconditioning that was read from a file or given by a caller.
 * @throws {TypeError | RangeError} When it is not an object of these two numbers, or one is out of its range.
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
 * @throws {RangeError} When sigmaData is not a positive number.
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

/** The factors in ε̂ = skip (y − centre) + output F(input (y − centre)). */
export interface PredictionCoefficients {
  /** c_in. */
  readonly input: number;
  /** ν c_in². */
  readonly skip: number;
  /** −σ_d c_in. */
  readonly output: number;
}

/**
 * The factors by which a network's output F gives the predicted noise at noise ratio ν: ε̂ = (y − D)/ν without that
 * difference, which loses all digits at small ν. Without preconditioning the output is ε̂ itself.
 */
export function predictionCoefficients(
  preconditioning: Preconditioning | null,
  noiseRatio: number,
): PredictionCoefficients {
  if (preconditioning === null) return { input: 1, skip: 0, output: 1 };
  const { sigmaData } = preconditioning;
  const { input } = edmCoefficients(sigmaData, noiseRatio);
  return { input, skip: noiseRatio * input * input, output: -sigmaData * input };
}

/**
 * How much noise a step adds, as k-diffusion's options say it.
 * @module
 */
import { quoted } from "../input/quoted.ts";
import { requireOptions, requirePositive } from "../input/require.ts";

/** Options of a sampler that adds noise in its steps. */
export interface AddedNoiseOptions {
  /** η, how much noise is added, in [0, 1]: 0 none, the probability flow, 1 as much as the reverse SDE. Default 1. */
  readonly eta?: number;
  /** S_noise, the factor on the standard deviation of the added noise; default 1. */
  readonly sNoise?: number;
}

/** The options with their defaults. Throws a RangeError unless eta is in [0, 1] and sNoise positive. */
export function addedNoise(options: AddedNoiseOptions): Required<AddedNoiseOptions> {
  requireOptions("options", options);
  const { eta = 1, sNoise = 1 } = options;
  requireEta(eta);
  requirePositive("sNoise", sNoise);
  return { eta, sNoise };
}

/** @throws {RangeError} When eta is not in [0, 1]. */
export function requireEta(eta: unknown): asserts eta is number {
  if (!(typeof eta === "number" && eta >= 0 && eta <= 1)) {
    throw new RangeError(`eta must lie in [0, 1], got ${quoted(eta)}`);
  }
}

/**
 * The two parts of the noise ratio ν_s after an ancestral step from a higher one ν_t: `kept`, to which the step goes
 * down without noise, and `fresh`, the standard deviation in y = x/α of the noise that it then adds, with
 * kept² + fresh² = ν_s² and fresh = η (ν_s/ν_t) √(ν_t² − ν_s²). For η = 1 that is the standard deviation of the Gaussian
 * posterior of x_s given x_t and x_0 (Song, Meng & Ermon 2021, eq. 16).
 */
export function ancestralParts(from: number, to: number, eta: number): { kept: number; fresh: number } {
  const fresh = eta * (to / from) * Math.sqrt((from - to) * (from + to));
  return { kept: Math.sqrt(Math.max(0, to * to - fresh * fresh)), fresh };
}

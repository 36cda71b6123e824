/**
 * How strongly, and at which noise levels, a network follows its labels.
 * @module
 */
import { checkFields } from "../input/fields.ts";
import { quoted } from "../input/quoted.ts";

/**
 * Classifier-free guidance (Ho & Salimans 2022) in an interval of noise levels (Kynkäänniemi et al. 2024, eq. 6):
 *
 *   ε̂ = ε̂(y, none) + w(ν) · (ε̂(y, label) − ε̂(y, none)),   w(ν) = scale for from < ν ≤ to, else 1.
 *
 * Where w is 1 the network is asked once, elsewhere twice. Above the interval guidance only narrows the choice of images,
 * and below it changes nothing that can be seen.
 */
export interface Guidance {
  /** 1 is the conditional model, 0 the unconditional one, more than 1 exaggerates the class. */
  readonly scale: number;
  /** The noise ratio ν = σ/α below which guidance ends; default 0. */
  readonly from?: number;
  /** The noise ratio down to which guidance waits; default Infinity. */
  readonly to?: number;
}

/**
 * A guidance whose bounds are given; a number is its scale.
 * @throws {TypeError} When it has a field of another name.
 * @throws {RangeError} When the scale is not finite or the interval is none.
 */
export function checkedGuidance(guidance: number | Guidance): Required<Guidance> {
  if (typeof guidance !== "number") checkFields("guidance", guidance, [], ["scale", "from", "to"]);
  const { scale, from = 0, to = Infinity } = typeof guidance === "number" ? { scale: guidance } : guidance;
  if (!Number.isFinite(scale)) {
    throw new RangeError(`the guidance scale must be a finite number, got ${quoted(scale)}`);
  }
  if (!(Number.isFinite(from) && typeof to === "number" && from >= 0 && from < to)) {
    throw new RangeError(
      `guidance must act between two noise ratios from 0 up, got ${quoted(from)} to ${quoted(to)}`,
    );
  }
  return { scale, from, to };
}

/** w(ν): the weight of the class at a noise ratio. */
export function guidanceWeight({ scale, from, to }: Required<Guidance>, noiseRatio: number): number {
  return noiseRatio > from && noiseRatio <= to ? scale : 1;
}

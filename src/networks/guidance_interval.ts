/**
 * Classifier-free guidance: its scale and its interval of noise levels.
 * @module
 */
import { checkFields } from "../input/fields.ts";
import { quoted } from "../input/quoted.ts";

/**
 * Classifier-free guidance (Ho & Salimans 2022) in an interval of noise levels (Kynkäänniemi et al. 2024, eq. 6):
 *
 *   ε̂ = ε̂(y, none) + w(ν) · (ε̂(y, label) − ε̂(y, none)),   w(ν) = scale for from < ν ≤ to, else 1.
 *
 * Where w is 1 the network is evaluated once, elsewhere twice. Above the interval guidance mainly reduces the variety
 * of images, and below it has no visible effect.
 */
export interface Guidance {
  /** 1 is the conditional model, 0 the unconditional one, above 1 amplifies the effect of the label. */
  readonly scale: number;
  /** Guidance is off at and below this noise ratio ν = σ/α; default 0. */
  readonly from?: number;
  /** Guidance is off above this noise ratio; default Infinity. */
  readonly to?: number;
}

/**
 * The guidance with its defaults filled in; a number is its scale.
 * @throws {TypeError} When it has a field of another name.
 * @throws {RangeError} When the scale is not finite or the interval is invalid.
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

/** w(ν), the weight of the label's term at a noise ratio. */
export function guidanceWeight({ scale, from, to }: Required<Guidance>, noiseRatio: number): number {
  return noiseRatio > from && noiseRatio <= to ? scale : 1;
}

/**
 * Importance sampling of times for likelihood weighting (Song, Durkan, Murray & Ermon 2021, "Maximum Likelihood
 * Training of Score-Based Diffusion Models", Section 4.3): t has the density ∝ g²/σ², and losses are divided by it.
 *
 * Because (σ²/α²)' = g²/α² for every SDE here, g²/σ² is twice the slope of ln ν, so this density is that of times whose
 * ln ν is uniform: the distribution function and its inverse are closed forms under all of them.
 * @module
 */
import { halfLogSnr, requireNoise, type Sde } from "../diffusion/sde.ts";

/** The time in [tMin, tMax] before which the share `u`, from 0 to 1, of ∫ g²/σ² dt lies. */
export function importanceTime(sde: Sde, u: number): number {
  const [first, last] = [halfLogSnr(sde, sde.tMin), halfLogSnr(sde, sde.tMax)];
  const time = sde.timeAtHalfLogSnr(first + (last - first) * u);
  return Math.min(sde.tMax, Math.max(sde.tMin, time));
}

/**
 * The density of {@linkcode importanceTime} for uniform u, relative to that of a uniform time: its mean over times is
 * 1.
 */
export function importanceDensity(sde: Sde, t: number): number {
  requireNoise(sde, t);
  const slope = (sde.diffusionCoefficient(t) / sde.sigma(t)) ** 2 / 2;
  return slope * (sde.tMax - sde.tMin) / (halfLogSnr(sde, sde.tMin) - halfLogSnr(sde, sde.tMax));
}

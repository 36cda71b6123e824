/**
 * The noise levels of "Align Your Steps" (Sabour, Fidler & Kreis 2024, arXiv 2404.14507), optimized for ten steps of three
 * published models, and what lies between them for other numbers of steps.
 * @module
 */

/** The model for which a list was optimized. */
export type AlignedModel = "stable-diffusion" | "stable-diffusion-xl" | "stable-video-diffusion";

/** The noise ratios ν of the published lists, as the authors' quick-start guide has them. */
export const alignedLevels: Readonly<Record<AlignedModel, readonly number[]>> = {
  "stable-diffusion": [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029],
  "stable-diffusion-xl": [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113, 0.029],
  "stable-video-diffusion": [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002],
};

/**
 * How far along ln ν a list of N steps is, from 0 at the first level to 1 at the last, at a fraction of its steps: the guide's
 * linear interpolation of ln ν.
 */
export function alignedFraction(levels: readonly number[], fraction: number): number {
  const last = levels.length - 1;
  const low = Math.min(last - 1, Math.floor(fraction * last));
  const weight = fraction * last - low;
  const log = (1 - weight) * Math.log(levels[low]) + weight * Math.log(levels[low + 1]);
  return (Math.log(levels[0]) - log) / Math.log(levels[0] / levels[last]);
}

/**
 * The exact law that a sampler's output has in the limit of short steps, coordinate by coordinate.
 *
 * At a level with noise it is that of y = x₀ + ν ε. Where the end is said to be data, the last step goes from the last
 * level to its denoised mean, whose variance s⁴/(s² + ν²) lies below the data's s²; a sampler may do anything between.
 * @module
 */
import type { ProductData } from "./exact_model.ts";
import { exactMoments, type ImpulseResponse } from "./impulse_response.ts";
import { correctorSteps } from "./corrector.ts";

/** The variances that are right for each coordinate. */
interface LawAtEnd {
  readonly mean: Float64Array;
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
}

/** The law at the end of a run, with the known bias of Langevin corrections of fixed size allowed for. */
export function lawAtEnd(data: ProductData, response: ImpulseResponse, lastRatio: number): LawAtEnd {
  const ratio = response.end.ratio;
  const { mean, variance } = exactMoments(data, { alpha: 1, sigma: ratio });
  const lowest = ratio > 0 ? variance.slice() : variance.map((s2) => s2 * s2 / (s2 + lastRatio ** 2));
  const highest = variance.slice();
  const corrections = correctorSteps(data, response);
  if (corrections.length > 0) {
    // A Langevin step of size ε leaves C/(1 − ε/2C) at its level; of that the predictor forgets a part on the way to the end.
    highest.forEach((value, j) => {
      const bias = corrections.map(({ size, ratio }) => {
        const part = Math.min(0.9, size / (2 * (data[j].deviations[0] ** 2 + ratio ** 2)));
        return part / (1 - part);
      });
      highest[j] = value * (1 + 1.2 * Math.max(...bias));
    });
  }
  return { mean, lowest, highest };
}

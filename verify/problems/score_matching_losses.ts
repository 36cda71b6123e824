/** Score matching losses, with the noise or directions that they need enumerated instead of drawn. @module */
import * as tf from "../../src/compute/tf.ts";
import { implicitScoreMatching } from "../../src/objectives/implicit.ts";
import { denoisingScoreMatching, type ScoreFunction } from "../../src/objectives/score_matching.ts";
import { slicedScoreMatching } from "../../src/objectives/sliced.ts";

/** The noise of denoising score matching. */
export const sigma = 0.7;

/** The numbers of a tensor that is computed and freed. */
export async function numbers(compute: () => tf.Tensor): Promise<number[]> {
  const tensor = tf.tidy(compute);
  try {
    return Array.from(await tensor.data());
  } finally {
    tensor.dispose();
  }
}

/** All vectors of d signs: their mean is 0, the mean of v vᵀ is I. */
export function signs(d: number): number[][] {
  return Array.from({ length: 2 ** d }, (_, k) => Array.from({ length: d }, (_, i) => (k >> i) % 2 ? -1 : 1));
}

/** A loss of a score function on data [N, d], with noise or directions of that shape. */
export type Loss = (score: ScoreFunction, data: tf.Tensor2D, other: tf.Tensor2D) => tf.Scalar;

/** The losses by name, each with the standard deviation of the noise in the data that its optimum is the score of. */
export const losses: Record<string, { readonly noise: number; readonly loss: Loss }> = {
  "implicit": { noise: 0, loss: (score, x) => implicitScoreMatching(score, x) },
  "sliced": {
    noise: 0,
    loss: (score, x, v) => slicedScoreMatching(score, x, v, { reducedVariance: false }),
  },
  "sliced, reduced variance": { noise: 0, loss: (score, x, v) => slicedScoreMatching(score, x, v) },
  "denoising": { noise: sigma, loss: (score, x, e) => denoisingScoreMatching(score, x, e, sigma) },
};

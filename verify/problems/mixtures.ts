/**
 * The mixture that the exact-problem claims are examined on.
 * @module
 */
import { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";

/** Three dimensions, one component nearly flat, one diagonal, one axis-aligned with the others' overlap. */
export const mixture = GaussianMixture.from({
  weights: [0.2, 0.5, 0.3],
  means: [[-1, 0.5, 2], [0.3, -0.8, -1], [1.5, 1, 0]],
  covariances: [
    [[1, 0.6, -0.2], [0.6, 0.8, 0.1], [-0.2, 0.1, 0.5]],
    [[0.3, 0, 0], [0, 0.09, 0], [0, 0, 1.2]],
    [[0.5, 0.49, 0.1], [0.49, 0.5, 0.1], [0.1, 0.1, 0.6]],
  ],
});
/** Where distributions on three coordinates are compared: inside, between and outside the components. */
export const points = [[0, 0, 0], [1.2, -0.4, 0.9], [-2, 1, 1.5], [4, -3, 2]];

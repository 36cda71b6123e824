/**
 * Distances between sets of samples, precision and recall, and the classifiers of digits whose features they compare.
 *
 * @example Two samples of one distribution are nearer than those of two
 * ```ts
 * import { createRng } from "../../mod.ts";
 * import { energyDistance } from "./mod.ts";
 * const rng = createRng(0);
 * const draw = (name: string, mean: number) => rng.fork(name).normalValues([200, 2]).map((z) => z + mean);
 * const same = energyDistance(draw("a", 0), draw("b", 0), 2);
 * const other = energyDistance(draw("a", 0), draw("c", 1), 2);
 * console.assert(same < other);
 * ```
 * @module
 */

// Distances between sets of samples.
export { type FeatureMoments, featureMoments, frechetDistance } from "./frechet.ts";
export {
  type KernelDistance,
  kernelDistance,
  type KernelMoments,
  kernelMoments,
  type KernelSum,
} from "./kernel_distance.ts";
export { energyDistance } from "./energy_distance.ts";
export { slicedWasserstein } from "./sliced_wasserstein.ts";
export { type Manifold, manifold, manifoldFraction } from "./precision_recall.ts";
export { type NearestNeighbours, nearestNeighbours } from "./nearest_neighbours.ts";

// Features of images.
export { type PatchStatistics, patchStatistics } from "./pooled_features.ts";
export {
  classAccuracy,
  type Classification,
  classify,
  readClassifier,
} from "../classifiers/digit_classifier.ts";
export { type BinomialEstimate, wilsonInterval } from "./wilson_interval.ts";

// What digits measure.
export type { DigitQuality, DigitReference } from "./digit_quality.ts";
export { type ColourDeviation, colourDeviation } from "./colour_deviation.ts";
export type { ColourQuality, ColourReference } from "./coloured_digit_quality.ts";
export { penCoverage } from "./pen_coverage.ts";

// The classifier of noisy digits, for guidance.
export {
  loadNoisyClassifier,
  NoisyDigitClassifier,
  readNoisyClassifier,
} from "../classifiers/noisy_classifier.ts";

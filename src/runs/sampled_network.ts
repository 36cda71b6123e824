/**
 * What runs draw from: a network, or any noise predictor of samples of a known shape.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import type { Awaitable } from "../compute/tidied.ts";
import type { DataUnits } from "../data/units.ts";
import type { NoisePredictor } from "../diffusion/noise_predictor.ts";
import type { Preconditioning } from "../diffusion/preconditioning.ts";
import { requireFunction, requireShape } from "../input/require.ts";
import { requireNoisePredictor, requireSome } from "../input/require_parts.ts";
import type { Guidance } from "../networks/guidance_interval.ts";
import type { Labels } from "../networks/network_predictor.ts";

/** A noise predictor that runs draw from; `NetworkPredictor` is one. */
export interface SampledNetwork extends NoisePredictor<Awaitable<tf.Tensor>> {
  /** The axes of a sample, and how many classes there are. */
  readonly network: { readonly sampleShape: readonly number[]; readonly classes: number };
  /** What is known of the data's spread, and the units of the data where they are not pixels. */
  readonly config: { readonly preconditioning: Preconditioning | null; readonly units?: DataUnits };
  /**
   * The worse network that guidance leads away from; absent where guidance leads away from the network without labels, which
   * takes labels.
   */
  readonly guide?: SampledNetwork;
  /** Makes ready for batches of `rows`. */
  prepare(rows: number, options?: { readonly gradients?: boolean }): Promise<void>;
  /** The same, conditional on classes. */
  withLabels(labels: Labels, guidance?: number | Guidance): SampledNetwork;
  /** Evaluations of a model that one prediction takes. */
  calls(noiseRatio: number | Float64Array): number;
  /** Frees what it holds. */
  dispose(): void | Promise<void>;
}

/**
 * A noise predictor without classes, such as one of `externalModel` or `onnxModel`, for runs.
 *
 * @param sampleShape The axes of a sample, [height, width, channels] of an image.
 * @param dispose Frees what the noise predictor holds.
 * @example Runs can draw plane points from a mixture
 * ```ts
 * import { GaussianMixture } from "../distributions/gaussian_mixture.ts";
 * import { sampledNetwork } from "./sampled_network.ts";
 * const mixture = GaussianMixture.from({ weights: [1], means: [[0, 0]], covariances: [[[1, 0], [0, 1]]] });
 * console.assert(sampledNetwork(mixture, [2]).network.classes === 0);
 * ```
 * @throws {TypeError | RangeError} When it is no noise predictor, or the shape no shape.
 */
export function sampledNetwork(
  noisePredictor: NoisePredictor<Awaitable<tf.Tensor>>,
  sampleShape: readonly number[],
  dispose: () => void | Promise<void> = () => {},
): SampledNetwork {
  requireNoisePredictor("noisePredictor", noisePredictor);
  requireSome("sampleShape", sampleShape);
  requireShape("sampleShape", sampleShape);
  requireFunction("dispose", dispose);
  const network: SampledNetwork = {
    predictNoise: (y, noiseRatio) => noisePredictor.predictNoise(y, noiseRatio),
    ...noisePredictor.pullBack && {
      pullBack: (y, noiseRatio, dy) => noisePredictor.pullBack!(y, noiseRatio, dy),
    },
    network: { sampleShape, classes: 0 },
    config: { preconditioning: null },
    prepare: () => Promise.resolve(),
    withLabels(labels) {
      if (labels === null) return network;
      throw new RangeError("this noise predictor has no classes: its label must be none");
    },
    calls: () => 1,
    dispose,
  };
  return network;
}

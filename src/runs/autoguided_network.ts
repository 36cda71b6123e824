/**
 * A network that runs draw from, guided by a worse one.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import type { Awaitable } from "../compute/tidied.ts";
import { quotedShape } from "../input/quoted.ts";
import { requireNetworkPredictor } from "../input/require_parts.ts";
import { autoguided } from "../networks/autoguidance.ts";
import { checkedGuidance, type Guidance, guidanceWeight } from "../networks/guidance_interval.ts";
import type { Labels } from "../networks/network_predictor.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/**
 * The network with a worse version of itself in the place of the network without labels: the guidance of `withLabels` is the
 * weight of `autoguided` (Karras et al. 2024, eq. 3), also where the label is none. Both are given the same labels; a guide
 * without classes is given none. `dispose` frees both.
 *
 * @example A mixture that is led away from a wider one
 * ```ts
 * import { GaussianMixture } from "../distributions/gaussian_mixture.ts";
 * import { autoguidedNetwork } from "./autoguided_network.ts";
 * import { sampledNetwork } from "./sampled_network.ts";
 * const around = (variance: number) =>
 *   GaussianMixture.from({ weights: [1], means: [[0]], covariances: [[[variance]]] });
 * const network = autoguidedNetwork(sampledNetwork(around(1), [1]), sampledNetwork(around(4), [1]));
 * console.assert(network.withLabels(null, 2).calls(1) === 2);
 * ```
 * @throws {TypeError} When one of the two is no network, or a consistency function, which has no score.
 * @throws {RangeError} When the guide's samples have another shape, other units, or other classes and any.
 */
export function autoguidedNetwork(network: SampledNetwork, guide: SampledNetwork): SampledNetwork {
  requireNetworkPredictor("network", network);
  requireNetworkPredictor("guide", guide);
  const [own, other] = [network.network, guide.network];
  if (String(own.sampleShape) !== String(other.sampleShape)) {
    throw new RangeError(
      `a guide must draw samples of the network's shape, ${quotedShape(own.sampleShape)}, got ${
        quotedShape(other.sampleShape)
      }`,
    );
  }
  if (JSON.stringify(network.config.units) !== JSON.stringify(guide.config.units)) {
    throw new RangeError("a guide must have been trained on data in the network's units, got others");
  }
  if (other.classes !== 0 && other.classes !== own.classes) {
    throw new RangeError(
      `a guide must have the network's ${own.classes} classes or none, got ${other.classes}`,
    );
  }
  return guided(network, guide, null, 1);
}

function guided(
  network: SampledNetwork,
  guide: SampledNetwork,
  labels: Labels,
  guidance: number | Guidance,
): SampledNetwork {
  const interval = checkedGuidance(guidance);
  const [good, bad] = [
    network.withLabels(labels),
    guide.withLabels(guide.network.classes > 0 ? labels : null),
  ];
  const predictor = autoguided<Awaitable<tf.Tensor>>(good, bad, interval);
  return {
    ...predictor,
    network: network.network,
    config: network.config,
    guide,
    async prepare(rows, options) {
      await good.prepare(rows, options);
      await bad.prepare(rows, options);
    },
    withLabels: (labels, guidance = 1) => guided(network, guide, labels, guidance),
    calls(noiseRatio) {
      const ratios = typeof noiseRatio === "number" ? Float64Array.of(noiseRatio) : noiseRatio;
      const weights = ratios.map((ratio) => guidanceWeight(interval, ratio));
      if (weights.every((weight) => weight === 1)) return good.calls(noiseRatio);
      if (weights.every((weight) => weight === 0)) return bad.calls(noiseRatio);
      return good.calls(noiseRatio) + bad.calls(noiseRatio);
    },
    async dispose() {
      await network.dispose();
      await guide.dispose();
    },
  };
}

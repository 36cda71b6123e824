/** Networks that are small enough for finite differences, with weights in which every layer has an effect. @module */
import { createRng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { sizeOf } from "../../src/math/shape.ts";
import { DIGITS, type NetworkConfig } from "../../src/networks/registry.ts";
import { namedParameters, type Network } from "../../src/networks/network.ts";
import type { UNetConfig } from "../../src/networks/unet.ts";

/** A U-Net with every part, small enough to be differenced numerically. */
export const small: UNetConfig = {
  ...DIGITS,
  height: 8,
  width: 16,
  channels: 3,
  widths: [4, 8],
  blocks: 1,
  middleBlocks: 1,
  groups: 2,
  embedding: 8,
  noiseFeatures: 4,
  attention: [2],
  classes: 3,
};

/** The same with Fourier features of its input. */
export const fourierUNet: UNetConfig = { ...small, wavePeriods: [0.8, 2.5] };

/** A perceptron with two hidden layers and three classes. */
export const perceptron: NetworkConfig = {
  kind: "mlp",
  dimensions: 2,
  hidden: 16,
  layers: 2,
  noiseFeatures: 8,
  classes: 3,
};

/** Parameter values without zeros, behind which other layers would hide. */
export function randomWeights(network: Network, seed: number): tf.Tensor[] {
  const rng = createRng(seed).fork("busy weights");
  return network.parameters.map(({ name, shape, mean, std }) => {
    const values = rng.fork(name).normalValues([1, sizeOf(shape)]);
    return tf.tensor(values.map((z) => mean + (std === 0 ? 0.2 : std) * z), [...shape]);
  });
}

/** The network's output for a batch drawn from the seed; labels or noise levels may be given. */
export function output(
  network: Network,
  weights: readonly tf.Tensor[],
  seed: number,
  { rows = 3, logNoiseRatio = -1, label = 1 }: { rows?: number; logNoiseRatio?: number; label?: number } = {},
): tf.Tensor {
  return tf.tidy(() => {
    const features = network.noiseFeatures(new Float64Array(rows).fill(logNoiseRatio));
    const classes = network.classes === 0
      ? null
      : tf.oneHot(tf.fill([rows], label, "int32"), network.classes + 1).toFloat() as tf.Tensor2D;
    return network.forward(
      namedParameters(network.parameters, weights),
      createRng(seed).fork("x").normal([rows, ...network.sampleShape]),
      tf.tensor2d(features, [rows, network.noiseFeatureCount]),
      classes,
    );
  });
}

/**
 * The network of Song's MNIST tutorial on score-based models (2021), layer by layer: four valid convolutions down,
 * four transposed ones up with concatenated skips, a dense time feature before each normalization. It predicts the
 * noise of dx = σ^t dw; in the tutorial's terms the score is −output / σ(t).
 * @module
 */
import { groupNorm } from "../compute/group_norm.ts";
import { createRng, type Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { checkNumber, checkNumbers } from "../input/fields.ts";
import { dense, type Layer, silu } from "./layers.ts";
import { initialValues, type Network, type Parameters, type ParameterSpec, requireSize } from "./network.ts";
import { waves } from "./noise_embedding.ts";
import { requireBoolean, requireOptions } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";

/** The config of a tutorial network; plain JSON. */
export interface TutorialConfig {
  /** The kind of network. */
  readonly kind: "tutorial";
  /** Channels of the four levels; 32, 64, 128, 256 in the tutorial. */
  readonly widths: readonly [number, number, number, number];
  /** Channels of the time embedding, even; 256 in the tutorial. */
  readonly embedding: number;
  /** σ of dx = σ^t dw, whose time is embedded; 25 in the tutorial. */
  readonly sigma: number;
  /** Standard deviation of the Gaussian random frequencies; 30 in the tutorial. */
  readonly frequencyScale: number;
  /** Seed of the random frequencies, which are not trained. */
  readonly frequencySeed: number;
  /** The random frequencies themselves, [embedding / 2], as of a network that was trained elsewhere; default drawn from the seed. */
  readonly frequencies?: readonly number[];
  /**
   * Whether it was trained on pixels in [0, 1], as in the tutorial; default false. It is given pixels in [−1, 1] all the same,
   * y = 2 y₁ − 1 with twice the noise ratio, where it predicts the same noise.
   */
  readonly unitRange?: boolean;
}

/** The tutorial's own sizes. */
export const TUTORIAL: TutorialConfig = {
  kind: "tutorial",
  widths: [32, 64, 128, 256],
  embedding: 256,
  sigma: 25,
  frequencyScale: 30,
  frequencySeed: 0,
};

/**
 * The tutorial's network for images [28, 28, 1], without labels.
 *
 * Its features are cos and sin of 2π W t (Tancik et al. 2020), W ~ N(0, frequencyScale²), where
 * t = ln(1 + 2 ν² ln σ) / (2 ln σ) is the time at which dx = σ^t dw has the noise level ν.
 *
 * @throws {RangeError} When the embedding is odd, a width is not a multiple of its groups, or sigma is not above 1.
 */
export function tutorialNetwork(config: TutorialConfig = TUTORIAL): Network<TutorialConfig> {
  checkConfig(config);
  const [c1, c2, c3, c4] = config.widths;
  const embed = dense("embed", { from: config.embedding, to: config.embedding });
  const encoder = [
    stage("down.0", { from: 1, to: c1, stride: 1, groups: 4, embedding: config.embedding }),
    stage("down.1", { from: c1, to: c2, stride: 2, groups: 32, embedding: config.embedding }),
    stage("down.2", { from: c2, to: c3, stride: 2, groups: 32, embedding: config.embedding }),
    stage("down.3", { from: c3, to: c4, stride: 2, groups: 32, embedding: config.embedding }),
  ];
  const decoder = [
    stage("up.3", { from: c4, to: c3, stride: 2, groups: 32, embedding: config.embedding, up: 5 }),
    stage("up.2", { from: 2 * c3, to: c2, stride: 2, groups: 32, embedding: config.embedding, up: 12 }),
    stage("up.1", { from: 2 * c2, to: c1, stride: 2, groups: 32, embedding: config.embedding, up: 26 }),
  ];
  const weight = filter("up.0.conv.weight", [3, 3, 1, 2 * c1]);
  const bias = { name: "up.0.conv.bias", shape: [1], mean: 0, std: 0 };
  const parameters = [
    ...[embed, ...encoder, ...decoder].flatMap((layer) => layer.parameters),
    weight,
    bias,
  ];
  const frequencies = randomFrequencies(config);
  return {
    config,
    sampleShape: [28, 28, 1],
    classes: 0,
    parameters,
    noiseFeatureCount: config.embedding,
    initialise: (rng: Rng) => initialValues(parameters, rng),
    noiseFeatures(logNoiseRatio) {
      const growth = 2 * Math.log(config.sigma);
      const scale = inputScale(config);
      const time = (l: number) => Math.log1p((scale * Math.exp(l)) ** 2 * growth) / growth;
      return waves(logNoiseRatio.map(time), frequencies);
    },
    forward(p, x, noiseFeatures) {
      const e = silu(embed.apply(p, noiseFeatures));
      const skips: tf.Tensor[] = [];
      let h = config.unitRange ? tf.mul(tf.add(x, 1), inputScale(config)) : x;
      for (const layer of encoder) skips.push(h = layer.apply(p, h, e));
      skips.pop();
      for (const layer of decoder) h = tf.concat([layer.apply(p, h, e), skips.pop()!], 3);
      return tf.add(transposedConvolution(h, p[weight.name], 28, 1), p[bias.name]);
    },
  };
}

/** Convolution (transposed to the size `up` if given), plus a dense feature of time, group norm, swish. */
function stage(
  name: string,
  { from, to, stride, groups, embedding, up }: {
    from: number;
    to: number;
    stride: 1 | 2;
    groups: number;
    embedding: number;
    up?: number;
  },
): Layer<[x: tf.Tensor, embedding: tf.Tensor]> {
  const weight = filter(`${name}.conv.weight`, up === undefined ? [3, 3, from, to] : [3, 3, to, from]);
  const time = dense(`${name}.time`, { from: embedding, to });
  const gain = { name: `${name}.norm.weight`, shape: [to], mean: 1, std: 0 };
  const offset = { name: `${name}.norm.bias`, shape: [to], mean: 0, std: 0 };
  return {
    parameters: [weight, ...time.parameters, gain, offset],
    apply(p: Parameters, x: tf.Tensor, e: tf.Tensor): tf.Tensor {
      const h = up === undefined
        ? tf.conv2d(x as tf.Tensor4D, p[weight.name] as tf.Tensor4D, stride, "valid")
        : transposedConvolution(x, p[weight.name], up, stride);
      const shifted = tf.add(h, tf.reshape(time.apply(p, e), [x.shape[0], 1, 1, to]));
      return groupNorm(
        shifted as tf.Tensor4D,
        tf.reshape(p[gain.name], [1, to]) as tf.Tensor2D,
        tf.reshape(p[offset.name], [1, to]) as tf.Tensor2D,
        groups,
        "silu",
      );
    },
  };
}

/** Transposed valid 3×3 convolution to [B, size, size, out]; weight [3, 3, out, in]. */
function transposedConvolution(x: tf.Tensor, weight: tf.Tensor, size: number, stride: number): tf.Tensor {
  const shape: [number, number, number, number] = [x.shape[0], size, size, weight.shape[2]!];
  return tf.conv2dTranspose(x as tf.Tensor4D, weight as tf.Tensor4D, shape, stride, "valid");
}

function filter(name: string, shape: [number, number, number, number]): ParameterSpec {
  // A transposed filter is stored [3, 3, out, in]; each output pixel sees about nine inputs either way.
  const inputs = name.startsWith("up.") ? shape[3] : shape[2];
  return { name, shape, mean: 0, std: 1 / Math.sqrt(9 * inputs) };
}

/** The factor from the noise ratio of pixels in [−1, 1] to that of the pixels that the network was trained on. */
export function inputScale({ unitRange = false }: TutorialConfig): number {
  return unitRange ? 0.5 : 1;
}

/** 2π W, W ~ N(0, scale²) or as the config lists them, [embedding / 2]. */
export function randomFrequencies(
  { embedding, frequencyScale, frequencySeed, frequencies }: TutorialConfig,
): Float64Array {
  const rng = createRng(frequencySeed);
  if (frequencies !== undefined) return Float64Array.from(frequencies, (w) => 2 * Math.PI * w);
  const normals = rng.fork("frequencies").normalValues([1, embedding / 2]);
  return Float64Array.from(normals, (z) => 2 * Math.PI * frequencyScale * z);
}

function checkConfig(config: TutorialConfig): void {
  requireOptions("config", config);
  checkName("kind", config.kind, ["tutorial"]);
  const { widths, embedding, sigma, frequencyScale, frequencies, unitRange } = config;
  if (!Number.isInteger(embedding) || embedding < 2 || embedding % 2 !== 0) {
    throw new RangeError(`embedding must be a positive even number, got ${quoted(embedding)}`);
  }
  requireSize("embedding", embedding, 2);
  checkNumbers("widths", widths);
  if (widths.length !== 4) throw new RangeError(`widths must name four levels, got ${widths.length}`);
  for (const width of widths) {
    if (!Number.isInteger(width) || width < 32 || width % 32 !== 0) {
      throw new RangeError(`each of widths must be a multiple of the 32 groups, got ${quoted(width)}`);
    }
    requireSize("a width", width, 32);
  }
  checkNumber("sigma", sigma, { above: 1 });
  checkNumber("frequencyScale", frequencyScale, { above: 0 });
  if (unitRange !== undefined) requireBoolean("unitRange", unitRange);
  if (frequencies === undefined) return;
  checkNumbers("frequencies", frequencies);
  if (frequencies.length !== embedding / 2) {
    throw new RangeError(
      `frequencies must be half as many as the embedding, ${embedding / 2}, got ${frequencies.length}`,
    );
  }
}

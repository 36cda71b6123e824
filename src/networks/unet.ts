/**
 * A time-conditional U-Net (Ronneberger et al. 2015; Ho et al. 2020): residual blocks with group norm, SiLU and FiLM
 * from the noise level and the class, between a pixel-unshuffle stem and a pixel-shuffle head.
 * @module
 */
import * as tf from "../compute/tf.ts";
import {
  convolution,
  dense,
  type Layer,
  normalization,
  pixelShuffle,
  pixelUnshuffle,
  residualBlock,
  selfAttention,
  silu,
  upsample,
} from "./layers.ts";
import { checkNumbers } from "../input/fields.ts";
import { checkPeriods, inputWaves } from "./fourier_features.ts";
import { initialValues, type Network, requireSize } from "./network.ts";
import { checkFeatureCount, positionalFeatures } from "./noise_embedding.ts";
import { requireBoolean, requireOptions } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";

/** The config of a U-Net; plain JSON. */
export interface UNetConfig {
  /** The kind of network. */
  readonly kind: "unet";
  /** Height of an image in pixels; images whose size the levels do not divide get a border inside the network. */
  readonly height: number;
  /** Width of an image in pixels. */
  readonly width: number;
  /** Channels of an image. */
  readonly channels: number;
  /** Factor by which the stem folds pixels into channels; 1 leaves them. */
  readonly unshuffle: number;
  /** Channels of each level, from the finest to the coarsest; each level has half the height and width of the last. */
  readonly widths: readonly number[];
  /** Residual blocks of each level but the coarsest, on the way down and again on the way up. */
  readonly blocks: number;
  /** Residual blocks of the coarsest level. */
  readonly middleBlocks: number;
  /** Groups of the normalizations. */
  readonly groups: number;
  /** Channels of the embedding of noise level and class. */
  readonly embedding: number;
  /** Positional features of ln ν. */
  readonly noiseFeatures: number;
  /** Heights, in pixels after the stem, of the levels whose blocks are followed by self-attention. */
  readonly attention: readonly number[];
  /** 0 for a network without labels. */
  readonly classes: number;
  /**
   * Whether the noise level is an input of the network. False for NCSNv2's, whose score is s(x)/σ (technique 3).
   * Default true.
   */
  readonly noiseConditional?: boolean;
  /**
   * Periods, in units of the network's input, of Fourier features of each pixel, further inputs of the stem; default
   * none.
   */
  readonly wavePeriods?: readonly number[];
}

/**
 * The U-Net of a config.
 *
 * Level i < L−1: `blocks` residual blocks down, each leaving a skip, then a strided convolution; the middle; then for
 * each level upwards a nearest-neighbour doubling with a convolution, and `blocks` residual blocks on the
 * concatenation with the skips, last first.
 *
 * @throws {RangeError} When sizes do not fit each other.
 */
export function unet(config: UNetConfig): Network<UNetConfig> {
  checkConfig(config);
  const { channels, unshuffle, widths, blocks, groups, embedding, wavePeriods = [] } = config;
  const levels = widths.length;
  const folded = unshuffle * unshuffle * channels;
  const padded = paddedSize(config);
  const heightOf = (level: number) => padded[0] / unshuffle / 2 ** level;
  const stage = (name: string, level: number, from: number): Stage => {
    const block = residualBlock(name, { from, to: widths[level], embedding, groups });
    const attends = config.attention.includes(heightOf(level));
    const attention = attends ? selfAttention(`${name}.attention`, widths[level], groups) : null;
    return {
      parameters: [...block.parameters, ...(attention?.parameters ?? [])],
      apply(p, x, embedding) {
        const h = block.apply(p, x, embedding);
        return attention === null ? h : attention.apply(p, h);
      },
    };
  };

  const noise1 = dense("embedding.noise1", { from: config.noiseFeatures, to: embedding });
  const noise2 = dense("embedding.noise2", { from: embedding, to: embedding });
  const label = config.classes === 0
    ? null
    : dense("embedding.class", { from: config.classes + 1, to: embedding, bias: false });
  const stem = convolution("stem", { from: folded, to: widths[0] });
  const waves = wavePeriods.length === 0
    ? null
    : wavesStem(2 * folded * wavePeriods.length, widths[0], embedding);
  const down = range(levels - 1).map((level) => ({
    blocks: range(blocks).map((k) => stage(`down.${level}.block.${k}`, level, widths[level])),
    half: convolution(`down.${level}.half`, { from: widths[level], to: widths[level + 1], stride: 2 }),
  }));
  const middle = range(config.middleBlocks).map((k) =>
    stage(`middle.block.${k}`, levels - 1, widths[levels - 1])
  );
  const up = range(levels - 1).reverse().map((level) => ({
    double: convolution(`up.${level}.double`, { from: widths[level + 1], to: widths[level] }),
    blocks: range(blocks).map((k) => stage(`up.${level}.block.${k}`, level, 2 * widths[level])),
  }));
  const headNorm = normalization("head.norm", widths[0], Math.min(groups, widths[0]));
  const head = convolution("head.conv", { from: widths[0], to: folded, bias: true, zero: true });

  const parameters = [
    noise1,
    noise2,
    ...(label ? [label] : []),
    stem,
    ...(waves ? [waves] : []),
    ...down.flatMap((level) => [...level.blocks, level.half]),
    ...middle,
    ...up.flatMap((level) => [level.double, ...level.blocks]),
    headNorm,
    head,
  ].flatMap((layer) => layer.parameters);

  return {
    config,
    sampleShape: [config.height, config.width, channels],
    classes: config.classes,
    parameters,
    noiseFeatureCount: config.noiseFeatures,
    initialise: (rng) => initialValues(parameters, rng),
    noiseFeatures: (logNoiseRatio) =>
      config.noiseConditional === false
        ? new Float32Array(logNoiseRatio.length * config.noiseFeatures)
        : positionalFeatures(logNoiseRatio, config.noiseFeatures),
    forward(p, x, noiseFeatures, classes) {
      let e = noise2.apply(p, silu(noise1.apply(p, noiseFeatures)));
      if (label !== null) {
        if (classes === null) throw new TypeError("this network has classes: pass one-hot rows, not null");
        e = tf.add(e, label.apply(p, classes));
      }
      e = silu(e);
      const input = withBorder(x, padded);
      let h = stem.apply(p, pixelUnshuffle(input, unshuffle));
      if (waves !== null) {
        h = tf.add(h, waves.apply(p, pixelUnshuffle(inputWaves(input, wavePeriods), unshuffle), e));
      }
      const skips: tf.Tensor[] = [];
      for (const level of down) {
        for (const block of level.blocks) skips.push(h = block.apply(p, h, e));
        h = level.half.apply(p, h);
      }
      for (const block of middle) h = block.apply(p, h, e);
      for (const level of up) {
        h = level.double.apply(p, upsample(h));
        for (const block of level.blocks) h = block.apply(p, tf.concat([h, skips.pop()!], 3), e);
      }
      return withoutBorder(pixelShuffle(head.apply(p, headNorm.apply(p, h)), unshuffle), config);
    },
  };
}

/**
 * The height and width at which a U-Net computes: the next multiples of what its levels divide by. Where they are not
 * those of its images, it lays a border of zeros around them and cuts it off its output.
 */
export function paddedSize(
  { height, width, unshuffle, widths }: Pick<UNetConfig, "height" | "width" | "unshuffle" | "widths">,
): readonly [height: number, width: number] {
  const multiple = unshuffle * 2 ** (widths.length - 1);
  return [Math.ceil(height / multiple) * multiple, Math.ceil(width / multiple) * multiple];
}

/** Zeros around images [B, height, width, C], one row and column more below and on the right where they are odd. */
function withBorder(x: tf.Tensor, [height, width]: readonly [number, number]): tf.Tensor {
  const [down, across] = [height - x.shape[1]!, width - x.shape[2]!];
  if (down === 0 && across === 0) return x;
  const sides = (total: number): [number, number] => [Math.floor(total / 2), Math.ceil(total / 2)];
  return tf.pad(x, [[0, 0], sides(down), sides(across), [0, 0]]);
}

/** The middle of images, which {@linkcode withBorder} surrounds. */
function withoutBorder(x: tf.Tensor, { height, width }: { height: number; width: number }): tf.Tensor {
  const [batch, tall, wide, channels] = x.shape;
  if (tall === height && wide === width) return x;
  const start = [0, Math.floor((tall - height) / 2), Math.floor((wide - width) / 2), 0];
  return tf.slice(x, start, [batch, height, width, channels]);
}

type Stage = Layer<[x: tf.Tensor, embedding: tf.Tensor]>;

/** The stem of the Fourier features. Each is scaled by a function of the noise level, which is 0 at initialization. */
function wavesStem(from: number, to: number, embedding: number): Stage {
  const gate = dense("stem.waves.gate", { from: embedding, to: from, zero: true });
  const mix = convolution("stem.waves", { from, to });
  return {
    parameters: [...gate.parameters, ...mix.parameters],
    apply: (p, x, embedding) =>
      mix.apply(p, tf.mul(x, tf.reshape(gate.apply(p, embedding), [-1, 1, 1, from]))),
  };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function checkConfig(config: UNetConfig): void {
  requireOptions("config", config);
  checkName("kind", config.kind, ["unet"]);
  if (config.noiseConditional !== undefined) requireBoolean("noiseConditional", config.noiseConditional);
  const { height, width, unshuffle, widths, groups } = config;
  const positive = {
    height,
    width,
    channels: config.channels,
    unshuffle,
    middleBlocks: config.middleBlocks,
    blocks: config.blocks,
    groups,
    embedding: config.embedding,
  };
  for (const [name, value] of Object.entries(positive)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${name} must be a positive integer, got ${quoted(value)}`);
    }
    requireSize(name, value, 1);
  }
  if (!Number.isInteger(config.classes) || config.classes < 0) {
    throw new RangeError(`classes must be 0 or a positive integer, got ${quoted(config.classes)}`);
  }
  requireSize("classes", config.classes, 0);
  checkFeatureCount(config.noiseFeatures);
  checkPeriods(config.wavePeriods === undefined ? [] : config.wavePeriods);
  checkNumbers("widths", widths);
  checkNumbers("attention", config.attention);
  if (widths.length === 0) throw new RangeError("widths must name at least one level");
  for (const [level, width] of widths.entries()) {
    const divides = (channels: number) => channels % Math.min(groups, channels) === 0;
    // On the way up the blocks of all levels but the coarsest normalize twice the channels.
    const fits = divides(width) && (level === widths.length - 1 || divides(2 * width));
    if (!Number.isInteger(width) || width < 1 || !fits) {
      throw new RangeError(
        `each of widths must be a positive multiple of the ${groups} groups, got ${quoted(width)}`,
      );
    }
    requireSize("a width", width, 1);
  }
  const [padded] = paddedSize(config);
  for (const attended of config.attention) {
    if (!widths.some((_, level) => padded / unshuffle / 2 ** level === attended)) {
      throw new RangeError(`attention must name heights of levels, got ${quoted(attended)}`);
    }
  }
}

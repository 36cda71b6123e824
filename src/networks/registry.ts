/** Every kind of network by its config, and the named presets. @module */
import { quoted } from "../input/quoted.ts";
import { mlp, type MlpConfig } from "./mlp.ts";
import type { Network } from "./network.ts";
import { TUTORIAL, type TutorialConfig, tutorialNetwork } from "./tutorial.ts";
import { unet, type UNetConfig } from "./unet.ts";
import { requireOptions } from "../input/require.ts";

/** The config of any network. */
export type NetworkConfig = UNetConfig | TutorialConfig | MlpConfig;

/** The recommended network for 28×28 images of digits: 0.48 million parameters, conditional on ten classes. */
export const DIGITS: UNetConfig = {
  kind: "unet",
  height: 28,
  width: 28,
  channels: 1,
  unshuffle: 2,
  widths: [32, 64],
  blocks: 2,
  middleBlocks: 3,
  groups: 8,
  embedding: 128,
  noiseFeatures: 32,
  attention: [],
  classes: 10,
};

/** A 256th of the range of pixels, in units of the network's input for MNIST's spread of .616. */
const LEVEL = 2 / 255 / 0.616;

/** {@linkcode DIGITS} with Fourier features of periods 1, 4, 16 and 64 levels of a pixel, for likelihoods of bytes. */
export const DIGITS_WAVES: UNetConfig = {
  ...DIGITS,
  wavePeriods: [LEVEL, 4 * LEVEL, 16 * LEVEL, 64 * LEVEL],
};

/**
 * The network for digits in colours: as {@linkcode DIGITS}, with three channels, no labels and one block fewer per
 * level.
 */
export const COLOURED_DIGITS: UNetConfig = { ...DIGITS, channels: 3, blocks: 1, classes: 0 };

/**
 * The network for digits in colours whose strokes keep one colour: as {@linkcode DIGITS}, with three channels and with
 * attention between all parts of a digit at 7×7, through which the ends of a stroke agree on a colour while noise hides
 * it in each of them.
 */
const COLOURED_DIGITS_ATTENTION: UNetConfig = { ...DIGITS, channels: 3, attention: [7] };

/** The network for photographs of 32×32 pixels: three levels, with attention on the middle one. */
export const COLOUR_32: UNetConfig = {
  ...DIGITS,
  height: 32,
  width: 32,
  channels: 3,
  widths: [32, 64, 96],
  blocks: 1,
  middleBlocks: 2,
  attention: [8],
};

/** The network for photographs of 64×64 pixels: {@linkcode COLOUR_32} with one more level. */
export const COLOUR_64: UNetConfig = { ...COLOUR_32, height: 64, width: 64, widths: [32, 64, 96, 128] };

/** The network for points: 0.14 million parameters for two coordinates. */
const POINTS: MlpConfig = {
  kind: "mlp",
  dimensions: 2,
  hidden: 256,
  layers: 3,
  noiseFeatures: 32,
  classes: 0,
};

/** Networks that have a name. */
export const NETWORK_PRESETS: {
  readonly digits: UNetConfig;
  readonly "digits-waves": UNetConfig;
  readonly "coloured-digits": UNetConfig;
  readonly "coloured-digits-attention": UNetConfig;
  readonly "colour-32": UNetConfig;
  readonly "colour-64": UNetConfig;
  readonly tutorial: TutorialConfig;
  readonly mlp: MlpConfig;
} = {
  digits: DIGITS,
  "digits-waves": DIGITS_WAVES,
  "coloured-digits": COLOURED_DIGITS,
  "coloured-digits-attention": COLOURED_DIGITS_ATTENTION,
  "colour-32": COLOUR_32,
  "colour-64": COLOUR_64,
  tutorial: TUTORIAL,
  mlp: POINTS,
};

/**
 * The network that a config describes.
 * @throws {RangeError | TypeError} When the config is invalid.
 */
export function networkFromConfig<C extends NetworkConfig>(config: C): Network<C>;
export function networkFromConfig(config: NetworkConfig): Network<NetworkConfig> {
  requireOptions("a network's config", config);
  switch (config.kind) {
    case "unet":
      return unet(config);
    case "tutorial":
      return tutorialNetwork(config);
    case "mlp":
      return mlp(config);
    default:
      throw new TypeError(
        `a network config's kind must be unet, tutorial or mlp, got ${
          quoted((config as { kind: unknown }).kind)
        }`,
      );
  }
}

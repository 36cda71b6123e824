/** The networks' outputs against their layers in float64, and the named networks' configs. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import { namedParameters, type Network, parameterCount } from "../../../src/networks/network.ts";
import type { UNetConfig } from "../../../src/networks/unet.ts";
import { parametersOf, perceptron, tutorial, unet, wavesOf } from "../../reference/float64_networks.ts";
import type { Array64 } from "../../reference/float64_operations.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { fourierUNet, randomWeights, small } from "../../problems/small_networks.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** A U-Net of three levels with two blocks each, attention on two of them, no folding and other numbers of groups. */
const deep: UNetConfig = {
  ...small,
  ...{ height: 8, width: 4, channels: 1, unshuffle: 1, widths: [3, 3, 6], blocks: 2, middleBlocks: 2 },
  ...{ groups: 3, embedding: 5, noiseFeatures: 6, attention: [8, 4], classes: 0 },
};
const narrow = {
  ...NETWORK_PRESETS.tutorial,
  widths: [32, 32, 32, 64],
  embedding: 6,
  sigma: 7,
  frequencyScale: 0.3,
} as const;
const points = { kind: "mlp", dimensions: 3, hidden: 5, layers: 2, noiseFeatures: 4, classes: 2 } as const;

const logRatio = -0.6;
/** ω = ¼·64^{k/(F/2−1)}, k < F/2, times ln ν. */
const positional = (count: number) =>
  Array.from({ length: count / 2 }, (_, k) => 0.25 * 64 ** (k / (count / 2 - 1)) * logRatio);

/** The output for one sample x and label 1, and the largest difference from another one, over its largest number. */
async function compare(
  config: NetworkConfig,
  seed: number,
  expected: (p: ReturnType<typeof parametersOf>, x: Array64) => Array64,
): Promise<number> {
  return await scoped(async () => {
    const network = networkFromConfig(config) as Network;
    const tensors = randomWeights(network, seed);
    const weights = new Map<string, ArrayLike<number>>();
    for (const [i, { name }] of network.parameters.entries()) weights.set(name, await tensors[i].data());
    const shape = [1, ...network.sampleShape];
    const x = createRng(seed).fork("x").normal(shape);
    const classes = network.classes === 0
      ? null
      : tf.oneHot(tf.tensor1d([1], "int32"), network.classes + 1).toFloat() as tf.Tensor2D;
    const features = tf.tensor2d(network.noiseFeatures(Float64Array.of(logRatio)), [
      1,
      network.noiseFeatureCount,
    ]);
    const output = network.forward(namedParameters(network.parameters, tensors), x, features, classes);
    const observed = await output.data();
    const { values } = expected(
      parametersOf(network.parameters, (name) => weights.get(name)!),
      { shape, values: Float64Array.from(await x.data()) },
    );
    if (values.length !== observed.length) return NaN;
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return values.reduce((most, value, i) => Math.max(most, Math.abs(value - observed[i])), 0) / largest;
  });
}

const oneHot = (classes: number): Array64 => ({
  shape: [1, classes + 1],
  values: Float64Array.from({ length: classes + 1 }, (_, c) => c === 1 ? 1 : 0),
});

claim("networks compute what their layers, written down in float64, compute", async (check) => {
  const source =
    "float32 through some thirty layers of weights of unit gain; a layer left out, or changed, moves it by 1e-2";
  for (
    const [what, config] of Object.entries({
      "two levels": small,
      "with waves": fourierUNet,
      "three levels": deep,
    })
  ) {
    const difference = await compare(
      config,
      check.seed,
      (p, x) =>
        unet(
          p,
          config,
          x,
          wavesOf(positional(config.noiseFeatures)),
          config.classes === 0 ? null : oneHot(config.classes),
        ),
    );
    check.atMost(`U-Net, ${what}`, difference, 2e-4, source);
  }
  const difference = await compare(
    points,
    check.seed,
    (p, x) => perceptron(p, 2, [...x.values, ...wavesOf(positional(4)).values, ...oneHot(2).values]),
  );
  check.atMost("perceptron", difference, 1e-5, source);
  // σ(t)² = (7^{2t} − 1)/(2 ln 7) is ν² at the time that is embedded.
  const t = Math.log(1 + 2 * Math.log(7) * Math.exp(2 * logRatio)) / (2 * Math.log(7));
  const frequencies = [...createRng(0).fork("frequencies").normalValues([1, 3])].map((z) =>
    2 * Math.PI * 0.3 * z * t
  );
  check.atMost(
    "tutorial",
    await compare(narrow, check.seed, (p, x) => tutorial(p, x, wavesOf(frequencies))),
    2e-4,
    source,
  );
});

claim("the networks that have a name are those of the documentation", (check) => {
  const digits = {
    kind: "unet",
    ...{ height: 28, width: 28, channels: 1, unshuffle: 2, widths: [32, 64], blocks: 2, middleBlocks: 3 },
    ...{ groups: 8, embedding: 128, noiseFeatures: 32, attention: [], classes: 10 },
  };
  const colours = {
    ...digits,
    ...{
      height: 32,
      width: 32,
      channels: 3,
      widths: [32, 64, 96],
      blocks: 1,
      middleBlocks: 2,
      attention: [8],
    },
  };
  // A level of a pixel is 2/255 of the model's range, whose spread for MNIST is 0.616.
  const level = 2 / 255 / 0.616;
  const expected = {
    digits,
    "digits-waves": { ...digits, wavePeriods: [level, 4 * level, 16 * level, 64 * level] },
    "coloured-digits": { ...digits, channels: 3, blocks: 1, classes: 0 },
    "coloured-digits-attention": { ...digits, channels: 3, attention: [7] },
    "colour-32": colours,
    "colour-64": { ...colours, height: 64, width: 64, widths: [32, 64, 96, 128] },
    tutorial: {
      kind: "tutorial",
      ...{ widths: [32, 64, 128, 256], embedding: 256, sigma: 25, frequencyScale: 30, frequencySeed: 0 },
    },
    mlp: { kind: "mlp", dimensions: 2, hidden: 256, layers: 3, noiseFeatures: 32, classes: 0 },
  };
  check.equal("configs", NETWORK_PRESETS as unknown, expected, "written out");
  for (const [name, config] of Object.entries(expected) as [string, NetworkConfig][]) {
    const { sampleShape, classes, noiseFeatureCount } = networkFromConfig(config) as Network;
    const unet = config as UNetConfig;
    check.equal(
      name,
      [sampleShape, classes, noiseFeatureCount],
      name === "tutorial"
        ? [[28, 28, 1], 0, 256]
        : name === "mlp"
        ? [[2], 0, 32]
        : [[unet.height, unet.width, unet.channels], unet.classes, 32],
      "as its config says",
    );
  }
  check.equal(
    "parameters of a perceptron",
    parameterCount(networkFromConfig(points)),
    (10 + 1) * 5 + 6 * 5 + 6 * 3,
    "by hand",
  );
});

claim(
  "sizes of networks are taken up to the ends of their ranges, and refused by name beyond",
  async (check) => {
    const make = (config: object) => () => networkFromConfig(config as NetworkConfig);
    const most = 2 ** 20;
    const refused = (what: string, config: object, message: string) =>
      check.throws(what, make(config), new RegExp(`^${message}$`));
    for (
      const name of [
        "height",
        "width",
        "channels",
        "unshuffle",
        "middleBlocks",
        "blocks",
        "groups",
        "embedding",
      ]
    ) {
      for (const value of [0, 1.5]) {
        await refused(
          `U-Net, ${name} ${value}`,
          { ...small, [name]: value },
          `${name} must be a positive integer, got ${value}`,
        );
      }
      await refused(
        `U-Net, ${name} above 2²⁰`,
        { ...small, [name]: most + 1 },
        `${name} must be at most ${most}, got ${most + 1}`,
      );
    }
    await refused(
      "U-Net, half a class",
      { ...small, classes: 0.5 },
      "classes must be 0 or a positive integer, got 0.5",
    );
    await refused(
      "U-Net, classes above 2²⁰",
      { ...small, classes: most + 1 },
      `classes must be at most ${most}, got ${most + 1}`,
    );
    await refused(
      "U-Net, a width of 0",
      { ...small, widths: [0, 8] },
      "each of widths must be a positive multiple of the 2 groups, got 0",
    );
    await refused(
      "U-Net, a width above 2²⁰",
      { ...small, widths: [4, 2 * most] },
      `a width must be at most ${most}, got ${2 * most}`,
    );
    for (const noiseFeatures of [2, 5, 4.5]) {
      const message = `noiseFeatures must be an even number of at least 4, got ${noiseFeatures}`;
      await refused(`U-Net, ${noiseFeatures} features`, { ...small, noiseFeatures }, message);
      await refused(`perceptron, ${noiseFeatures} features`, { ...points, noiseFeatures }, message);
    }
    for (const [name, least] of [["dimensions", 1], ["hidden", 1], ["layers", 1], ["classes", 0]] as const) {
      for (const value of [least - 1, 1.5]) {
        await refused(
          `perceptron, ${name} ${value}`,
          { ...points, [name]: value },
          `${name} must be an integer of at least ${least}, got ${value}`,
        );
      }
      await refused(
        `perceptron, ${name} above 2²⁰`,
        { ...points, [name]: most + 1 },
        `${name} must be at most ${most}, got ${most + 1}`,
      );
    }
    for (const embedding of [0, 3, 1.5]) {
      await refused(
        `tutorial, embedding ${embedding}`,
        { ...narrow, embedding },
        `embedding must be a positive even number, got ${embedding}`,
      );
    }
    await refused(
      "tutorial, three widths",
      { ...narrow, widths: [32, 32, 32] },
      "widths must name four levels, got 3",
    );
    for (const width of [0, 16, 48, 32.5]) {
      await refused(
        `tutorial, width ${width}`,
        { ...narrow, widths: [32, 32, 32, width] },
        `each of widths must be a multiple of the 32 groups, got ${width}`,
      );
    }
    await refused(
      "tutorial, σ of 1",
      { ...narrow, sigma: 1 },
      "sigma must be a finite number above 1, got 1",
    );
    await refused(
      "tutorial, frequencies of 0",
      { ...narrow, frequencyScale: 0 },
      "frequencyScale must be a positive number, got 0",
    );
    for (
      const config of [
        { ...points, hidden: most, classes: 0 },
        { ...points, noiseFeatures: 4 },
        { ...narrow, embedding: 2, widths: [32, 64, 96, 128] },
        { ...small, classes: 0, widths: [1], attention: [4], groups: 1, embedding: 1, middleBlocks: 1 },
      ]
    ) {
      const { config: made } = make(config)() as Network;
      check.equal(JSON.stringify(config), made, config, "the ends of ranges");
    }
  },
);

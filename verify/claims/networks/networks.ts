/** Claims about the networks: shapes, gradients, names, conditioning, what they start as. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  DIGITS,
  NETWORK_PRESETS,
  type NetworkConfig,
  networkFromConfig,
} from "../../../src/networks/registry.ts";
import { pixelShuffle, pixelUnshuffle } from "../../../src/networks/layers.ts";
import { type Network, parameterCount } from "../../../src/networks/network.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { firstOf, scoped } from "../../instruments/tensor_scope.ts";
import { fourierUNet, output, perceptron, randomWeights, small } from "../../problems/small_networks.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const subjects: readonly [string, NetworkConfig][] = [
  ["digits", DIGITS],
  ["tutorial", NETWORK_PRESETS.tutorial],
  ["small U-Net", small],
  ["small U-Net with waves", fourierUNet],
  ["perceptron", perceptron],
];

claim("every network gives finite numbers in the shape of its input, with flat memory", async (check) => {
  for (const [name, config] of subjects) {
    const network = networkFromConfig(config) as Network;
    const weights = randomWeights(network, check.seed);
    const before = tf.memory().numTensors;
    const y = output(network, weights, check.seed);
    check.equal(
      `${name}: shape`,
      y.shape,
      [3, ...network.sampleShape],
      "a score has the shape of its sample",
    );
    check.holds(`${name}: finite`, (await y.data()).every(Number.isFinite), "bounded weights and inputs");
    y.dispose();
    check.equal(`${name}: tensors left`, tf.memory().numTensors - before, 0, "forward keeps nothing");
    tf.dispose(weights);
  }
});

claim("the noise embedding is cosines, then sines, of documented frequencies", (check) => {
  const logs = Float64Array.of(-2, 0.7);
  const digits = networkFromConfig(DIGITS).noiseFeatures(logs);
  const tutorial = networkFromConfig(NETWORK_PRESETS.tutorial);
  const embedded = tutorial.noiseFeatures(logs);
  const normals = createRng(0).fork("frequencies").normalValues([1, 128]);
  logs.forEach((log, row) => {
    for (const k of [0, 7, 15]) {
      const angle = 0.25 * 64 ** (k / 15) * log;
      const source = "ω = ¼·64^(k/15), of ln ν; rounded to float32 once";
      check.within(
        `digits, row ${row}, cosine ${k}`,
        digits[32 * row + k],
        Math.cos(angle),
        2 ** -24,
        source,
      );
      check.within(
        `digits, row ${row}, sine ${k}`,
        digits[32 * row + 16 + k],
        Math.sin(angle),
        2 ** -24,
        source,
      );
    }
    // σ(t)² = (25^{2t} − 1)/(2 ln 25) is ν² at the time that is embedded.
    const t = Math.log(1 + 2 * Math.log(25) * Math.exp(2 * log)) / (2 * Math.log(25));
    const angle = 2 * Math.PI * 30 * normals[5] * t;
    const source = "2π·30·W of the time with σ(t) = ν; rounded to float32 once";
    check.within(
      `tutorial, row ${row}, cosine 5`,
      embedded[256 * row + 5],
      Math.cos(angle),
      2 ** -24,
      source,
    );
    check.within(
      `tutorial, row ${row}, sine 5`,
      embedded[256 * row + 133],
      Math.sin(angle),
      2 ** -24,
      source,
    );
  });
});

claim("the networks' parameters keep their names, shapes and order", async (check) => {
  const source = "checkpoints find their weights by them";
  const digest = async (config: NetworkConfig) => {
    const text = networkFromConfig(config).parameters.map(({ name, shape }) => `${name}[${shape}]`).join();
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    return bytes.slice(0, 8).toHex();
  };
  check.equal("digits", await digest(DIGITS), "4cbe3bae4511a4e3", source);
  check.equal("tutorial", await digest(NETWORK_PRESETS.tutorial), "1b0eb35543bff558", source);
  check.equal("digits, parameters", parameterCount(networkFromConfig(DIGITS)), 462_788, source);
  check.equal(
    "tutorial, parameters",
    parameterCount(networkFromConfig(NETWORK_PRESETS.tutorial)),
    1_115_297,
    "the tutorial's network in PyTorch, without its 128 fixed frequencies",
  );
});

claim("noise level and class change a network's output, and only in their own row", async (check) => {
  await scoped(async () => {
    for (const [name, config] of [["small U-Net", small], ["perceptron", perceptron]] as const) {
      const network = networkFromConfig(config) as Network;
      const weights = randomWeights(network, check.seed);
      const distance = async (a: tf.Tensor, b: tf.Tensor) =>
        await firstOf(tf.norm(tf.sub(a, b))) / await firstOf(tf.norm(b));
      const base = output(network, weights, check.seed);
      // Weights of unit scale turn a change of all features into a change of the same order; float32 noise is 1e-6.
      const source = "conditioning enters every block";
      for (const changed of [{ logNoiseRatio: 1 }, { label: 2 }, { label: network.classes }]) {
        const change = await distance(output(network, weights, check.seed, changed), base);
        check.atLeast(`${name}: relative change for ${JSON.stringify(changed)}`, change, 1e-3, source);
      }
      const alone = output(network, weights, check.seed, { rows: 1 });
      check.atMost(
        `${name}: a row alone against the same row in a batch`,
        await distance(tf.slice(base, 0, 1), alone),
        1e-5,
        "normalization is per sample; float32 sums of at most a few hundred terms may be ordered otherwise",
      );
    }
  });
});

claim(
  "an untrained network's output is 0, and each initial parameter depends on seed and name alone",
  async (check) => {
    await scoped(async () => {
      for (const [name, config] of subjects) {
        if (name === "tutorial") continue;
        const network = networkFromConfig(config) as Network;
        const start = network.initialise(createRng(check.seed));
        const weights = network.parameters.map(({ name, shape }) => tf.tensor(start.get(name)!, [...shape]));
        const largest = await firstOf(tf.max(tf.abs(output(network, weights, check.seed))));
        check.equal(`${name}: largest output`, largest, 0, "the last layer starts at zero");
      }
      const wide = networkFromConfig({ ...DIGITS, attention: [7] }).initialise(createRng(check.seed));
      const plain = networkFromConfig(DIGITS).initialise(createRng(check.seed));
      const same = [...plain].every(([name, values]) => values.every((v, i) => v === wide.get(name)![i]));
      check.holds("an added layer leaves the others' start as it was", same, "one stream for each name");
    });
  },
);

claim("pixel-unshuffle stacks each block row by row, and pixel-shuffle undoes it", async (check) => {
  const x = tf.range(0, 2 * 4 * 6 * 3).reshape([2, 4, 6, 3]);
  const folded = pixelUnshuffle(x, 2);
  // Pixel (row 2, columns 4 and 5) and (row 3, columns 4 and 5) of image 0: 3 numbers each, from 3·(6·row + column).
  const block = Array.from(await tf.slice(folded, [0, 1, 2, 0], [1, 1, 1, 12]).data());
  const expected = [12 + 4, 12 + 5, 18 + 4, 18 + 5].flatMap((pixel) => [0, 1, 2].map((c) => 3 * pixel + c));
  check.equal("one block", block, expected, "channel order (row, column, channel)");
  check.equal("there and back", await pixelShuffle(folded, 2).data(), await x.data(), "a permutation");
});

claim("invalid network configs are refused in one sentence", async (check) => {
  const refused: [string, NetworkConfig, RegExp][] = [
    ["size", { ...DIGITS, height: 0 }, /^height must be a positive integer, got 0$/],
    ["widths", { ...DIGITS, widths: [32, 60] }, /multiple of the 8 groups, got 60/],
    ["widths on the way up", { ...DIGITS, widths: [5, 32] }, /multiple of the 8 groups, got 5$/],
    ["no widths", { ...DIGITS, widths: [] }, /at least one level/],
    ["attention", { ...DIGITS, attention: [9] }, /heights of levels, got 9/],
    ["features", { ...DIGITS, noiseFeatures: 5 }, /even number of at least 4, got 5/],
    ["classes", { ...DIGITS, classes: -1 }, /classes must be 0 or a positive integer, got -1/],
    [
      "periods",
      { ...DIGITS, wavePeriods: [1, 0] },
      /each of wavePeriods must be a positive number, got 0$/,
    ],
    ["blocks", { ...DIGITS, blocks: 0 }, /blocks must be a positive integer, got 0/],
    [
      "perceptron",
      { ...perceptron, hidden: 0 } as NetworkConfig,
      /hidden must be an integer of at least 1, got 0/,
    ],
    ["sigma", { ...NETWORK_PRESETS.tutorial, sigma: 1 }, /sigma must be a finite number above 1, got 1$/],
    ["kind", { kind: "transformer" } as unknown as NetworkConfig, /kind must be unet, tutorial or mlp/],
  ];
  for (const [what, config, message] of refused) {
    await check.throws(what, () => networkFromConfig(config), message);
  }
  for (const widths of [[4, 5], [2, 16], [8, 24]]) {
    const { config } = networkFromConfig({ ...DIGITS, widths });
    check.equal(
      `widths ${widths}`,
      config.widths,
      widths,
      "each layer's channels are whole groups, or fewer than groups",
    );
  }
});

/** Claims about networks that see waves of their input. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { DIGITS, networkFromConfig } from "../../../src/networks/registry.ts";
import { inputWaves } from "../../../src/networks/fourier_features.ts";
import { type Network, unflatten, type Weights } from "../../../src/networks/network.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import type { UNetConfig } from "../../../src/networks/unet.ts";
import { initialState } from "../../../src/training/train.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "always" };

const periods = [0.8, 2.5];
const plain: UNetConfig = {
  ...DIGITS,
  height: 8,
  width: 8,
  widths: [4, 8],
  blocks: 1,
  middleBlocks: 1,
  groups: 2,
  embedding: 8,
  noiseFeatures: 4,
};
const wavy: UNetConfig = { ...plain, wavePeriods: periods };

claim(
  "Fourier features are the cosine and the sine of a value's multiples, and so are their gradients",
  async (check) => {
    const values = Float32Array.of(-3.3, -0.8, -0.1, 0, 0.2, 1.9, 40.3);
    await scoped(async () => {
      const x = tf.tensor4d(values, [1, 1, values.length, 1]);
      const waves = await inputWaves(x, periods).data();
      const of = (f: (value: number, turn: number) => number[]) =>
        Array.from(values, (value) => periods.map((period) => f(value, 2 * Math.PI / period))).flat(2);
      const expected = of((value, turn) => [Math.cos(turn * value), Math.sin(turn * value)]);
      check.atMost(
        "largest error",
        Math.max(...expected.map((value, i) => Math.abs(value - waves[i]))),
        4e-5,
        "float32 rounds the turns of the largest value, 50, by 4e-6 at most; times 2π",
        { detectable: "a period off by 1e-6" },
      );
      const slopes = await tf.grad((x) => tf.sum(inputWaves(x, periods)))(x).data();
      const each = of((value, turn) => [turn * (Math.cos(turn * value) - Math.sin(turn * value))]);
      const derivatives = Array.from(values, (_, i) => each[2 * i] + each[2 * i + 1]);
      check.atMost(
        "largest error of the derivative of their sum",
        Math.max(...derivatives.map((value, i) => Math.abs(value - slopes[i]))),
        5e-4,
        "the same, twice, times 2π/0.8; the whole turns that are taken off have no slope",
      );
    });
  },
);

claim("adding Fourier features to a network leaves its outputs as they were", async (check) => {
  const [before, after] = [plain, wavy].map((config) => networkFromConfig(config) as Network);
  const rng = createRng(check.seed);
  const known = new Map(before.parameters.map(({ name, shape, mean, std }) => {
    const normals = rng.fork(name).normalValues([1, shape.reduce((a, b) => a * b, 1)]);
    return [name, normals.map((z) => mean + (std === 0 ? 0.2 : std) * z)];
  }));
  const weights = unflatten(after.parameters, initialState(after, check.seed, known).weights);
  const outputs: number[][] = [];
  for (const [network, values] of [[plain, known], [wavy, weights]] as [UNetConfig, Weights][]) {
    const noisePredictor = networkPredictor(
      { network, preconditioning: { sigmaData: 0.5, centre: 0 } },
      values,
    );
    const noise = tf.tidy(() => noisePredictor.predictNoise(rng.fork("x").normal([2, 8, 8, 1]), 0.1));
    outputs.push(Array.from(await noise.data()));
    noise.dispose();
    noisePredictor.dispose();
  }
  check.equal(
    "outputs",
    outputs[1],
    outputs[0],
    "gates that begin closed, and every known weight in its place",
  );
  check.holds("and they are not nothing", outputs[0].some((value) => value !== 0), "random weights");
  await check.throws(
    "a weight that the network lacks",
    () => initialState(before, 0, weights),
    /no parameter stem\.waves\.gate\.weight/,
  );
});

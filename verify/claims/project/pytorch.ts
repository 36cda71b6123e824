/**
 * The claim that the networks compute what a second implementation in PyTorch computes, forwards and backwards.
 * @module
 */
import { fileURLToPath } from "node:url";
import { createRng, type Rng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import { readModel, writeModel } from "../../../src/networks/model_file.ts";
import { namedParameters, type Network, type Weights } from "../../../src/networks/network.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "../../../src/networks/safetensors.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { runProgram } from "../../suite/program.ts";

const script = fileURLToPath(new URL("../../reference/pytorch_networks.py", import.meta.url));
const packages = fileURLToPath(new URL("../../../pytorch", import.meta.url));

const configs: Readonly<Record<string, NetworkConfig>> = {
  digits: NETWORK_PRESETS.digits,
  tutorial: NETWORK_PRESETS.tutorial,
  // Every part of a U-Net that `digits` leaves out: colours, an oblong image, three levels, attention, no classes.
  variety: {
    ...NETWORK_PRESETS.digits,
    height: 16,
    width: 8,
    channels: 3,
    widths: [8, 16, 24],
    blocks: 1,
    middleBlocks: 1,
    groups: 4,
    embedding: 16,
    noiseFeatures: 8,
    attention: [4],
    classes: 0,
  },
};

function normal(rng: Rng, name: string, shape: readonly number[], std = 1, mean = 0): NamedTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, values: rng.fork(name).normalValues([1, size]).map((z) => mean + std * z) };
}

/** A model file of random weights. Layers that start at zero would hide what is before them: here they do not. */
function randomModel(config: NetworkConfig, rng: Rng): Uint8Array<ArrayBuffer> {
  const weights = new Map(
    networkFromConfig(config).parameters.map(({ name, shape, mean, std }) => [
      name,
      normal(rng, name, shape, std === 0 ? 0.2 : std, mean).values,
    ]),
  );
  return writeModel({ config: { network: config, preconditioning: null }, weights }, "F16");
}

/** Inputs of three samples, and the cotangent of the output. */
function randomInputs(network: Network, rng: Rng): Map<string, NamedTensor> {
  const rows = 3;
  const features = network.noiseFeatures(Float64Array.of(-4, 0.3, 3));
  const inputs = new Map([
    ["x", normal(rng, "x", [rows, ...network.sampleShape])],
    ["cotangent", normal(rng, "cotangent", [rows, ...network.sampleShape])],
    ["noiseFeatures", { shape: [rows, network.noiseFeatureCount], values: features }],
  ]);
  if (network.classes > 0) {
    const values = new Float32Array(rows * (network.classes + 1));
    [0, 4, network.classes].forEach((label, row) => values[row * (network.classes + 1) + label] = 1);
    inputs.set("classes", { shape: [rows, network.classes + 1], values });
  }
  return inputs;
}

/** The output and the gradients of Σ y·cotangent by this side. */
async function ours(network: Network, weights: Weights, inputs: ReadonlyMap<string, NamedTensor>) {
  const input = (name: string) => tf.tensor(inputs.get(name)!.values, [...inputs.get(name)!.shape]);
  const results = tf.tidy(() => {
    const features = input("noiseFeatures") as tf.Tensor2D;
    const classes = inputs.has("classes") ? input("classes") as tf.Tensor2D : null;
    const forward = (x: tf.Tensor, ...p: tf.Tensor[]) =>
      network.forward(namedParameters(network.parameters, p), x, features, classes);
    const p = network.parameters.map(({ name, shape }) => tf.tensor(weights.get(name)!, [...shape]));
    const x = input("x");
    const [dx, ...gradients] = tf.grads(forward as (...all: tf.Tensor[]) => tf.Tensor)(
      [x, ...p],
      input("cotangent"),
    );
    const named: Record<string, tf.Tensor> = { y: forward(x, ...p), "gradient:x": dx };
    gradients.forEach((gradient, i) => named[`gradient:${network.parameters[i].name}`] = gradient);
    return named;
  });
  const values = new Map<string, Float32Array>();
  for (const [name, result] of Object.entries(results)) values.set(name, await result.data<"float32">());
  tf.dispose(results);
  return values;
}

function length(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
}

async function askPyTorch(args: readonly string[]): Promise<void> {
  // Threads of PyTorch wait for each other in a loop, which starves the claims beside this one.
  const env = { OMP_NUM_THREADS: "1", PYTHONPATH: packages };
  await runProgram("python3", [script, ...args], { env });
}

claim(
  "the digits and tutorial networks and a U-Net of all parts agree with PyTorch in output and gradients",
  {
    needs: ["pytorch"],
    // Not cpu: TensorFlow.js' own gradient of nearest-neighbour resizing is wrong there for more than one sample.
    engines: ["wasm"],
  },
  (check) =>
    withFolder(async (folder) => {
      const names = Object.keys(configs);
      const rng = createRng(check.seed);
      for (const name of names) {
        await Deno.writeFile(`${folder}/${name}.model`, randomModel(configs[name], rng));
        const tensors = randomInputs(networkFromConfig(configs[name]) as Network, rng);
        await Deno.writeFile(`${folder}/${name}.input`, writeSafetensors({ tensors, metadata: {} }));
      }
      await askPyTorch(
        names.flatMap((name) => ["model", "input", "output"].map((end) => `${folder}/${name}.${end}`)),
      );
      for (const name of names) {
        const read = async (end: string) => await Deno.readFile(`${folder}/${name}.${end}`);
        const { weights } = readModel(await read("model"));
        const inputs = readSafetensors(await read("input")).tensors;
        const mine = await ours(networkFromConfig(configs[name]) as Network, weights, inputs);
        const theirs = readSafetensors(await read("output")).tensors;
        const named = [...theirs.keys()].filter((key) => !key.startsWith("rounding:"));
        check.equal(`${name}: names`, named.sort(), [...mine.keys()].sort(), "the parameters");
        const keys = [...mine.keys()];
        // A bias in front of a normalization of single channels has no gradient but rounding: it is held to the whole.
        const whole = Math.hypot(...keys.map((key) => length(theirs.get(key)!.values)));
        let [worst, where] = [0, ""];
        for (const key of keys) {
          const exact = theirs.get(key)!.values;
          const unit = theirs.get(`rounding:${key}`)!.values[0] +
            2 ** -22 * Math.max(length(exact), 1e-2 * whole);
          const distance = length(mine.get(key)!.map((value, i) => value - exact[i])) / unit;
          if (!(distance <= worst || isNaN(worst))) [worst, where] = [distance, key];
        }
        check.atMost(
          `${name}: worst of output and ${keys.length - 1} gradients (${where}), in PyTorch's own roundings`,
          worst,
          10,
          "PyTorch in float64; its float32 differs from that by one, and sums of 10⁵ terms in another order by some more",
          { detectable: "about 1e-4 of the output or of a gradient" },
        );
      }
    }),
);

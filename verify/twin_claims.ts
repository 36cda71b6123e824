/**
 * Claims that the networks compute what a second implementation in PyTorch computes, forwards and backwards.
 * @module
 */
import { fileURLToPath } from "node:url";
import { createRng, type Rng } from "../src/compute/rng.ts";
import * as tf from "../src/compute/tf.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../src/networks/catalogue.ts";
import { namedParameters, type Network } from "../src/networks/network.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "../src/networks/safetensors.ts";
import { type Check, claim } from "./claim.ts";

const script = fileURLToPath(new URL("../scripts/twin/compare.py", import.meta.url));

/** Every part of a U-Net that `digits` leaves out: colours, an oblong image, three levels, attention, no classes. */
const everyPart: NetworkConfig = {
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
};

/** What both sides are given: weights under `weight:NAME`, inputs, and the cotangent of the output. */
function question(network: Network, rng: Rng): Map<string, NamedTensor> {
  const rows = 3;
  const normal = (name: string, shape: readonly number[], std = 1, mean = 0): NamedTensor => ({
    shape,
    values: rng.fork(name).normalValues([1, shape.reduce((a, b) => a * b, 1)]).map((z) => mean + std * z),
  });
  const tensors = new Map<string, NamedTensor>();
  // Layers that start at zero would hide what is before them: here they do not.
  for (const { name, shape, mean, std } of network.parameters) {
    tensors.set(`weight:${name}`, normal(name, shape, std === 0 ? 0.2 : std, mean));
  }
  tensors.set("x", normal("x", [rows, ...network.sampleShape]));
  tensors.set("cotangent", normal("cotangent", [rows, ...network.sampleShape]));
  const logRatios = Float64Array.of(-4, 0.3, 3);
  const features = network.noiseFeatures(logRatios);
  tensors.set("noiseFeatures", { shape: [rows, network.noiseFeatureCount], values: features });
  if (network.classes > 0) {
    const values = new Float32Array(rows * (network.classes + 1));
    [0, 4, network.classes].forEach((label, row) => values[row * (network.classes + 1) + label] = 1);
    tensors.set("classes", { shape: [rows, network.classes + 1], values });
  }
  return tensors;
}

/** The output and the gradients of Σ y·cotangent by this side. */
async function ours(network: Network, tensors: ReadonlyMap<string, NamedTensor>) {
  const tensor = (name: string) => tf.tensor(tensors.get(name)!.values, [...tensors.get(name)!.shape]);
  const names = network.parameters.map(({ name }) => name);
  const results = tf.tidy(() => {
    const classes = tensors.has("classes") ? tensor("classes") as tf.Tensor2D : null;
    const forward = (x: tf.Tensor, ...weights: tf.Tensor[]) =>
      network.forward(
        namedParameters(network.parameters, weights),
        x,
        tensor("noiseFeatures") as tf.Tensor2D,
        classes,
      );
    const inputs = [tensor("x"), ...names.map((name) => tensor(`weight:${name}`))];
    const [dx, ...gradients] = tf.grads((x: tf.Tensor, ...weights: tf.Tensor[]) => forward(x, ...weights))(
      inputs,
      tensor("cotangent"),
    );
    const named: Record<string, tf.Tensor> = { y: forward(inputs[0], ...inputs.slice(1)), "gradient:x": dx };
    gradients.forEach((gradient, i) => named[`gradient:${names[i]}`] = gradient);
    return named;
  });
  const values = new Map<string, Float32Array>();
  for (const [name, result] of Object.entries(results)) values.set(name, await result.data() as Float32Array);
  tf.dispose(results);
  return values;
}

/** ‖a − b‖ / max(‖b‖, floor). */
function relativeDistance(a: Float32Array, b: Float32Array, floor: number): number {
  if (a.length !== b.length) return NaN;
  return length(a.map((value, i) => value - b[i])) / Math.max(length(b), floor);
}

function length(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
}

async function compare(check: Check, config: NetworkConfig): Promise<void> {
  const network = networkFromConfig(config) as Network;
  const tensors = question(network, createRng(check.seed));
  const folder = await Deno.makeTempDir();
  try {
    const [asked, answered] = [`${folder}/asked.safetensors`, `${folder}/answered.safetensors`];
    await Deno.writeFile(asked, writeSafetensors({ tensors, metadata: { config: JSON.stringify(config) } }));
    const run = new Deno.Command("python3", {
      args: [script, asked, answered],
      // Threads of PyTorch wait for each other in a loop, which starves the claims beside this one.
      env: { OMP_NUM_THREADS: "1" },
    });
    const { success, stderr } = await run.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const theirs = readSafetensors(await Deno.readFile(answered)).tensors;
    const mine = await ours(network, tensors);
    check.equal("names", [...theirs.keys()].sort(), [...mine.keys()].sort(), "the network's parameters");
    const source = "float32 sums of up to 10⁵ terms in another order; the bar set for the twin";
    const power = {
      detectable: "1e-4 of a gradient that is at least a hundredth of the whole, 1e-6 of the whole below",
    };
    const names = [...mine.keys()].filter((name) => name.startsWith("gradient:"));
    // A bias in front of a normalization of single channels has no gradient but rounding: it is held to the whole's size.
    const whole = Math.hypot(...names.map((name) => length(theirs.get(name)!.values)));
    let [worst, where] = [0, ""];
    for (const name of names) {
      const distance = relativeDistance(mine.get(name)!, theirs.get(name)!.values, 1e-2 * whole);
      if (!(distance <= worst || isNaN(worst))) [worst, where] = [distance, name];
    }
    const output = relativeDistance(mine.get("y")!, theirs.get("y")!.values, 0);
    check.atMost("output, relative", output, 1e-4, source, power);
    check.atMost(`worst of ${names.length} gradients (${where}), relative`, worst, 1e-4, source, power);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const networks = [
  ["The digits network", NETWORK_PRESETS.digits],
  ["The tutorial network", NETWORK_PRESETS.tutorial],
  ["A U-Net with three levels, attention, colours and oblong images", everyPart],
] as const;
for (const [subject, config] of networks) {
  claim(
    `${subject} agrees with PyTorch in its output and in every gradient`,
    // Not cpu: TensorFlow.js' own gradient of nearest-neighbour resizing is wrong there for more than one sample.
    { needs: ["pytorch"], engines: ["wasm"] },
    (check) => compare(check, config),
  );
}

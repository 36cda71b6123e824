/** Claims about what compiling does beside computing: closed-over tensors, memory, networks, errors. @module */
import { compile } from "../../../src/compute/compile.ts";
import { compileRecord, recordOf } from "../../../src/compute/compile_record.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { DIGITS, networkFromConfig } from "../../../src/networks/registry.ts";
import { flatten, type Network } from "../../../src/networks/network.ts";
import type { UNetConfig } from "../../../src/networks/unet.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import {
  type DenoisingBatch,
  denoisingGradient,
  denoisingShapes,
} from "../../../src/training/denoising_step.ts";
import { type StepInputs, type StepResult, stepShapes, trainingStep } from "../../../src/training/step.ts";
import { claim } from "../../suite/claim.ts";

const options = { engines: ["onnx"] } as const;

/** Every part of a U-Net, with blocks of channels full and not. */
const config: UNetConfig = {
  ...DIGITS,
  height: 16,
  width: 24,
  channels: 3,
  widths: [16, 24],
  blocks: 1,
  middleBlocks: 1,
  groups: 4,
  embedding: 12,
  noiseFeatures: 4,
  attention: [4],
  classes: 3,
};

claim("a compiled training step of a U-Net agrees with the eager one", options, async (check) => {
  const network = networkFromConfig(config);
  const rng = createRng(check.seed);
  // The layers that start at zero would hide others.
  const weights = flatten(network.parameters, network.initialise(rng.fork("weights")));
  const noise = rng.fork("offsets").normalValues([1, weights.length]);
  const preconditioning = { sigmaData: 0.6, centre: -0.7 };
  const fn = trainingStep(denoisingGradient(network as Network, preconditioning), OPTIMIZER_DEFAULTS);
  const shapes = stepShapes<DenoisingBatch>(weights.length, denoisingShapes(network as Network, 5));
  const inputs = recordOf<StepInputs<DenoisingBatch>>(shapes, (shape, index) => {
    if (index < 2) return tf.tensor(weights.map((w, i) => w + 0.05 * noise[i]), [...shape]);
    const values = rng.fork(`input ${index}`).uniformValues([
      1,
      Math.max(1, shape.reduce((a, b) => a * b, 1)),
    ]);
    return tf.tensor(Float32Array.from(values, (u) => index < 4 ? 1e-3 * u : u + 0.1), [...shape]);
  });
  const compiled = await compileRecord(fn, shapes);
  const expected = fn(inputs);
  const observed = compiled.run(inputs);
  compiled.dispose();
  const named = ({ state, loss, norm }: StepResult): Record<string, tf.Tensor> => ({ ...state, loss, norm });
  Object.keys(named(expected)).forEach((name) => {
    const [a, b] = [observed, expected].map((result) => [...named(result)[name].dataSync()]);
    const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
    check.atMost(
      `${name}: largest difference over the largest element`,
      worst / largest,
      1e-4,
      "float32 through some forty layers forwards and backwards, each adding a few 2⁻²⁴ · √n: about 1e-5; ten times that",
      { detectable: "a gradient or moment wrong by 1e-4 of the largest" },
    );
  });
});

claim("a compiled function of records takes their keys in any order, nested ones too", {
  engines: ["cpu", "wasm", "onnx"],
}, async (check) => {
  type Inputs = { readonly x: tf.Tensor; readonly pair: { readonly a: tf.Tensor; readonly b: tf.Tensor } };
  const difference = ({ x, pair }: Inputs) => ({ sum: { of: tf.add(x, pair.a) }, rest: tf.sub(x, pair.b) });
  const compiled = await compileRecord(difference, { x: [1], pair: { a: [1], b: [1] } });
  const [x, a, b] = [[5], [20], [300]].map((values) => tf.tensor1d(values));
  for (const inputs of [{ x, pair: { a, b } }, { pair: { b, a }, x }]) {
    const { sum, rest } = compiled.run(inputs);
    check.equal("x + a", await sum.of.data(), Float32Array.of(25), "by hand");
    check.equal("x − b", await rest.data(), Float32Array.of(-295), "by hand");
    tf.dispose([sum, rest]);
  }
  compiled.dispose();
  tf.dispose([x, a, b]);
});

claim("tensors that a compiled function closes over are stored and stay usable", options, async (check) => {
  const weight = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const offset = tf.variable(tf.tensor([10, 20, 30]));
  const x = tf.tensor([1, 1], [1, 2]);
  const compiled = await compile(
    (x) => [tf.add(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D), offset)],
    [
      { shape: [1, 2], dtype: "float32" },
    ],
  );
  const read = () => [...compiled.run([x])[0].dataSync()];
  check.equal("compiled", read(), [15, 27, 39], "by hand: [1 1]·W + b");
  check.equal(
    "the weight afterwards",
    [...tf.add(weight, 1).dataSync()],
    [2, 3, 4, 5, 6, 7],
    "it was not moved",
  );
  offset.assign(tf.tensor([0, 0, 0]));
  check.equal("the variable afterwards", [...offset.dataSync()], [0, 0, 0], "it was not moved");
  tf.dispose([weight, offset]);
  check.equal(
    "after the originals are gone",
    read(),
    [15, 27, 39],
    "the model holds its own copy, as it was then",
  );
  compiled.dispose();
  await check.throws("run after dispose", () => compiled.run([x]), /was disposed/);
});

claim(
  "compiled functions may return their arguments, constants and one value twice",
  options,
  async (check) => {
    const constant = tf.tensor([7, 8]);
    const compiled = await compile((x, n) => {
      const y = tf.mul(x, 2);
      return [x, y, y, constant, tf.zeros([2]), n, tf.greater(x, 1.5)];
    }, [{ shape: [2], dtype: "float32" }, { shape: [2], dtype: "int32" }]);
    const outputs = compiled.run([tf.tensor([1, 2]), tf.tensor([3, 4], [2], "int32")]);
    check.equal(
      "values",
      outputs.map((y) => [...y.dataSync()]),
      [[1, 2], [2, 4], [2, 4], [7, 8], [0, 0], [3, 4], [0, 1]],
      "by hand",
    );
    check.equal(
      "types",
      outputs.map((y) => y.dtype),
      ["float32", "float32", "float32", "float32", "float32", "int32", "bool"],
      "TensorFlow.js' rules",
    );
    compiled.dispose();
  },
);

claim("compiling and running leak no tensors and restore the backend", options, async (check) => {
  const kept = tf.tensor([1, 2, 3]);
  const x = tf.tensor([4, 5, 6]);
  const fn = (x: tf.Tensor) => {
    const loss = (x: tf.Tensor) => tf.sum(tf.square(tf.mul(x, kept))) as tf.Scalar;
    return [loss(x), tf.grad(loss)(x)];
  };
  const before = tf.memory().numTensors;
  const compiled = await compile(fn, [{ shape: [3], dtype: "float32" }]);
  check.equal("tensors after compiling", tf.memory().numTensors, before, "the recording is tidied");
  check.equal("backend after compiling", tf.getBackend(), "wasm", "the onnx engine computes eagerly on wasm");
  for (let i = 0; i < 3; i++) tf.dispose(compiled.run([x]));
  check.equal("tensors after running", tf.memory().numTensors, before, "the caller owns the outputs alone");
  compiled.dispose();
  await check.throws("a function that throws", () =>
    compile(() => {
      throw new Error("of its own");
    }, []), /of its own/);
  check.equal("backend after an error", tf.getBackend(), "wasm", "restored");
});

claim("a function that cannot be compiled is refused in one sentence", options, async (check) => {
  const vector = [{ shape: [4], dtype: "float32" as const }];
  await check.throws(
    "an operation without a traced form",
    () => compile((x) => [tf.topk(x, 2).values], vector),
    /^the operation TopK has no traced form and cannot be compiled$/,
  );
  await check.throws(
    "reading values",
    () => compile((x) => [tf.mul(x, x.dataSync()[0])], vector),
    /^the traced function reads a tensor's values; .* read outside of it$/,
  );
  await check.throws(
    "a promise",
    () => compile((x) => x.data() as unknown as tf.Tensor[], vector),
    /^a compiled function must return an array of tensors, not a promise/,
  );
  const compiled = await compile((x) => [tf.square(x)], vector);
  await check.throws(
    "another shape",
    () => compiled.run([tf.zeros([3])]),
    /^the function was compiled for float32 \[4\]; got float32 \[3\]$/,
  );
  await check.throws(
    "another type",
    () => compiled.run([tf.zeros([4], "int32")]),
    /^the function was compiled for float32 \[4\]; got int32 \[4\]$/,
  );
  compiled.dispose();
});

claim("on engines that do not trace, a compiled function is the function itself, tidied", {
  engines: ["wasm", "cpu"],
}, async (check) => {
  const compiled = await compile((x) => [tf.square(tf.add(x, 1))], [{ shape: [2], dtype: "float32" }]);
  const x = tf.tensor([1, 2]);
  const before = tf.memory().numTensors;
  const [y] = compiled.run([x]);
  check.equal("values", [...y.dataSync()], [4, 9], "by hand");
  check.equal("tensors", tf.memory().numTensors, before + 1, "the output alone");
  await check.throws("another shape", () => compiled.run([tf.zeros([3])]), /compiled for float32 \[2\]/);
  compiled.dispose();
});

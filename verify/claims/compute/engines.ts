/** Claims about the engines themselves: which is chosen, what failure looks like, what may not depend on what. @module */
import { useEngine } from "../../../src/compute/engine.ts";
import { groupNorm } from "../../../src/compute/group_norm.ts";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import type { WebGPUBackend, WebGPUProgram } from "../../../src/compute/webgpu/backend.ts";
import { claim } from "../../suite/claim.ts";

type Shape4D = [number, number, number, number];

claim(
  "auto selects the GPU where there is one and wasm elsewhere, and every engine states why it was selected",
  async (check) => {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? null;
    const isReal = adapter !== null && !adapter.info.isFallbackAdapter;
    const engine = await useEngine("auto");
    check.equal("auto", engine.name, isReal ? "webgpu" : "wasm", "isFallbackAdapter of the adapter");
    check.equal("TensorFlow.js' backend", tf.getBackend(), engine.name, "useEngine makes the engine current");
    check.holds(
      `one line: "${engine.reason}"`,
      /^(webgpu on .+ GPU|wasm, because .+ adapter.*)$/.test(engine.reason),
      "",
    );
    check.equal("cpu", (await useEngine("cpu")).name, "cpu", "as asked");
    check.equal("TensorFlow.js' backend", tf.getBackend(), "cpu", "as asked");
    await check.throws(
      "an unknown engine",
      () => useEngine("cuda" as "cpu"),
      /^engine must be one of auto, webgpu, wasm/,
    );
  },
);

claim("an error on the GPU makes reads fail, and selecting the engine again gives a working one", {
  engines: ["webgpu"],
}, async (check) => {
  const engine = await useEngine("webgpu");
  const broken: WebGPUProgram = {
    variableNames: ["x"],
    outputShape: [4],
    workgroupSize: [64, 1, 1],
    dispatchLayout: { x: [0] },
    dispatch: [1, 1, 1],
    shaderKey: "not WGSL",
    getUserCode: () => "fn main(index : i32) { this is not WGSL }",
  };
  const x = tf.tensor1d([1, 2, 3, 4]);
  const run = () => {
    const info = (tf.backend() as WebGPUBackend).runWebGPUProgram(broken, [x], "float32");
    return tf.engine().makeTensorFromTensorInfo(info);
  };
  await check.throws(
    "reading what an invalid program wrote",
    () => run().data(),
    /^WebGPU failed, .* parsing error/,
  );
  await check.throws("the engine's own check", () => engine.check(), /^WebGPU failed/);
  await useEngine("webgpu");
  const sound = await tf.square(tf.tensor1d([1, 2, 3, 4])).data();
  check.equal("squares on the new device", Array.from(sound), [1, 4, 9, 16], "arithmetic");
});

/** What networks do to a batch, each with the shape of one sample. */
const batchwise: [name: string, shape: number[], f: (x: tf.Tensor) => tf.Tensor][] = [
  [
    "convolution",
    [6, 5, 3],
    (x) => tf.conv2d(x as tf.Tensor4D, weights([3, 3, 3, 5]) as tf.Tensor4D, 1, "same"),
  ],
  ["strided", [6, 6, 3], (x) => tf.conv2d(x as tf.Tensor4D, weights([3, 3, 3, 5]) as tf.Tensor4D, 2, "same")],
  ["group norm", [5, 4, 6], (x) => normalized(x as tf.Tensor4D)],
  ["matrix product", [7], (x) => tf.matMul(x as tf.Tensor2D, weights([7, 5]) as tf.Tensor2D)],
  ["attention", [6, 4], (x) => tf.matMul(tf.softmax(tf.matMul(x, x, false, true)), x)],
];

function weights(shape: number[]): tf.Tensor {
  return createRng(1).fork("weights").normal(shape);
}

function normalized(x: tf.Tensor4D): tf.Tensor4D {
  const channels = x.shape[3];
  return groupNorm(
    x,
    weights([1, channels]) as tf.Tensor2D,
    weights([1, channels]) as tf.Tensor2D,
    2,
    "silu",
  );
}

claim("an operation's result for a sample does not depend on the rest of the batch", {
  engines: ["wasm", "webgpu", "cpu"],
}, async (check) => {
  for (const [name, shape, f] of batchwise) {
    const rng = createRng(check.seed);
    const together = await read(() => f(rng.normal([5, ...shape])));
    const alone = await read(() => f(rng.startingAt(3).normal([1, ...shape])));
    const size = alone.length;
    const row = together.slice(3 * size, 4 * size);
    if (name === "matrix product" && tf.getBackend() === "webgpu") {
      const error = alone.reduce((most, value, i) => Math.max(most, Math.abs(value - row[i])), 0);
      const source =
        "TensorFlow.js tiles products of one row differently, so sums may round in another order";
      check.atMost(name, error, 4e-6, source, { detectable: "any share of another row's numbers" });
    } else {
      check.equal(name, row, alone, "bit for bit: rows are computed alike");
    }
  }
});

claim("the same computation gives the same bits twice, gradients included", {
  engines: ["wasm", "webgpu", "cpu"],
}, async (check) => {
  const network = (x: tf.Tensor, f: tf.Tensor) => {
    const y = normalized(tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, "same"));
    return tf.matMul(tf.reshape(y, [x.shape[0], -1]), weights([6 * 8 * 8, 3]) as tf.Tensor2D);
  };
  const run = async () => {
    const rng = createRng(check.seed);
    const gradients = tf.tidy(() => {
      const dy = rng.normal([16, 3]);
      return tf.grads(network)([rng.normal([16, 8, 8, 3]), rng.normal([3, 3, 3, 6])], dy);
    });
    return [await read(() => gradients[0]), await read(() => gradients[1])];
  };
  const first = await run();
  for (let i = 0; i < 3; i++) check.equal(`run ${i + 2}`, await run(), first, "no sum has a random order");
});

claim("training convolutions, normalizations, attention and splits leaks no memory", {
  engines: ["wasm", "webgpu", "cpu"],
}, (check) => {
  const step = (stride: number) =>
    tf.tidy(() => {
      const network = (x: tf.Tensor, f: tf.Tensor) => {
        const y = normalized(tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, "same"));
        const [left, right] = tf.split(tf.reshape(y, [3, -1, 6]), 2, 2);
        const rows = tf.matMul(tf.softmax(tf.matMul(left, right, false, true)), right);
        return tf.mean(tf.concat([rows, tf.slice(left, [0, 1, 0], [3, 2, 3])], 1));
      };
      tf.grads(network)([weights([3, 6, 6, 4]), weights([3, 3, 4, 6])]);
    });
  step(1);
  step(2);
  const tensors = tf.memory().numTensors, buffers = tf.backend().numDataIds();
  for (let i = 0; i < 5; i++) {
    step(1);
    step(2);
  }
  check.equal("tensors", tf.memory().numTensors, tensors, "flat over steps");
  check.equal(
    "buffers of the backend",
    tf.backend().numDataIds(),
    buffers,
    "kernels dispose what they allocate",
  );
});

claim("group norm propagates NaN, stays finite at extremes and maps a constant to its offset", {
  engines: ["wasm", "webgpu", "cpu"],
}, async (check) => {
  const shape: Shape4D = [2, 2, 2, 4];
  const apply = (values: (i: number) => number, offset = 0) =>
    read(() => {
      const x = tf.tensor4d(Float32Array.from({ length: 32 }, (_, i) => values(i)), shape);
      return groupNorm(x, tf.ones([1, 4]), tf.fill([1, 4], offset), 2, "silu");
    });
  const broken = await apply((i) => i === 0 ? NaN : i);
  const source = "a NaN must reach the sampler's check, and nobody else's picture";
  check.holds(
    "every element of the group that holds it",
    [0, 1, 4, 5, 8, 9, 12, 13].every((i) => isNaN(broken[i])),
    source,
  );
  check.holds(
    "no element of other groups and samples",
    [2, 3, 16, 31].every((i) => isFinite(broken[i])),
    source,
  );
  const extreme = await apply((i) => i % 4 === 0 ? 1e15 : -1e15);
  check.holds("x = ±1e15", extreme.every((value) => isFinite(value)), "squares stay below 3e38");
  const constant = await apply(() => 7, -200);
  check.holds(
    "a constant, offset −200",
    constant.every((value) => Math.abs(value) < 1e-30),
    "silu(−200) = −3e-85",
  );
});

claim("group norm refuses shapes that do not match, and names them", async (check) => {
  const x = tf.zeros([2, 2, 2, 6]) as tf.Tensor4D;
  const row = (rows: number, channels: number) => tf.zeros([rows, channels]) as tf.Tensor2D;
  await check.throws(
    "groups",
    () => groupNorm(x, row(1, 6), row(1, 6), 4),
    /^groups must divide the 6 channels, got 4$/,
  );
  await check.throws(
    "scale",
    () => groupNorm(x, row(1, 5), row(1, 6), 2),
    /^scale must be \[1 or 2, 6\], got \[1,5\]$/,
  );
  await check.throws(
    "offset",
    () => groupNorm(x, row(1, 6), row(3, 6), 2),
    /^offset must be \[1 or 2, 6\], got \[3,6\]$/,
  );
  await check.throws(
    "rows",
    () => groupNorm(x, row(1, 6), row(2, 6), 2),
    /^scale and offset must have the same shape/,
  );
  x.dispose();
});

/** The values of a tensor made by f; disposes it and whatever f made on the way. */
async function read(f: () => tf.Tensor): Promise<number[]> {
  const tensor = tf.tidy(f);
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

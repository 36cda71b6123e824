/**
 * The filter's gradient of convolutions on the GPU, where tiles, slices of the pixels and borders can go wrong: held
 * against its definition in float64, that against central differences, and at the size of training against wasm.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { claim } from "../../suite/claim.ts";
import { switchEngine } from "../../suite/engines.ts";
import {
  type Array64,
  centralDifferences,
  convolve,
  convolveFilterGradient,
} from "../../reference/float64_operations.ts";

type Shape4D = [number, number, number, number];

interface Case {
  readonly x: Shape4D;
  readonly filter: Shape4D;
  readonly stride: number;
  readonly padding: "same" | "valid";
}

const cases: readonly Case[] = [
  { x: [2, 5, 6, 3], filter: [3, 3, 3, 4], stride: 1, padding: "same" },
  { x: [3, 7, 5, 4], filter: [3, 3, 4, 35], stride: 2, padding: "same" },
  { x: [2, 8, 7, 5], filter: [3, 3, 5, 3], stride: 2, padding: "valid" },
  { x: [2, 6, 5, 37], filter: [1, 1, 37, 33], stride: 1, padding: "same" },
  { x: [2, 9, 8, 2], filter: [5, 2, 2, 3], stride: 3, padding: "same" },
  { x: [1, 1, 1, 2], filter: [1, 1, 2, 1], stride: 1, padding: "valid" },
  { x: [7, 12, 11, 1], filter: [3, 3, 1, 1], stride: 1, padding: "same" },
];

function describe({ x, filter, stride, padding }: Case): string {
  return `[${x}] by [${filter}], stride ${stride}, ${padding}`;
}

/** The kernel alone, as TensorFlow.js calls it for a gradient. */
function filterGradient(x: tf.Tensor, dy: tf.Tensor, { filter, stride, padding }: Case): tf.Tensor {
  const attributes: tf.Conv2DBackpropFilterAttrs = {
    strides: stride,
    pad: padding,
    dataFormat: "NHWC",
    dimRoundingMode: "floor",
    filterShape: filter,
  };
  return tf.engine().runKernel(
    "Conv2DBackpropFilter",
    { x, dy },
    attributes as unknown as tf.NamedAttrMap,
  ) as tf.Tensor;
}

const tensorOf = ({ shape, values }: Array64) => tf.tensor(Float32Array.from(values), [...shape]);
const magnitudes = ({ shape, values }: Array64) => ({ shape, values: values.map(Math.abs) });

async function read(tensor: tf.Tensor): Promise<number[]> {
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

claim("filter gradients on the GPU equal sums over pixels for any padding, stride and number of channels", {
  engines: ["webgpu"],
}, async (check) => {
  for (const one of cases) {
    const { filter, stride, padding } = one;
    const rng = createRng(check.seed).fork(describe(one));
    const draw = (shape: readonly number[]): Array64 => ({
      shape,
      values: Float64Array.from(rng.normalValues(shape)),
    });
    const x = draw(one.x);
    const dy = draw(convolve(x, draw(filter), stride, padding).shape);
    const [tensors, other] = [[tensorOf(x), tensorOf(dy)], draw(filter)];
    const observed = await read(filterGradient(tensors[0], tensors[1], one));
    tf.dispose(tensors);
    const expected = convolveFilterGradient(x, dy, filter, stride, padding).values;
    // Σ|x dy| bounds what the roundings of a sum scale with.
    const sizes = convolveFilterGradient(magnitudes(x), magnitudes(dy), filter, stride, padding).values;
    const terms = dy.shape[0] * dy.shape[1] * dy.shape[2];
    const error = expected.reduce((most, value, i) => {
      return sizes[i] === 0 ? Math.max(most, Math.abs(observed[i])) : Math.max(
        most,
        Math.abs(observed[i] - value) / sizes[i],
      );
    }, 0);
    check.atMost(
      describe(one),
      observed.length === expected.length ? error : NaN,
      (terms + 1) * 2 ** -23,
      `n = ${terms} products: (n + 1) 2⁻²³ Σ|x dy| (Higham 2002, §3.1; WGSL rounds up or down)`,
      { detectable: "one product left out, or taken from a neighbour" },
    );
    if (x.values.length * other.values.length < 1e4) {
      const [slopes] = centralDifferences((w) => convolve(x, w, stride, padding), [other], dy.values);
      const gap = slopes.reduce((most, slope, i) => Math.max(most, Math.abs(slope - expected[i])), 0);
      check.atMost(
        `${describe(one)}: the definition`,
        gap,
        1e-7,
        "central differences of step 1e-5: a convolution is linear in its filter, which leaves the rounding of √1,000 " +
          "partial sums up to 100 by 2⁻⁵³, over the step",
      );
    }
  }
});

claim("at the sizes of training, filter gradients on the GPU agree with wasm's and repeat bit for bit", {
  engines: ["webgpu"],
}, async (check) => {
  const one: Case = { x: [64, 14, 14, 64], filter: [3, 3, 64, 32], stride: 1, padding: "same" };
  const run = async () => {
    const rng = createRng(check.seed);
    const [x, dy] = [rng.normal(one.x), rng.normal([64, 14, 14, 32])];
    const values = await read(filterGradient(x, dy, one));
    tf.dispose([x, dy]);
    return values;
  };
  const [first, second] = [await run(), await run()];
  const differing = second.filter((value, i) => value !== first[i]).length;
  check.equal("weights that differ the second time", differing, 0, "no sum has a random order");
  await switchEngine("wasm");
  const expected = await run();
  await switchEngine("webgpu");
  const largest = Math.max(...expected.map(Math.abs));
  const error = Math.max(...expected.map((value, i) => Math.abs(value - first[i])));
  check.atMost(
    describe(one),
    error / largest,
    4e-5,
    "n = 12,544 products of random signs: partial sums below 4√n = 450, so a rounding is below 450 · 2⁻²⁴ = 2.7e-5; " +
      "√n of them over √3 are 1.7e-3, six of these 1e-2, of a largest sum of 5√n = 560; on both engines",
    { detectable: "one product left out: 2e-3 of the largest sum" },
  );
});

claim("filter gradients on the GPU leak no tensor and no buffer", {
  engines: ["webgpu"],
}, (check) => {
  const tensors = tf.memory().numTensors, buffers = tf.backend().numDataIds();
  for (const one of cases) {
    tf.tidy(() => {
      const x = tf.ones(one.x);
      const f = tf.ones(one.filter) as tf.Tensor4D;
      tf.grad((f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, one.stride, one.padding))(f);
    });
  }
  check.equal("tensors", tf.memory().numTensors, tensors, "all in tf.tidy");
  check.equal("buffers", tf.backend().numDataIds(), buffers, "the slices' sums are disposed of");
});

claim("filter gradients on the GPU with channels first equal those with channels last", {
  engines: ["webgpu"],
}, async (check) => {
  const rng = createRng(check.seed);
  const [x, w, dy] = [rng.normal([2, 5, 6, 3]), rng.normal([3, 3, 3, 4]), rng.normal([2, 5, 6, 4])];
  const last = await read(
    tf.tidy(() => tf.grad((w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"))(w, dy)),
  );
  const before = await read(tf.tidy(() => {
    const turned = (tensor: tf.Tensor) => tf.transpose(tensor, [0, 3, 1, 2]);
    const convolved = (w: tf.Tensor) =>
      tf.conv2d(turned(x) as tf.Tensor4D, w as tf.Tensor4D, 1, "same", "NCHW");
    return tf.grad(convolved)(w, turned(dy));
  }));
  tf.dispose([x, w, dy]);
  const largest = Math.max(...last.map(Math.abs));
  check.atMost(
    "largest difference, of the largest",
    Math.max(...last.map((value, i) => Math.abs(value - before[i]))) / largest,
    6e-5,
    "60 float32 products: 60^1.5 · 2⁻²⁴ = 3e-5, twice",
    { detectable: "pixels taken for channels" },
  );
});

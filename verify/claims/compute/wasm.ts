/** Claims about the wasm engine's own kernels. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { claim } from "../../suite/claim.ts";
import { sizeOf, tabulate } from "../../reference/float64_operations.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

claim("the convolution's gradients are its adjoints for any sizes, strides and padding", {
  engines: ["wasm"],
}, async (check) => {
  const size = fc.integer({ min: 1, max: 9 });
  const channels = fc.integer({ min: 1, max: 6 });
  const padding = fc.constantFrom<("same" | "valid")[]>("same", "valid");
  const inputs = fc.record({
    batch: fc.integer({ min: 1, max: 5 }),
    height: size,
    width: size,
    from: channels,
    to: channels,
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 5 }),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    padding,
  });
  await checkProperty(check, "⟨y(x, f), dy⟩ = ⟨x, dx⟩ = ⟨f, df⟩", inputs, (one) => {
    const { batch, height, width, from, to, rows, columns, strides, padding } = one;
    if (padding === "valid" && (rows > height || columns > width)) return true;
    if (strides[0] > rows || strides[1] > columns) return true; // refused
    return tf.tidy(() => {
      const rng = createRng(check.seed);
      const x = rng.normal([batch, height, width, from]) as tf.Tensor4D;
      const filter = rng.normal([rows, columns, from, to]) as tf.Tensor4D;
      const convolve = (x: tf.Tensor, f: tf.Tensor) =>
        tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, strides, padding);
      const y = convolve(x, filter);
      const dy = rng.normal(y.shape);
      const [dx, df] = tf.grads(convolve)([x, filter], dy);
      const inner = (a: tf.Tensor, b: tf.Tensor) => {
        const right = b.dataSync();
        return Array.from(a.dataSync()).reduce((sum, value, i) => sum + value * right[i], 0);
      };
      // Both sides round in float32: at most 9·9·6 products an element and 2,430 elements, with random signs.
      const tolerance = 1e-5 * Math.sqrt(y.size) * Math.max(1, Math.sqrt(rows * columns * from));
      const expected = inner(y, dy);
      return Math.abs(inner(x, dx) - expected) < tolerance &&
        Math.abs(inner(filter, df) - expected) < tolerance;
    });
  }, "the gradient of a bilinear map is its adjoint");
});

claim("convolutions that the wasm backend gets wrong are refused", { engines: ["wasm"] }, async (check) => {
  const [x, f] = [tf.zeros([1, 9, 9, 2]) as tf.Tensor4D, tf.zeros([2, 2, 2, 2]) as tf.Tensor4D];
  const allowed = /^on wasm a convolution's strides must not exceed its filter of 2×2, got 3×3$/;
  await check.throws("stride 3, filter 2×2", () => tf.conv2d(x, f, 3, "same"), allowed);
  await check.throws(
    "stride 2, padded by 1",
    () => tf.conv2d(x, f, 2, 1),
    /^on wasm .* "same" or "valid", got 1$/,
  );
  const wide = tf.zeros([1, 2, 2, 2]) as tf.Tensor4D;
  await check.throws(
    "stride 2, filter 1×2",
    () => tf.conv2d(x, wide, 2, "same"),
    /^on wasm a convolution's strides must not exceed its filter of 1×2, got 2×2$/,
  );
  tf.dispose([x, f, wide]);
});

claim("a filter of 1×1 with strides takes every second value, and gives its gradient back there", {
  engines: ["wasm"],
}, async (check) => {
  const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
  const f = tf.tensor4d([2], [1, 1, 1, 1]);
  const dy = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
  const convolve = (x: tf.Tensor, f: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, "same");
  const y = convolve(x, f);
  const [dx, df] = tf.grads(convolve)([x, f], dy);
  check.equal("values", [...await y.data()], [2, 6, 14, 18], "twice the corners");
  check.equal("by x", [...await dx.data()], [2, 0, 4, 0, 0, 0, 6, 0, 8], "twice dy, at the corners");
  check.equal("by the filter", [...await df.data()], [1 + 6 + 21 + 36], "corners times dy");
  tf.dispose([x, f, dy, y, dx, df]);
});

claim("gradients of a convolution are right where its padding or stride reaches beyond the filter", {
  engines: ["wasm"],
}, async (check) => {
  const cases = [[4, 3, 3, "same"], [3, 1, 1, 1], [3, 2, 1, 3]] as const;
  for (const [length, width, stride, pad] of cases) {
    const x = tf.ones([1, length, length, 1]);
    const f = tf.tensor4d(Array.from({ length: width ** 2 }, (_, i) => i + 1), [width, width, 1, 1]);
    const convolve = (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, f, stride, pad);
    const dx = tf.grad(convolve)(x);
    // By definition, in one dimension for each axis: which taps reach an input from any output.
    const outputs = pad === "same" ? Math.ceil(length / stride) : length + 2 * pad - width + 1;
    const before = pad === "same" ? Math.floor(((outputs - 1) * stride + width - length) / 2) : pad;
    const taps = (at: number) =>
      Array.from({ length: outputs }, (_, out) => at + before - out * stride)
        .filter((tap) => tap >= 0 && tap < width);
    const expected = Array.from({ length: length ** 2 }, (_, at) => {
      const columns = taps(at % length);
      return taps(Math.floor(at / length)).reduce(
        (sum, row) => sum + columns.reduce((own, column) => own + row * width + column + 1, 0),
        0,
      );
    });
    check.equal(
      `${length}×${length}, filter ${width}, stride ${stride}, padding ${pad}`,
      [...await dx.data()],
      expected,
      "the sum of the weights through which an input reaches an output, whole numbers",
    );
    tf.dispose([x, f, dx]);
  }
});

/** Shapes of up to five axes, with an axis of theirs and whole numbers from 0 to 1,000. */
const cuts = fc.tuple(
  fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }),
  fc.nat(1000),
  fc.array(fc.nat(1000), { minLength: 10, maxLength: 10 }),
);

claim(
  "slice, split and concat on wasm move every number to its place",
  { engines: ["wasm"] },
  async (check) => {
    const source = "the definition: each element names its own offset";
    const offsets = (shape: number[]) =>
      tf.tensor(Float32Array.from({ length: sizeOf(shape) }, (_, i) => i), shape);
    const isSame = (x: tf.Tensor, shape: number[], value: (...index: number[]) => number) => {
      const expected = tabulate(shape, value).values;
      return x.shape.join() === shape.join() && x.dataSync().every((observed, i) => observed === expected[i]);
    };
    const offsetIn = (shape: number[], index: number[]) =>
      shape.reduce((sum, size, i) => sum * size + index[i], 0);
    await checkProperty(check, "slice", cuts, ([shape, , numbers]) =>
      tf.tidy(() => {
        const begin = shape.map((size, i) => numbers[i] % size);
        const size = shape.map((length, i) => 1 + numbers[5 + i] % (length - begin[i]));
        return isSame(tf.slice(offsets(shape), begin, size), size, (...index) => {
          return offsetIn(shape, index.map((value, i) => value + begin[i]));
        });
      }), source);
    await checkProperty(
      check,
      "split, and concatenation in another order",
      cuts,
      ([shape, pick, numbers]) =>
        tf.tidy(() => {
          const axis = pick % shape.length;
          const sizes = [1 + numbers[0] % 4, 1 + numbers[1] % 9, 1 + numbers[2] % 40];
          const whole = shape.with(axis, sizes[0] + sizes[1] + sizes[2]);
          const [first, second, third] = tf.split(offsets(whole), sizes, axis - shape.length);
          return isSame(tf.concat([third, first, second], axis), whole, (...index) => {
            const along = index[axis] < sizes[2] ? index[axis] + sizes[0] + sizes[1] : index[axis] - sizes[2];
            return offsetIn(whole, index.with(axis, along));
          });
        }),
      source,
    );
  },
);

claim("matrix products on wasm agree with their definition in batches and transposed", {
  engines: ["wasm"],
}, async (check) => {
  const size = fc.integer({ min: 1, max: 9 });
  const inputs = fc.record({
    batches: fc.constantFrom([1, 1], [3, 3], [1, 3], [3, 1]),
    sizes: fc.tuple(size, size, size),
    transposed: fc.tuple(fc.boolean(), fc.boolean()),
  });
  await checkProperty(
    check,
    "every element",
    inputs,
    ({ batches: [p, q], sizes: [n, k, m], transposed: [s, t] }) =>
      tf.tidy(() => {
        const rng = createRng(check.seed);
        const a = rng.normal(s ? [p, k, n] : [p, n, k]), b = rng.normal(t ? [q, m, k] : [q, k, m]);
        const [x, y] = [a.dataSync(), b.dataSync()];
        const product = tf.matMul(a, b, s, t);
        const expected = tabulate([Math.max(p, q), n, m], (batch, i, j) => {
          const [left, right] = [(p > 1 ? batch : 0) * n * k, (q > 1 ? batch : 0) * k * m];
          let sum = 0;
          for (let l = 0; l < k; l++) {
            sum += x[left + (s ? l * n + i : i * k + l)] * y[right + (t ? j * k + l : l * m + j)];
          }
          return sum;
        });
        // At most 9 products of normal numbers: 9² u Σ|ab| stays below 1e-4.
        return product.shape.join() === expected.shape.join() &&
          product.dataSync().every((value, i) => Math.abs(value - expected.values[i]) < 1e-4);
      }),
    "Σ a b in float64",
  );
  const [three, two] = [tf.zeros([3, 2, 2]), tf.zeros([2, 2, 2])];
  await check.throws(
    "batches of 3 and 2",
    () => tf.matMul(three, two),
    /must be|in equal batches, got 3 and 2|broadcast/i,
  );
  tf.dispose([three, two]);
});

claim(
  "sums over a million numbers are exact to float32 rounding on wasm",
  { engines: ["wasm"] },
  async (check) => {
    const values = createRng(check.seed).uniformValues([1, 1 << 20]).map(Math.fround);
    const exact = values.reduce((sum, value) => sum + value, 0);
    const relative = async (f: (x: tf.Tensor) => tf.Tensor, expected: number) => {
      const [observed] = await read(() => f(tf.tensor(Float32Array.from(values), [1 << 10, 1 << 10])));
      return Math.abs(observed / expected - 1);
    };
    const source = "accumulated in float64: one rounding of 2⁻²⁴ a stage";
    const power = { detectable: "the backend's own sum in float32, off by 1e-5 and more" };
    check.atMost("sum", await relative((x) => tf.sum(x), exact), 2 ** -24, source, power);
    check.atMost("mean", await relative((x) => tf.mean(x), exact / values.length), 2 ** -24, source, power);
    const columns = (x: tf.Tensor) => tf.sum(tf.sum(x, 0));
    check.atMost("sum of column sums", await relative(columns, exact), 2 ** -23, source, power);
  },
);

claim(
  "the committed WebAssembly equals what its source compiles to",
  { needs: ["assemblyscript"] },
  async (check) => {
    const { compileKernels } = await import("../../../scripts/build/wasm_kernels.ts");
    const { KERNELS_BASE64 } = await import("../../../src/compute/wasm/kernels_binary.ts");
    const source = await Deno.readTextFile(new URL("../../../src/compute/wasm/kernels.as", import.meta.url));
    const bytes = await compileKernels(source);
    check.equal("base64", KERNELS_BASE64.join(""), bytes.toBase64(), "scripts/build/wasm_kernels.ts");
  },
);

/** The values of a tensor made by f; disposes it and whatever f made on the way. */
async function read(f: () => tf.Tensor): Promise<number[]> {
  const tensor = tf.tidy(f);
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

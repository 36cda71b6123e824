/**
 * Claims about the ONNX file that a noise predictor is exported to: what it computes, for any batch, and that it is standard.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { traceFreeBatch } from "../../../src/compute/trace/free_batch.ts";
import { loadRuntime } from "../../../src/compute/onnx/session.ts";
import { DIGITS, NETWORK_PRESETS, type NetworkConfig } from "../../../src/networks/registry.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { exportOnnx } from "../../../src/networks/onnx_export.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";

type Feeds = Record<string, { data: Float32Array; dims: number[] }>;
type Values = { readonly data: Float32Array; readonly dims: readonly number[] };

/** Opens an .onnx file in the native runtime. */
async function opened(bytes: Uint8Array): Promise<(feeds: Feeds) => Record<string, Values>> {
  const { binding, Tensor } = await loadRuntime();
  const session = new binding.InferenceSession();
  session.loadModel(bytes.slice().buffer, 0, bytes.length, { logSeverityLevel: 3 });
  return (feeds) => {
    const tensors = Object.entries(feeds).map(([name, { data, dims }]) =>
      [name, new Tensor("float32", data, dims)] as const
    );
    const fetches = { noise: null, denoised: null };
    return session.run(Object.fromEntries(tensors), fetches, {}) as Record<string, Values>;
  };
}

/** Largest difference, relative to the largest value. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const largest = Array.from(b).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Array.from(b).reduce((most, value, at) => Math.max(most, Math.abs(a[at] - value)), 0) / largest;
}

const small: NetworkConfig = { ...DIGITS, widths: [8, 16], blocks: 1, middleBlocks: 1, attention: [7] };
const networks: readonly [name: string, config: NetworkConfig, tolerance: number, source: string][] = [
  [
    "U-Net with attention",
    small,
    1e-5,
    "phases up to 16·ln 100 in float32 are off by up to 1e-5, which few features meet: 8.4e-7 over 19 seeds",
  ],
  [
    "tutorial",
    NETWORK_PRESETS.tutorial,
    3e-4,
    "phases up to 2π·30·3 in float32 are off by 1e-4, some up and some down: 2.4e-5 over two seeds",
  ],
  [
    "MLP",
    { kind: "mlp", dimensions: 2, hidden: 16, layers: 2, noiseFeatures: 8, classes: 3 },
    1e-5,
    "as the U-Net: 1.1e-6 over 50 seeds",
  ],
];

for (const [name, config, tolerance, source] of networks) {
  claim(`the exported file computes the noise predictor for any number of rows: ${name}`, {
    needs: ["onnx"],
    engines: ["wasm"],
  }, async (check) => {
    const model = smallModel(config);
    if (config.kind === "tutorial") Object.assign(model.config, { preconditioning: null });
    const evaluate = await opened(exportOnnx(model));
    const noisePredictor = networkPredictor(model.config, model.weights);
    const { sampleShape, classes } = noisePredictor.network;
    for (const rows of [1, 3, 20]) {
      const rng = createRng(check.seed);
      const y = rng.normal([rows, ...sampleShape]);
      const ratios = Float64Array.from(
        { length: rows },
        (_, row) => Math.fround(0.01 * 10 ** (4 * (row / 20))),
      );
      const labels = Array.from({ length: rows }, (_, row) => row % (classes + 1));
      const conditioned = noisePredictor.withLabels(
        classes === 0 ? null : labels.map((label) => label === classes ? null : label),
      );
      const noise = conditioned.predictNoise(y, ratios);
      const expected = await noise.data<"float32">();
      const values = await y.data<"float32">();
      const size = values.length / rows;
      const feeds: Feeds = {
        y: { data: values, dims: [rows, ...sampleShape] },
        noise_ratio: { data: Float32Array.from(ratios), dims: [rows] },
      };
      if (classes > 0) {
        const oneHot = labels.flatMap((label) =>
          Array.from({ length: classes + 1 }, (_, k) => +(k === label))
        );
        feeds.classes = { data: Float32Array.from(oneHot), dims: [rows, classes + 1] };
      }
      const observed = evaluate(feeds);
      check.equal(`shape, ${rows} rows`, [...observed.noise.dims], [rows, ...sampleShape], "the shape of y");
      check.atMost(`noise, ${rows} rows`, difference(observed.noise.data, expected), tolerance, source);
      const denoised = values.map((value, at) => value - ratios[Math.floor(at / size)] * expected[at]);
      check.atMost(`denoised, ${rows} rows`, difference(observed.denoised.data, denoised), tolerance, source);
      tf.dispose([y, noise]);
    }
    noisePredictor.dispose();
  });
}

claim("deno task export writes a file of standard operations that states its inputs and outputs", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const flags = ["--checkpoint", `${folder}/model.safetensors`, "--output"];
    const { code, stdout, stderr } = await run("export", ...flags, `${folder}/a.onnx`);
    check.equal("exit code and stderr", [code, stderr], [0, ""], "the flags in the claim");
    const line =
      /^y \[batch, 28, 28, 1\], noise_ratio \[batch\], classes \[batch, 11\] → noise, denoised; .*a\.onnx\n$/;
    check.holds(stdout.trim(), line.test(stdout), "one line on stdout");
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/a.onnx`));
    check.holds(
      "no operation of one runtime alone",
      !text.includes("com.microsoft"),
      "domains of the operators",
    );
    check.holds(
      "documentation inside",
      text.includes("noise_ratio [batch]: sigma(t)/alpha(t) > 0"),
      "doc_string",
    );
    const wrong = await run("export", ...flags, `${folder}/a.txt`);
    check.equal("another ending: exit code", wrong.code, 2, "bad usage");
    check.holds(
      wrong.stderr.trim(),
      /--output must end in \.onnx, got ".*a\.txt"/.test(wrong.stderr),
      "named",
    );
  }));

claim("an exported file says what its inputs and outputs are", { engines: ["wasm"] }, (check) => {
  const text = (config: NetworkConfig) => new TextDecoder().decode(exportOnnx(smallModel(config)));
  const perceptron = {
    kind: "mlp",
    dimensions: 2,
    hidden: 4,
    layers: 1,
    noiseFeatures: 4,
    classes: 0,
  } as const;
  const said = (labels: string) =>
    "NoisePredictor of y = x0 + noise_ratio * N(0, I). y [batch, 2]: in model units, images in [-1, 1]. " +
    `noise_ratio [batch]: sigma(t)/alpha(t) > 0.${labels} noise: (y - E[x0|y]) / noise_ratio; the score of ` +
    "x = alpha * y is -noise / sigma. denoised: E[x0|y].";
  const classes = ' classes [batch, 4]: one-hot, the last column for "no label".';
  check.holds("without labels", text(perceptron).includes(said("")), "written out");
  check.holds("with three", text({ ...perceptron, classes: 3 }).includes(said(classes)), "written out");
});

claim("a function whose values depend on the number of rows is refused", async (check) => {
  const examples = (rows: number) => [{ shape: [rows, 4], dtype: "float32" as const }];
  await check.throws(
    "a mean over the batch",
    () => traceFreeBatch((x) => [tf.mul(x, 1 / x.shape[0])], examples),
    /^the function depends on the number of rows by more than shapes/,
  );
  await check.throws(
    "one operation a thousand rows",
    () => traceFreeBatch((x) => [x.shape[0] > 1500 ? tf.neg(x) : x], examples),
    /^the function's operations depend on the number of rows/,
  );
});

/**
 * ONNX files through onnxruntime-node: of this project's writer, and of PyTorch's.
 * @module
 */
import { fileURLToPath } from "node:url";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { writeOnnx } from "../../../src/compute/onnx/writer.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { onnxModel } from "../../../src/external/onnx_model.ts";
import { readSchedulerConfig } from "../../../src/external/scheduler_config.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { exportOnnx } from "../../../src/networks/onnx_export.ts";
import type { NetworkConfig } from "../../../src/networks/registry.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";
import { runProgram } from "../../suite/program.ts";

const node = { domain: "", attributes: {} };
const shaped = (name: string, values: number[]) => ({
  name,
  type: "int64" as const,
  shape: [values.length],
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

/** The graph c x + t of images [batch, 2, height, width] with c = 1 and 10 by channel, and whole conditions t. */
const graph = writeOnnx({
  nodes: [
    { ...node, op: "Mul", inputs: ["x", "c"], outputs: ["cx"] },
    { ...node, op: "Cast", inputs: ["t"], outputs: ["real"], attributes: { to: 1 } },
    { ...node, op: "Reshape", inputs: ["real", "column"], outputs: ["row"] },
    { ...node, op: "Add", inputs: ["cx", "row"], outputs: ["out"] },
  ],
  inputs: [
    { name: "t", type: "int64", shape: ["batch"] },
    { name: "x", type: "float32", shape: ["batch", 2, "height", "width"] },
  ],
  outputs: [{ name: "out", type: "float32", shape: ["batch", 2, "height", "width"] }],
  initializers: [
    { name: "c", type: "float32", shape: [1, 2, 1, 1], bytes: new Uint8Array(Float32Array.of(1, 10).buffer) },
    shaped("column", [-1, 1, 1, 1]),
  ],
});

claim(
  "a graph of images with their channels first and whole conditions is c x + t",
  { needs: ["onnx"] },
  async (check) => {
    const text = JSON.stringify({ _class_name: "DDPMScheduler", num_train_timesteps: 10 });
    const options = readSchedulerConfig(text);
    const model = await onnxModel(graph, { ...options, layout: "nchw" });
    check.equal("sample's axes", model.sampleShape, [null, null, 2], "the file");
    const { sde } = options;
    const times = [0.1, 0.5, 1];
    const ratios = Float64Array.from(times, (t) => sde.sigma(t) / sde.alpha(t));
    // One row, two columns, two channels.
    const y = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 1, 2, 2]);
    const noise = await model.predictNoise(y, ratios);
    const values = await noise.data();
    for (let i = 0; i < 12; i++) {
      const t = times[Math.floor(i / 4)];
      const expected = [1, 10][i % 2] * sde.alpha(t) * (i + 1) + 10 * t - 1;
      check.within(`value ${i}`, values[i], expected, 2e-5, "c α y + 10 t − 1 in float32");
    }
    await model.dispose();
    tf.dispose([y, noise]);
  },
);

claim(
  "what deno task export writes predicts what the network predicts",
  { needs: ["onnx"] },
  async (check) => {
    const { config } = smallModel();
    const file = smallModel({ ...config.network, classes: 0 } as NetworkConfig);
    const own = networkPredictor(file.config, file.weights);
    const bytes = exportOnnx(file);
    const shared = { sde: veSde(), conditioning: "sigma" } as const;
    const models = {
      noise: await onnxModel(bytes, { ...shared, prediction: "noise", output: "noise" }),
      denoised: await onnxModel(bytes, { ...shared, prediction: "data", output: "denoised" }),
    };
    const y = tf.tidy(() => createRng(4).normal([3, 28, 28, 1]).mul(2));
    const ratios = Float64Array.of(0.5, 2, 9);
    const expected = own.predictNoise(y, ratios);
    for (const [output, model] of Object.entries(models)) {
      check.equal(`${output}: a sample's axes`, model.sampleShape, [28, 28, 1], "the network's");
      const noise = await model.predictNoise(y, ratios);
      const error = tf.tidy(() => noise.sub(expected).abs().max());
      check.atMost(
        `${output}: largest difference`,
        (await error.data())[0],
        1e-4,
        "float32 in another order",
      );
      await model.dispose();
      tf.dispose([noise, error]);
    }
    tf.dispose([y, expected]);
    own.dispose();
  },
);

claim("bytes that are no model are refused in one sentence", { needs: ["onnx"] }, async (check) => {
  const options = { sde: veSde(), prediction: "noise", conditioning: "sigma" } as const;
  await check.throws(
    "ten zeros",
    () => onnxModel(new Uint8Array(10), options),
    /^the ONNX model cannot be opened by the runtime: .*protobuf parsing failed\.$/,
  );
});

/** What verify/reference/onnx_unet.py writes. */
interface Numbers {
  readonly sample: readonly number[];
  readonly out: readonly number[];
  readonly noise: readonly number[];
  readonly runs: Readonly<
    Record<string, { readonly timesteps: readonly number[]; readonly x: readonly number[] }>
  >;
}

/** The schedulers of the two runs, and the steps that make as many evaluations. */
const schedulers = {
  "ddim": [{ _class_name: "DDIMScheduler" }, 9],
  "dpm++2m": [{
    _class_name: "DPMSolverMultistepScheduler",
    beta_schedule: "scaled_linear",
    beta_start: 0.00085,
    beta_end: 0.012,
    prediction_type: "v_prediction",
  }, 7],
} as const;

claim(
  "a U-Net of diffusers' layout that torch.onnx wrote predicts and draws here what it does in PyTorch",
  { needs: ["pytorch", "onnx"] },
  (check) =>
    withFolder(async (folder) => {
      const script = fileURLToPath(new URL("../../reference/onnx_unet.py", import.meta.url));
      const path = `${folder}/model.onnx`;
      const numbers = `${folder}/numbers.json`;
      await runProgram("python3", [script, path, numbers], { env: { OMP_NUM_THREADS: "1" } });
      const pytorch: Numbers = JSON.parse(await Deno.readTextFile(numbers));
      const bytes = await Deno.readFile(path);
      const scheduler = JSON.stringify({ _class_name: "DDPMScheduler", num_train_timesteps: 100 });
      const options = readSchedulerConfig(scheduler);
      const model = await onnxModel(bytes, { ...options, layout: "nchw" });
      check.equal("a sample's axes", model.sampleShape, [null, null, 3], "the file");
      const { sde } = options;
      // The script's states x of the steps 1, 18 and 100, as y = x/α in this project's layout.
      const times = [0.01, 0.18, 1];
      const y = tf.tidy(() => {
        const alphas = tf.tensor4d(times.map((t) => sde.alpha(t)), [3, 1, 1, 1]);
        return tf.tensor4d([...pytorch.sample], [3, 3, 8, 4]).div(alphas).transpose([0, 2, 3, 1]);
      });
      const ratios = Float64Array.from(times, (t) => sde.sigma(t) / sde.alpha(t));
      const noise = await model.predictNoise(y, ratios);
      const images = noise.transpose([0, 3, 1, 2]);
      const values = await images.data();
      const errors = values.map((value, i) => Math.abs(value - pytorch.out[i]));
      check.equal("values", values.length, pytorch.out.length, "3 images of 3 channels");
      check.atMost("largest difference", Math.max(...errors), 1e-5, "float32 in another order");
      await model.dispose();
      tf.dispose([y, noise, images]);

      const initial = tf.tidy(() => tf.tensor4d([...pytorch.noise], [2, 3, 8, 8]).transpose([0, 2, 3, 1]));
      for (const [name, [file, steps]] of Object.entries(schedulers)) {
        const scheduler = readSchedulerConfig(JSON.stringify(file));
        const grid = scheduler.grid(steps);
        const { timesteps, x } = pytorch.runs[name];
        check.equal(`${name}: indices`, grid.indices, timesteps, "numpy, by diffusers' expressions");
        const model = await onnxModel(bytes, { ...scheduler, layout: "nchw" });
        const score = scoreModel(model, scheduler.sde);
        const run = { shape: initial.shape, grid, rng: createRng(0), initial };
        const drawn = await drawSamples(score, samplerByName(name, {}), run);
        const ordered = drawn.transpose([0, 3, 1, 2]);
        const values = await ordered.data();
        const size = Math.max(...x.map(Math.abs));
        const worst = Math.max(...values.map((value, i) => Math.abs(value - x[i]) / size));
        check.atMost(`${name}: largest difference, relative`, worst, 1e-5, "float32 through ten evaluations");
        await model.dispose();
        tf.dispose([drawn, ordered]);
      }
      initial.dispose();
    }),
);

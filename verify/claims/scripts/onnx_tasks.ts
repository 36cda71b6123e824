/**
 * Tasks that draw from ONNX files: what they write is what the library draws from the same function, written out here.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";
import { writeOnnx } from "../../../src/compute/onnx/writer.ts";
import type { SdeConfig } from "../../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import { externalModel } from "../../../src/external/external_model.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { runLikelihood } from "../../../src/runs/likelihood.ts";
import { runPosterior } from "../../../src/runs/posterior.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { toModel } from "../../../src/data/dataset.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { sampledNetwork } from "../../../src/runs/sampled_network.ts";
import { runSampling } from "../../../src/runs/sampling.ts";
import { task as compare } from "../../../scripts/compare.ts";
import { task as evaluate } from "../../../scripts/evaluate.ts";
import { task as likelihood } from "../../../scripts/likelihood.ts";
import { task as inpaint } from "../../../scripts/inpaint.ts";
import { task as restore } from "../../../scripts/restore.ts";
import { task as sample } from "../../../scripts/sample.ts";
import { loadMnist } from "../../../scripts/datasets/mnist.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { largestDifference } from "../../instruments/request_fields.ts";
import { run } from "../../instruments/run_task.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

const node = { domain: "", attributes: {} };
const floats = (name: string, shape: number[], values: number[]) => ({
  name,
  type: "float32" as const,
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

/** A ramp over the height, so that images that are turned are others. */
const ramp = Array.from({ length: 28 }, (_, row) => 0.5 + row / 56);

/** The graph ramp · x + t/100 of digits in PyTorch's layout, or in this project's. */
function graph(layout: "nchw" | "nhwc"): Uint8Array {
  const shape = layout === "nchw" ? ["batch", 1, 28, 28] : ["batch", 28, 28, 1];
  return writeOnnx({
    nodes: [
      { ...node, op: "Mul", inputs: ["sample", "ramp"], outputs: ["scaled"] },
      { ...node, op: "Mul", inputs: ["timestep", "hundredth"], outputs: ["part"] },
      { ...node, op: "Unsqueeze", inputs: ["part", "axes"], outputs: ["column"] },
      { ...node, op: "Add", inputs: ["scaled", "column"], outputs: ["out"] },
    ],
    inputs: [
      { name: "sample", type: "float32", shape },
      { name: "timestep", type: "float32", shape: ["batch"] },
    ],
    outputs: [{ name: "out", type: "float32", shape }],
    initializers: [
      floats("ramp", layout === "nchw" ? [1, 1, 28, 1] : [1, 28, 1, 1], ramp),
      floats("hundredth", [1], [0.01]),
      { name: "axes", type: "int64", shape: [3], bytes: new Uint8Array(BigInt64Array.of(1n, 2n, 3n).buffer) },
    ],
  });
}

/** Its vector-Jacobian product ramp · dy, in PyTorch's layout. */
const pullBack = (() => {
  const shape = ["batch", 1, 28, 28];
  return writeOnnx({
    nodes: [
      { ...node, op: "Mul", inputs: ["dy", "ramp"], outputs: ["dx"] },
      { ...node, op: "Identity", inputs: ["sample"], outputs: ["unused"] },
      { ...node, op: "Identity", inputs: ["timestep"], outputs: ["neither"] },
    ],
    inputs: [
      { name: "sample", type: "float32", shape },
      { name: "timestep", type: "float32", shape: ["batch"] },
      { name: "dy", type: "float32", shape },
    ],
    outputs: [{ name: "dx", type: "float32", shape }],
    initializers: [floats("ramp", [1, 1, 28, 1], ramp)],
  });
})();

/** The same function in this project's layout. */
const written = (x: tf.Tensor, condition: tf.Tensor) =>
  tf.tidy(() => x.mul(tf.tensor4d(ramp, [1, 28, 1, 1])).add(condition.mul(0.01).reshape([-1, 1, 1, 1])));

const scheduler = { _class_name: "DDIMScheduler", num_train_timesteps: 50, prediction_type: "v_prediction" };

/** Gives an action a folder with the graphs and the scheduler's file. */
function withModel<T>(action: (folder: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/model.onnx`, graph("nchw"));
    await Deno.writeFile(`${folder}/last.onnx`, graph("nhwc"));
    await Deno.writeFile(`${folder}/model_vjp.onnx`, pullBack);
    await Deno.writeTextFile(`${folder}/scheduler_config.json`, JSON.stringify(scheduler));
    return await action(folder);
  });
}

claim(
  "sample draws from an ONNX file what runSampling draws from its function by the file's schedule",
  { needs: ["onnx"], engines: ["wasm"] },
  (check) =>
    withModel(async (folder) => {
      const rest = "--engine wasm --sampler ancestral --steps 4 --count 5 --batch 2 --seed 3";
      const model = `--checkpoint ${folder}/model.onnx --schedule ${folder}/scheduler_config.json`;
      const { request } = await runInside(sample, `${model} ${rest} --output ${folder}/a.npy`);
      const drawn = readNpy(await Deno.readFile(`${folder}/a.npy`));
      const betas = Array.from({ length: 50 }, (_, n) => 1e-4 + (0.02 - 1e-4) * n / 49);
      check.equal("the SDE", request.sde, { kind: "ddpm", betas }, "the scheduler's file, linear unasked");
      const indices = [40, 30, 20, 10, 0];
      check.equal("the grid", request.grid, { kind: "indices", steps: 4, indices }, "5 of 50, leading");
      const gridOf = async (more: string) => {
        const flags = parseFlags(sample.usage, `${model} --output a.npy ${more}`.split(" "));
        return (await sample.request(flags)).grid;
      };
      check.equal(
        "of --grid",
        await gridOf("--grid uniform --steps 4 --sampler ddim"),
        { kind: "uniform", steps: 4 },
        "as given",
      );
      check.equal(
        "of a sampler with its own times",
        await gridOf("--sampler ode-dopri5"),
        { kind: "uniform", steps: 1 },
        "the registry",
      );
      const sde = sdeFromConfig(request.sde);
      const noisePredictor = sampledNetwork(
        externalModel(written, { sde, prediction: "velocity", conditioning: "index" }),
        [28, 28, 1],
      );
      const batches = await Array.fromAsync(runSampling(request, { noisePredictor }));
      const expected = Float32Array.from(batches.flatMap(({ values }) => [...values]));
      check.equal(
        "shape",
        drawn.shape,
        [5, 28, 28, 1],
        "images of one channel, which is the model's first axis",
      );
      const error = largestDifference(Float32Array.from(drawn.values), expected);
      check.atMost("largest difference", error, 1e-4, "float32 through five evaluations");
      const spread = largestDifference(expected.slice(0, 784), expected.slice(784, 1568));
      check.atLeast("difference of two digits", spread, 0.1, "they are no constant");
      // Of another chain, from both layouts.
      const stated = `--sde ddpm-linear --prediction velocity --conditioning index ${rest}`;
      for (const [file, layout] of [["model", "nchw"], ["last", "nhwc"]]) {
        const line = `--checkpoint ${folder}/${file}.onnx --layout ${layout} ${stated}`;
        await runInside(sample, `${line} --output ${folder}/${layout}.npy`);
      }
      const [first, second] = await Promise.all(
        ["nchw", "nhwc"].map(async (layout) =>
          readNpy(await Deno.readFile(`${folder}/${layout}.npy`)).values
        ),
      );
      const between = largestDifference(Float32Array.from(first), Float32Array.from(second));
      check.atMost("largest difference of layouts", between, 1e-4, "the same function");
      const chains = largestDifference(Float32Array.from(first), Float32Array.from(drawn.values));
      check.atLeast("difference of chains", chains, 0.01, "--sde has another number of steps");
    }),
);

claim(
  "inpaint with replacement draws from an ONNX file what runPosterior draws from its function",
  { needs: ["onnx"], engines: ["wasm"] },
  (check) =>
    withModel(async (folder) => {
      const model = `--checkpoint ${folder}/model.onnx --schedule ${folder}/scheduler_config.json`;
      const rest =
        "--engine wasm --method replacement --input digits:0-1 --count 2 --batch 3 --steps 3 --seed 2";
      const { request } = await runInside(inpaint, `${model} ${rest} --output ${folder}/a.npy`);
      const sde = sdeFromConfig(request.sde);
      const external = externalModel(written, { sde, prediction: "velocity", conditioning: "index" });
      const digits = proceduralDigits(2, createRng(2).fork("inputs").startingAt(0));
      const { values } = await runPosterior(request, {
        noisePredictor: sampledNetwork(external, [28, 28, 1]),
        inputs: { count: 2, images: toModel(digits.images), labels: digits.labels },
      });
      const drawn = readNpy(await Deno.readFile(`${folder}/a.npy`));
      const expected = values.map((value) => Math.min(1, Math.max(0, (value + 1) / 2)));
      const error = largestDifference(Float32Array.from(drawn.values), expected);
      check.atMost("largest difference", error, 1e-4, "float32 through four evaluations");
    }),
);

claim(
  "restore and likelihood take an ONNX file with its pull-back for what runs compute of its function",
  { needs: ["onnx"], engines: ["wasm"] },
  (check) =>
    withModel(async (folder) => {
      const model = `--checkpoint ${folder}/model.onnx --schedule ${folder}/scheduler_config.json ` +
        `--pull-back ${folder}/model_vjp.onnx --engine wasm`;
      const line = `${model} --operator pool4 --method mmps --input digits:0 --count 2 --steps 3 --seed 2`;
      const { request } = await runInside(restore, `${line} --output ${folder}/a.npy`);
      const network = (config: SdeConfig) => {
        const sde = sdeFromConfig(config);
        const predictor = externalModel(written, { sde, prediction: "velocity", conditioning: "index" });
        return sampledNetwork(predictor, [28, 28, 1]);
      };
      const digits = proceduralDigits(1, createRng(2).fork("inputs").startingAt(0));
      const inputs = { count: 1, images: toModel(digits.images), labels: digits.labels };
      const { values } = await runPosterior(request, { noisePredictor: network(request.sde), inputs });
      const drawn = readNpy(await Deno.readFile(`${folder}/a.npy`));
      const expected = values.map((value) => Math.min(1, Math.max(0, (value + 1) / 2)));
      const error = largestDifference(Float32Array.from(drawn.values), expected);
      check.atMost("restore: largest difference", error, 1e-4, "float32 through some gradients");

      const files = smallMnist({ train: 2, test: 3 });
      await writeMnist(folder, files);
      const asked = `${model} --data ${folder} --limit 3 --batch 2 --steps 2 --json`;
      const printed = await runInside(likelihood, asked);
      const measured = JSON.parse(printed.stdout.at(-1)!);
      const config = printed.request.sde;
      const images = await loadMnist("test", { data: folder });
      const result = await runLikelihood(printed.request, { noisePredictor: network(config), images });
      check.equal(
        "likelihood: the chain and its start",
        [measured.sde, measured.minNoise],
        ["ddpm", null],
        "--schedule",
      );
      check.within(
        "likelihood: bits per dimension",
        measured.bitsPerDimension,
        result.bitsPerDimension,
        1e-4 * Math.abs(result.bitsPerDimension),
        "float32 through nine evaluations and gradients",
      );
    }),
);

claim(
  "evaluate and compare measure an ONNX file, and sample runs it with the permissions of its task",
  { needs: ["onnx"], engines: ["wasm"] },
  (check) =>
    withModel(async (folder) => {
      await writeMnist(folder, smallMnist({ train: 120, test: 120 }));
      const model =
        `--checkpoint ${folder}/model.onnx --schedule ${folder}/scheduler_config.json --data ${folder}`;
      const measured = await runInside(evaluate, `${model} --engine wasm --count 100 --steps 2 --json`);
      const numbers = JSON.parse(measured.stdout.at(-1)!);
      check.equal(
        "evaluate: the chain and the evaluations",
        [numbers.sde, numbers.evaluations],
        ["ddpm", 3],
        "2 + 1",
      );
      check.holds("evaluate: a distance", numbers.frechet > 0, "the digits are no MNIST");
      const line =
        `${model} --engine wasm --samplers ode-euler --nfe 3 --count 100 --output ${folder}/c --json`;
      const compared = JSON.parse((await runInside(compare, line)).stdout.at(-1)!);
      const rows = (compared.rows as Record<string, unknown>[]).map(({ sde, sampler, evaluations }) => [
        sde,
        sampler,
        evaluations,
      ]);
      check.equal("compare: rows", rows, [["ddpm", "ode-euler", 3]], "one sampler under the file's chain");
      const flags = ["--checkpoint", `${folder}/model.onnx`, "--schedule", `${folder}/scheduler_config.json`];
      const drawn = await run(
        "sample",
        ...flags,
        "--steps",
        "2",
        "--count",
        "2",
        "--output",
        `${folder}/a.png`,
      );
      check.equal("sample's errors", drawn.code === 0 ? "" : drawn.stderr, "", "deno.json's permissions");
    }),
);

claim(
  "ONNX files of another layout than said are refused by the task in one sentence",
  { needs: ["onnx"], engines: ["wasm"] },
  (check) =>
    withModel(async (folder) => {
      const schedule = `--schedule ${folder}/scheduler_config.json --engine wasm --output ${folder}/a.png`;
      await check.throws(
        "NHWC as NCHW",
        () => runInside(sample, `--checkpoint ${folder}/last.onnx ${schedule}`),
        /last\.onnx" cannot be used: images of 28×1 pixels and 28 channels look like another order of axes: give --layout nhwc$/,
      );
      await check.throws(
        "NCHW as NHWC",
        () => runInside(sample, `--checkpoint ${folder}/model.onnx --layout nhwc ${schedule}`),
        /model\.onnx" cannot be used: images of 1×28 pixels and 28 channels look like another order of axes: give --layout nchw$/,
      );
    }),
);

claim(
  "a prediction that does not look like what is said of an ONNX file is a warning",
  { needs: ["onnx"], engines: ["wasm"] },
  (check) =>
    withModel(async (folder) => {
      // x itself, at which states of much noise are noise.
      const shape = ["batch", 28, 28, 1];
      const same = writeOnnx({
        nodes: [
          { ...node, op: "Identity", inputs: ["x"], outputs: ["out"] },
          { ...node, op: "Identity", inputs: ["t"], outputs: ["unused"] },
        ],
        inputs: [{ name: "x", type: "float32", shape }, { name: "t", type: "float32", shape: ["batch"] }],
        outputs: [{ name: "out", type: "float32", shape }],
        initializers: [],
      });
      await Deno.writeFile(`${folder}/same.onnx`, same);
      const rest = "--conditioning time --layout nhwc --sde vp --engine wasm --steps 2 --count 1";
      const warnings = async (prediction: string) => {
        const line = `--checkpoint ${folder}/same.onnx --prediction ${prediction} ${rest}`;
        const { stderr } = await runInside(sample, `${line} --output ${folder}/a.npy`);
        return stderr.filter((words) => words.startsWith("warning"));
      };
      check.equal("as noise", await warnings("epsilon"), [], "at t → 1, x is the noise");
      const said = await warnings("sample");
      check.equal("as data", said.length, 1, "nothing of noise is data");
      const sentence =
        /^warning: ".*same\.onnx": the model does not seem to predict data: .*read as .*noise it is/;
      check.holds("its words", sentence.test(said[0]), "what fits is named");
    }),
);

claim(
  "flags that say too little or too much of an ONNX file are refused in one sentence",
  (check) =>
    withModel(async (folder) => {
      const model = `--checkpoint ${folder}/model.onnx`;
      const schedule = `--schedule ${folder}/scheduler_config.json`;
      const dynamic = { _class_name: "FlowMatchEulerDiscreteScheduler", use_dynamic_shifting: true };
      await Deno.writeTextFile(`${folder}/flow.json`, JSON.stringify(dynamic));
      const tasks = { sample, inpaint, restore, compare, likelihood };
      const refused: [keyof typeof tasks, string, RegExp][] = [
        ["sample", model, /model\.onnx" needs --prediction, or --schedule with a file that says it$/],
        [
          "sample",
          `${model} --prediction epsilon`,
          /model\.onnx" needs --conditioning, or --schedule with a file that says it$/,
        ],
        [
          "sample",
          `${model} --prediction v`,
          /^--prediction must be one of epsilon, sample, v_prediction, noise, data, velocity, score, edm, flow, got "v"$/,
        ],
        [
          "sample",
          `${model} ${schedule} --sde vp`,
          /^--sde and --schedule exclude each other: leave one of them out$/,
        ],
        [
          "sample",
          `${model} ${schedule} --sde ve`,
          /^--sde and --schedule exclude each other: leave one of them out$/,
        ],
        [
          "sample",
          `${model} ${schedule} --steps 50`,
          /^--schedule without --grid: a scheduler of 50 steps of training can have at most 50 of sampling, got 51$/,
        ],
        [
          "sample",
          `${model} --schedule ${folder}/flow.json`,
          /flow\.json" cannot be used: use_dynamic_shifting chooses the states of flow matching by a rule/,
        ],
        ["sample", `${model} --schedule ${folder}/none.json`, /^could not read ".*none\.json": /],
        [
          "inpaint",
          `${model} ${schedule}`,
          /^--method pigdm needs a gradient: give --pull-back, an ONNX file of the model's vector-Jacobian product, or use --method replacement or repaint$/,
        ],
        [
          "restore",
          model,
          /^--method pigdm needs a gradient: give --pull-back, an ONNX file of the model's vector-Jacobian product$/,
        ],
        [
          "inpaint",
          `${model} ${schedule} --method repaint --pull-back a.onnx`,
          /^--method repaint needs no gradient: leave out --pull-back$/,
        ],
        [
          "restore",
          "--pull-back a.onnx",
          /^--pull-back is for an ONNX file, F\.onnx, as --checkpoint, got none$/,
        ],
        [
          "likelihood",
          model,
          /^--method rk4 needs a gradient: give --pull-back, .*, or use --method elbo$/,
        ],
        [
          "likelihood",
          `${model} ${schedule} --method elbo --pull-back a.onnx`,
          /^--method elbo needs no gradient: leave out --pull-back$/,
        ],
        [
          "likelihood",
          `${model} ${schedule} --pull-back a.onnx --min-noise 0.1`,
          /^--min-noise and --schedule exclude each other: leave one of them out$/,
        ],
        [
          "compare",
          `${model} --prediction score --conditioning time --sde all`,
          /^an ONNX model is of one SDE: name it by --sde, or give --schedule$/,
        ],
      ];
      for (const [name, line, message] of refused) {
        const task = tasks[name] as typeof sample;
        await check.throws(
          `${name} ${line}`,
          async () => await task.request(parseFlags(task.usage, line.split(" "))),
          message,
        );
      }
    }),
);

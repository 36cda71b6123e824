/** Claims that training in PyTorch, of pytorch/score_sde_torch, is the training here, to rounding. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type Batch, shuffledBatches } from "../../../src/data/batches.ts";
import { holdOut } from "../../../src/data/held_out.ts";
import { datasetIdentity } from "../../../src/data/identity.ts";
import { readModel, writeModel } from "../../../src/networks/model_file.ts";
import { NETWORK_PRESETS, networkFromConfig } from "../../../src/networks/registry.ts";
import { flatten, type Network } from "../../../src/networks/network.ts";
import { readSafetensors } from "../../../src/networks/safetensors.ts";
import { consistencyDefaults } from "../../../src/objectives/consistency.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { consistencyMethod } from "../../../src/training/consistency_step.ts";
import { denoisingMethod } from "../../../src/training/denoising_step.ts";
import { OPTIMIZER_DEFAULTS, stateTensors } from "../../../src/training/optimizer.ts";
import type { StepMethod } from "../../../src/training/step.ts";
import { initialState } from "../../../src/training/train.ts";
import { loadData } from "../../../scripts/datasets/training_data.ts";
import { task } from "../../../scripts/train.ts";
import { writeRecipe } from "../../../scripts/training/recipe_file.ts";
import { gzip } from "../../instruments/file_writers.ts";
import {
  askPyTorch,
  batchesOf,
  compareStates,
  distance,
  length,
  stateHere,
  tensorsOf,
} from "../../instruments/pytorch_side.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { withVariables } from "../../instruments/variables.ts";
import { type PyTorchCase, pyTorchCases, pyTorchRun } from "../../problems/pytorch_trainings.ts";
import { claim } from "../../suite/claim.ts";

/** The batch, the loss and its gradient of the step after `done` steps here, by the names of PyTorch's side. */
async function gradientHere(own: PyTorchCase, done: number): Promise<Map<string, Float32Array>> {
  const { config, state, teacher } = own.begin;
  const network = networkFromConfig(config.model.network) as Network;
  const { objective } = config;
  const method = objective.kind === "consistency"
    ? consistencyMethod(config, objective, network, teacher)
    : denoisingMethod(config, objective, network);
  const results = tf.tidy(() => {
    const batch = method.batch(batchesOf(own)(done), done);
    // Each method takes the batches that it makes.
    const { loss, gradient } = (method as StepMethod<object>).lossAndGradient(stateTensors(state), batch);
    const { data, noise, weight } = batch;
    const levels: Record<string, tf.Tensor> = "noiseRatio" in batch
      ? { ratio: batch.noiseRatio }
      : { far: batch.far, near: batch.near };
    return { data, noise, weight, loss, gradient, ...levels };
  });
  method.dispose();
  const values = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries(results)) {
    values.set(name, await tensor.data<"float32">());
    tf.dispose(tensor);
  }
  return values;
}

/** The largest difference of two lists over the larger of both numbers, for numbers that are computed one by one. */
function relative(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  return Math.max(...a.map((value, i) => value === b[i] ? 0 : Math.abs(value / b[i] - 1)));
}

claim(
  "batches, losses and gradients in PyTorch are those here, of every network, objective, weighting and SDE",
  { needs: ["pytorch"], engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const cases = Object.entries(await pyTorchCases());
      const done = 3;
      for (const [at, [, { begin, dataset }]] of cases.entries()) {
        await writeRecipe(`${folder}/${at}.json`, begin, dataset);
      }
      await askPyTorch(
        folder,
        cases.map((_, at) => ["gradient", `${folder}/${at}.json`, done, `${folder}/${at}.out`]),
      );
      for (const [at, [name, own]] of cases.entries()) {
        const here = await gradientHere(own, done);
        const there = await tensorsOf(`${folder}/${at}.out`);
        check.equal(
          `${name}: data`,
          there.get("data")!.values,
          here.get("data"),
          "bytes over 127.5 less 1, float32",
        );
        const drawn = [...here.keys()].filter((key) => !["data", "loss", "gradient"].includes(key));
        check.atMost(
          `${name}: ${drawn.join(", ")}, relative`,
          Math.max(...drawn.map((key) => relative(there.get(key)!.values, here.get(key)!))),
          2 ** -22,
          "computed in float64 on both sides and rounded once: one unit in the last place, where a cosine differs by one of float64's",
        );
        for (const key of ["loss", "gradient"]) {
          const exact = there.get(key)!.values;
          check.atMost(
            `${name}: ${key}, in PyTorch's own roundings`,
            distance(here.get(key)!, exact) /
              (there.get(`rounding:${key}`)!.values[0] + 2 ** -22 * length(exact)),
            10,
            "PyTorch in float64; its float32 differs from that by one",
            { detectable: "about 1e-5 of it" },
          );
        }
      }
    }),
);

claim(
  "twenty steps in PyTorch are twenty here, in parts of a batch, too, and each side goes on after ten of the other's",
  { needs: ["pytorch"], engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const own = await pyTorchRun();
      const { begin, dataset } = own;
      const [recipe, later] = [`${folder}/run.json`, `${folder}/later.json`];
      const files = await writeRecipe(recipe, begin, dataset);
      check.equal("files of the recipe", files, [recipe, `${folder}/run.data`], "the seed draws its weights");
      const half = await stateHere(own, begin.state, 10);
      await writeRecipe(later, { ...begin, state: half }, dataset);
      const run = (out: string, ...flags: string[]) => ["run", "--out", `${folder}/${out}`, ...flags];
      const jobs = [
        ["steps", recipe, 20, `${folder}/exact`],
        run("whole", "--recipe", recipe),
        run("parts", "--recipe", recipe, "--accumulate", "4"),
        run("rest", "--recipe", later),
        run("half", "--recipe", recipe, "--until", "10"),
        run("halves", "--recipe", recipe, "--until", "10"),
        run("halves", "--recipe", recipe),
      ];
      const runs = await askPyTorch(folder, jobs);
      check.equal("exit codes", runs.slice(1).map((run) => run?.[0]), [0, 0, 0, 0, 0, 0], String(runs));
      const written = async (out: string) =>
        readCheckpoint(await Deno.readFile(`${folder}/${out}/checkpoint.safetensors`));
      const exact = await tensorsOf(`${folder}/exact`);
      check.atMost(
        "first weights, relative",
        relative(exact.get("first")!.values, begin.state.weights),
        2 ** -22,
        "drawn in float64 on both sides and rounded once",
      );
      const whole = await written("whole");
      const here = await stateHere(own, begin.state, 20);
      compareStates(check, {
        "here": here,
        "in PyTorch": whole.state,
        "in PyTorch, in four parts": (await written("parts")).state,
        "ten here, ten in PyTorch": (await written("rest")).state,
        "ten in PyTorch, ten here": await stateHere(own, (await written("half")).state, 20),
      }, exact);
      check.equal(
        "the same command again goes on",
        (await written("halves")).state,
        whole.state,
        "bit for bit the uninterrupted run",
      );
      const file = readSafetensors(await Deno.readFile(`${folder}/whole/checkpoint.safetensors`));
      const expected = readSafetensors(writeCheckpoint({ ...begin, state: here }));
      check.equal(
        "metadata",
        Object.entries(file.metadata),
        Object.entries(expected.metadata),
        "those of here",
      );
      check.equal("tensors", [...file.tensors.keys()], [...expected.tensors.keys()], "those of here");
      const model = readModel(await Deno.readFile(`${folder}/whole/model.safetensors`));
      const weights = flatten(networkFromConfig(model.config.network).parameters, model.weights);
      check.atMost(
        "the model's weights, from the averaged ones",
        distance(weights, whole.state.ema) / length(whole.state.ema),
        2 ** -11,
        "half precision has eleven bits",
      );
      const lines = (await Deno.readTextFile(`${folder}/halves/metrics.jsonl`)).trimEnd().split("\n");
      check.equal(
        "steps of metrics",
        lines.map((line) => JSON.parse(line).step),
        [1, 10, 20],
        "the first and every tenth",
      );
    }),
);

claim(
  "PyTorch's side refuses, in one sentence that names it, what it cannot train or read",
  { needs: ["pytorch"], engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const { begin, dataset } = await pyTorchRun();
      await writeRecipe(`${folder}/run.json`, begin, dataset);
      const recipe = JSON.parse(await Deno.readTextFile(`${folder}/run.json`));
      const { config } = recipe;
      const other = (more: object) => ({ ...recipe, config: { ...config, ...more } });
      const network = (more: object) =>
        other({ model: { ...config.model, network: { ...config.model.network, ...more } } });
      const teacher = { scale: 1 };
      const consistent = { model: { ...config.model, consistency: true } };
      const sde = { kind: "sde", sde: { kind: "vp", betaMin: 0.1, betaMax: 20 }, weighting: "variance" };
      const consistency = consistencyDefaults(64, teacher);
      const recipes: readonly (readonly [what: string, recipe: unknown, said: RegExp])[] = [
        [
          "another version",
          { ...recipe, format: "score-sde recipe 2" },
          /its format is not "score-sde recipe 1"/,
        ],
        ["no object", [], /its format is not "score-sde recipe 1"/],
        [
          "an unknown field",
          { ...recipe, teacher },
          /the recipe has the field "teacher", which is not supported/,
        ],
        ["an unknown option", other({ swap: 2 }), /the config has the field "swap", which is not supported/],
        [
          "another network",
          network({ kind: "dit" }),
          /kind must be one of unet, tutorial, mlp in PyTorch, got "dit"/,
        ],
        [
          "a part of a network",
          network({ heads: 4 }),
          /the unet network has the field "heads", which is not/,
        ],
        ["another objective", other({ objective: { kind: "sliced" } }), /one of edm, sde, .* got "sliced"/],
        [
          "discrete time",
          other({ objective: { ...sde, sde: { kind: "ddpm", betas: [0.1, 0.2] } } }),
          /the SDE of the objective must be one of ve, vp, .* in PyTorch, got "ddpm"/,
        ],
        [
          "another weighting",
          other({ objective: { ...sde, weighting: "snr" } }),
          /velocity in PyTorch, got "snr"/,
        ],
        [
          "other times",
          other({ objective: { ...sde, times: "cosine" } }),
          /logit-normal in PyTorch, got "cosine"/,
        ],
        [
          "a score network",
          other({ objective: consistency }),
          /needs a model that is a consistency function/,
        ],
        ["no teacher", other({ ...consistent, objective: consistency }), /needs a teacher's weights/],
        [
          "other data",
          { ...recipe, dataset: { ...recipe.dataset, sha256: "00" } },
          /their SHA-256 is not 00$/,
        ],
        ["no MNIST", { ...recipe, files: "mnist" }, /there is no train-images-idx3-ubyte in /],
      ];
      const jobs: string[][] = [];
      for (const [at, [, text]] of recipes.entries()) {
        await Deno.writeTextFile(`${folder}/${at}.json`, JSON.stringify(text));
        jobs.push(["run", "--recipe", `${folder}/${at}.json`, "--data", folder, "--out", `${folder}/out`]);
      }
      await Deno.writeTextFile(`${folder}/no.json`, "{");
      await Deno.mkdir(`${folder}/done`);
      await Deno.writeFile(
        `${folder}/done/checkpoint.safetensors`,
        writeCheckpoint({ ...begin, state: { ...begin.state, step: 20 } }),
      );
      await Deno.mkdir(`${folder}/taken`);
      await Deno.writeFile(
        `${folder}/taken/checkpoint.safetensors`,
        writeCheckpoint({ ...begin, config: { ...begin.config, seed: 1 } }),
      );
      const run = `${folder}/run.json`;
      const lines: readonly (readonly [what: string, flags: readonly string[], said: RegExp])[] = [
        ["no JSON", ["--recipe", `${folder}/no.json`], /no\.json" is not a recipe: it is not JSON/],
        ["no file", ["--recipe", `${folder}/none.json`], /No such file or directory: '.*none\.json'/],
        [
          "all done",
          ["--recipe", run, "--out", `${folder}/done`],
          /done has done 20 of 20 steps: there is nothing/,
        ],
        [
          "another run",
          ["--recipe", run, "--out", `${folder}/taken`],
          /is of another recipe: choose another --out/,
        ],
        [
          "too many parts",
          ["--recipe", run, "--accumulate", "7"],
          /a batch of 6 rows cannot be divided among 1/,
        ],
        [
          "deno's data",
          ["--resume", `${folder}/done/checkpoint.safetensors`],
          /"made up" .* are read by deno alone/,
        ],
        ["no checkpoint", ["--resume", run], /run\.json" is not a safetensors file that can be read/],
      ];
      for (const [, flags] of lines) jobs.push(["run", "--out", `${folder}/out`, ...flags]);
      const answers = await askPyTorch(folder, jobs);
      for (const [at, [what, , said]] of [...recipes, ...lines].entries()) {
        const [code, stderr] = answers[at]!;
        const told = stderr.filter((line) => !/^training \d+/.test(line));
        check.equal(`${what}: exit code and lines`, [code, told.length], [1, 1], told.join("; "));
        check.holds(`${what}: ${told[0]}`, /^error: /.test(told[0]) && said.test(told[0]), String(said));
      }
    }),
);

claim(
  "PyTorch's side reads MNIST's and CIFAR-10's files, arrays and held-out samples as deno does",
  { needs: ["pytorch"], engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const digits = smallMnist({ train: 9, test: 2 });
      await writeMnist(folder, digits);
      const bytes = createRng(3).uniformValues([1, 5 * 3073]);
      const records = Uint8Array.from(bytes, (u, i) => Math.floor(i % 3073 === 0 ? 10 * u : 256 * u));
      await Deno.writeFile(`${folder}/data_batch_1.bin`, records.subarray(0, 3 * 3073));
      await Deno.writeFile(`${folder}/data_batch_4.bin.gz`, await gzip(records.subarray(3 * 3073)));
      const csv = `${folder}/points.csv`;
      const rows = Array.from({ length: 12 }, (_, i) => `${1e6 + i * i},${1e-9 * i},${i % 3}`);
      await Deno.writeTextFile(csv, ["x,y,kind", ...rows].join("\n"));
      const quick = "--batch 4 --seed 5";
      const cases = {
        mnist: { line: `--data mnist ${quick} --label-dropout 0`, files: ["json"] },
        cifar10: { line: `--data cifar10 ${quick} --label-dropout 0`, files: ["json"] },
        smaller: { line: `--data mnist --size 8 ${quick} --label-dropout 0`, files: ["json", "data"] },
        points: {
          line: `--data ${csv} --labels kind --holdout 0.3 ${quick} --label-dropout 0`,
          files: ["json", "data"],
        },
        from: {
          line: `--data ${csv} --labels kind --from ${folder}/from.safetensors ${quick} --label-dropout 0`,
          files: ["json", "start.safetensors", "data"],
        },
      };
      const network = { ...NETWORK_PRESETS.mlp, dimensions: 2, classes: 3 };
      const { parameters, initialise } = networkFromConfig(network);
      const weights = initialise(createRng(8));
      const config = { network, preconditioning: { sigmaData: 0.5, centre: 0 } };
      await Deno.writeFile(`${folder}/from.safetensors`, writeModel({ config, weights }));
      const expected = new Map<string, Batch>();
      await withVariables({ SCORE_SDE_DATA: folder }, async () => {
        for (const [name, { line, files }] of Object.entries(cases)) {
          const path = `${folder}/${name}`;
          const { request, stdout } = await runInside(task, `${line} --export-recipe ${path}.json`);
          check.equal(
            `${name}: files`,
            stdout,
            [`written: ${files.map((end) => `${path}.${end}`).join(", ")}`],
            "published data are read where they are, and the seed draws all weights but those of --from",
          );
          const { data, labels, size, heldOut, config: { batch, seed } } = request;
          const dataset = await loadData(data, labels ?? undefined, { size: size ?? undefined });
          const { training } = holdOut(dataset, heldOut);
          expected.set(name, shuffledBatches(training, batch, createRng(seed).fork("batches"))(2));
        }
      });
      const { config: model } = smallModel();
      const objective = { kind: "edm", mean: 0, std: 1, sigmaData: 0.5 } as const;
      const recipe = {
        objective,
        optimizer: OPTIMIZER_DEFAULTS,
        steps: 1,
        batch: 3,
        labelDropout: 0.2,
        seed: 4,
      };
      const state = initialState(networkFromConfig(model.network), 4);
      const dataset = await datasetIdentity(digits.train);
      const checkpoint = writeCheckpoint({ config: { model, ...recipe }, state, data: folder, dataset });
      await Deno.writeFile(`${folder}/checkpoint.safetensors`, checkpoint);
      const changed = `${folder}/changed.json`;
      const later =
        `--resume ${folder}/checkpoint.safetensors --steps 3 --rate 0.5 --export-recipe ${changed}`;
      await runInside(task, later);
      const jobs = [
        ["run", "--resume", `${folder}/checkpoint.safetensors`],
        [
          "run",
          "--recipe",
          changed,
          "--out",
          `${folder}/changed`,
          "--keep-models",
          "--checkpoint-every",
          "2",
        ],
        ["steps", `${folder}/from.json`, 0, `${folder}/from.steps`],
        ...Object.keys(cases).map((
          name,
        ) => ["batch", `${folder}/${name}.json`, 2, `${folder}/${name}.batch`]),
      ];
      const [resumed, more] = await askPyTorch(folder, jobs);
      check.equal("exit code of --resume", resumed?.[0], 0, String(resumed?.[1]));
      check.equal("exit code with a changed rate", more?.[0], 0, String(more?.[1]));
      const { changes } = readCheckpoint(await Deno.readFile(`${folder}/changed/checkpoint.safetensors`));
      const values = { steps: [1, 3], rate: [OPTIMIZER_DEFAULTS.rate, 0.5] };
      check.equal("changes in its checkpoint", changes, [{ step: 0, values }], "--steps 3, --rate 0.5");
      const names = [...Deno.readDirSync(`${folder}/changed`)].map(({ name }) => name).sort();
      check.equal("its files", names, [
        "checkpoint.safetensors",
        "metrics.jsonl",
        "model-000002.safetensors",
        "model-000003.safetensors",
        "model.safetensors",
      ], "--keep-models and --checkpoint-every 2");
      check.equal(
        "the first weights, of --from",
        (await tensorsOf(`${folder}/from.steps`)).get("first")?.values,
        flatten(parameters, weights),
        "recipe.start.safetensors",
      );
      for (const [name, { images, labels }] of expected) {
        const there = await tensorsOf(`${folder}/${name}.batch`);
        check.equal(`${name}: data`, there.get("data")?.values, images, "the batch that lies in two epochs");
        check.equal(`${name}: labels`, [...there.get("labels")!.values], [...labels], "none is hidden");
      }
    }),
);

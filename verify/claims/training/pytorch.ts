/** Claims that training in PyTorch, of pytorch/score_sde_torch, is the training here, to rounding. @module */
import { fileURLToPath } from "node:url";
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { flatten, type Network } from "../../../src/networks/network.ts";
import { type NamedTensor, readSafetensors } from "../../../src/networks/safetensors.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { consistencyMethod } from "../../../src/training/consistency_step.ts";
import { denoisingMethod } from "../../../src/training/denoising_step.ts";
import { stateTensors } from "../../../src/training/optimizer.ts";
import type { StepMethod } from "../../../src/training/step.ts";
import { train, type TrainingState } from "../../../src/training/train.ts";
import { writeRecipe } from "../../../scripts/training/recipe_file.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { type PyTorchCase, pyTorchCases, pyTorchRun } from "../../problems/pytorch_trainings.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { runProgram } from "../../suite/program.ts";

const script = fileURLToPath(new URL("../../reference/pytorch_training.py", import.meta.url));
const packages = fileURLToPath(new URL("../../../pytorch", import.meta.url));

/** Threads of PyTorch wait for each other in a loop, which starves the claims beside this one. */
const env = { OMP_NUM_THREADS: "1", PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" };

/** What a command line of PyTorch's side did. */
type Run = readonly [code: number, stderr: readonly string[]];

/** Has jobs done by verify/reference/pytorch_training.py, all in one process. */
async function askPyTorch(folder: string, jobs: readonly (readonly unknown[])[]): Promise<(Run | null)[]> {
  const path = `${folder}/jobs.json`;
  await Deno.writeTextFile(path, JSON.stringify(jobs));
  await runProgram("python3", [script, path], { env });
  return JSON.parse(await Deno.readTextFile(path));
}

async function tensorsOf(path: string): Promise<ReadonlyMap<string, NamedTensor>> {
  return readSafetensors(await Deno.readFile(path)).tensors;
}

function batchesOf({ begin: { config }, dataset }: PyTorchCase) {
  return shuffledBatches(dataset, config.batch, createRng(config.seed).fork("batches"));
}

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

function length(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0));
}

function distance(a: Float32Array, b: Float32Array): number {
  return length(a.map((value, i) => value - b[i]));
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

/** The state after `until` steps here, from a state of the run. */
async function stateHere(own: PyTorchCase, from: TrainingState, until: number): Promise<TrainingState> {
  for await (const { step, snapshot } of train(own.begin.config, batchesOf(own), { resume: from })) {
    if (step === until) return await snapshot();
  }
  throw new Error(`the run ended before step ${until}`);
}

const parts = ["weights", "ema", "mean", "variance"] as const;

/** Holds states after twenty steps to those of PyTorch in float64, by what PyTorch's float32 gets wrong. */
function compareStates(
  check: Check,
  states: Readonly<Record<string, TrainingState>>,
  exact: ReadonlyMap<string, NamedTensor>,
): void {
  for (const [name, state] of Object.entries(states)) {
    check.equal(`${name}: step`, state.step, 20, "all are done");
    for (const part of parts) {
      const { values } = exact.get(part)!;
      check.atMost(
        `${name}: ${part}, in PyTorch's own roundings`,
        distance(state[part], values) /
          (exact.get(`rounding:${part}`)!.values[0] + 2 ** -22 * length(values)),
        10,
        "PyTorch in float64; its float32 differs from that by one, and Adam divides by gradients near 0",
      );
    }
  }
}

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

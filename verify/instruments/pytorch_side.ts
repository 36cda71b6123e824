/**
 * PyTorch's side of a training, asked by claims.
 * @module
 */
import { fileURLToPath } from "node:url";
import { createRng } from "../../src/compute/rng.ts";
import { shuffledBatches } from "../../src/data/batches.ts";
import { type NamedTensor, readSafetensors } from "../../src/networks/safetensors.ts";
import { train, type TrainingState } from "../../src/training/train.ts";
import type { PyTorchCase } from "../problems/pytorch_trainings.ts";
import type { Check } from "../suite/claim.ts";
import { runProgram } from "../suite/program.ts";

/** What a command line of PyTorch's side did. */
type Run = readonly [code: number, stderr: readonly string[]];

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** Of programs of PyTorch's side. Its threads would wait for each other in a loop, which starves the claims beside this one. */
export const pytorchEnv: Readonly<Record<string, string>> = {
  OMP_NUM_THREADS: "1",
  PYTHONPATH: path("pytorch"),
  PYTHONDONTWRITEBYTECODE: "1",
};

/**
 * Has jobs done by verify/reference/pytorch_training.py, all in one process.
 * @param folder Where published data are, and a file of the jobs is written.
 */
export async function askPyTorch(
  folder: string,
  jobs: readonly (readonly unknown[])[],
): Promise<(Run | null)[]> {
  const file = `${folder}/jobs.json`;
  await Deno.writeTextFile(file, JSON.stringify(jobs));
  const env = { ...pytorchEnv, SCORE_SDE_DATA: folder };
  await runProgram("python3", [path("verify/reference/pytorch_training.py"), file], { env });
  return JSON.parse(await Deno.readTextFile(file));
}

/** The tensors of a safetensors file. */
export async function tensorsOf(path: string): Promise<ReadonlyMap<string, NamedTensor>> {
  return readSafetensors(await Deno.readFile(path)).tensors;
}

/** The batches of a training. */
export function batchesOf({ begin: { config }, dataset }: PyTorchCase): ReturnType<typeof shuffledBatches> {
  return shuffledBatches(dataset, config.batch, createRng(config.seed).fork("batches"));
}

/** The state after `until` steps here, from a state of the run. */
export async function stateHere(
  own: PyTorchCase,
  from: TrainingState,
  until: number,
): Promise<TrainingState> {
  for await (const { step, snapshot } of train(own.begin.config, batchesOf(own), { resume: from })) {
    if (step === until) return await snapshot();
  }
  throw new Error(`the run ended before step ${until}`);
}

/** ‖v‖. */
export function length(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0));
}

/** ‖a − b‖. */
export function distance(a: Float32Array, b: Float32Array): number {
  return length(a.map((value, i) => value - b[i]));
}

/** Holds states after twenty steps to those of PyTorch in float64, by what PyTorch's float32 gets wrong. */
export function compareStates(
  check: Check,
  states: Readonly<Record<string, TrainingState>>,
  exact: ReadonlyMap<string, NamedTensor>,
): void {
  for (const [name, state] of Object.entries(states)) {
    check.equal(`${name}: step`, state.step, 20, "all are done");
    for (const part of ["weights", "ema", "mean", "variance"] as const) {
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

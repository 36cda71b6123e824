/** Runs the tasks that sample posteriors, with small checkpoints of grey and of coloured digits. @module */
import { createRng } from "../../src/compute/rng.ts";
import { proceduralDigits } from "../../src/data/digits.ts";
import { COLOURED_DIGITS, type NetworkConfig } from "../../src/networks/registry.ts";
import { writeModel } from "../../src/networks/model_file.ts";
import { type NpyArray, readNpy } from "../../src/images/npy.ts";
import { run } from "./run_task.ts";
import { smallModel, withCheckpoint } from "./small_checkpoint.ts";

/** Runs in a folder with small checkpoints, grey and coloured, which is removed. */
export async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  await withCheckpoint(async (folder) => {
    const coloured: NetworkConfig = {
      ...COLOURED_DIGITS,
      widths: [8, 8],
      blocks: 1,
      middleBlocks: 1,
      embedding: 16,
      noiseFeatures: 8,
    };
    await Deno.writeFile(`${folder}/coloured.safetensors`, writeModel(smallModel(coloured)));
    await action(folder);
  });
}

/** Flags of a short run with a summary in JSON. */
export const quick = ["--engine", "wasm", "--steps", "2", "--json", "--seed", "5"];

/** Runs a task; its summary and its array. */
export async function drawn(task: string, file: string, ...args: string[]): Promise<[Summary, NpyArray]> {
  const { code, stdout, stderr } = await run(task, ...quick, ...args, "--output", file);
  if (code !== 0) throw new Error(stderr);
  return [JSON.parse(stdout), readNpy(await Deno.readFile(file))];
}

/** The fields of a summary. */
export type Summary = Record<string, number | string | null>;

/** The digits that `--input digits:FROM-…` is with `--seed 5`, as bytes. */
export const inputs = (count: number, from = 0) =>
  proceduralDigits(count, createRng(5).fork("inputs").startingAt(from));

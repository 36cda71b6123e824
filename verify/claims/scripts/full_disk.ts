/**
 * Claims about a disk that fills up: no file grows beyond a limit, at which the system refuses a write in the middle, as a full disk
 * does (`ulimit -f` with its signal ignored).
 * @module
 */
import { fileURLToPath } from "node:url";
import { taskArguments } from "../../../scripts/cli/task_process.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { readCheckpoint } from "../../../src/training/checkpoint.ts";
import { smallRun, writeDigits } from "../../instruments/small_training.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";
import { flagsFor, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { claim } from "../../suite/claim.ts";
import { runProgram } from "../../suite/program.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Runs a task that can write files of so many KiB at most; returns the last line of its error, empty where it has none. */
async function limited(kibibytes: number, task: string, ...words: readonly string[]): Promise<string> {
  const script = `trap '' XFSZ; ulimit -f ${kibibytes}; exec "$@"`;
  const command = [Deno.execPath(), ...await taskArguments(task), ...words];
  return await runProgram("bash", ["-c", script, "bash", ...command], { cwd: root, env: { NO_COLOR: "1" } })
    .then(() => "", ({ message }: Error) => message.trim().split("\n").at(-1)!);
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

claim(
  "sampling on a disk that is full at any byte says so in one sentence, and goes on to the bytes of an undisturbed run",
  {
    engines: ["wasm"],
    needs: ["bash"],
  },
  (check) =>
    withCheckpoint(async (folder) => {
      const flags = flagsFor(folder);
      const whole = await run("sample", ...flags, "--output", `${folder}/whole.npy`);
      check.equal("an undisturbed run", whole.code, 0, whole.stderr);
      const output = `${folder}/full.npy`;
      const left: Record<string, string[]> = {
        0: [],
        1: [],
        13: ["full.npy.partial", "full.npy.partial.json"],
      };
      left[40] = left[13];
      for (const kibibytes of [0, 1, 13, 40]) {
        const words = await limited(kibibytes, "sample", ...flags, "--output", output, "--resume");
        check.holds(
          `full after ${kibibytes} KiB: ${words.slice(-120)}`,
          /error: (could not|cannot) write ".*full\.npy(\.partial)?": .*File too large/.test(words),
          "one sentence with the file",
        );
        const own = (await names(folder)).filter((name) => name.startsWith("full"));
        check.equal(
          `files after ${kibibytes} KiB`,
          own,
          left[kibibytes],
          "whole batches, or nothing; no lock",
        );
      }
      const last = await run("sample", ...flags, "--output", output, "--resume");
      check.equal("once the disk has space: exit code", last.code, 0, last.stderr);
      check.equal(
        "bytes",
        await Deno.readFile(output),
        await Deno.readFile(`${folder}/whole.npy`),
        "the same samples",
      );
    }),
);

claim(
  "training on a disk that is full says so in one sentence, keeps its last checkpoint, and goes on to an undisturbed run's",
  {
    engines: ["wasm"],
    needs: ["bash"],
    slow: { files: ["scripts/train.ts", "scripts/training", "scripts/cli", "src/training"] },
  },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder, ["cat", "dog"]);
      const begin = await smallRun(folder, 2, 4);
      const quick = ["--engine", "wasm", "--log-every", "1", "--checkpoint-every", "2"];
      const whole = await run("train", "--resume", begin, "--out", `${folder}/whole`, ...quick);
      check.equal("an undisturbed run", whole.code, 0, whole.stderr.slice(-300));
      const out = `${folder}/full`;
      for (const kibibytes of [0, 1, 60]) {
        const words = await limited(kibibytes, "train", "--resume", begin, "--out", out, ...quick);
        check.holds(
          `full after ${kibibytes} KiB: ${words.slice(-160)}`,
          /error: (could not|cannot) write ".*full.*": .*File too large/.test(words),
          "one sentence with the file",
        );
        const own = (await names(out)).filter((name) => name !== "metrics.jsonl");
        check.equal(`files after ${kibibytes} KiB`, own, [], "no half checkpoint, no lock");
      }
      const half = await run("train", "--resume", begin, "--out", out, ...quick, "--steps", "2");
      check.equal("two steps while the disk has space: exit code", half.code, 0, half.stderr.slice(-300));
      const own = `${out}/checkpoint.safetensors`;
      const full = await limited(60, "train", "--resume", own, ...quick, "--steps", "4");
      check.holds(
        `full again: ${full.slice(-160)}`,
        /go on from step 2 with --resume/.test(full),
        "it says how",
      );
      check.equal("its last checkpoint", readCheckpoint(await Deno.readFile(own)).state.step, 2, "as it was");
      const last = await run("train", "--resume", own, ...quick, "--steps", "4");
      check.equal("once the disk has space: exit code", last.code, 0, last.stderr.slice(-300));
      const weights = async (path: string) =>
        readModel(await Deno.readFile(`${path}/model.safetensors`)).weights;
      check.equal("weights", await weights(out), await weights(`${folder}/whole`), "bit for bit");
    }),
);

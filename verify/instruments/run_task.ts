/**
 * Runs the tasks of deno.json as processes, with the permissions they have there.
 * @module
 */
import { fileURLToPath } from "node:url";
import { taskArguments } from "../../scripts/cli/task_process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a process left. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a task is called; by default in the project's folder. */
export interface Place {
  readonly from: string;
}

/** Starts a task's own command with further arguments; a permission that it lacks is a failure, not a question. */
export async function start(task: string, ...words: (string | Place)[]): Promise<Deno.ChildProcess> {
  const args = words.filter((word) => typeof word === "string");
  const { from } = words.find((word) => typeof word !== "string") ?? { from: root };
  return new Deno.Command(Deno.execPath(), {
    args: [...await taskArguments(task), ...args],
    cwd: root,
    // One thread for PyTorch: its own wait for each other in a loop, which starves what runs beside them.
    env: { NO_COLOR: "1", OMP_NUM_THREADS: "1", INIT_CWD: from },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs a task to its end. */
export async function run(task: string, ...args: string[]): Promise<Run> {
  const { code, stdout, stderr } = await (await start(task, ...args)).output();
  const decoder = new TextDecoder();
  // What the package manager says is not ours.
  const noise = /^(Download .*|[╭│╰].*)\n/gm;
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr).replace(noise, "") };
}

/**
 * Tasks of deno.json as processes, with the permissions that they have there.
 * @module
 */
import { fileURLToPath } from "node:url";
import { nativeEngineFlags } from "./native_engine.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The words after `deno` of a task's own command, with the flags of the native engine; a permission that it lacks is a failure, not
 * a question. What they start is the program itself, without the shell of tasks between: a signal reaches it.
 * @throws {Error} for a task that is not one `deno run`
 */
export async function taskArguments(task: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const stated = ((tasks[task]?.command ?? "") as string)
    .replace("$(deno task --quiet native)", (await nativeEngineFlags()).join(" "));
  const [program, command, ...rest] = stated.split(" ");
  if (program !== "deno" || command !== "run") throw new Error(`the task ${task} is not one deno run`);
  return ["run", "--no-prompt", ...rest];
}

/** Starts a task with further words, in this folder. */
export async function startTask(task: string, words: readonly string[]): Promise<Deno.ChildProcess> {
  return new Deno.Command("deno", {
    args: [...await taskArguments(task), ...words],
    cwd: root,
    env: { INIT_CWD: Deno.cwd() },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** What a task that was started prints until its end; null when a signal ended it. */
export async function outputOf(task: string, process: Deno.ChildProcess): Promise<string | null> {
  const { code, signal, stdout, stderr } = await process.output();
  if (signal !== null) return null;
  const decoder = new TextDecoder();
  if (code === 0) return decoder.decode(stdout);
  const reason = decoder.decode(stderr).trim().split("\n").at(-1);
  throw new Error(`deno task ${task} failed: ${reason}`);
}

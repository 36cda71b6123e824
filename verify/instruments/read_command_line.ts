/**
 * What a task says to a command line before it computes: in this process where the task's file exports its parts, as starting
 * one for each of a hundred command lines takes longer than reading them.
 * @module
 */
import { fileURLToPath } from "node:url";
import { HelpRequest, messageOf, parseFlags, UsageError } from "../../scripts/cli/flags.ts";
import type { Flag } from "../../scripts/cli/flags.ts";
import { type Task, usageOf } from "../../scripts/cli/task.ts";
import { type Run, run } from "./run_task.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The exit code and the words of a task that stops before it computes, for --help or for a command line that it refuses. One that
 * would go on is run, and so is a task whose parts cannot be imported.
 */
export async function readCommandLine(name: string, ...args: string[]): Promise<Run> {
  const found = await taskOf(name, args);
  if (found === null) return await run(name, ...args);
  const { task, words } = found;
  const said: string[] = [];
  const print = console.error;
  console.error = (...values) => said.push(`${values.join(" ")}\n`);
  try {
    await task.request(parseFlags(usageOf(task), words));
  } catch (error) {
    const stderr = said.join("");
    if (error instanceof HelpRequest) return { code: 0, stdout: `${error.message}\n`, stderr };
    const code = error instanceof UsageError ? 2 : 1;
    return { code, stdout: "", stderr: `${stderr}error: ${messageOf(error)}\n` };
  } finally {
    console.error = print;
  }
  return await run(name, ...args);
}

type AnyTask = Task<Record<string, Flag<unknown>>, unknown, unknown>;

/** The task of a script, or that of its `subtasks` which the first word names, with the words that it reads; null for neither. */
async function taskOf(
  name: string,
  args: readonly string[],
): Promise<{ readonly task: AnyTask; readonly words: readonly string[] } | null> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const script = / (scripts\/\w+\.ts)$/.exec(tasks[name]?.command ?? "")?.[1];
  if (script === undefined) return null;
  if (!/^export const task\b/m.test(await Deno.readTextFile(root + script))) return null;
  const { task, subtasks } = await import(new URL(`../../${script}`, import.meta.url).href);
  const [first, ...rest] = args;
  if (subtasks === undefined || first === undefined || first.startsWith("-")) return { task, words: args };
  return Object.hasOwn(subtasks, first) ? { task: subtasks[first], words: rest } : null;
}

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
  const task = await taskOf(name);
  if (task === null) return await run(name, ...args);
  const said: string[] = [];
  const print = console.error;
  console.error = (...values) => said.push(`${values.join(" ")}\n`);
  try {
    await task.request(parseFlags(usageOf(task), args));
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

/** What the script of a task exports as `task`, or null where it exports none. */
async function taskOf(name: string): Promise<Task<Record<string, Flag<unknown>>, unknown, unknown> | null> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const script = / (scripts\/\w+\.ts)$/.exec(tasks[name]?.command ?? "")?.[1];
  if (script === undefined) return null;
  if (!/^export const task\b/m.test(await Deno.readTextFile(root + script))) return null;
  return (await import(new URL(`../../${script}`, import.meta.url).href)).task;
}

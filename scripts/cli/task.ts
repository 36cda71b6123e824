/**
 * What a task is: flags stand for a request of plain data, a library function carries the request out, and the words and
 * pictures are made from request and result.
 * @module
 */
import {
  type Flag,
  type FlagValues,
  parseFlags,
  runScript,
  toggle,
  type Usage,
  UsageError,
} from "./flags.ts";

/** A command-line task. */
export interface Task<F extends Record<string, Flag<unknown>>, Request, Result> {
  readonly usage: Usage<F>;
  /**
   * The request that flags stand for: plain data, complete and checked. Files are read only where what is in them decides it.
   * @throws UsageError for flags that do not go together
   */
  request(flags: FlagValues<F>): Request | Promise<Request>;
  /** Opens files and the engine, calls the library and returns what came of it, as plain data. */
  carryOut(request: Request): Promise<Result>;
  /** Prints the result. */
  report(request: Request, result: Result, flags: FlagValues<F>): void | Promise<void>;
}

/** The flag that every task has. */
const dryRun = toggle({ help: "print the request as JSON and stop" });

/** The flags of a task with those that every task has. */
export function usageOf<F extends Record<string, Flag<unknown>>>(
  { usage }: Pick<Task<F, unknown, unknown>, "usage">,
): Usage<F & { dryRun: Flag<boolean> }> {
  return { ...usage, flags: { ...usage.flags, dryRun } };
}

/** Runs a task with a command line, as the main module's: with --dry-run it prints the request and stops. */
export async function runTask<F extends Record<string, Flag<unknown>>, Request, Result>(
  task: Task<F, Request, Result>,
  args: readonly string[] = Deno.args,
): Promise<void> {
  await runScript(() => perform(task, args));
}

/** Runs the task that the first word of the command line names, or without one the last given here. */
export async function runSubtask<F extends Record<string, Flag<unknown>>, Request, Result>(
  what: string,
  subtasks: Readonly<Record<string, Task<F, Request, Result>>>,
  unnamed: Task<F, Request, Result>,
): Promise<void> {
  await runScript(async () => {
    const [first, ...rest] = Deno.args;
    if (first === undefined || first.startsWith("-")) return await perform(unnamed, Deno.args);
    if (Object.hasOwn(subtasks, first)) return await perform(subtasks[first], rest);
    throw new UsageError(`the ${what} must be one of ${Object.keys(subtasks).join(", ")}; got "${first}"`);
  });
}

async function perform<F extends Record<string, Flag<unknown>>, Request, Result>(
  task: Task<F, Request, Result>,
  args: readonly string[],
): Promise<void> {
  const flags = parseFlags(usageOf(task), args);
  const request = await task.request(flags);
  if (flags.dryRun) return console.log(JSON.stringify(request, null, 2));
  await task.report(request, await task.carryOut(request), flags);
}

/** Tasks that are run beside their own --dry-run, for claims that carry the printed request out themselves. @module */
import { type Run, run } from "./run_task.ts";

/** The request that a task prints for flags, and what the task does with the same flags. */
export async function runWithRequest(
  task: string,
  flags: readonly string[],
  ...presentation: readonly string[]
): Promise<{ readonly request: unknown; readonly done: Run }> {
  const [dry, done] = await Promise.all([
    run(task, ...flags, "--dry-run"),
    run(task, ...flags, ...presentation),
  ]);
  if (dry.code !== 0) throw new Error(dry.stderr);
  if (done.code !== 0) throw new Error(done.stderr);
  return { request: JSON.parse(dry.stdout), done };
}

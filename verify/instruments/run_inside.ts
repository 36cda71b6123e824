/**
 * Carries command lines out in this process, where starting one for each would take longer than the work, and shows what a progress
 * bar draws.
 * @module
 */
import { type Flag, parseFlags } from "../../scripts/cli/flags.ts";
import type { Task } from "../../scripts/cli/task.ts";
import { printed } from "./printed.ts";

/** What a task left. */
export interface InsideRun<Request> {
  /** What its flags stand for, as --dry-run prints it. */
  readonly request: Request;
  /** Lines on stdout. */
  readonly stdout: readonly string[];
  /** Lines on stderr, but for those of the bar. */
  readonly stderr: readonly string[];
  /** What the bar has drawn, such as "sampling 3/12 steps" with a note where there is one, and the lines printed above it. */
  readonly bar: readonly string[];
}

/** Runs a task as on a terminal. A second passes each time that the time is asked, so that a bar draws every count. */
export async function runInside<F extends Record<string, Flag<unknown>>, Request, Result>(
  task: Task<F, Request, Result>,
  line: string,
): Promise<InsideRun<Request>> {
  const flags = parseFlags(task.usage, line.split(" "));
  const stderr: string[] = [];
  const drawn: string[] = [];
  const [{ error }, now] = [console, performance.now];
  let milliseconds = 1_000_000;
  const began = milliseconds;
  console.error = (...values) => void stderr.push(values.join(" "));
  performance.now = () => milliseconds += 1000;
  Deno.stderr.isTerminal = () => true;
  Deno.stderr.writeSync = (bytes) => {
    drawn.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  try {
    const request = await task.request(flags);
    const result = await task.carryOut(request);
    checkSeconds(result, (milliseconds - began) / 1000);
    const stdout = await printed(() => task.report(request, result, flags));
    return { request: JSON.parse(JSON.stringify(request)), stdout, stderr, bar: drawn.flatMap(countOf) };
  } finally {
    console.error = error;
    performance.now = now;
    for (const method of ["isTerminal", "writeSync"] as const) {
      Reflect.deleteProperty(Deno.stderr, method);
    }
  }
}

/**
 * Throws where a result, or one of its experiments, states a time that is no whole number of the seconds that have passed. A run
 * without steps takes no time.
 */
function checkSeconds(result: unknown, passed: number): void {
  const { seconds, steps, experiments = [] } = (result ?? {}) as {
    readonly seconds?: number;
    readonly steps?: number;
    readonly experiments?: readonly unknown[];
  };
  for (const experiment of experiments) checkSeconds(experiment, passed);
  if (
    seconds === undefined || (seconds === 0 && steps === 0) ||
    (Number.isInteger(seconds) && seconds > 0 && seconds <= passed)
  ) return;
  throw new Error(`the run took ${passed} s, its result states ${seconds}`);
}

/** What a bar's text says; nothing for one that clears a line. A line that is printed above the bar stays as it is. */
function countOf(text: string): string[] {
  if (!text.startsWith("\r")) return [text.trimEnd()];
  // deno-lint-ignore no-control-regex -- what clears a terminal's line
  const [, label, rest] = /^\r\x1b\[K(.+) [█░]{24} (.+)$/.exec(text) ?? [];
  return label === undefined ? [] : [`${label} ${rest.replace(/, \S+ \S+\/(s|min|h), .* left/, "")}`];
}

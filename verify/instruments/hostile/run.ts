/** Calls with hostile arguments in a worker that is ended if a call takes too long. @module */
import type { Task, Word } from "./worker.ts";

/** Milliseconds that one call may take: a thousand times what a call takes here, and the machine may be busy. */
const BUDGET = 20_000;

/** Milliseconds until a worker has loaded the library and its engine. */
const START = 120_000;

/** The worker of all runs in this process, which takes a second to load the library; null before the first and after a stop. */
let shared: Worker | null = null;

/** A run over rows of the table. */
export class HostileRun {
  answered = 0;
  refused = 0;
  /** What was wrong, one sentence a call. */
  readonly wrong: string[] = [];
  slowest: { ms: number; call: string } = { ms: 0, call: "none" };

  /** @param extra Numbers to try beside the fixed ones. */
  constructor(readonly extra: readonly number[]) {}

  /** Makes all calls of a row, up to the first that does not end. */
  async examine(name: string): Promise<void> {
    const stopped = await this.#callAll({ name, extra: this.extra });
    if (stopped === null) return;
    this.wrong.push(`${name}: ${stopped.label}: ${stopped.why}`);
    shared?.terminate();
    shared = null;
  }

  async #started(): Promise<Worker> {
    if (shared !== null) return shared;
    const worker = shared = new Worker(new URL("worker.ts", import.meta.url), {
      type: "module",
    });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the worker did not start")), START);
      worker.onmessage = () => {
        clearTimeout(timer);
        resolve();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        reject(new Error(`the worker did not start: ${event.message}`));
      };
    });
    return worker;
  }

  /** Makes the calls; says at which they stopped, if they did. */
  async #callAll(task: Task): Promise<{ label: string; why: string } | null> {
    const worker = await this.#started();
    return await new Promise((resolve) => {
      let [label, since] = ["before its first call", performance.now()];
      const stop = (why: string | null) => {
        clearTimeout(timer);
        resolve(why === null ? null : { label, why });
      };
      let timer = setTimeout(() => stop("never came"), BUDGET);
      worker.onerror = (event) => {
        event.preventDefault();
        stop(`ended the worker: ${event.message}`);
      };
      worker.onmessage = ({ data: word }: MessageEvent<Word>) => {
        clearTimeout(timer);
        if (word.kind === "finished") return stop(null);
        timer = setTimeout(() => stop(`did not end within ${BUDGET / 1000} s`), BUDGET);
        if (word.kind === "calling") [label, since] = [word.label, performance.now()];
        if (word.kind === "called") {
          const ms = performance.now() - since;
          if (ms > this.slowest.ms) this.slowest = { ms, call: `${word.name}, ${word.label}` };
          if (word.outcome === "answered") this.answered++;
          else this.refused++;
          if (word.wrong !== undefined) this.wrong.push(`${word.name}: ${word.label}: ${word.wrong}`);
        }
      };
      worker.postMessage(task);
    });
  }
}

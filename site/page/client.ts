/**
 * The page's side of the conversation with the worker.
 * @module
 */
import type { EngineChoice, JobKind, Jobs, ToPage, ToWorker } from "../protocol.ts";

/** A job that was started. */
export interface Job<Result> {
  /** Its result; null once it was stopped. It rejects with the worker's sentence. */
  readonly result: Promise<{ readonly value: Result } | null>;
  /** Asks the worker to stop it. */
  stop(): void;
}

/** What a client waits for of a job. */
interface Waiting {
  step(value: unknown): void;
  done(value: unknown): void;
  stopped(): void;
  failed(error: Error): void;
}

/** The engine that a worker opened. */
export interface OpenedEngine {
  readonly engine: string;
  readonly reason: string;
}

/** Starts jobs in a worker, and a new worker for another engine. */
export class Client {
  readonly #make: () => Worker;
  readonly #jobs = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #engine: EngineChoice | null = null;
  #opened: Promise<OpenedEngine> = Promise.reject(new Error("no engine was asked for"));
  #count = 0;

  /** @param make Makes a worker. */
  constructor(make: () => Worker) {
    this.#make = make;
    this.#opened.catch(() => {});
  }

  /** Opens an engine in a new worker, unless it is open; jobs of another engine's worker end as stopped. */
  open(engine: EngineChoice): Promise<OpenedEngine> {
    if (engine === this.#engine) return this.#opened;
    this.#worker?.terminate();
    for (const job of this.#jobs.values()) job.stopped();
    this.#jobs.clear();
    const worker = this.#make();
    this.#worker = worker;
    this.#engine = engine;
    this.#opened = new Promise((resolve, reject) => {
      worker.onerror = (event) => {
        event.preventDefault();
        const error = new Error(event.message || "the worker could not be loaded");
        reject(error);
        for (const job of this.#jobs.values()) job.failed(error);
        this.#jobs.clear();
      };
      worker.onmessage = ({ data }: MessageEvent<ToPage>) => {
        if (data.kind === "opened") resolve(data);
        else if (data.kind === "unopened") reject(new Error(data.message));
        else this.#receive(data);
      };
    });
    this.#opened.catch(() => {});
    this.#send({ kind: "open", engine });
    return this.#opened;
  }

  /** Starts a job; what comes after each step goes to `onStep`. */
  start<Kind extends JobKind>(
    what: Kind,
    request: Jobs[Kind]["request"],
    onStep: (value: Jobs[Kind]["step"]) => void,
  ): Job<Jobs[Kind]["result"]> {
    const job = ++this.#count;
    const result = new Promise<{ readonly value: Jobs[Kind]["result"] } | null>((resolve, reject) => {
      this.#jobs.set(job, {
        step: onStep as Waiting["step"],
        done: (value) => resolve({ value: value as Jobs[Kind]["result"] }),
        stopped: () => resolve(null),
        failed: reject,
      });
    });
    this.#send({ kind: "start", job, what, request } as ToWorker);
    return {
      result,
      stop: () => {
        if (this.#jobs.has(job)) this.#send({ kind: "stop", job });
      },
    };
  }

  #send(message: ToWorker): void {
    if (this.#worker === null) throw new Error("no engine was asked for");
    this.#worker.postMessage(message);
  }

  #receive(message: Exclude<ToPage, { kind: "opened" | "unopened" }>): void {
    const job = this.#jobs.get(message.job);
    if (job === undefined) return;
    if (message.kind === "step") return job.step(message.value);
    this.#jobs.delete(message.job);
    if (message.kind === "done") job.done(message.value);
    else if (message.kind === "stopped") job.stopped();
    else job.failed(new Error(message.message));
  }
}

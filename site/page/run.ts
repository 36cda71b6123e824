/** A panel's run: one job at a time, its buttons and its line of status. @module */
import type { JobKind, Jobs } from "../protocol.ts";
import type { Client, Job } from "./client.ts";
import { found, part } from "./elements.ts";

/** Starts and stops the jobs of one panel. */
export class Run {
  readonly #client: Client;
  readonly #status: HTMLElement;
  readonly #stop: HTMLButtonElement;
  #job: Job<unknown> | null = null;

  constructor(section: HTMLElement, client: Client) {
    this.#client = client;
    this.#status = part(section, "status");
    this.#stop = part<HTMLButtonElement>(section, "stop");
    this.#stop.addEventListener("click", () => this.stop());
    found<HTMLFormElement>(section, "form").addEventListener("submit", (event) => event.preventDefault());
  }

  /** The line below the pictures. */
  say(words: string): void {
    this.#status.textContent = words;
  }

  /** Stops the job that runs, if one does. */
  stop(): void {
    this.#job?.stop();
  }

  /**
   * Stops what runs and starts a job.
   * @returns its result; null if it was stopped, failed or gave way to another, which the status says
   */
  async start<Kind extends JobKind>(
    what: Kind,
    request: Jobs[Kind]["request"],
    onStep: (value: Jobs[Kind]["step"]) => void,
  ): Promise<{ readonly value: Jobs[Kind]["result"] } | null> {
    this.stop();
    const job = this.#client.start(what, request, (value) => {
      if (this.#job === job) onStep(value);
    });
    this.#job = job;
    this.#stop.disabled = false;
    try {
      const result = await job.result;
      if (this.#job !== job) return null;
      if (result === null) this.say("Stopped.");
      return result;
    } catch (error) {
      if (this.#job === job) this.say(`That did not work: ${(error as Error).message}.`);
      return null;
    } finally {
      if (this.#job === job) {
        this.#job = null;
        this.#stop.disabled = true;
      }
    }
  }
}

/** Milliseconds in words. */
export function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

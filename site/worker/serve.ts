/**
 * Answers a page's messages: opens an engine, and carries out one job after the other.
 * @module
 */
import { useEngine } from "../../mod.ts";
import type { Jobs, ToPage, ToWorker } from "../protocol.ts";
import { bits } from "./bits.ts";
import { colour } from "./colour.ts";
import { complete } from "./complete.ts";
import { draw } from "./draw.ts";
import type { JobContext } from "./job.ts";
import { fetchNetwork, type NetworkName } from "./networks.ts";
import { pause } from "./pause.ts";
import { field, plane } from "./plane.ts";
import { checkMessage, checkRequest } from "./requests.ts";

/** What carries out each kind of job. */
const jobs: {
  readonly [Kind in keyof Jobs]: (
    request: Jobs[Kind]["request"],
    context: JobContext<Jobs[Kind]["step"]>,
  ) => Promise<Jobs[Kind]["result"]>;
} = { draw, complete, colour, field, plane, bits };

/** A worker's side of the conversation. */
export interface Server {
  /** Handles one message. Nothing is thrown: what is wrong is answered. */
  receive(message: unknown): void;
}

/** Makes the worker's side; `send` takes its answers. */
export function serve(send: (message: ToPage) => void): Server {
  /** Ends when all that was asked so far has been done. */
  let last: Promise<void> = Promise.resolve();
  /** What stops the jobs that have not ended. */
  const running = new Map<number, AbortController>();
  let opened = false;

  async function open(engine: Extract<ToWorker, { kind: "open" }>["engine"]): Promise<void> {
    try {
      const { name, reason } = await useEngine(engine);
      opened = true;
      send({ kind: "opened", engine: name, reason });
    } catch (error) {
      send({ kind: "unopened", message: sentenceOf(error) });
    }
  }

  async function carryOut({ job, what, request }: Extract<ToWorker, { kind: "start" }>): Promise<void> {
    const { signal } = running.get(job)!;
    try {
      signal.throwIfAborted();
      checkRequest(what, request);
      if (!opened) throw new Error("a job needs an engine, and none is open");
      const step = async (value: Jobs[typeof what]["step"]) => {
        send({ kind: "step", job, value });
        await pause();
        signal.throwIfAborted();
      };
      const action = jobs[what] as (
        request: unknown,
        context: JobContext<unknown>,
      ) => Promise<Jobs[typeof what]["result"]>;
      const value = await action(request, { signal, step: step as JobContext<unknown>["step"] });
      send({ kind: "done", job, value });
    } catch (error) {
      send(signal.aborted ? { kind: "stopped", job } : { kind: "failed", job, message: sentenceOf(error) });
    } finally {
      running.delete(job);
    }
  }

  return {
    receive(message) {
      try {
        checkMessage(message);
      } catch (error) {
        const { job } = (message ?? {}) as { job?: unknown };
        return send({ kind: "failed", job: typeof job === "number" ? job : -1, message: sentenceOf(error) });
      }
      if (message.kind === "stop") {
        running.get(message.job)?.abort();
      } else if (message.kind === "open") {
        last = last.then(() => open(message.engine));
      } else if (running.has(message.job)) {
        send({ kind: "failed", job: message.job, message: `job ${message.job} is running already` });
      } else {
        running.set(message.job, new AbortController());
        prefetch(message);
        last = last.then(() => carryOut(message));
      }
    },
  };
}

/** Begins to fetch the network of a job, so that it comes while the engine opens. */
function prefetch({ what, request }: Extract<ToWorker, { kind: "start" }>): void {
  const name = networkOf(what, request);
  // What fails here fails again, and is answered, when the job asks for it.
  if (name !== null) fetchNetwork(name).catch(() => {});
}

function networkOf(what: unknown, request: unknown): NetworkName | null {
  switch (what) {
    case "draw":
      return (request as { sampler?: unknown } | null)?.sampler === "consistency"
        ? "mnist-consistency"
        : "mnist";
    case "complete":
      return "mnist";
    case "colour":
      return "coloured-digits";
    case "bits":
      return "mnist-likelihood";
    default:
      return null;
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A program as a sampler under test: a process that talks over stdin and stdout, watched so that whatever it does ends in a
 * result or in one sentence, and never in a hang or a process left behind.
 * @module
 */
import type {
  RunEnd,
  SamplerDescription,
  SamplerRun,
  SamplerUnderTest,
} from "../../src/conformance/sampler_under_test.ts";
import { Lines } from "./lines.ts";
import {
  endMessage,
  longestHello,
  longestMessage,
  ProgramFault,
  type ProgramMessage,
  readMessage,
  runMessage,
  valueMessage,
} from "./messages.ts";
import { Process, within } from "./process.ts";

/** What a program may take. */
export interface ProgramLimits {
  /** Seconds from a message of the kit to the program's next one; the first may take three times as long. */
  readonly timeout: number;
  /** Questions to the model, and requests for noise, in one run; by default 1000, and 100 for each step. */
  readonly evaluations?: number;
}

/** A program whose sampler is measured. Close it when its runs are over. */
export class ProgramSampler implements SamplerUnderTest, AsyncDisposable {
  readonly description: SamplerDescription;
  readonly #process: Process;
  readonly #lines: Lines;
  readonly #limits: ProgramLimits;
  #runs = 0;
  #fault: ProgramFault | null = null;

  private constructor(
    process: Process,
    lines: Lines,
    limits: ProgramLimits,
    description: SamplerDescription,
  ) {
    this.#process = process;
    this.#lines = lines;
    this.#limits = limits;
    this.description = description;
  }

  /**
   * Starts a program and hears its first message.
   * @param command The program and its arguments.
   * @throws {ProgramFault} When it cannot be started, ends, or says something else.
   */
  static async start(command: readonly string[], limits: ProgramLimits): Promise<ProgramSampler> {
    const process = Process.start(command);
    const lines = new Lines(process.stdout);
    try {
      // Python with a large library takes its time to start.
      const expected = { most: longestHello, timeout: 3 * limits.timeout, shape: null };
      const message = await heard(process, lines, expected);
      if (message.type === "error") throw new ProgramFault(`the program says: ${message.message}`);
      const { description } = message as Extract<ProgramMessage, { type: "hello" }>;
      return new ProgramSampler(process, lines, limits, description);
    } catch (error) {
      await lines.cancel();
      throw await faultOf(error, process, "before its first message");
    }
  }

  /** What went wrong in the conversation, after which the program was ended; null as long as nothing has. */
  get fault(): ProgramFault | null {
    return this.#fault;
  }

  /**
   * One run of the program.
   * @throws {ProgramFault} When it breaks the protocol, ends or is too slow: it is ended then, and so does every later run.
   * @throws {Error} When the program says that its sampler failed.
   */
  async run(run: SamplerRun): Promise<RunEnd> {
    if (this.#fault !== null) throw this.#fault;
    const index = this.#runs++;
    const asked = { model: 0, noise: 0 };
    try {
      return await this.#converse(run, index, asked);
    } catch (error) {
      if (!(error instanceof ProgramFault)) throw error;
      const when = `in run ${index} of ${run.steps} steps, after ${asked.model} evaluations`;
      this.#fault = await faultOf(error, this.#process, when);
      await this.#lines.cancel();
      throw this.#fault;
    }
  }

  async #converse(
    run: SamplerRun,
    index: number,
    asked: { model: number; noise: number },
  ): Promise<RunEnd> {
    const { shape, steps } = run;
    const { precision } = this.description;
    const { timeout, evaluations = 1000 + 100 * steps } = this.#limits;
    const expected = { most: longestMessage(shape), timeout, shape };
    await this.#say(runMessage(run, index, precision));
    while (true) {
      const message = await heard(this.#process, this.#lines, expected);
      switch (message.type) {
        case "model": {
          if (++asked.model > evaluations) {
            throw new ProgramFault(
              `the program asked for more than ${evaluations} evaluations of the model in a run of ${steps} steps`,
            );
          }
          const value = await answered(() => run.model(message.x, message.level, message.answer));
          await this.#say(valueMessage("answer", value, shape, precision));
          break;
        }
        case "noise":
          if (++asked.noise > evaluations) {
            throw new ProgramFault(
              `the program asked for noise more than ${evaluations} times in a run of ${steps} steps`,
            );
          }
          await this.#say(valueMessage("noise", await answered(() => run.noise()), shape, precision));
          break;
        case "done":
          return message.end;
        case "error":
          throw new Error(`the program says of run ${index} of ${steps} steps: ${message.message}`);
      }
    }
  }

  /** Sends a message. A program that has said more than it was asked would take the next answer for another one. */
  async #say(message: string): Promise<void> {
    if (this.#lines.waiting) {
      throw new ProgramFault(
        "the program wrote a message out of turn, before the answer to the one before it",
      );
    }
    await this.#process.write(message, this.#limits.timeout);
  }

  /** Says that there are no more runs, waits a moment for the program to end, and ends it and what it has started. */
  async close(): Promise<void> {
    if (this.#fault === null) await this.#process.write(endMessage, 1).catch(() => {});
    await this.#process.end(2);
    await this.#lines.cancel();
  }

  /** The same as {@link ProgramSampler.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Expected {
  /** The longest message in bytes. */
  readonly most: number;
  /** Seconds that it may take. */
  readonly timeout: number;
  /** Of the run's states; null for the first message. */
  readonly shape: readonly [number, number] | null;
}

/** The program's next message. */
async function heard(
  process: Process,
  lines: Lines,
  { most, timeout, shape }: Expected,
): Promise<ProgramMessage> {
  const line = await within(timeout, lines.next(most));
  if (line === undefined) {
    throw new ProgramFault(`the program wrote no message for ${timeout} s; --timeout allows more`);
  }
  if (line === null) throw new ProgramFault(await process.howItEnded());
  if (line.length > most) {
    throw new ProgramFault(`a message of the program has ${line.length} bytes, at most ${most} are expected`);
  }
  return readMessage(line, shape);
}

/** An answer of the kit; a question that it refuses is the program's fault, which waits for an answer in vain. */
async function answered<T>(answer: () => Promise<T>): Promise<T> {
  try {
    return await answer();
  } catch (error) {
    throw new ProgramFault((error as Error).message);
  }
}

/** Ends the program, and gives the fault with the place in the conversation and the last of what the program wrote to stderr. */
async function faultOf(error: unknown, process: Process, when: string): Promise<ProgramFault> {
  await process.end(0);
  const sentence = `${(error as Error).message} (${when})`;
  const words = process.lastWords.trim();
  return new ProgramFault(words === "" ? sentence : `${sentence}; the end of its stderr:\n${words}`);
}

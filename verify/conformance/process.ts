/**
 * A process with all that it starts: its pipes, its last words, and its end, which always comes.
 * @module
 */
import { quoted } from "../../src/input/quoted.ts";
import { ProgramFault } from "./messages.ts";

/** Characters of stderr that are kept. */
const MOST_WORDS = 2000;

/** Signals after which a process is taken down, and their numbers; Windows can listen for the first alone. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** A running process, the first of a group of its own. */
export class Process {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #listeners: readonly (readonly [keyof typeof SIGNALS, () => void])[];
  readonly #errors: ReadableStreamDefaultReader<Uint8Array>;
  /** Settles when stderr is closed. */
  readonly #listening: Promise<void>;
  #words = "";
  #status: Deno.CommandStatus | null = null;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#writer.closed.catch(() => {});
    child.status.then((status) => this.#status = status);
    this.#errors = child.stderr.getReader();
    this.#listening = this.#listen();
    const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
    this.#listeners = names.filter((name) => Deno.build.os !== "windows" || name === "SIGINT").map((name) => {
      // The exit is what ends the process.
      const listener = () => Deno.exit(128 + SIGNALS[name]);
      Deno.addSignalListener(name, listener);
      return [name, listener] as const;
    });
    globalThis.addEventListener("unload", this.#kill);
  }

  /**
   * Starts a program.
   * @throws {ProgramFault} When that is not possible.
   */
  static start([program, ...args]: readonly string[]): Process {
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    try {
      return new Process(new Deno.Command(program, { args, ...pipes, detached: true }).spawn());
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        throw new ProgramFault(
          `the program ${quoted(program)} may not be started: --allow-run=${program} permits it`,
        );
      }
      throw new ProgramFault(`the program ${quoted(program)} cannot be started: ${(error as Error).message}`);
    }
  }

  /** What it writes to stdout. */
  get stdout(): ReadableStream<Uint8Array> {
    return this.#child.stdout;
  }

  /** The last of what it wrote to stderr. */
  get lastWords(): string {
    return this.#words;
  }

  /**
   * Writes to its stdin.
   * @param seconds How long the process may leave it unread.
   * @throws {ProgramFault} When the process has ended, has closed its stdin or does not read.
   */
  async write(text: string, seconds: number): Promise<void> {
    const written = this.#writer.write(new TextEncoder().encode(text)).then(() => true, () => false);
    const done = await within(seconds, written);
    if (done === undefined) {
      throw new ProgramFault(`the program did not read its stdin for ${seconds} s`);
    }
    if (!done) throw new ProgramFault(await this.howItEnded("stdin"));
  }

  /** One sentence on the end of a process that has closed a pipe, which is waited for a moment. */
  async howItEnded(pipe: "stdin" | "stdout" = "stdout"): Promise<string> {
    await within(1, this.#child.status);
    if (this.#status === null) return `the program closed its ${pipe} and went on running`;
    const { code, signal } = this.#status;
    if (signal !== null) return `the program was ended by the signal ${signal}`;
    return `the program ended with exit code ${code}`;
  }

  /**
   * Waits so many seconds for the process to end by itself, then ends it and all that it has started in its group, which no
   * signal handler of theirs can prevent. May be called again.
   */
  async end(seconds: number): Promise<void> {
    this.#writer.close().catch(() => {});
    if (seconds > 0) await within(seconds, this.#child.status);
    this.#kill();
    await within(5, this.#child.status);
    // What it wrote last; something that has left its group may hold the pipe open for ever.
    await within(0.5, this.#listening);
    await within(0.5, this.#errors.cancel().catch(() => {}));
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
    globalThis.removeEventListener("unload", this.#kill);
  }

  readonly #kill = (): void => {
    try {
      if (Deno.build.os === "windows") this.#child.kill("SIGKILL");
      else Deno.kill(-this.#child.pid, "SIGKILL");
    } catch (error) {
      // The permission to run one program only is none to end a group.
      if (error instanceof Deno.errors.NotCapable && this.#status === null) this.#child.kill("SIGKILL");
    }
  };

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { value, done } = await this.#errors.read();
        if (done) return;
        this.#words = (this.#words + decoder.decode(value, { stream: true })).slice(-MOST_WORDS);
      }
    } catch {
      // The pipe is closed with the process.
    }
  }
}

/** What a promise gives; undefined when it takes more seconds than that. */
export async function within<T>(seconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: number | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(resolve, 1000 * seconds));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Stops long work in an orderly way after Ctrl-C, a scheduler's SIGTERM or the closing of a terminal.
 * @module
 */

/** Signals that ask to stop, and their numbers; Windows has no SIGTERM to listen for. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** The first signal asks to stop at the next good moment, a second one stops at once. */
export class Interrupt implements Disposable {
  #signal: keyof typeof SIGNALS | null = null;
  readonly #listeners = new Map<keyof typeof SIGNALS, () => void>();

  constructor() {
    const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
    for (const name of names.filter((name) => Deno.build.os !== "windows" || name === "SIGINT")) {
      const listener = () => {
        if (this.raised) Deno.exit(this.exitCode);
        this.#signal = name;
      };
      Deno.addSignalListener(name, listener);
      this.#listeners.set(name, listener);
    }
  }

  /** Whether a signal has come. */
  get raised(): boolean {
    return this.#signal !== null;
  }

  /** What a shell expects of a process that stopped for the signal: 128 and the signal's number. */
  get exitCode(): number {
    return 128 + SIGNALS[this.#signal ?? "SIGINT"];
  }

  /** Signals have their usual effect again. */
  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
    this.#listeners.clear();
  }
}

/**
 * Progress of long work on the terminal: a bar with rate and time left on stderr, and human formats. Results
 * go to stdout, which this file never touches.
 * @module
 */
import { printable } from "../../src/input/quoted.ts";

/** How a progress bar looks and where it goes. */
interface ProgressOptions {
  /** What is being done: "sampling". */
  readonly label: string;
  /** The count at which the work is complete. */
  readonly total: number;
  /** What is counted, in the plural: "steps". */
  readonly unit: string;
  /** The count at which this run starts; above 0 when it resumes. Default 0. */
  readonly initial?: number;
  /** Whether the bar may redraw its line; default: whether stderr is a terminal. Otherwise a plain line every 30 s. */
  readonly terminal?: boolean;
  /** Where the text goes; default: stderr. */
  readonly write?: (text: string) => void;
  /** The time in milliseconds; default: performance.now. */
  readonly now?: () => number;
}

/** A progress bar. Use it with `using`, or call {@link ProgressBar.finish}: that clears its line. */
export class ProgressBar implements Disposable {
  readonly #options: Required<ProgressOptions>;
  readonly #started: number;
  #drawn = -Infinity;
  #visible = false;

  constructor(options: ProgressOptions) {
    this.#options = {
      initial: 0,
      terminal: Deno.stderr.isTerminal(),
      write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
      now: () => performance.now(),
      ...options,
    };
    this.#started = this.#options.now();
    // Elsewhere than on a terminal a line comes after five seconds, with the time left, and then every half a minute.
    if (!this.#options.terminal) this.#drawn = this.#started - 25_000;
  }

  /** Reports how much is done, with an optional note such as the loss. Cheap: it draws ten times a second at most. */
  update(done: number, note = ""): void {
    const { terminal, write, now } = this.#options;
    const time = now();
    if (time - this.#drawn < (terminal ? 100 : 30_000)) return;
    this.#drawn = time;
    this.#visible = true;
    const line = this.#line(done, note, time);
    write(terminal ? `\r\x1b[K${line}` : `${line}\n`);
  }

  /** Prints a line above the bar. */
  print(line: string): void {
    this.finish();
    this.#options.write(`${printable(line)}\n`);
  }

  /** Clears the bar's line. */
  finish(): void {
    if (this.#options.terminal && this.#visible) this.#options.write("\r\x1b[K");
    this.#visible = false;
  }

  /** The same as {@link ProgressBar.finish}. */
  [Symbol.dispose](): void {
    this.finish();
  }

  #line(done: number, note: string, time: number): string {
    const { label, total, unit, initial, terminal } = this.#options;
    const seconds = (time - this.#started) / 1000;
    const rate = (done - initial) / seconds;
    const share = Math.min(1, Math.max(0, total > 0 ? done / total : 1));
    const filled = Math.round(share * 24);
    const bar = terminal ? ` ${"█".repeat(filled)}${"░".repeat(24 - filled)}` : "";
    const pace = rate > 0
      ? `, ${formatRate(rate, unit)}, ${formatDuration(Math.max(0, total - done) / rate)} left`
      : "";
    return `${label}${bar} ${done}/${total} ${unit}${pace}${note === "" ? "" : `, ${printable(note)}`}`;
  }
}

/** Seconds as people say them: `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown time";
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** A rate per second, minute or hour, whichever gives at least 1: `12.5 steps/s`, `18.8 steps/min`. */
export function formatRate(perSecond: number, unit: string): string {
  if (perSecond >= 1) return `${perSecond.toPrecision(3)} ${unit}/s`;
  if (perSecond * 60 >= 1) return `${(perSecond * 60).toPrecision(3)} ${unit}/min`;
  return `${(perSecond * 3600).toPrecision(3)} ${unit}/h`;
}

/** A share in [0, 1] in percent, `98.4%`; a dash for null. */
export function formatPercent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)}%`;
}

/** Bytes with a decimal unit: `940 B`, `1.94 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

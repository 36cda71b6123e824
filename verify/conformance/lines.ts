/**
 * Lines of a stream of bytes, one at a time and none longer than allowed.
 * @module
 */
import { ProgramFault } from "./messages.ts";

const LINE_FEED = 10;

/** Reads a program's output line by line. */
export class Lines {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** What has been read of lines that were not asked for yet. */
  #chunks: Uint8Array[] = [];
  /** Bytes in them, none of which is a line feed: the search need not begin again. */
  #searched = 0;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Whether something has been read beyond the lines that were asked for. */
  get waiting(): boolean {
    return this.#chunks.some((chunk) => chunk.length > 0);
  }

  /**
   * The next line without its end; null at the end of the stream, a last line without an end included.
   * @throws {ProgramFault} When it is longer than `most` bytes.
   */
  async next(most: number): Promise<Uint8Array | null> {
    while (true) {
      const found = this.#cut();
      if (found !== null) return withoutReturn(found);
      if (this.#searched > most) {
        throw new ProgramFault(
          `the program wrote more than ${most} bytes to stdout without a line's end: a message is one line`,
        );
      }
      const { value, done } = await this.#reader.read();
      if (done) return null;
      this.#chunks.push(value);
    }
  }

  /** Stops reading. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  /** The bytes before the first line feed that has been read, which are taken away with it; null without one. */
  #cut(): Uint8Array | null {
    let before = 0;
    for (const [i, chunk] of this.#chunks.entries()) {
      const at = before + chunk.length <= this.#searched ? -1 : chunk.indexOf(LINE_FEED);
      if (at >= 0) {
        const line = joined([...this.#chunks.slice(0, i), chunk.subarray(0, at)]);
        this.#chunks = [chunk.subarray(at + 1), ...this.#chunks.slice(i + 1)];
        this.#searched = 0;
        return line;
      }
      before += chunk.length;
    }
    this.#searched = before;
    return null;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** A line of Windows ends with a carriage return, too. */
function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === 13 ? line.subarray(0, -1) : line;
}

/**
 * An array that grows on the disk, batch by batch, and survives a kill: `FILE.partial` holds the finished samples, and
 * `FILE.partial.json` says in its first line what they are of and in a line for each batch how many it has and their SHA-256.
 * When the last one is there, `FILE.json` gets the first line, `FILE.partial` becomes FILE, and the record of batches goes.
 * @module
 */
import { npyHeader, readNpyHeader } from "../../src/images/npy.ts";
import { isObject, parseJson } from "../../src/input/json.ts";
import { printable, quoted } from "../../src/input/quoted.ts";
import { atomicWrite, refuseLink } from "../cli/files.ts";
import { messageOf } from "../cli/flags.ts";

/** Everything that the bytes of the array depend on; plain JSON. */
export type RunRecord = Readonly<Record<string, string | number | boolean | undefined>>;

/** What to write and where. */
interface PartialNpyOptions {
  /** The finished file; its name ends in .npy. */
  readonly path: string;
  /** [samples, …]. */
  readonly shape: readonly number[];
  /** Compared when a run is resumed. */
  readonly run: RunRecord;
  /** Whether to go on with what is there; nothing there is no error. */
  readonly resume: boolean;
  /** Called with a sentence when samples of an earlier run are damaged and will be drawn again; by default an error. */
  readonly onDamage?: (problem: string) => void;
}

/** A .npy file that is being written. Close it with `using`; what is finished by then stays for `resume`. */
export class PartialNpy implements Disposable {
  #finished: number;
  #open = true;

  private constructor(
    readonly path: string,
    readonly samples: number,
    readonly run: RunRecord,
    readonly file: Deno.FsFile,
    finished: number,
  ) {
    this.#finished = finished;
  }

  /** Samples in the file. */
  get finished(): number {
    return this.#finished;
  }

  /**
   * Starts a file or goes on with one, after the last batch whose bytes are what was written.
   * @throws {Error} When the file that is there belongs to other parameters, holds samples and is not to be resumed, or its record
   * cannot be read.
   */
  static async open({ path, shape, run, resume, onDamage }: PartialNpyOptions): Promise<PartialNpy> {
    const { partial, journal } = names(path);
    for (const name of [path, partial, journal]) await refuseLink(name);
    const [samples, ...sample] = shape;
    const header = npyHeader(shape);
    const size = 4 * sample.reduce((product, length) => product * length, 1);
    const earlier = await readJournal(partial, journal);
    const held = earlier.batches.reduce((sum, batch) => sum + batch.samples, 0);
    if (held > 0) {
      if (!resume) {
        throw new Error(
          `"${partial}" holds ${held} finished of ${samples}: go on with --resume, or remove it`,
        );
      }
      refuseOther(partial, earlier.run!, run);
    }
    const intact = await intactBatches(partial, header.length, size, earlier.batches);
    const finished = intact.reduce((sum, batch) => sum + batch.samples, 0);
    if (finished < held) {
      const problem = `samples from ${finished + 1} on in "${partial}" are not what was written`;
      if (onDamage === undefined) throw new Error(problem);
      onDamage(`${problem}: they are drawn again`);
    }
    try {
      const lines = [run, ...intact].map((line) => `${JSON.stringify(line)}\n`).join("");
      await atomicWrite(journal, new TextEncoder().encode(lines));
      const file = await Deno.open(partial, { read: true, write: true, create: true });
      await writeAll(file, header);
      await file.truncate(header.length + finished * size);
      await file.seek(0, Deno.SeekMode.End);
      return new PartialNpy(path, samples, run, file, finished);
    } catch (error) {
      throw new Error(`could not write "${partial}": ${messageOf(error)}`);
    }
  }

  /** Adds a batch of finished samples; they and their checksum are on the disk when this returns. */
  async append(values: Float32Array, samples: number): Promise<void> {
    const { partial, journal } = names(this.path);
    try {
      // Deno runs on little-endian processors only, and .npy files are little-endian here.
      const bytes = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
      await writeAll(this.file, bytes);
      await this.file.syncData();
      using record = await Deno.open(journal, { append: true });
      const line = JSON.stringify({ samples, sha256: await digest(bytes) } satisfies Batch);
      await writeAll(record, new TextEncoder().encode(`${line}\n`));
      await record.syncData();
    } catch (error) {
      throw new Error(`could not write "${partial}": ${messageOf(error)}`);
    }
    this.#finished += samples;
  }

  /**
   * Gives the complete file its name, and says beside it what it is of.
   * @throws {Error} When samples are missing, or another process has written the file, too.
   */
  async finish(): Promise<void> {
    const { partial, journal } = names(this.path);
    if (this.#finished !== this.samples) {
      throw new Error(`"${partial}" holds ${this.#finished} of ${this.samples} and is not complete`);
    }
    await this.#refuseOtherWriter();
    await this.file.sync();
    // Some systems do not rename what is open.
    this.#close();
    await writeRecord(this.path, this.run);
    await Deno.rename(partial, this.path);
    await Deno.remove(journal);
  }

  /** Throws when the record of batches is not this writer's alone: locks do not hold on every file system. */
  async #refuseOtherWriter(): Promise<void> {
    const { partial, journal } = names(this.path);
    const { run, batches } = await readJournal(partial, journal);
    const own = run !== null && JSON.stringify(run) === JSON.stringify(this.run);
    if (own && batches.reduce((sum, { samples }) => sum + samples, 0) === this.samples) return;
    throw new Error(
      `another process has written "${partial}", too: once that has ended, --resume checks every batch and draws again ` +
        "what is not as it was written",
    );
  }

  /** Closes the file; what holds no finished sample is removed. */
  [Symbol.dispose](): void {
    this.#close();
    if (this.#finished > 0) return;
    for (const name of Object.values(names(this.path))) Deno.removeSync(name);
  }

  #close(): void {
    if (this.#open) this.file.close();
    this.#open = false;
  }
}

function names(path: string): { partial: string; journal: string } {
  return { partial: `${path}.partial`, journal: `${path}.partial.json` };
}

/**
 * What a finished array says it is of, in `FILE.json`; null where that is not there.
 * @throws {Error} with one sentence, when the file is no such record
 */
export async function readRecord(path: string): Promise<RunRecord | null> {
  const text = await Deno.readTextFile(`${path}.json`).catch(() => null);
  return text === null ? null : parseRecord(text, quoted(`${path}.json`));
}

/**
 * Reads a record from a text.
 * @param where What errors call it.
 * @throws {Error} with one sentence, when it is no object of text, numbers, true and false
 */
export function parseRecord(text: string, where: string): RunRecord {
  let record: unknown;
  try {
    record = parseJson(text);
  } catch (error) {
    throw new Error(`${where} is no record of a run: it ${(error as Error).message}`);
  }
  if (!isRecord(record)) throw new Error(`${where} is no record of a run: it has no plain values by name`);
  return record;
}

function isRecord(value: unknown): value is RunRecord {
  return isObject(value) && Object.values(value).every((v) => /^(string|number|boolean)$/.test(typeof v));
}

/** Writes what a finished array is of. */
export async function writeRecord(path: string, run: RunRecord): Promise<void> {
  await atomicWrite(`${path}.json`, new TextEncoder().encode(`${JSON.stringify(run, null, 2)}\n`));
}

/**
 * Whether an array is there and finished. One that was being drawn anew beside it is not.
 * @throws {Error} When it is of another shape or run, or does not say what it is of.
 */
export async function isFinished(
  { path, shape, run }: Pick<PartialNpyOptions, "path" | "shape" | "run">,
): Promise<boolean> {
  const there = await Deno.open(path).catch(() => null);
  if (there === null) return false;
  using file = there;
  const { partial, journal } = names(path);
  if (await Deno.stat(partial).then(() => true, () => false)) return false;
  const record = await readRecord(path);
  if (record === null) {
    throw new Error(
      `"${path}" exists without its record "${path}.json": remove it, or write elsewhere`,
    );
  }
  refuseOther(path, record, run);
  const start = new Uint8Array(4096);
  const header = readNpyHeader(start.subarray(0, await file.read(start) ?? 0), path);
  if (String(header.shape) !== String(shape)) {
    throw new Error(
      `"${path}" has the shape [${header.shape}], expected [${shape}]: remove it, or write elsewhere`,
    );
  }
  await Deno.remove(journal).catch(() => {});
  return true;
}

/** A line of the record of batches. */
interface Batch {
  readonly samples: number;
  /** Of the batch's bytes, in hexadecimal digits. */
  readonly sha256: string;
}

/** What the record says; a last line that was not written whole is left out. */
async function readJournal(
  partial: string,
  journal: string,
): Promise<{ run: RunRecord | null; batches: readonly Batch[] }> {
  const text = await Deno.readTextFile(journal).catch(() => null);
  const { size } = await Deno.stat(partial).catch(() => ({ size: 0 }));
  const record = parseJournal(text ?? "");
  // A header alone is no sample.
  if (record === null && size > 4096) {
    throw new Error(
      `"${partial}" holds samples, but its record "${journal}" is ${
        text === null ? "gone" : "damaged"
      }: remove both to draw them again`,
    );
  }
  return record ?? { run: null, batches: [] };
}

/** The run and the batches that a record of batches names; null when it is damaged. */
export function parseJournal(text: string): { run: RunRecord; batches: readonly Batch[] } | null {
  try {
    const [run, ...batches] = text.split("\n").slice(0, -1).map(parseJson);
    return isRecord(run) && batches.every(isBatch) ? { run, batches } : null;
  } catch {
    return null;
  }
}

function isBatch(value: unknown): value is Batch {
  return isObject(value) && Number.isSafeInteger(value.samples) && Number(value.samples) > 0 &&
    typeof value.sha256 === "string";
}

/** The batches from the first on whose bytes have the checksums that were recorded. */
async function intactBatches(
  partial: string,
  start: number,
  size: number,
  batches: readonly Batch[],
): Promise<readonly Batch[]> {
  if (batches.length === 0) return [];
  using file = await Deno.open(partial);
  const { size: length } = await file.stat();
  let at = await file.seek(start, Deno.SeekMode.Start);
  for (const [index, { samples, sha256 }] of batches.entries()) {
    // What is not there need not be allocated.
    if (at + samples * size > length) return batches.slice(0, index);
    const bytes = new Uint8Array(samples * size);
    at += bytes.length;
    let read = 0;
    while (read < bytes.length) {
      const more = await file.read(bytes.subarray(read));
      if (more === null) break;
      read += more;
    }
    if (read < bytes.length || await digest(bytes) !== sha256) return batches.slice(0, index);
  }
  return batches;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function refuseOther(partial: string, earlier: RunRecord, now: RunRecord): void {
  for (const key of new Set([...Object.keys(earlier), ...Object.keys(now)])) {
    if (earlier[key] !== now[key]) {
      const word = (value: RunRecord[string]) => value === undefined ? "not given" : quoted(String(value));
      throw new Error(
        `cannot go on with "${partial}": its ${printable(key.slice(0, 80))} is ${
          word(earlier[key])
        }, now it is ${word(now[key])}`,
      );
    }
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

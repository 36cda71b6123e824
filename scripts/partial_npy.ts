/**
 * An array that grows on the disk, sample by sample, and survives a kill: `FILE.partial` holds the finished samples and
 * `FILE.partial.json` what they are of; when the last one is there, the first is renamed to FILE and the second removed.
 * @module
 */
import { npyHeader } from "../src/pictures/npy.ts";
import { atomicWrite } from "./files.ts";

/** Everything that the bytes of the array depend on; plain JSON. */
export type RunRecord = Readonly<Record<string, string | number | boolean | undefined>>;

/** What to write and where. */
export interface PartialNpyOptions {
  /** The finished file; its name ends in .npy. */
  readonly path: string;
  /** [samples, …]. */
  readonly shape: readonly number[];
  /** Compared when a run is resumed. */
  readonly run: RunRecord;
  /** Whether to go on with what is there; nothing there is no error. */
  readonly resume: boolean;
  /** Samples are kept in multiples of this, except the last ones. */
  readonly batch: number;
}

/** A .npy file in the making. Close it with `using`; what is finished by then stays for `resume`. */
export class PartialNpy implements Disposable {
  #finished: number;
  #open = true;

  private constructor(
    readonly path: string,
    readonly samples: number,
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
   * Starts a file or goes on with one.
   * @throws {Error} When the file that is there belongs to other parameters, or holds samples and is not to be resumed.
   */
  static async open({ path, shape, run, resume, batch }: PartialNpyOptions): Promise<PartialNpy> {
    const { partial, journal } = names(path);
    const [samples, ...sample] = shape;
    const header = npyHeader(shape);
    const size = 4 * sample.reduce((product, length) => product * length, 1);
    const earlier = await readJournal(journal);
    const length = earlier === null ? 0 : (await Deno.stat(partial).catch(() => ({ size: 0 }))).size;
    const whole = Math.max(0, Math.floor((length - header.length) / size));
    const finished = whole >= samples ? samples : whole - whole % batch;
    if (earlier !== null && finished > 0) {
      if (!resume) {
        throw new Error(
          `"${partial}" holds ${finished} finished of ${samples}: go on with --resume, or remove it`,
        );
      }
      refuseOther(partial, earlier, run);
    }
    try {
      if (finished === 0) await atomicWrite(journal, new TextEncoder().encode(`${JSON.stringify(run)}\n`));
      const file = await Deno.open(partial, { read: true, write: true, create: true });
      await writeAll(file, header);
      await file.truncate(header.length + finished * size);
      await file.seek(0, Deno.SeekMode.End);
      return new PartialNpy(path, samples, file, finished);
    } catch (error) {
      throw new Error(`could not write "${partial}": ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Adds finished samples; they are on the disk when this returns. */
  async append(values: Float32Array, samples: number): Promise<void> {
    try {
      // Deno runs on little-endian processors only, and .npy files are little-endian here.
      await writeAll(this.file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      await this.file.syncData();
    } catch (error) {
      throw new Error(
        `could not write "${names(this.path).partial}": ${error instanceof Error ? error.message : error}`,
      );
    }
    this.#finished += samples;
  }

  /** Gives the complete file its name. */
  async finish(): Promise<void> {
    const { partial, journal } = names(this.path);
    if (this.#finished !== this.samples) {
      throw new Error(`"${partial}" holds ${this.#finished} of ${this.samples} and is not complete`);
    }
    await this.file.sync();
    // Some systems do not rename what is open.
    this.#close();
    await Deno.rename(partial, this.path);
    await Deno.remove(journal);
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

async function readJournal(path: string): Promise<RunRecord | null> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    return null;
  }
}

function refuseOther(partial: string, earlier: RunRecord, now: RunRecord): void {
  for (const key of new Set([...Object.keys(earlier), ...Object.keys(now)])) {
    if (earlier[key] !== now[key]) {
      const word = (value: RunRecord[string]) => value === undefined ? "not given" : `"${value}"`;
      throw new Error(
        `cannot resume "${partial}": its ${key} is ${word(earlier[key])}, now it is ${word(now[key])}`,
      );
    }
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

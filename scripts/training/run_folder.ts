/**
 * The folder that a training run writes: checkpoint, model, metrics and sample grids.
 * @module
 */
import { dirname, resolve } from "node:path";
import { networkFromConfig } from "../../src/networks/registry.ts";
import { writeModel } from "../../src/networks/model_file.ts";
import { unflatten } from "../../src/networks/network.ts";
import { type Checkpoint, runMetadata, writeCheckpoint } from "../../src/training/checkpoint.ts";
import { atomicWrite, refuseLink } from "../cli/files.ts";
import { claimFolder, folderLock, type OutputLock, takenOver } from "../cli/output_lock.ts";
import { messageOf } from "../cli/flags.ts";

/** What is read back from one line of metrics. */
interface MetricsLine {
  readonly step: number;
  readonly loss: number;
}

/** Temporary names of a run's files, which a killed process leaves. */
const PART = /^(checkpoint|model(-\d+)?|metrics|samples-\d+)\.[a-z]+\.\d+\.part$/;

/** Where a run's files are. */
export class TrainingFolder implements Disposable {
  readonly #created: boolean;
  readonly #lock: OutputLock;

  private constructor(readonly path: string, created: boolean, lock: OutputLock) {
    this.#created = created;
    this.#lock = lock;
  }

  /**
   * Claims the folder for this process, makes it if need be, and removes what a killed run left half-written.
   * @param resumed The checkpoint to go on from, or null for a new run.
   * @throws {Error} with one sentence, when another process writes there, nothing can be written, or there is something
   * that the run would overwrite
   */
  static async open(path: string, resumed: string | null): Promise<TrainingFolder> {
    const created = !await exists(path);
    try {
      await Deno.mkdir(path, { recursive: true });
    } catch (error) {
      throw new Error(`cannot write "${path}": ${messageOf(error)}`);
    }
    const lock = await claimFolder(path);
    const folder = new TrainingFolder(path, created, lock);
    try {
      const words = takenOver(path, lock);
      if (words !== null) console.error(words);
      await refuseLink(folder.#metrics);
      if (!isIn(path, resumed)) await requireEmpty(path);
      for await (const { name } of Deno.readDir(path)) {
        if (PART.test(name)) await Deno.remove(`${path}/${name}`);
      }
      return folder;
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Throws where a run would find the folder full, before anything is done for it; changes nothing. One that is claimed, or no
   * folder at all, is left to {@linkcode TrainingFolder.open}, which says more of it.
   * @param resumed The checkpoint to go on from, or null for a new run.
   */
  static async refuseFull(path: string, resumed: string | null): Promise<void> {
    const folder = await Deno.stat(path).catch(() => null);
    if (isIn(path, resumed) || !folder?.isDirectory || await exists(folderLock(path))) return;
    await requireEmpty(path);
  }

  get checkpoint(): string {
    return checkpointIn(this.path);
  }

  get model(): string {
    return `${this.path}/model.safetensors`;
  }

  /** Whether a path is that of this folder's checkpoint. */
  isOwn(path: string): boolean {
    return resolve(path) === resolve(this.checkpoint);
  }

  /** The path of the sample grid after a step. */
  samples(step: number): string {
    return `${this.path}/samples-${sixDigits(step)}.png`;
  }

  /**
   * Drops metrics of steps that will be done again, and lines that were not written whole.
   * @returns the lines that stay
   */
  async rewindMetrics(step: number): Promise<readonly MetricsLine[]> {
    if (!await exists(this.#metrics)) return [];
    const lines = (await Deno.readTextFile(this.#metrics)).split("\n").filter((line) => line !== "");
    const parsed = lines.map((line) => ({ line, metrics: parseMetrics(line) }));
    const torn = parsed.filter(({ metrics }) => metrics === null).length;
    if (torn > 0) console.error(`dropped ${torn} torn ${torn === 1 ? "line" : "lines"} of ${this.#metrics}`);
    const kept = parsed.filter(({ metrics }) => metrics !== null && metrics.step <= step);
    await atomicWrite(
      this.#metrics,
      new TextEncoder().encode(kept.map(({ line }) => `${line}\n`).join("")),
    );
    return kept.map(({ metrics }) => metrics!);
  }

  /** Appends one line of JSON. */
  async appendMetrics(metrics: MetricsLine & Readonly<Record<string, number>>): Promise<void> {
    try {
      await Deno.writeTextFile(this.#metrics, `${JSON.stringify(metrics)}\n`, { append: true });
    } catch (error) {
      throw new Error(
        `could not write "${this.#metrics}": ${messageOf(error)}`,
      );
    }
  }

  /**
   * Writes the checkpoint, and the moving average alone in half precision as a model to sample from.
   * @param keep Whether to write that model under a name of its own, too, which later ones leave alone.
   */
  async save(checkpoint: Checkpoint, keep: boolean): Promise<void> {
    // Weights that half precision cannot hold must not replace a good checkpoint: the model's bytes are made first.
    const model = modelOf(checkpoint);
    await atomicWrite(this.checkpoint, writeCheckpoint(checkpoint));
    await this.#writeModels(checkpoint, model, keep);
  }

  /**
   * Writes the models that belong to a checkpoint, unless they are there: a run may be killed between its files.
   * @returns the paths that were written
   */
  complete(checkpoint: Checkpoint, keep: boolean): Promise<readonly string[]> {
    return this.#writeModels(checkpoint, modelOf(checkpoint), keep);
  }

  async #writeModels(
    { state }: Checkpoint,
    model: Uint8Array<ArrayBuffer>,
    keep: boolean,
  ): Promise<readonly string[]> {
    const kept = `${this.path}/model-${sixDigits(state.step)}.safetensors`;
    const written: string[] = [];
    for (const path of keep ? [this.model, kept] : [this.model]) {
      if (await holds(path, model)) continue;
      await atomicWrite(path, model);
      written.push(path);
    }
    return written;
  }

  /** Gives the folder back; one that was made for a run that then wrote nothing is removed. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
    if (!this.#created) return;
    try {
      Deno.removeSync(this.path);
    } catch { /* There is something in it. */ }
  }

  get #metrics(): string {
    return metricsIn(this.path);
  }
}

/** Whether a checkpoint is in a folder. */
function isIn(folder: string, checkpoint: string | null): boolean {
  return checkpoint !== null && resolve(dirname(checkpoint)) === resolve(folder);
}

function checkpointIn(folder: string): string {
  return `${folder}/checkpoint.safetensors`;
}

function metricsIn(folder: string): string {
  return `${folder}/metrics.jsonl`;
}

/** Throws unless a folder is empty but for what a run that was stopped before its first checkpoint leaves. */
async function requireEmpty(path: string): Promise<void> {
  const [checkpoint, metrics] = [checkpointIn(path), metricsIn(path)];
  for await (const { name } of Deno.readDir(path)) {
    if (`${path}/${name}` === folderLock(path) || PART.test(name)) continue;
    if (`${path}/${name}` === metrics && !await exists(checkpoint)) {
      const text = await Deno.readTextFile(metrics);
      // The first line may be torn, too.
      if ('{"step":'.startsWith(text.slice(0, 8))) continue;
    }
    const advice = await exists(checkpoint) ? `go on with --resume ${checkpoint}, or ` : "";
    throw new Error(`${path} is not empty (it has ${name}): ${advice}choose another --out`);
  }
}

/** The bytes of a checkpoint's moving average as a model in half precision. */
function modelOf(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { model: config, ...training } = checkpoint.config;
  const network = networkFromConfig(config.network);
  const weights = unflatten(network.parameters, checkpoint.state.ema);
  const card = { recipe: JSON.stringify(training), ...runMetadata(checkpoint) };
  return writeModel({ config, weights }, "F16", { metadata: card });
}

function sixDigits(step: number): string {
  return String(step).padStart(6, "0");
}

/** A line of metrics; null for one that was not written whole. */
function parseMetrics(line: string): MetricsLine | null {
  try {
    const metrics = JSON.parse(line);
    return Number.isInteger(metrics?.step) ? metrics : null;
  } catch {
    return null;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  const there = await Deno.readFile(path).catch(() => null);
  return there !== null && there.length === bytes.length && there.every((byte, i) => byte === bytes[i]);
}

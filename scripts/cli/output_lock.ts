/**
 * A lock on an output, so that two processes never write the same file or folder.
 *
 * The lock is a file beside the output that names its owner and is held under the operating system's advisory lock,
 * which ends with its process however that ends. So a lock file that a killed process left is taken over.
 * @module
 */
import { printable } from "../../src/input/quoted.ts";
import { refuseLink } from "./files.ts";
import { messageOf } from "./flags.ts";

/** The process that writes an output. */
interface OutputOwner {
  /** Its process id. */
  readonly pid: number;
  /** Name of the machine it runs on. */
  readonly host: string;
  /** When it claimed the output, in ISO 8601. */
  readonly since: string;
}

/** A claim on an output, from {@linkcode claimFolder} or {@linkcode claimFile}. It ends with `using`, or the process. */
export class OutputLock implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #held = true;
  readonly #unload = () => this[Symbol.dispose]();

  /** @param previous The owner that ended without giving the output back, as after `kill -9`; null for none. */
  constructor(path: string, file: Deno.FsFile, readonly previous: OutputOwner | null) {
    this.#path = path;
    this.#file = file;
    globalThis.addEventListener("unload", this.#unload);
  }

  /** Gives the output back and removes the lock file. */
  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    globalThis.removeEventListener("unload", this.#unload);
    try {
      Deno.removeSync(this.#path);
    } catch (error) {
      // Whoever removed it, or the folder around it, has freed the output.
      if (!(error instanceof Deno.errors.NotFound)) {
        console.error(`could not remove "${this.#path}": ${error}`);
      }
    }
    this.#file.close();
  }
}

/** The lock file of a folder, which {@linkcode claimFolder} keeps in it. */
export function folderLock(folder: string): string {
  return `${folder}/.lock`;
}

/**
 * Claims a folder that exists for this process.
 * @throws {Error} with one sentence that names the owner, when another process has claimed it
 */
export function claimFolder(folder: string): Promise<OutputLock> {
  return claim(folder, folderLock(folder));
}

/**
 * Claims a file, there or not, for this process; its folder must exist.
 * @throws {Error} with one sentence that names the owner, when another process has claimed it
 */
export function claimFile(path: string): Promise<OutputLock> {
  return claim(path, `${path}.lock`);
}

/** One sentence for a lock that was taken over, or null when there was none to take over. */
export function takenOver(output: string, { previous }: OutputLock): string | null {
  return previous === null
    ? null
    : `"${output}" was left by ${describe(previous)}, which is no more; this process goes on with it`;
}

async function claim(output: string, path: string): Promise<OutputLock> {
  for (;;) {
    await refuseLink(path);
    const file = await Deno.open(path, { read: true, write: true, create: true }).catch((error) => {
      throw new Error(`cannot write "${output}": no lock file can be made beside it: ${error.message}`);
    });
    let claimed = false;
    try {
      const locked = await tryLock(file).catch(() => null);
      const owner = await readOwner(file);
      if (locked === false) {
        const who = owner === null ? "another process" : describe(owner);
        throw new Error(`"${output}" is being written by ${who}: wait for it, or write elsewhere`);
      }
      // An owner that just ended has removed the file that was opened here.
      if (!await isSame(file, path)) continue;
      // On another machine's word alone, or without advisory locks, nobody can say that the owner is no more.
      if (owner !== null && (locked === null || owner.host !== hostname())) {
        throw new Error(
          `"${output}" was claimed by ${
            describe(owner)
          }: if that runs no more, remove "${path}" and start again`,
        );
      }
      try {
        await writeOwner(file, { pid: Deno.pid, host: hostname(), since: new Date().toISOString() });
      } catch (error) {
        // As on a full disk, which takes the file, but not its text.
        await Deno.remove(path).catch(() => {});
        throw new Error(`cannot write "${output}": no lock file can be made beside it: ${messageOf(error)}`);
      }
      claimed = true;
      return new OutputLock(path, file, owner);
    } finally {
      if (!claimed) file.close();
    }
  }
}

/** Whether the file is now locked by this process; null from Deno before 2.7, which cannot ask without waiting. */
async function tryLock(file: Pick<Deno.FsFile, "lock"> & { tryLock?(exclusive: boolean): Promise<boolean> }) {
  return await file.tryLock?.(true) ?? null;
}

async function readOwner(file: Deno.FsFile): Promise<OutputOwner | null> {
  const buffer = new Uint8Array(1000);
  // Windows lets nobody read a file that another process has locked.
  const count = await file.read(buffer).catch(() => null);
  try {
    const { pid, host, since } = JSON.parse(new TextDecoder().decode(buffer.subarray(0, count ?? 0)));
    return { pid: Number(pid), host: String(host), since: String(since) };
  } catch {
    return null;
  }
}

async function writeOwner(file: Deno.FsFile, owner: OutputOwner): Promise<void> {
  await file.truncate();
  await file.seek(0, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode(`${JSON.stringify(owner)}\n`));
}

async function isSame(file: Deno.FsFile, path: string): Promise<boolean> {
  const [opened, there] = await Promise.all([file.stat(), Deno.stat(path).catch(() => null)]);
  return there !== null && opened.ino === there.ino;
}

function describe({ pid, host, since }: OutputOwner): string {
  return printable(`process ${pid} on ${host.slice(0, 80)} since ${since.slice(0, 40)}`);
}

function hostname(): string {
  const asked = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return asked.state === "granted" ? Deno.hostname() : "an unnamed machine";
}

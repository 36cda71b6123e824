/**
 * Reading and writing files: errors in one sentence, and no reader ever meets half a file.
 * @module
 */
import { basename, dirname } from "node:path";
import { messageOf } from "./flags.ts";

/**
 * Throws when a symbolic link is at `path`: what is written would land in another place than its name says, or replace the
 * link.
 */
export async function refuseLink(path: string): Promise<void> {
  const there = await Deno.lstat(path).catch(() => null);
  if (there?.isSymlink) {
    throw new Error(
      `cannot write "${path}": it is a symbolic link; name the file that it points to, or remove it`,
    );
  }
}

/**
 * Writes bytes under a temporary name beside `path`, flushes them to the disk and renames, so that `path` holds either
 * what it held before or all of the new bytes. Nothing is left behind when it fails. Of several writes at once to one
 * path, each waits for the one before.
 *
 * @throws {Error} When that fails, or a symbolic link is at `path`.
 */
export async function atomicWrite(path: string, bytes: Uint8Array): Promise<void> {
  const before = latest.get(path);
  const own = Promise.resolve(before).catch(() => {}).then(() => replaced(path, bytes));
  latest.set(path, own);
  try {
    await own;
  } finally {
    if (latest.get(path) === own) latest.delete(path);
  }
}

/** The latest write to each path that is being written. */
const latest = new Map<string, Promise<void>>();

async function replaced(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${Deno.pid}.part`;
  await refuseLink(path);
  try {
    // What a killed process of the same number left, or a link of that name, is not written through.
    await Deno.remove(temporary).catch(() => {});
    using file = await Deno.open(temporary, { write: true, createNew: true });
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw new Error(`could not write "${path}": ${messageOf(error)}`);
  }
}

/**
 * Removes the temporary files that killed processes have left of a file and of its records, `FILE.json` and
 * `FILE.partial.json`. Claim the file first.
 */
export async function removeTemporaries(path: string): Promise<void> {
  const [folder, own] = [dirname(path), basename(path)];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(own) && /^(\.partial)?(\.json)?\.\d+\.part$/.test(name.slice(own.length))) {
      await Deno.remove(`${folder}/${name}`);
    }
  }
}

/**
 * Throws, before any work is done for it, when a file cannot be put at `path`: there is no such folder, nothing can be written
 * in it, or there is something else than a file, such as a symbolic link.
 */
export async function ensureWritable(path: string): Promise<void> {
  await refuseLink(path);
  const folder = await Deno.stat(dirname(path)).catch(() => null);
  if (!folder?.isDirectory) throw new Error(`cannot write "${path}": there is no folder "${dirname(path)}"`);
  const existing = await Deno.stat(path).catch(() => null);
  if (existing !== null && !existing.isFile) {
    throw new Error(`cannot write "${path}": it exists and is no plain file`);
  }
  const trial = `${path}.${Deno.pid}.part`;
  try {
    await Deno.remove(trial).catch(() => {});
    await Deno.writeFile(trial, new Uint8Array(1), { createNew: true });
    await Deno.remove(trial);
  } catch (error) {
    // A full disk takes the file, but not its byte.
    await Deno.remove(trial).catch(() => {});
    throw new Error(`cannot write "${path}": ${messageOf(error)}`);
  }
}

/** The largest file that is read whole: no reader of this project takes a larger one. */
const LARGEST_FILE = 2 ** 31;

/** The bytes of a file; throws one sentence that names it when it cannot be read, is a device or a folder, or is above 2 GiB. */
export async function readWhole(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readPlainFile(path);
  } catch (error) {
    throw new Error(`could not read "${path}": ${messageOf(error)}`);
  }
}

/** As {@linkcode readWhole}, with an error that leaves the name to the caller. A device such as /dev/zero never ends. */
export async function readPlainFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile) throw new Error("it is no plain file");
  if (size > LARGEST_FILE) throw new Error(`it has ${size} bytes, at most ${LARGEST_FILE} are read`);
  return await Deno.readFile(path);
}

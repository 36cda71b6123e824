/**
 * Whether the native ONNX runtime is in Deno's cache, and what a task that may use it asks of Deno: `deno task native` prints
 * it, and other tasks put it into their own commands.
 *
 * The package is locked apart: what is in a lock file is fetched by every command that names the file, and this is 290 MB.
 * @module
 */
import { ONNX_RUNTIME } from "../../src/compute/onnx/runtime.ts";

/** Whether Deno's cache folder has an npm package of that version, from whatever registry; downloads nothing. */
export async function isCached(name: string, version: string, folder?: string): Promise<boolean> {
  return await cachedPackage(name, version, folder) !== null;
}

/** The folder in Deno's cache that holds an npm package of that version, from whatever registry; null if there is none. */
async function cachedPackage(
  name: string,
  version: string,
  folder: string | undefined = denoCacheFolder(Deno.build.os, (variable) => Deno.env.get(variable)),
): Promise<string | null> {
  if (folder === undefined) return null;
  try {
    for await (const registry of Deno.readDir(`${folder}/npm`)) {
      const place = `${folder}/npm/${registry.name}/${name}/${version}`;
      const there = await Deno.stat(`${place}/package.json`).then(() => true, () => false);
      if (registry.isDirectory && there) return place;
    }
  } catch {
    // No npm package was ever fetched.
  }
  return null;
}

/** Where Deno keeps what it fetched, or undefined where the environment does not tell. */
export function denoCacheFolder(
  os: typeof Deno.build.os,
  variable: (name: string) => string | undefined,
): string | undefined {
  const own = variable("DENO_DIR");
  if (own) return own;
  const below = (parent: string | undefined, path: string) => parent ? `${parent}/${path}` : undefined;
  if (os === "windows") return below(variable("LOCALAPPDATA"), "deno");
  if (os === "darwin") return below(variable("HOME"), "Library/Caches/deno");
  return below(variable("XDG_CACHE_HOME"), "deno") ?? below(variable("HOME"), ".cache/deno");
}

/**
 * Flags of `deno run` with which the runtime may be loaded where it is in the cache: the lock file that has it, and permission
 * for its native library alone. Where it is not, the lock file without it and no such permission.
 */
export async function nativeEngineFlags(): Promise<string[]> {
  const place = await cachedPackage(ONNX_RUNTIME.name, ONNX_RUNTIME.version);
  if (place === null) return ["--lock=deno.lock"];
  const folders = [...new Set([place, await Deno.realPath(place)])];
  // Deno separates folders by commas, and the shell of tasks separates words by spaces.
  const nameable = folders.every((folder) => !/[\s,]/.test(folder));
  return ["--lock=scripts/onnx.lock", nameable ? `--allow-ffi=${folders.join(",")}` : "--allow-ffi"];
}

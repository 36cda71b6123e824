/**
 * Which engine a script computes on: what was asked for or, left to itself, the fastest that needs no download.
 * @module
 */
import { type Engine, type EngineName, useEngine } from "../src/compute/engine.ts";
import { ONNX_RUNTIME } from "../src/compute/onnx_runtime.ts";

/** Opens an engine; where "auto" comes to wasm, one line on stderr says what would be faster. */
export async function openEngine(name: EngineName): Promise<Engine> {
  quietenGraphicsDriver();
  if (name !== "auto") return await useEngine(name);
  const cached = await isCached(ONNX_RUNTIME.name, ONNX_RUNTIME.version);
  const engine = await useEngine("auto", { withoutGpu: cached ? "onnx" : "wasm" });
  if (engine.name === "wasm") {
    const remedy = `deno cache --no-lock npm:${ONNX_RUNTIME.name}@${ONNX_RUNTIME.version}`;
    console.error(
      cached ? `engine ${engine.reason}` : `engine wasm; several times faster after: ${remedy} (290 MB)`,
    );
  }
  return engine;
}

/** Gives Vulkan's window system the folder without which it prints an error each time that a GPU is asked for. */
export function quietenGraphicsDriver(): void {
  const variable = "XDG_RUNTIME_DIR";
  if (Deno.build.os === "linux" && !Deno.env.get(variable)) Deno.env.set(variable, "/tmp");
}

/** Whether Deno's cache folder has an npm package of that version, from whatever registry; downloads nothing. */
export async function isCached(
  name: string,
  version: string,
  folder = cacheFolder(Deno.build.os, (variable) => Deno.env.get(variable)),
): Promise<boolean> {
  if (folder === undefined) return false;
  try {
    for await (const registry of Deno.readDir(`${folder}/npm`)) {
      const file = `${folder}/npm/${registry.name}/${name}/${version}/package.json`;
      if (registry.isDirectory && await Deno.stat(file).then(() => true, () => false)) return true;
    }
  } catch {
    // No npm package was ever fetched.
  }
  return false;
}

/** Where Deno keeps what it fetched, or undefined where the environment does not tell. */
export function cacheFolder(
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

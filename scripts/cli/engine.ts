/**
 * The engine of a task: the one of `--engine`, by default the fastest that needs no download.
 * @module
 */
import { type Engine, type EngineName, useEngine } from "../../src/compute/engine.ts";
import { ONNX_RUNTIME } from "../../src/compute/onnx/runtime.ts";
import { isCached } from "./native_engine.ts";

/** What fetches the native engine. */
const FETCH = "deno task onnx";

/**
 * Opens an engine; where "auto" comes to wasm, one line on stderr says what would be faster.
 * @throws {Error} For "onnx" where its package is not in Deno's cache, or an engine that does not start.
 */
export async function openEngine(name: EngineName): Promise<Engine> {
  quietenGraphicsDriver();
  if (name !== "auto" && name !== "onnx") return await useEngine(name);
  const cached = await isCached(ONNX_RUNTIME.name, ONNX_RUNTIME.version);
  if (name === "onnx") {
    if (cached) return await useEngine(name);
    throw new Error(`the onnx engine is not on this machine: fetch it with ${FETCH} (290 MB)`);
  }
  const engine = await useEngine("auto", { withoutGpu: cached ? "onnx" : "wasm" });
  if (engine.name === "wasm") {
    console.error(
      cached ? `engine ${engine.reason}` : `engine wasm; several times faster after: ${FETCH} (290 MB)`,
    );
  }
  return engine;
}

/** Gives Vulkan's window system the folder without which it prints an error each time that a GPU is asked for. */
export function quietenGraphicsDriver(): void {
  const variable = "XDG_RUNTIME_DIR";
  if (Deno.build.os === "linux" && !Deno.env.get(variable)) Deno.env.set(variable, "/tmp");
}

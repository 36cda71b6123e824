/** Loads the native ONNX runtime, which only this file names; of 290 MB, it is fetched only for its engine. @module */

/** The package and its version. */
export const ONNX_RUNTIME = { name: "onnxruntime-node", version: "1.30.0" } as const;

/** Whether modules of npm are named with their versions, as Deno does; elsewhere they lie in node_modules. */
const { process } = globalThis as { process?: { versions?: Record<string, string> } };
const namesVersions = process?.versions?.deno !== undefined;

// Computed specifiers keep the packages out of the module graph; bundlers leave them alone.
const specifierOf = (name: string) => namesVersions ? `npm:${name}@${ONNX_RUNTIME.version}` : name;
const PACKAGE = [specifierOf(ONNX_RUNTIME.name)];
const BINDING = [...PACKAGE, "dist", "binding.js"];
const COMMON = [specifierOf("onnxruntime-common")];

/**
 * Loads the runtime's synchronous native binding.
 * @throws {Error} When the package or its native library is missing.
 */
export function loadOnnxRuntime(): Promise<Record<string, unknown>> {
  return load("the onnx engine", BINDING);
}

/**
 * Loads the runtime's public module, with its sessions that answer later.
 * @throws {Error} When the package or its native library is missing.
 */
export function loadOnnxSessions(): Promise<Record<string, unknown>> {
  return load("an ONNX model without the option runtime", PACKAGE);
}

/** Loads the runtime's tensors. */
export async function loadOnnxTensors(): Promise<Record<string, unknown>> {
  return await import(/* @vite-ignore */ /* webpackIgnore: true */ COMMON[0]);
}

async function load(what: string, specifier: readonly string[]): Promise<Record<string, unknown>> {
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier.join("/"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new Error(`${what} needs the package onnxruntime-node, which did not load: ${reason}`, { cause });
  }
}

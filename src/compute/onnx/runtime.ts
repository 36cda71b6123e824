/** Loads the native ONNX runtime, which only this file names; of 290 MB, it is fetched only for its engine. @module */

/** The package and its version. */
export const ONNX_RUNTIME = { name: "onnxruntime-node", version: "1.30.0" } as const;

// A computed specifier keeps the package out of the module graph.
const PACKAGE = [`npm:${ONNX_RUNTIME.name}@${ONNX_RUNTIME.version}`, "dist", "binding.js"];

/**
 * Loads the runtime's synchronous native binding.
 * @throws {Error} When the package or its native library is missing.
 */
export async function loadOnnxRuntime(): Promise<Record<string, unknown>> {
  try {
    return await import(PACKAGE.join("/"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new Error(`the onnx engine needs the package onnxruntime-node, which did not load: ${reason}`, {
      cause,
    });
  }
}

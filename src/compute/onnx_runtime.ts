/** The native ONNX runtime, named once; 290 MB, so it is fetched only when its engine is asked for. @module */

// A computed specifier keeps the package out of the module graph.
const PACKAGE = ["npm:onnxruntime-node@1.30.0", "dist", "binding.js"];

/**
 * Loads the runtime's synchronous native binding.
 * @throws Error when the package or its native library is absent
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

/** The WebAssembly backend, imported in this file alone; loaded only when an engine needs it. @module */
import { setWasmPaths } from "npm:@tensorflow/tfjs-backend-wasm@4.22.0";
import { readsFiles } from "../../input/address.ts";

export type { BackendWasm } from "npm:@tensorflow/tfjs-backend-wasm@4.22.0";

/** The binary for processors with vector instructions, which all browsers of today use; this project's kernels need it. */
const BINARY = () =>
  import.meta.resolve("npm:@tensorflow/tfjs-backend-wasm@4.22.0/dist/tfjs-backend-wasm-simd.wasm");

/**
 * Says where the backend's binaries lie: below a folder, or where the package has them. On a disk it finds them itself; in a
 * bundle for browsers `deno task build` puts the binary beside the code.
 *
 * @param folder URL or path with its final slash.
 */
export function placeBinaries(folder?: string): void {
  if (folder !== undefined) return setWasmPaths(folder);
  if (readsFiles()) return;
  const binary = BINARY();
  setWasmPaths({
    "tfjs-backend-wasm.wasm": binary,
    "tfjs-backend-wasm-simd.wasm": binary,
    "tfjs-backend-wasm-threaded-simd.wasm": binary,
  });
}

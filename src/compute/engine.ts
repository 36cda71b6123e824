/**
 * The engines that compute tensors: WebGPU on the GPU, WebAssembly on any CPU, or native code through ONNX graphs.
 * @module
 */
import * as tf from "./tf.ts";
import type { BackendWasm } from "./wasm/backend.ts";
import { requireOptions, requireText } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";

/** The names of engines; "auto" is WebGPU where the adapter is real hardware, else `EngineOptions.withoutGpu`. */
export type EngineName = "auto" | "webgpu" | "wasm" | "cpu" | "onnx";

/** The engine in use. */
export interface Engine {
  /** "onnx" computes eagerly on wasm and runs compiled functions natively. */
  readonly name: Exclude<EngineName, "auto">;
  /** One line: the engine, its device, and why it was chosen. */
  readonly reason: string;
  /** Throws the first error that the device reported, if any; reads of tensors reject with it too. */
  check(): void;
}

/** Options of engines. */
export interface EngineOptions {
  /** Folder URL or path (with its final slash) of TensorFlow.js' .wasm files, for hosts that serve them elsewhere. */
  readonly wasmPath?: string;
  /**
   * The engine of "auto" without a real GPU; default wasm. onnx needs a package of 290 MB, which is fetched unless it
   * is in the cache; where it does not load, wasm is used.
   */
  readonly withoutGpu?: "wasm" | "onnx";
}

let current: Engine | null = null;

/** The engine that `useEngine` last opened, or null before the first. */
export function currentEngine(): Engine | null {
  return current;
}

/**
 * Opens an engine and makes it current: all tensors are computed on it from now on.
 *
 * @example
 * ```ts
 * import { useEngine } from "./engine.ts";
 * const engine = await useEngine("wasm");
 * console.assert(engine.reason === "wasm, as asked");
 * ```
 * @throws {RangeError} When the name is unknown.
 * @throws {Error} When the engine is not available, with the reason.
 */
export async function useEngine(name: EngineName = "auto", options: EngineOptions = {}): Promise<Engine> {
  requireOptions("options", options);
  if (options.withoutGpu !== undefined) checkName("withoutGpu", options.withoutGpu, ["wasm", "onnx"]);
  if (options.wasmPath !== undefined) requireText("wasmPath", options.wasmPath);
  current = await open(name, options);
  return current;
}

async function open(name: EngineName, options: EngineOptions): Promise<Engine> {
  switch (name) {
    case "auto": {
      const adapter = await requestAdapter();
      if (adapter !== null && !isSoftware(adapter)) {
        return await openWebGpu(adapter, `webgpu on ${describe(adapter)}, a real GPU`);
      }
      const why = adapter === null
        ? "no WebGPU adapter was found"
        : `${describe(adapter)} is a software adapter`;
      if (options.withoutGpu === "onnx") {
        try {
          return await openOnnx(options, `because ${why}`);
        } catch (error) {
          const reason = error instanceof Error ? error.message : error;
          return await openWasm(options, "wasm", `wasm, because ${why} and ${reason}`);
        }
      }
      return await openWasm(options, "wasm", `wasm, because ${why}`);
    }
    case "webgpu": {
      const adapter = await requestAdapter();
      if (adapter === null) {
        throw new Error("the webgpu engine needs a WebGPU adapter, and none was found");
      }
      const kind = isSoftware(adapter) ? ", which is software and slow" : "";
      return await openWebGpu(adapter, `webgpu on ${describe(adapter)}${kind}, as asked`);
    }
    case "wasm":
      return await openWasm(options, "wasm", "wasm, as asked");
    case "onnx":
      return await openOnnx(options, "as asked");
    case "cpu":
      if (typeof tf.findBackendFactory("cpu") !== "function") await import("./cpu_backend.ts");
      await tf.setBackend("cpu");
      return { name: "cpu", reason: "cpu (plain JavaScript, slow), as asked", check: () => {} };
    default:
      throw new RangeError(`engine must be one of auto, webgpu, wasm, cpu, onnx; got ${quoted(name)}`);
  }
}

async function openOnnx(options: EngineOptions, why: string): Promise<Engine> {
  const { loadOnnxRuntime } = await import("./onnx/runtime.ts");
  await loadOnnxRuntime();
  return await openWasm(options, "onnx", `onnx for compiled functions and wasm for the rest, ${why}`);
}

async function openWasm(options: EngineOptions, name: "wasm" | "onnx", reason: string): Promise<Engine> {
  const { placeBinaries } = await import("./wasm/backend.ts");
  const { registerWasmKernels } = await import("./wasm/register.ts");
  placeBinaries(options.wasmPath);
  // One thread on all machines: sums have one order, and this project's kernels can use the unshared memory.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (!await tf.setBackend("wasm")) {
    throw new Error("the wasm engine did not start: its .wasm file could not be read");
  }
  await registerWasmKernels(tf.backend() as BackendWasm);
  return { name, reason, check: () => {} };
}

async function openWebGpu(adapter: GPUAdapter, reason: string): Promise<Engine> {
  const { openWebGpuBackend } = await import("./webgpu/backend.ts");
  const backend = await openWebGpuBackend(adapter);
  if (!await tf.setBackend("webgpu")) {
    throw new Error("the webgpu engine did not start: its device was refused");
  }
  return { name: "webgpu", reason, check: () => backend.check() };
}

async function requestAdapter(): Promise<GPUAdapter | null> {
  return await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? null;
}

/**
 * Whether an adapter computes on the processor: it says so, or, in Deno before 2.6, which does not, its name is one
 * of a software adapter.
 */
function isSoftware({ info }: GPUAdapter): boolean {
  return info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|basic render/i.test(info.description);
}

function describe(adapter: GPUAdapter): string {
  return adapter.info.description || adapter.info.vendor || "an unnamed adapter";
}

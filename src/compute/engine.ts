/**
 * Where tensors are computed: on the GPU through WebGPU, on any CPU through WebAssembly, or at native speed through
 * ONNX graphs.
 * @module
 */
import * as tf from "./tf.ts";
import type { BackendWasm } from "./wasm/backend.ts";
import { requireOptions, requireText } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";

/** What can be asked for; "auto" is WebGPU where the adapter is real hardware, else `EngineOptions.withoutGpu`. */
export type EngineName = "auto" | "webgpu" | "wasm" | "cpu" | "onnx";

/** The engine in use. */
export interface Engine {
  /** "onnx" computes eagerly on wasm and runs compiled functions natively. */
  readonly name: Exclude<EngineName, "auto">;
  /** One line: which engine, on what, and why. */
  readonly reason: string;
  /** Throws the first error that the device reported, if any; reads of tensors reject with it too. */
  check(): void;
}

/** How engines are opened. */
export interface EngineOptions {
  /** Folder URL or path (with its final slash) of TensorFlow.js' .wasm files, for hosts that serve them elsewhere. */
  readonly wasmPath?: string;
  /**
   * What "auto" takes where there is no real GPU; default wasm. onnx needs a package of 290 MB, which is fetched unless it
   * is in the cache; where it does not load, wasm is taken.
   */
  readonly withoutGpu?: "wasm" | "onnx";
}

let current: Engine | null = null;

/** The engine that `useEngine` last opened, or null before the first. */
export function currentEngine(): Engine | null {
  return current;
}

/**
 * Makes an engine current: all tensors are computed there from now on.
 *
 * @example
 * ```ts
 * import { useEngine } from "./engine.ts";
 * const engine = await useEngine("wasm");
 * console.assert(engine.reason === "wasm, as asked");
 * ```
 * @throws RangeError for an unknown name
 * @throws Error when the engine is not there, in one sentence that says why
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
        throw new Error("the webgpu engine was asked for, but no WebGPU adapter was found");
      }
      const kind = isSoftware(adapter) ? ", which is software and slow" : "";
      return await openWebGpu(adapter, `webgpu on ${describe(adapter)}${kind}, as asked`);
    }
    case "wasm":
      return await openWasm(options, "wasm", "wasm, as asked");
    case "onnx":
      return await openOnnx(options, "as asked");
    case "cpu":
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
  const { setWasmPaths } = await import("./wasm/backend.ts");
  const { registerWasmKernels } = await import("./wasm/register.ts");
  if (options.wasmPath !== undefined) setWasmPaths(options.wasmPath);
  // One thread everywhere: its sums have one order, and kernels of our own can use its unshared memory.
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

/** Whether an adapter computes on the processor: it says so, or, as Deno before 2.6 does not, has a name of such. */
function isSoftware({ info }: GPUAdapter): boolean {
  return info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|basic render/i.test(info.description);
}

function describe(adapter: GPUAdapter): string {
  return adapter.info.description || adapter.info.vendor || "an unnamed adapter";
}

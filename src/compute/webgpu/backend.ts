/**
 * The WebGPU backend, imported in this file alone; loaded only when an engine needs it.
 *
 * WebGPU reports invalid shaders and lost devices by events, and TensorFlow.js continues with zeros. Here the first
 * such error is kept, and every later read of a tensor rejects with it.
 *
 * Work is queued, and only reads wait for it: a loop that reads a number at every step leaves the GPU idle while the
 * host prepares the next. Sampling reads once in sixteen steps, training once a report. Programs go to the device
 * fifteen at a time, TensorFlow.js' default of `tf.env().set("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE", n)`: a larger
 * number saves submissions, but the device begins later, and freed buffers are reused only after their submission.
 * The default is kept, as no other value has been measured on a real GPU.
 * @module
 */
import { WebGPUBackend } from "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
import * as tf from "../tf.ts";
import { registerWebGpuKernels } from "./register.ts";

export { WebGPUBackend };
/** The type of runWebGPUProgram's programs. */
export type WebGPUProgram = Parameters<WebGPUBackend["runWebGPUProgram"]>[0];

/** A WebGPU backend whose reads reject once the device has reported an error. */
class WatchedWebGpuBackend extends WebGPUBackend {
  #failure: Error | null = null;

  /** Throws the first error that the device reported. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Whether the device has reported an error. */
  get failed(): boolean {
    return this.#failure !== null;
  }

  /** Stores the first error of the device. */
  fail(reason: string): void {
    this.#failure ??= new Error(`WebGPU failed, and its results since then may be wrong: ${reason}`);
  }

  override async read(dataId: object): ReturnType<WebGPUBackend["read"]> {
    const values = await super.read(dataId);
    this.check();
    return values;
  }
}

let opened: WatchedWebGpuBackend | null = null;

/**
 * The WebGPU backend of this process, registered with TensorFlow.js as "webgpu": a new one on the adapter's device
 * with all its limits, or the one opened before, unless its device has failed.
 *
 * `tf.findBackend` is not used to find it, as that would start the backend of TensorFlow.js' own package, and in a
 * browser that start would not be finished when ours is used.
 */
export async function openWebGpuBackend(adapter: GPUAdapter): Promise<WatchedWebGpuBackend> {
  if (opened !== null && !opened.failed) return opened;
  const { limits, features } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: features.has("timestamp-query") ? ["timestamp-query"] : [],
    requiredLimits: {
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxBufferSize: limits.maxBufferSize,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    },
  });
  // Small operations run on the device, too; otherwise tests of small tensors would not use it.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  // Always MatMulPackedProgram: the split-K program adds with float atomics, so its results vary from run to run.
  tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", 3);
  const backend = new WatchedWebGpuBackend(device, adapter.info);
  // The types of this event differ between Deno's and the browser's declarations.
  type ErrorEvent = Event & { readonly error: { readonly message: string } };
  device.addEventListener("uncapturederror", (event) => {
    backend.fail((event as ErrorEvent).error.message.trim());
  });
  // Deno before 2.6 has no such promise.
  const lost = device.lost as Promise<GPUDeviceLostInfo> | undefined;
  lost?.then((info) => {
    if (info.reason !== "destroyed") backend.fail(`the device was lost: ${info.message}`);
  });
  registerWebGpuKernels();
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => backend, 3);
  opened = backend;
  return backend;
}

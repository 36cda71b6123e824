/**
 * Kernels for TensorFlow.js, typed by their attributes and their backend.
 * @module
 */
import * as tf from "./tf.ts";

/** Tensors by their kernel's input names. */
export type KernelInputs = Readonly<Record<string, tf.TensorInfo>>;

/** What a kernel returns. */
export type KernelOutput = tf.TensorInfo | tf.TensorInfo[];

/** One call of a kernel. */
export interface KernelCall<Attributes, Backend> {
  readonly inputs: KernelInputs;
  readonly attributes: Attributes;
  readonly backend: Backend;
  /** Calls the kernel that was replaced, as it would have been called. */
  original(): KernelOutput;
}

/** Registers a backend's kernel, or replaces it. */
export function registerKernel<Attributes = object, Backend = object>(
  kernelName: string,
  backendName: string,
  kernel: (call: KernelCall<Attributes, Backend>) => KernelOutput,
): void {
  const replaced = tf.getKernel(kernelName, backendName) as tf.KernelConfig | undefined;
  if (replaced !== undefined) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: (call) =>
      kernel({
        inputs: call.inputs as KernelInputs,
        attributes: (call.attrs ?? {}) as Attributes,
        backend: call.backend as Backend,
        original: () => replaced!.kernelFunc(call),
      }),
  });
}

/**
 * Records one call of a function of tensors.
 * @module
 */
import * as tf from "../tf.ts";
import { TRACE_BACKEND, traceBackend } from "./backend.ts";
import type { OnnxModel } from "../onnx/writer.ts";
import { natural, stored } from "./traced.ts";

/** Shape and element type of an argument. */
export interface Example {
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
}

/** A recording, with outputs in the function's order. */
interface TracedFunction {
  readonly model: OnnxModel;
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: tf.DataType }[];
}

/** Options of a recording. */
export interface TraceOptions {
  /** Channels per block of the runtime's blocked convolutions; 0 (the default) for plain ones. */
  readonly blockSize?: number;
  /** Whether only operations of the ONNX standard are used, for files that other runtimes read; default false. */
  readonly standard?: boolean;
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
}

/**
 * Records what a function of tensors computes. Its arguments have no values; tensors that it closes over are stored
 * in the model with their present values.
 * @throws {Error} When an operation, which is named, has no traced form, or the function reads values.
 */
export function traceFunction(
  fn: (...inputs: tf.Tensor[]) => tf.Tensor[],
  examples: readonly Example[],
  options: TraceOptions = {},
): TracedFunction {
  const backend = traceBackend();
  const previous = tf.getBackend();
  const { inputNames = examples.map((_, index) => `input${index}`) } = options;
  // Both backends are initialized, so the switches are synchronous and no other code runs in between.
  void tf.setBackend(TRACE_BACKEND);
  const graph = backend.begin(options.blockSize ?? 0, options.standard ?? false);
  try {
    let result: TracedFunction | undefined;
    tf.tidy(() => {
      const inputs = examples.map(({ shape, dtype }, index) =>
        tf.engine().makeTensorFromTensorInfo(
          backend.keep(natural(graph, graph.input(inputNames[index], dtype, shape))),
        )
      );
      const outputs: unknown = fn(...inputs);
      // An async function cannot be recorded: the error is thrown here, and its own rejection is ignored.
      if (outputs instanceof Promise) outputs.catch(() => {});
      if (!Array.isArray(outputs) || !outputs.every((output) => output instanceof tf.Tensor)) {
        throw new TypeError(
          "a compiled function must return an array of tensors, not a promise or anything else",
        );
      }
      const { outputNames = outputs.map((_, index) => `output${index}`) } = options;
      const values = outputs.map((output) => stored(backend.traced(output)));
      result = {
        model: graph.model(values, outputNames),
        outputs: outputs.map(({ shape, dtype }) => ({ shape, dtype })),
      };
    });
    return result!;
  } catch (error) {
    const kernel = error instanceof Error
      ? /Kernel '(\w+)' not registered/.exec(error.message)?.[1]
      : undefined;
    if (kernel === undefined) throw error;
    throw new Error(`the operation ${kernel} has no traced form and cannot be compiled`, { cause: error });
  } finally {
    backend.end();
    void tf.setBackend(previous);
  }
}

/**
 * Compiles functions of tensors: on the onnx engine they are recorded once and run natively, on other engines they
 * are called.
 *
 * Natively means ONNX Runtime on the processor's cores. The runtime's own providers for GPUs (WebGPU, CUDA) and its
 * capture of graphs are not used: they have not been measured here, for lack of a GPU. On a GPU the engine webgpu
 * computes, through TensorFlow.js.
 * @module
 */
import { currentEngine } from "./engine.ts";
import * as tf from "./tf.ts";
import {
  requireArray,
  requireFunction,
  requireOptions,
  requireShape,
  requireText,
} from "../input/require.ts";
import { checkName } from "../input/option_name.ts";

/** A compiled function; the caller owns its results. */
export interface CompiledFunction {
  /** Computes the outputs; the inputs have the shapes and types of the examples and are not disposed. */
  run(inputs: tf.Tensor[]): tf.Tensor[];
  /** Releases native memory; the function cannot be run afterwards. */
  dispose(): void;
}

/** Shape and element type of an argument of a function to compile. */
export interface ExampleInput {
  /** Lengths of the axes. */
  readonly shape: number[];
  /** Element type. */
  readonly dtype: "float32" | "int32";
}

/** Options of compilation. */
export interface CompileOptions {
  /** On the onnx engine: path prefix for a profile of every operation, written at dispose. */
  readonly profile?: string;
}

/**
 * Compiles a function for arguments of fixed shapes. On the onnx engine the function is called once with arguments
 * without values (gradients and tidies work inside), and later runs compute the same operations natively on all
 * cores; tensors that it closes over are stored with their present values. On other engines the function itself is
 * run under `tf.tidy`.
 *
 * @param fn computes tensors from tensors, by operations whose shapes do not depend on values; no randomness of its own
 * @param examples shape and type of each argument
 * @throws {Error} When an operation, which is named, has no compiled form, or the function reads a tensor's values.
 * @throws {Error} When the package onnxruntime-node is missing, on the onnx engine.
 */
export async function compile(
  fn: (...inputs: tf.Tensor[]) => tf.Tensor[],
  examples: readonly ExampleInput[],
  options: CompileOptions = {},
): Promise<CompiledFunction> {
  requireFunction("fn", fn);
  requireArray("examples", examples);
  requireOptions("options", options);
  if (options.profile !== undefined) requireText("profile", options.profile);
  for (const example of examples) {
    requireOptions("an example", example);
    requireShape("the shape of an example", example.shape, 0);
    checkName("the dtype of an example", example.dtype, ["float32", "int32"]);
  }
  if (currentEngine()?.name !== "onnx") {
    return {
      run: (inputs) => {
        checkInputs(inputs, examples);
        return tf.tidy(() => fn(...inputs));
      },
      dispose: () => {},
    };
  }
  const { loadRuntime, Session } = await import("./onnx/session.ts");
  const { traceFunction } = await import("./trace/trace.ts");
  const runtime = await loadRuntime();
  const { model, outputs } = traceFunction(fn, examples, { blockSize: runtime.blockSize });
  const session = new Session(runtime, model, options);
  let disposed = false;
  return {
    run: (inputs) => {
      if (disposed) throw new Error("the compiled function was disposed");
      checkInputs(inputs, examples);
      const results = session.run(inputs.map((input) => input.dataSync()));
      return results.map((values, index) =>
        tf.tensor(values, [...outputs[index].shape], outputs[index].dtype)
      );
    },
    dispose: () => {
      if (disposed) return;
      disposed = true;
      session.dispose();
    },
  };
}

function checkInputs(inputs: readonly tf.Tensor[], examples: readonly ExampleInput[]): void {
  const describe = (list: readonly { readonly shape: readonly number[]; readonly dtype: string }[]) =>
    list.map(({ shape, dtype }) => `${dtype} [${shape}]`).join(", ");
  const given = describe(inputs);
  const expected = describe(examples);
  if (given !== expected) {
    throw new RangeError(`the function was compiled for ${expected || "no inputs"}; got ${given || "none"}`);
  }
}

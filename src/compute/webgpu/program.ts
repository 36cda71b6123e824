/**
 * Runs this project's WebGPU programs: WGSL with `fn main(index : i32)`, where `index` counts the threads, and
 * `uniforms` of one 32-bit number each.
 * @module
 */
import { sizeOf } from "../../math/shape.ts";
import type * as tf from "../tf.ts";
import type { WebGPUBackend, WebGPUProgram } from "./backend.ts";

/** A program with its buffers and numbers. */
interface Computation {
  /** The name of the code: programs of one name must have the same code. */
  readonly name: string;
  readonly code: string;
  /** The storage buffers by their names in the code, in flat C-order; the output's is `result`. */
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly shape: readonly number[];
  readonly dtype?: "float32" | "int32";
  /** Signed numbers by their names in the code; `uniforms.size` counts the output's elements. */
  readonly integers?: Readonly<Record<string, number>>;
  /** Unsigned numbers by their names in the code. */
  readonly words?: Readonly<Record<string, number>>;
  /** Threads of a workgroup. */
  readonly threads: number;
  /** Number of workgroups; by default one thread for every element of the output. */
  readonly workgroups?: number;
}

/** Queues a computation; the caller owns the result. */
export function runComputation(backend: WebGPUBackend, computation: Computation): tf.TensorInfo {
  const { name, code, inputs, dtype = "float32", integers = {}, words = {}, threads } = computation;
  const shape = [...computation.shape];
  const size = sizeOf(shape);
  const program: WebGPUProgram = {
    variableNames: Object.keys(inputs),
    uniforms: declarations(integers, "i32") + declarations(words, "u32"),
    outputShape: shape,
    size: true,
    workgroupSize: [threads, 1, 1],
    dispatchLayout: { x: shape.map((_, axis) => axis) },
    dispatch: [computation.workgroups ?? Math.ceil(size / threads), 1, 1],
    shaderKey: name,
    getUserCode: () => code,
  };
  const uniforms = [
    ...Object.values(integers).map((value) => ({ type: "int32", data: [value] })),
    ...Object.values(words).map((value) => ({ type: "uint32", data: [value] })),
  ];
  return backend.runWebGPUProgram(program, Object.values(inputs), dtype, uniforms);
}

function declarations(values: Readonly<Record<string, number>>, type: "i32" | "u32"): string {
  return Object.keys(values).map((name) => `${name} : ${type}, `).join("");
}

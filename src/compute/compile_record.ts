/**
 * Compiles functions of records of tensors. `compile` takes lists; this module converts records to lists, in the
 * order of the keys of their shapes.
 * @module
 */
import { compile, type CompileOptions } from "./compile.ts";
import { currentEngine } from "./engine.ts";
import * as tf from "./tf.ts";

/** The shapes of a record of tensors, or of such records, under its keys. */
export type ShapesOf<Tensors> = Tensors extends tf.Tensor ? number[]
  : { readonly [Name in keyof Tensors]: ShapesOf<Tensors[Name]> };

/** A compiled function of a record of float32 tensors, or of such records; the caller owns its results. */
export interface CompiledRecordFunction<Inputs, Outputs> {
  /** Computes the outputs; the inputs have the shapes that were compiled and are not disposed. */
  run(inputs: Inputs): Outputs;
  /** Releases native memory; the function cannot be run afterwards. */
  dispose(): void;
}

/** Compiles a function of named float32 tensors, as `compile` does one of a list of tensors. */
export async function compileRecord<Inputs extends object, Outputs extends object>(
  fn: (inputs: Inputs) => Outputs,
  shapes: ShapesOf<Inputs>,
  options: CompileOptions = {},
): Promise<CompiledRecordFunction<Inputs, Outputs>> {
  // The structure of the outputs is known from the recorded call, or from each run.
  let form: object = {};
  const compiled = await compile(
    (...list) => {
      form = fn(fromList<Inputs>(shapes, list));
      return toList(form, form);
    },
    toList<number[]>(shapes, shapes).map((shape) => ({ shape, dtype: "float32" })),
    options,
  );
  return {
    run: (inputs) => {
      const outputs = compiled.run(toList(shapes, inputs));
      return fromList<Outputs>(form, outputs);
    },
    dispose: () => compiled.dispose(),
  };
}

/** A function of a record with the tensor `y`, compiled on demand, with or without its derivative by y. */
export class DifferentiableFunction<Inputs extends { readonly y: tf.Tensor }> {
  #forward: CompiledRecordFunction<Inputs, { value: tf.Tensor }> | null = null;
  #pullback: CompiledRecordFunction<Inputs & { dy: tf.Tensor }, { gradient: tf.Tensor }> | null = null;

  /** Compiles nothing yet; `dy` is the shape of the value. */
  constructor(
    readonly fn: (inputs: Inputs) => tf.Tensor,
    readonly shapes: ShapesOf<Inputs>,
    readonly dy: number[],
  ) {}

  /** Compiles the function, and optionally its derivative. */
  async prepare(gradients: boolean): Promise<void> {
    this.#forward ??= await compileRecord((inputs: Inputs) => ({ value: this.fn(inputs) }), this.shapes);
    // Other engines call the function itself, where recording a gradient costs less than a separate pass.
    if (!gradients || currentEngine()?.name !== "onnx") return;
    this.#pullback ??= await compileRecord(
      (inputs) => ({ gradient: tf.grad((y) => this.fn({ ...inputs, y }))(inputs.y, inputs.dy) }),
      { ...this.shapes, dy: this.dy } as ShapesOf<Inputs & { dy: tf.Tensor }>,
    );
  }

  /** The value, differentiable by y. */
  run(inputs: Inputs): tf.Tensor {
    const [forward, pullback] = [this.#forward, this.#pullback];
    if (forward !== null && tf.engine().state.gradientDepth === 0) return forward.run(inputs).value;
    // Without its derivative compiled, the function runs operation by operation.
    if (forward === null || pullback === null) return this.fn(inputs);
    // A compiled function records no gradient.
    return tf.customGrad((y, save) => {
      const current = { ...inputs, y };
      save(toList(current, current));
      return {
        value: forward.run(current).value,
        gradFunc: (dy, saved) => pullback.run({ ...fromList<Inputs>(current, saved), dy }).gradient,
      };
    })(inputs.y);
  }

  /** Disposes the compiled functions. */
  dispose(): void {
    this.#forward?.dispose();
    this.#pullback?.dispose();
  }
}

/** A record of tensors of given shapes, each made by a function of its shape and its place in the list. */
export function recordOf<Tensors extends object>(
  shapes: ShapesOf<Tensors>,
  make: (shape: number[], index: number) => tf.Tensor,
): Tensors {
  return fromList(shapes, toList<number[]>(shapes, shapes).map(make));
}

type Tree = Readonly<Record<string, unknown>>;

const isLeaf = (value: unknown) => Array.isArray(value) || value instanceof tf.Tensor;

/** The leaves of a record in the order of a form's keys. */
function toList<Leaf = tf.Tensor>(form: object, record: object): Leaf[] {
  const tree = record as Tree;
  return Object.entries(form).flatMap(([name, below]) =>
    isLeaf(below) ? [tree[name] as Leaf] : toList<Leaf>(below, tree[name] as Tree)
  );
}

/** The record of a form with the leaves of a list. */
function fromList<Result>(form: object, list: readonly tf.Tensor[]): Result {
  const leaves = list.values();
  const build = (form: object): Tree =>
    Object.fromEntries(
      Object.entries(form).map(([name, below]) => [name, isLeaf(below) ? leaves.next().value : build(below)]),
    );
  return build(form) as Result;
}

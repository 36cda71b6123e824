/**
 * Functions of named tensors, compiled. `compile` takes lists; here alone records become lists, in the order of the keys of
 * their shapes.
 * @module
 */
import { compile, type CompileOptions } from "./compile.ts";
import { currentEngine } from "./engine.ts";
import * as tf from "./tf.ts";

/** The shapes of a record of tensors, or of such records, under its keys. */
export type ShapesOf<Tensors> = Tensors extends tf.Tensor ? number[]
  : { readonly [Name in keyof Tensors]: ShapesOf<Tensors[Name]> };

/** A function of a record of float32 tensors, or of such records, ready to run; the caller owns what it returns. */
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
  // The form of the outputs is known from the call that is recorded, or from each run.
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

/** A function of a record with the tensor `y`, which is compiled, with its derivative by y or without, once that is asked for. */
export class DifferentiableFunction<Inputs extends { readonly y: tf.Tensor }> {
  #forward: CompiledRecordFunction<Inputs, { value: tf.Tensor }> | null = null;
  #pullback: CompiledRecordFunction<Inputs & { dy: tf.Tensor }, { gradient: tf.Tensor }> | null = null;

  /** Nothing is compiled yet; `dy` is the shape of the value. */
  constructor(
    readonly fn: (inputs: Inputs) => tf.Tensor,
    readonly shapes: ShapesOf<Inputs>,
    readonly dy: number[],
  ) {}

  /** Compiles the function, and its derivative if that is wanted. */
  async prepare(gradients: boolean): Promise<void> {
    this.#forward ??= await compileRecord((inputs: Inputs) => ({ value: this.fn(inputs) }), this.shapes);
    // Other engines run functions as they are, where the tape of one pass costs less than a pass of its own.
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
    // What is compiled leaves no tape.
    return tf.customGrad((y, save) => {
      const current = { ...inputs, y };
      save(toList(current, current));
      return {
        value: forward.run(current).value,
        gradFunc: (dy, saved) => pullback.run({ ...fromList<Inputs>(current, saved), dy }).gradient,
      };
    })(inputs.y);
  }

  /** Releases what was compiled. */
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

/**
 * An ONNX graph in a runtime's session: which of its inputs takes what, and runs with any number of rows.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { quoted, quotedShape } from "../input/quoted.ts";
import { sizeOf } from "../math/shape.ts";
import type { ImageLayout } from "./external_model.ts";

/** What is used of onnxruntime-common's module. */
export interface RuntimeModule {
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<Session>;
  };
  readonly Tensor: new (type: string, data: ArrayBufferView, dims: readonly number[]) => RuntimeTensor;
}

interface RuntimeTensor {
  readonly type: string;
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Absent in older versions of onnxruntime-web. */
  readonly inputMetadata?: readonly ValueInfo[];
  readonly outputMetadata?: readonly ValueInfo[];
  run(
    feeds: Record<string, RuntimeTensor>,
    fetches: readonly string[],
  ): Promise<Record<string, RuntimeTensor>>;
  release(): Promise<void>;
}

/** An input or output; type and shape are absent where the runtime does not tell them, and free axes have names. */
interface ValueInfo {
  readonly name: string;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** What an input takes: the states, the condition, or in a pull-back the tensor that is pulled back. */
export type Role = "x" | "condition" | "dy";

/** The names of a graph's inputs and of its output, where they are given. */
export interface GraphNames {
  readonly inputs?: { readonly [role in Role]?: string };
  readonly output?: string;
}

/** Element types that a condition may have, and how numbers become elements; whole ones are rounded. */
const conditionTypes: Readonly<Record<string, (values: readonly number[]) => ArrayBufferView>> = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int32: (values) => Int32Array.from(values, Math.round),
  int64: (values) => BigInt64Array.from(values, (value) => BigInt(Math.round(value))),
};

/** A graph with its roles. */
export class OnnxGraph {
  readonly #runtime: RuntimeModule;
  readonly #session: Session;
  readonly #what: string;
  readonly #inputs: ReadonlyMap<Role, ValueInfo>;
  readonly #output: string;
  readonly #layout: ImageLayout;
  #disposed = false;

  /**
   * @param what The graph's name in errors.
   * @param roles What its inputs take.
   * @throws {TypeError | RangeError} Unless it has an input for each role, of a type and shape that can be given, and no other.
   */
  constructor(
    { runtime, session, what, roles, names, layout }: {
      readonly runtime: RuntimeModule;
      readonly session: Session;
      readonly what: string;
      readonly roles: readonly Role[];
      readonly names: GraphNames;
      readonly layout: ImageLayout;
    },
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#what = what;
    this.#layout = layout;
    this.#inputs = inputsByRole(what, session, roles, names.inputs ?? {});
    this.#output = outputOf(what, session, names.output);
  }

  /** Whether its condition is a whole number. */
  get takesWholeConditions(): boolean {
    return this.#inputs.get("condition")!.type?.startsWith("int") ?? false;
  }

  /** [height, width, channels] or whatever a sample's axes are, null where they are free; null where nobody tells. */
  get sampleShape(): readonly (number | null)[] | null {
    const shape = this.#inputs.get("x")!.shape?.slice(1).map((size) => fixed(size) ?? null) ?? null;
    return shape !== null && this.#layout === "nchw" && shape.length === 3
      ? [shape[1], shape[2], shape[0]]
      : shape;
  }

  /**
   * The output for rows of states, conditions [B] and in a pull-back the tensor to pull back. A graph of a fixed number of rows is
   * run as often as needed, its last rows filled up; one with a single condition is run for rows that have the same one.
   */
  async run(given: { readonly [role in Role]?: tf.Tensor }): Promise<tf.Tensor> {
    if (this.#disposed) throw new Error(`${this.#what} was disposed: open it again`);
    const { x, dy } = given as { x: tf.Tensor; dy?: tf.Tensor };
    this.#checkShape(x);
    const [rows, ...sample] = x.shape;
    const size = sizeOf(sample);
    const [states, conditions, pulled] = await Promise.all(
      [x, given.condition!, dy].map((tensor) => tensor?.data<"float32">()),
    ) as [Float32Array, Float32Array, Float32Array | undefined];
    const result = new Float32Array(rows * size);
    for (let first = 0, count = 0; first < rows; first += count) {
      const most = Math.min(rows - first, this.#fixedRows ?? rows);
      count = this.#takesOneCondition ? equalFrom(conditions, first, most) : most;
      const filled = this.#fixedRows ?? count;
      const row = (i: number) => first + Math.min(i, count - 1);
      const feeds: Record<string, RuntimeTensor> = {};
      for (const [role, values] of [["x", states], ["dy", pulled]] as const) {
        if (values === undefined) continue;
        const data = new Float32Array(filled * size);
        for (let i = 0; i < filled; i++) {
          data.set(values.subarray(row(i) * size, (row(i) + 1) * size), i * size);
        }
        feeds[this.#inputs.get(role)!.name] = new this.#runtime.Tensor("float32", data, [filled, ...sample]);
      }
      const own = Array.from({ length: this.#takesOneCondition ? 1 : filled }, (_, i) => conditions[row(i)]);
      feeds[this.#inputs.get("condition")!.name] = this.#conditionTensor(own);
      const out = await this.#outputFor(feeds, [filled, ...sample]);
      const bad = out.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        const at = row(Math.floor(bad / size));
        throw new RangeError(
          `the output of ${this.#what} must be finite, got ${out[bad]} in row ${at}, for the condition ${
            conditions[at]
          }`,
        );
      }
      result.set(out.subarray(0, count * size), first * size);
    }
    return tf.tensor(result, x.shape);
  }

  /** Releases the session. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#session.release();
  }

  /** The rows of every run; undefined where any number is taken. */
  get #fixedRows(): number | undefined {
    const rows = fixed(this.#inputs.get("x")!.shape?.[0]);
    const conditions = fixed(this.#inputs.get("condition")!.shape?.[0]);
    return rows ?? (conditions === 1 ? undefined : conditions);
  }

  /** Whether one condition stands for all rows of a run. */
  get #takesOneCondition(): boolean {
    const { shape } = this.#inputs.get("condition")!;
    return shape !== undefined && (shape.length === 0 || fixed(shape[0]) === 1);
  }

  #conditionTensor(values: readonly number[]): RuntimeTensor {
    const { type = "float32", shape } = this.#inputs.get("condition")!;
    return new this.#runtime.Tensor(
      type,
      conditionTypes[type](values),
      shape?.length === 0 ? [] : [values.length],
    );
  }

  /** Throws for states of another shape than the graph's, naming the layout where that is why. */
  #checkShape({ shape }: tf.Tensor): void {
    const own = this.#inputs.get("x")!.shape;
    const fits = (given: readonly number[]) =>
      own === undefined ||
      (own.length === given.length &&
        own.every((size, axis) => axis === 0 || (fixed(size) ?? given[axis]) === given[axis]));
    if (fits(shape)) return;
    const [rows, a, b, c] = shape;
    const other = this.#layout === "nchw" ? [rows, b, c, a] : [rows, c, a, b];
    const advice = shape.length === 4 && fits(other)
      ? `: give layout "${this.#layout === "nchw" ? "nhwc" : "nchw"}"`
      : "";
    throw new RangeError(
      `${this.#what} takes states of shape [${own!.join(", ")}], got ${quotedShape(shape)}${advice}`,
    );
  }

  async #outputFor(feeds: Record<string, RuntimeTensor>, shape: readonly number[]): Promise<Float32Array> {
    const results = await this.#session.run(feeds, [this.#output]).catch((cause: unknown) => {
      throw new Error(`${this.#what} failed for states of shape ${quotedShape(shape)}: ${reasonOf(cause)}`, {
        cause,
      });
    });
    const { data, dims } = results[this.#output];
    if (String(dims) !== String(shape)) {
      throw new RangeError(
        `the output of ${this.#what} must have the shape of its states, ${quotedShape(shape)}, got ${
          quotedShape(dims)
        }`,
      );
    }
    if (!(data instanceof Float32Array)) {
      throw new TypeError(`the output of ${this.#what} must be float32, got ${results[this.#output].type}`);
    }
    return data;
  }
}

/** The first line of what a runtime says of a failure. */
export function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
}

/** A length that a graph fixes; undefined for a free one, which runtimes give by a name or as a number below 1. */
function fixed(size: number | string | undefined): number | undefined {
  return typeof size === "number" && size > 0 ? size : undefined;
}

/** How many entries from the first on are the same, at most `most`. */
function equalFrom(values: ArrayLike<number>, first: number, most: number): number {
  let count = 1;
  while (count < most && values[first + count] === values[first]) count++;
  return count;
}

/** The inputs by what they take: as they are named, or where that is left out by their axes and their order. */
function inputsByRole(
  what: string,
  session: Session,
  roles: readonly Role[],
  named: NonNullable<GraphNames["inputs"]>,
): ReadonlyMap<Role, ValueInfo> {
  const all: readonly ValueInfo[] = session.inputMetadata ?? session.inputNames.map((name) => ({ name }));
  const listed = all.map(described).join(", ");
  const free = all.filter(({ name }) => !Object.values(named).includes(name));
  const found = new Map<Role, ValueInfo>();
  for (const role of roles) {
    const name = named[role];
    const input = name === undefined
      // The condition has one axis at most; without metadata the order decides.
      ? free.find(({ shape }) => shape === undefined || (shape.length < 2) === (role === "condition"))
      : all.find((candidate) => candidate.name === name);
    if (input === undefined) {
      throw new RangeError(
        name === undefined
          ? `${what} must have an input for ${meaning[role]}, it has ${listed}`
          : `${what} has no input ${quoted(name)} for ${meaning[role]}, it has ${listed}`,
      );
    }
    if (name === undefined) free.splice(free.indexOf(input), 1);
    found.set(role, input);
    checkInput(what, role, input);
  }
  const left = all.find((input) => ![...found.values()].includes(input));
  if (left !== undefined) {
    throw new RangeError(
      `${what} has the input ${described(left)}, for which there is nothing: it takes ${
        roles.map((role) => meaning[role]).join(" and ")
      }`,
    );
  }
  return found;
}

const meaning: Readonly<Record<Role, string>> = {
  x: "states",
  condition: "the condition",
  dy: "the tensor to pull back",
};

function checkInput(what: string, role: Role, { name, type, shape }: ValueInfo): void {
  const types = role === "condition" ? Object.keys(conditionTypes) : ["float32"];
  if (type !== undefined && !types.includes(type)) {
    throw new RangeError(
      `the input "${name}" of ${what} for ${meaning[role]} must be ${types.join(" or ")}, got ${type}`,
    );
  }
  if (shape !== undefined && (role === "condition" ? shape.length > 1 : shape.length < 2)) {
    const wanted = role === "condition" ? "be [batch], [1] or []" : "have rows and other axes";
    throw new RangeError(
      `the input "${name}" of ${what} for ${meaning[role]} must ${wanted}, got [${shape.join(", ")}]`,
    );
  }
}

function outputOf(what: string, { outputNames }: Session, name: string | undefined): string {
  const listed = outputNames.map((output) => quoted(output)).join(", ");
  if (name === undefined) {
    if (outputNames.length === 1) return outputNames[0];
    throw new RangeError(`${what} has the outputs ${listed}: say which by output`);
  }
  if (outputNames.includes(name)) return name;
  throw new RangeError(`${what} has no output ${quoted(name)}, it has ${listed}`);
}

/** An input for an error message, such as `"t" int64 [batch]`. */
function described({ name, type, shape }: ValueInfo): string {
  return [quoted(name), type, shape && `[${shape.join(", ")}]`].filter((part) => part !== undefined).join(
    " ",
  );
}

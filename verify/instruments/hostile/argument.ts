/**
 * Arguments of exported functions, stated as data: a valid value, and which of the hostile values are valid too.
 * @module
 */
import * as tf from "../../../src/compute/tf.ts";

/** Values that careless callers pass, by what they are called in messages. */
export const hostileValues: readonly (readonly [name: string, make: () => unknown])[] = [
  ["NaN", () => NaN],
  ["Infinity", () => Infinity],
  ["-Infinity", () => -Infinity],
  ["-1", () => -1],
  ["0", () => 0],
  ["0.5", () => 0.5],
  ["2^53", () => 2 ** 53],
  ['"bogus"', () => "bogus"],
  ["null", () => null],
  ["undefined", () => undefined],
  ["[]", () => []],
  ["{}", () => ({})],
  ["a function", () => (x: unknown) => x],
];

/** One argument of a function, or a field of an options object. */
export interface Argument {
  /** A valid value, made anew for each call. */
  readonly make: () => unknown;
  /** Whether a value is valid as well, so that the function may answer; it must refuse every other. */
  readonly allows: (value: unknown) => boolean;
  /** The fields that are replaced in turn, of an options object. */
  readonly fields?: Readonly<Record<string, Argument>>;
  /** Numbers of a list: its first entry is replaced in turn, too. */
  readonly entries?: Argument;
  /** Tensors: wrong ranks and element types are tried as well. */
  readonly tensor?: boolean;
}

/** A number that is finite and `allowed`. */
export function number(value: number, allowed: (value: number) => boolean = () => true): Argument {
  return { make: () => value, allows: (v) => typeof v === "number" && Number.isFinite(v) && allowed(v) };
}

/** A number above 0. */
export function positive(value: number): Argument {
  return number(value, (v) => v > 0);
}

/** A number from `least` to `most`. */
export function between(value: number, least: number, most: number = Infinity): Argument {
  return number(value, (v) => v >= least && v <= most);
}

/** A whole number from `least` to `most`. */
export function whole(value: number, least: number = 0, most: number = 2 ** 31 - 1): Argument {
  return number(value, (v) => Number.isInteger(v) && v >= least && v <= most);
}

/** One of a few names, none of which is hostile. */
export function name(value: string): Argument {
  return { make: () => value, allows: () => false };
}

/** Text of any kind. */
export function text(value: string): Argument {
  return { make: () => value, allows: (v) => typeof v === "string" };
}

/** True or false. */
export function truth(value: boolean): Argument {
  return { make: () => value, allows: () => false };
}

/** Something that only its own maker makes: no hostile value is valid. */
export function thing(make: () => unknown): Argument {
  return { make, allows: () => false };
}

/** A function. */
export function callable(make: () => unknown): Argument {
  return { make, allows: (v) => typeof v === "function" };
}

/** A float32 tensor. */
export function tensor(values: number[] | number[][] | number[][][] | number[][][][]): Argument {
  return { make: () => tf.tensor(values), allows: () => false, tensor: true };
}

/** A list of numbers. */
export function list(make: () => ArrayLike<number>, entries: Argument = number(1), empty = false): Argument {
  return { make, allows: (v) => empty && Array.isArray(v), entries };
}

/** A shape of `axes` sizes; an empty one is not valid. */
export function shape(...sizes: number[]): Argument {
  return list(() => [...sizes], whole(2, 1));
}

/** What may be left out. */
export function optional(argument: Argument): Argument {
  return { ...argument, allows: (v) => v === undefined || argument.allows(v) };
}

/** An object with named fields; an empty one is valid where every field may be left out. */
export function options(fields: Readonly<Record<string, Argument>>): Argument {
  const values = Object.values(fields);
  return {
    make: () => Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.make()])),
    allows: (v) =>
      typeof v === "object" && v !== null && !Array.isArray(v) &&
      values.every((field) => field.allows(undefined)),
    fields,
  };
}

/** An exported function, or a method that hangs on one. */
export interface Row {
  /** How it is called, where not as the exported function itself. */
  readonly call?: (...values: never[]) => unknown;
  readonly arguments: readonly Argument[];
  /** Loads what calls keep, before tensors are counted. */
  readonly prepare?: () => Promise<unknown>;
  /** Why an answer may hold numbers that are not finite. */
  readonly infinite?: string;
  /** The name of an error of the project's own that a run may end with. */
  readonly fails?: string;
}

/** A table of rows by the names of exports; a name with a dot is a method's. */
export type Rows = Readonly<Record<string, Row>>;

/** One call with one hostile value. */
export interface Case {
  readonly label: string;
  /** The field that is replaced, with dots as in grid.steps, which a refusal must name; absent for a whole argument. */
  readonly field?: string;
  readonly values: () => unknown[];
  /** Whether the call may be answered. */
  readonly allowed: boolean;
  /** The answer of another call that this call's must equal, if it is answered. */
  readonly like?: () => unknown[];
}

/** All calls of a row: each argument, each field of an object and each list's first entry replaced in turn. */
export function casesOf(row: Row, extra: readonly number[]): Case[] {
  const hostile: (readonly [string, () => unknown])[] = [
    ...hostileValues,
    ...extra.map((value) => [String(value), () => value] as const),
  ];
  const cases: Case[] = [];
  row.arguments.forEach((argument, at) => {
    const values = (make: () => unknown) => () =>
      row.arguments.map((other, i) => i === at ? make() : other.make());
    cases.push(
      ...replaced(argument, `argument ${at + 1}`, hostile).map(({ label, field, allowed, make, like }) => ({
        label,
        field,
        allowed,
        values: values(make),
        like: like && values(like),
      })),
    );
  });
  return cases;
}

interface Replaced {
  readonly label: string;
  readonly field?: string;
  readonly allowed: boolean;
  readonly make: () => unknown;
  readonly like?: () => unknown;
}

function replaced(
  argument: Argument,
  where: string,
  hostile: readonly (readonly [string, () => unknown])[],
): Replaced[] {
  const found: Replaced[] = hostile.map(([what, make]) => ({
    label: `${where} = ${what}`,
    allowed: argument.allows(make()),
    make,
  }));
  for (const [key, inner] of Object.entries(argument.fields ?? {})) {
    const others = Object.entries(argument.fields ?? {}).filter(([other]) => other !== key);
    const put = (make: () => unknown) => () =>
      Object.fromEntries([...others.map(([other, { make }]) => [other, make()]), [key, make()]]);
    for (const { make, like, field, ...rest } of replaced(inner, `${where}.${key}`, hostile)) {
      const path = field === undefined ? key : `${key}.${field}`;
      found.push({ ...rest, field: path, make: put(make), like: like && put(like) });
    }
  }
  if (argument.entries !== undefined) {
    for (const [what, make] of hostile) {
      found.push({
        label: `${where}[0] = ${what}`,
        allowed: argument.entries.allows(make()),
        make: () => {
          const made = argument.make() as ArrayLike<unknown>;
          const entries = Array.from(made);
          entries[0] = make();
          return Array.isArray(made) || typeof make() !== "number"
            ? entries
            : (made.constructor as unknown as { from(values: unknown[]): unknown }).from(entries);
        },
      });
    }
  }
  if (argument.tensor) {
    const from = (change: (x: tf.Tensor) => tf.Tensor) => () => {
      const x = argument.make() as tf.Tensor;
      const changed = change(x);
      x.dispose();
      return changed;
    };
    const rounded = from((x) => tf.tidy(() => x.round()));
    found.push(
      { label: `${where} as int32`, allowed: true, make: from((x) => x.cast("int32")), like: rounded },
      {
        label: `${where} as bool`,
        allowed: true,
        make: from((x) => x.cast("bool")),
        like: from((x) => tf.tidy(() => x.cast("bool").cast("float32"))),
      },
      { label: `${where} of rank 0`, allowed: false, make: from(() => tf.scalar(1)) },
      { label: `${where} with an axis more`, allowed: true, make: from((x) => x.expandDims(-1)) },
      { label: `${where} without entries`, allowed: false, make: from(() => tf.zeros([0, 2])) },
    );
  }
  return found;
}

/**
 * Checks of arguments, with errors of one sentence that names the argument, the value and what is allowed.
 * @module
 */
import { quoted } from "./quoted.ts";

/** @throws {RangeError} When the value is not a finite number. */
export function requireFinite(name: string, value: unknown): asserts value is number {
  if (!Number.isFinite(value)) throw new RangeError(`${name} must be a finite number, got ${quoted(value)}`);
}

/** @throws {RangeError} When the value is not a finite number above 0. */
export function requirePositive(name: string, value: unknown): asserts value is number {
  if (!(Number.isFinite(value) && (value as number) > 0)) {
    throw new RangeError(`${name} must be a positive number, got ${quoted(value)}`);
  }
}

/** @throws {RangeError} When the value is not a finite number from `least` to `most`, both allowed. */
export function requireBetween(
  name: string,
  value: unknown,
  least: number,
  most: number = Infinity,
): asserts value is number {
  if (!(Number.isFinite(value) && (value as number) >= least && (value as number) <= most)) {
    const to = most === Infinity ? "" : ` to ${most}`;
    throw new RangeError(`${name} must be a number from ${least}${to}, got ${quoted(value)}`);
  }
}

/** @throws {RangeError} When the value is not a whole number from `least` to `most`, both allowed. */
export function requireWhole(
  name: string,
  value: unknown,
  least: number = 0,
  most: number = MOST_WHOLE,
): asserts value is number {
  if (Number.isInteger(value) && (value as number) > most) {
    throw new RangeError(`${name} must be at most ${most}, got ${value}`);
  }
  if (!(Number.isInteger(value) && (value as number) >= least)) {
    const allowed = least === 1
      ? "a positive integer"
      : `a whole number from ${least}${most < 1e6 ? ` to ${most}` : ""}`;
    throw new RangeError(`${name} must be ${allowed}, got ${quoted(value)}`);
  }
}

/** The default upper bound of counts, sizes and indices: 2³¹ − 1, the largest size of a tensor. */
const MOST_WHOLE: number = 2 ** 31 - 1;

/** A list of numbers: an array or a typed array. */
export function isList(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/**
 * Throws unless the value is a list of finite numbers.
 *
 * @param allowed A further test of each number, and its description, such as `positive`.
 * @throws {TypeError} When the value is not an array or a typed array.
 * @throws {RangeError} When a number is not allowed, naming the first.
 */
export function requireNumbers(
  name: string,
  values: unknown,
  allowed: (value: number) => boolean = () => true,
  words: string = "finite numbers",
): asserts values is ArrayLike<number> {
  if (!isList(values)) throw new TypeError(`${name} must be a list of numbers, got ${quoted(values)}`);
  for (let i = 0; i < values.length; i++) {
    if (!(Number.isFinite(values[i]) && allowed(values[i]))) {
      throw new RangeError(`${name} must hold ${words}, got ${quoted(values[i])}`);
    }
  }
}

/** Throws unless the value is a shape, a list of whole numbers from `least`, of fewer than 2³¹ entries. */
export function requireShape(
  name: string,
  shape: unknown,
  least: number = 1,
): asserts shape is readonly number[] {
  if (!Array.isArray(shape)) {
    throw new TypeError(`${name} must be a list of whole numbers, got ${quoted(shape)}`);
  }
  let size = 1;
  for (const length of shape) {
    if (!(Number.isInteger(length) && length >= least)) {
      throw new RangeError(`${name} must hold whole numbers from ${least}, got ${quoted(shape)}`);
    }
    size *= length;
  }
  if (size > MOST_WHOLE) {
    throw new RangeError(`${name} must have fewer than 2^31 entries, got ${quoted(shape)}`);
  }
}

/** @throws {TypeError} When the value is not an object with named fields: no list, no function and not null. */
export function requireOptions(name: string, value: unknown): asserts value is object {
  if (typeof value !== "object" || value === null || isList(value)) {
    throw new TypeError(`${name} must be an object, got ${quoted(value)}`);
  }
}

/** @throws {TypeError} When the value is not an array. */
export function requireArray(name: string, value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be a list, got ${quoted(value)}`);
}

/** @throws {TypeError} When the value is not text. */
export function requireText(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw new TypeError(`${name} must be text, got ${quoted(value)}`);
}

/** @throws {TypeError} When the value is neither a URL nor the text of an absolute one. */
export function requireUrl(name: string, value: unknown): asserts value is string | URL {
  if (value instanceof URL || (typeof value === "string" && URL.canParse(value))) return;
  throw new TypeError(`${name} must be a URL, got ${quoted(value)}`);
}

/** @throws {TypeError} When the value is not true or false. */
export function requireBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== "boolean") throw new TypeError(`${name} must be true or false, got ${quoted(value)}`);
}

/** @throws {TypeError} When the value is not a function. */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`${name} must be a function, got ${quoted(value)}`);
}

/** @throws {TypeError} When the value does not hold bytes. */
export function requireBytes(name: string, value: unknown): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be bytes, a Uint8Array, got ${quoted(value)}`);
  }
}

/** @throws {TypeError} When the value is not a Float32Array. */
export function requireFloats(name: string, value: unknown): asserts value is Float32Array {
  if (!(value instanceof Float32Array)) {
    throw new TypeError(`${name} must be a Float32Array, got ${quoted(value)}`);
  }
}

/**
 * Throws unless the value has the methods.
 *
 * @param what The expected kind of value, such as `a score model, as scoreModel(noise predictor, sde) makes it`.
 * @throws {TypeError} When a method is missing, naming the expected kind.
 */
export function requireMethods(name: string, value: unknown, methods: readonly string[], what: string): void {
  const object = value as Record<string, unknown> | null | undefined;
  const has = typeof value === "object" && value !== null &&
    methods.every((method) => typeof object![method] === "function");
  if (!has) throw new TypeError(`${name} must be ${what}, got ${described(value)}`);
}

/** A value for an error message, functions by their names. */
function described(value: unknown): string {
  return typeof value === "function" ? `the function ${value.name || "itself"}` : quoted(value);
}

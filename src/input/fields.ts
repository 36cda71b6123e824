/** Checks of plain JSON that was read from a file, field by field. @module */
import { isObject } from "./json.ts";
import { quoted } from "./quoted.ts";

/** A range of numbers; absent bounds do not apply. */
interface Range {
  /** The smallest number allowed. */
  readonly least?: number;
  /** The largest number allowed. */
  readonly most?: number;
  /** A number that must be exceeded. */
  readonly above?: number;
  /** A number that must not be reached. */
  readonly below?: number;
  /** Whether it must be a whole number. Default false. */
  readonly whole?: boolean;
}

/**
 * Checks that a value is an object with known fields only.
 *
 * @param what The value's name in the error, such as "the noise plan".
 * @param names The required fields, and after them the optional ones.
 * @throws {TypeError} When it is not an object, lacks a field or has an unknown one.
 */
export function checkFields(
  what: string,
  value: unknown,
  names: readonly string[],
  optional: readonly string[] = [],
): asserts value is Record<string, unknown> {
  if (!isObject(value)) throw new TypeError(`${what} must be an object, got ${quoted(value)}`);
  for (const name of Object.keys(value)) {
    if (names.includes(name) || optional.includes(name)) continue;
    throw new TypeError(
      `${what} has an unknown field ${quoted(name)}; its fields are ${[...names, ...optional].join(", ")}`,
    );
  }
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw new TypeError(`${what} has no ${missing}`);
}

/**
 * Checks that a value is a finite number in a range.
 * @throws {RangeError} When it is not, naming the range and the value.
 */
export function checkNumber(what: string, value: unknown, range: Range = {}): asserts value is number {
  const { least = -Infinity, most = Infinity, above = -Infinity, below = Infinity, whole = false } = range;
  const held = typeof value === "number" && Number.isFinite(value) &&
    (!whole || Number.isSafeInteger(value)) &&
    value >= least && value <= most && value > above && value < below;
  if (held) return;
  throw new RangeError(`${what} must be ${rangeText(range)}, got ${quoted(value)}`);
}

/**
 * Checks that a value is a list of finite numbers, each in a range.
 * @throws {TypeError | RangeError} When it is not a list, or a number is not in the range.
 */
export function checkNumbers(
  what: string,
  value: unknown,
  range: Range = {},
): asserts value is readonly number[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} must be a list of numbers, got ${quoted(value)}`);
  for (const number of value) checkNumber(`each of ${what}`, number, range);
}

/** A range in words, such as "a whole number from 1 up". */
function rangeText({ least, most, above, below, whole = false }: Range): string {
  if (most === undefined && below === undefined) {
    if (whole && least === 1) return "a positive integer";
    if (!whole && above === 0) return "a positive number";
  }
  const noun = whole ? "a whole number" : "a finite number";
  const low = least !== undefined ? ` from ${least}` : above !== undefined ? ` above ${above}` : "";
  const high = most !== undefined
    ? `${low === "" ? " up" : least !== undefined ? "" : " and up"} to ${most}`
    : below !== undefined
    ? `${low === "" ? "" : " and"} below ${below}`
    : least !== undefined
    ? " up"
    : "";
  return noun + low + high;
}

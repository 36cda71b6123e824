/** Options that are one of a few names. @module */
import { quoted } from "./quoted.ts";

/**
 * Refuses a name that is not allowed, so that a misspelt one is never taken for another value, nor for a property that every
 * object has, such as "constructor".
 *
 * @param what The option, for the error.
 * @throws {RangeError} naming the value and what is allowed.
 */
export function checkName<const N extends string>(
  what: string,
  value: unknown,
  allowed: readonly N[],
): asserts value is N {
  if (allowed.some((name) => name === value)) return;
  throw new RangeError(
    `${what} must be ${allowed.map((name) => JSON.stringify(name)).join(" or ")}, got ${quoted(value)}`,
  );
}

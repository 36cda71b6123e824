/** Checks options that are one of a few names. @module */
import { quoted } from "./quoted.ts";

/**
 * Throws for a name that is not allowed, so that neither a misspelt one nor a property of every object, such as
 * "constructor", is accepted.
 *
 * @param what The option's name in the error.
 * @throws {RangeError} When the name is not allowed, naming the allowed ones.
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

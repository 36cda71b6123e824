/** Values from outside, as error messages quote them. @module */

/** The most characters of a value that a message quotes. */
const MOST = 80;

/** Characters that change what a terminal shows or the order in which it shows it, beside those that JSON escapes. */
// deno-lint-ignore no-control-regex
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * A value for an error message: text in quotes, at most 80 characters of it, with control characters escaped; a number as it
 * is; a long list by its length, an object as such. It is short and takes no time, however large the value.
 *
 * @param most Characters of a text that are quoted, default 80.
 */
export function quoted(value: unknown, most: number = MOST): string {
  if (typeof value === "string") {
    return printable(JSON.stringify(value.length > most ? `${value.slice(0, most - 1)}…` : value));
  }
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return "an object";
  const list = value as unknown as ArrayLike<unknown>;
  if (!(list.length <= 8)) return `a list of ${list.length}`;
  const items = Array.from(
    list,
    (item) => typeof item === "object" && item !== null ? "…" : quoted(item, 20),
  );
  return `[${items.join(", ")}]`;
}

/** A text in which control characters are escaped, so that printing it changes nothing else on a terminal; lines stay lines. */
export function printable(text: string): string {
  return text.replace(
    UNSEEN,
    (letter) => letter === "\n" ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Sizes of an array, such as `[28, 28, 1]`; the first eight of them. */
export function quotedShape(shape: readonly number[]): string {
  return shape.length <= 8 ? `[${shape.join(", ")}]` : `[${shape.slice(0, 8).join(", ")}, …]`;
}

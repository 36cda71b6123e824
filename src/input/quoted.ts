/** Values from outside, as error messages quote them. @module */

/** The most characters of a value that a message quotes. */
const MOST = 80;

/** Characters that change what a terminal shows or the order in which it shows it, beside those that JSON escapes. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A value for an error message: text in quotes, at most 80 characters of it, with control characters escaped; a number as it
 * is; a long list by its length, an object as such. It is short and takes no time, however large the value, and never throws.
 *
 * @param most Characters of a text that are quoted, default 80.
 */
export function quoted(value: unknown, most: number = MOST): string {
  if (typeof value === "string") {
    return printable(JSON.stringify(value.length > most ? `${value.slice(0, most - 1)}…` : value));
  }
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value).slice(0, most);
  try {
    return quotedList(value);
  } catch {
    return "an object"; // A proxy that throws.
  }
}

/** A list in brackets if it is short, else by its length; "an object" for what is no list. */
function quotedList(value: object): string {
  if (!Array.isArray(value) && (!ArrayBuffer.isView(value) || value instanceof DataView)) return "an object";
  const list = value as unknown as ArrayLike<unknown>;
  if (!(list.length <= 8)) return `a list of ${list.length}`;
  // By index, as a typed array whose buffer was given away has no iterator; its length is 0.
  const items = Array.from({ length: list.length }, (_, i) => {
    const item = list[i];
    return typeof item === "object" && item !== null ? "…" : quoted(item, 20);
  });
  return `[${items.join(", ")}]`;
}

/** A text in which control characters are escaped, so that printing it changes nothing else on a terminal; lines stay lines. */
export function printable(text: string): string {
  return text.replace(
    UNSEEN,
    // In units of UTF-16, as JSON spells letters beyond U+FFFF.
    (letter) =>
      letter === "\n"
        ? letter
        : letter.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** Sizes of an array, such as `[28, 28, 1]`; the first eight of them. What is no list is quoted as it is. */
export function quotedShape(shape: ArrayLike<number>): string {
  if (!Array.isArray(shape) || shape.length <= 8) return quoted(shape);
  return `${quoted(shape.slice(0, 8)).slice(0, -1)}, …]`;
}

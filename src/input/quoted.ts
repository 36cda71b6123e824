/** Formats arguments for error messages. @module */

/** The largest number of characters that a message quotes of a value. */
const MOST = 80;

/** Characters that change a terminal's display or its order of characters, beside those that JSON escapes. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A value formatted for an error message: text in quotes, at most 80 characters of it, with control characters
 * escaped; numbers in digits; a long list by its length; "an object". The result is short and fast to make for any
 * value, and the function never throws.
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

/** A list in brackets if it is short, else by its length; "an object" for other objects. */
function quotedList(value: object): string {
  if (!Array.isArray(value) && (!ArrayBuffer.isView(value) || value instanceof DataView)) return "an object";
  const list = value as unknown as ArrayLike<unknown>;
  if (!(list.length <= 8)) return `a list of ${list.length}`;
  // By index, as a typed array whose buffer was transferred has no iterator; its length is 0.
  const items = Array.from({ length: list.length }, (_, i) => {
    const item = list[i];
    return typeof item === "object" && item !== null ? "…" : quoted(item, 20);
  });
  return `[${items.join(", ")}]`;
}

/** A text with control characters escaped, so that it can be printed on a terminal safely; line breaks are kept. */
export function printable(text: string): string {
  return text.replace(
    UNSEEN,
    // In units of UTF-16, as JSON escapes characters beyond U+FFFF.
    (letter) =>
      letter === "\n"
        ? letter
        : letter.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** Sizes of an array, such as `[28, 28, 1]`; the first eight of them. Other values are quoted. */
export function quotedShape(shape: ArrayLike<number>): string {
  if (!Array.isArray(shape) || shape.length <= 8) return quoted(shape);
  return `${quoted(shape.slice(0, 8)).slice(0, -1)}, …]`;
}

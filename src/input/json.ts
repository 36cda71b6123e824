/** Parses JSON from files; duplicate names and deep nesting, which `JSON.parse` accepts, are errors. @module */
import { quoted } from "./quoted.ts";

/** The deepest nesting that is read; no file of this project has more than eight levels. */
const DEEPEST = 32;

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = "\\".charCodeAt(0);

/**
 * The value of a JSON text.
 *
 * @throws {TypeError} When the text is not JSON, an object has the same name twice, or lists and objects are nested
 * deeper than 32 levels; the message is the continuation of a sentence, such as "is not JSON".
 */
export function parseJson(text: string): unknown {
  checkNames(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = /at position (\d+)/.exec((error as Error).message)?.[1];
    throw new TypeError(at === undefined ? "is not JSON" : `is not JSON: it goes wrong at character ${at}`);
  }
}

/**
 * The value of a JSON text in a file's field.
 * @param what The field's name in errors.
 * @throws {TypeError} As {@linkcode parseJson} does, and when the text is missing.
 */
export function parsedField(what: string, text: string | undefined): unknown {
  if (text === undefined) throw new TypeError(`${what} is missing`);
  try {
    return parseJson(text);
  } catch (error) {
    throw new TypeError(`${what} ${(error as Error).message}`);
  }
}

/** Whether a value is a JSON object, not a list or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks names and nesting in one pass over the text; other errors are found by the parser. */
function checkNames(text: string): void {
  /** The names so far in each open object or list. */
  const open: Set<string>[] = [];
  let [start, end] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '"':
        start = i;
        i = end = endOfText(text, i);
        break;
      case ":": {
        const name = nameOf(text.slice(start, end + 1));
        const names = open.at(-1);
        if (names?.has(name)) throw new TypeError(`has the name ${quoted(name)} twice`);
        names?.add(name);
        break;
      }
      case "{":
      case "[":
        if (open.length === DEEPEST) throw new TypeError(`is nested deeper than ${DEEPEST} levels`);
        open.push(new Set());
        break;
      case "}":
      case "]":
        open.pop();
        break;
    }
  }
}

/** The end of the string that begins at a quote. */
function endOfText(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const letter = text.charCodeAt(i);
    if (letter === QUOTE) return i;
    if (letter === BACKSLASH) i++;
  }
  return text.length;
}

/** A name with its quotes removed and its escapes decoded: "\u0061" is "a". */
function nameOf(text: string): string {
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Tables of numbers and words that show themselves, as text and in notebooks. @module */
import { columns } from "./text_table.ts";
import { escape } from "./escape.ts";
import { quoted } from "../input/quoted.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { requireSome } from "../input/require_parts.ts";

/** The method by which Deno's Jupyter kernel asks a value how it is shown. */
const DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;

/** What a cell holds: words, a number, or nothing. */
export type TableCell = string | number | null;

/** How numbers are written. */
export interface TableOptions {
  /** Significant digits of numbers that are not whole, 1 to 15; default 3. */
  readonly digits?: number;
}

/** A table that prints itself as text, and that a notebook of Deno's Jupyter kernel shows as one. */
export class ShownTable {
  /** What stands above the columns. */
  readonly header: readonly string[];
  /** The cells as text, row by row. */
  readonly cells: readonly (readonly string[])[];
  /** Which columns hold numbers alone, and so stand to the right. */
  readonly #numeric: readonly boolean[];

  /** Takes rows whose fields are the columns, as `table` does. */
  constructor(rows: readonly Readonly<Record<string, TableCell>>[], options: TableOptions = {}) {
    requireSome("rows", rows);
    requireOptions("options", options);
    const { digits = 3 } = options;
    requireWhole("digits", digits, 1, 15);
    for (const row of rows) requireOptions("a row", row);
    this.header = Object.keys(rows[0]);
    requireSome("the columns of rows", this.header);
    for (const row of rows) {
      if (String(Object.keys(row)) === String(this.header)) continue;
      throw new RangeError(
        `every row must have the columns ${this.header.join(", ")}, got ${quoted(Object.keys(row))}`,
      );
    }
    this.cells = rows.map((row) => this.header.map((name) => cellText(name, row[name], digits)));
    this.#numeric = this.header.map((name) => rows.every((row) => typeof row[name] !== "string"));
  }

  /** Lines of text with aligned columns. */
  toString(): string {
    return columns([this.header, ...this.cells], this.#numeric.map((numeric) => !numeric));
  }

  /** A `<table>` element as text. */
  toHtml(): string {
    const row = (cells: readonly string[], tag: string) =>
      `<tr>${
        cells.map((cell, at) =>
          `<${tag} style="text-align:${this.#numeric[at] ? "right" : "left"}">${escape(cell)}</${tag}>`
        ).join("")
      }</tr>`;
    const body = this.cells.map((cells) => row(cells, "td")).join("");
    return `<table><thead>${row(this.header, "th")}</thead><tbody>${body}</tbody></table>`;
  }

  /** What a notebook shows: the table, and aligned text where there is no HTML. */
  [DISPLAY](): { "text/html": string; "text/plain": string } {
    return { "text/html": this.toHtml(), "text/plain": this.toString() };
  }
}

/**
 * A table of rows whose fields are its columns; `String(table)` is aligned text.
 *
 * @example
 * ```ts
 * import { table } from "./table.ts";
 * const errors = table([{ sampler: "heun", steps: 20, error: 0.00123 }, { sampler: "euler", steps: 40, error: 0.0234 }]);
 * console.assert(String(errors).startsWith("sampler  steps    error"));
 * ```
 * @throws {RangeError | TypeError} When there is no row, rows differ in their columns, or a cell is neither text, number nor null.
 */
export function table(
  rows: readonly Readonly<Record<string, TableCell>>[],
  options: TableOptions = {},
): ShownTable {
  return new ShownTable(rows, options);
}

function cellText(name: string, value: unknown, digits: number): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  if (typeof value !== "number") {
    throw new TypeError(`the cells of ${name} must be text, numbers or null, got ${quoted(value)}`);
  }
  return Number.isInteger(value) || !Number.isFinite(value)
    ? String(value)
    : String(Number(value.toPrecision(digits)));
}

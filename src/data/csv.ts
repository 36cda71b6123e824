/**
 * Tables of numbers as text: comma, semicolon, tab or spaces between fields, with or without a line of names.
 * @module
 */
import { quoted } from "../input/quoted.ts";
import { requireText } from "../input/require.ts";

/** The numbers of a table, and the text of the column that has the classes. */
export interface NumberTable {
  /** [D] names of the columns of numbers: those of the first line, or "column 1" and so on. */
  readonly columns: readonly string[];
  /** [N, D], row-major. */
  readonly values: Float64Array;
  /** [N] text of the class column; null without one. */
  readonly classes: readonly string[] | null;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** What other programs write for a number that is not there. */
const MISSING = /^[+-]?(nan|na|n\/a|null|none|inf|infinity)?$/i;

/**
 * Reads a table. The first line is one of names if it has no number; empty lines and lines that begin with # are left
 * out. Fields may be in double quotes.
 *
 * @param name The file's name in errors.
 * @param classColumn The column of classes, by its name or by its number from 1.
 * @param most The most numbers that are read; by default 2²⁶.
 * @throws {RangeError} When there are no rows, a row has another number of fields than the first, or a field is no
 * finite number; the message has the line.
 */
export function readNumberTable(
  text: string,
  name = "the table",
  classColumn?: string,
  most: number = 2 ** 26,
): NumberTable {
  requireText("text", text);
  requireText("name", name);
  if (classColumn !== undefined) requireText("classColumn", classColumn);
  const fail = (problem: string): never => {
    throw new RangeError(`${name}: ${problem}`);
  };
  const lines = linesOf(text);
  const first = lines.next();
  if (first.done) return fail("it is empty");
  const split = splitter(first.value.text);
  const head = split(first.value.text);
  const numbered = classColumn !== undefined && /^[1-9]\d*$/.test(classColumn) && !head.includes(classColumn);
  const own = numbered ? Number(classColumn) - 1 : classColumn === undefined ? -1 : head.indexOf(classColumn);
  if (classColumn !== undefined && (own === -1 || own >= head.length)) {
    fail(
      `there is no column ${quoted(classColumn)}: it has ${head.length}, ${
        head.slice(0, 8).map((field) => quoted(field)).join(", ")
      }${head.length > 8 ? ", …" : ""}`,
    );
  }
  const named =
    head.every((field, at) => at === own || !(NUMBER.test(field) || MISSING.test(field) && field !== "")) &&
    head.length > (own === -1 ? 0 : 1);
  const isNumber = head.map((_, at) => at !== own);
  const columns = head.map((field, at) => named && field !== "" ? field : `column ${at + 1}`)
    .filter((_, at) => isNumber[at]);
  if (columns.length === 0) return fail("it has no column of numbers beside that of the classes");
  const numbers: number[] = [];
  const classes: string[] = [];
  const addRow = (line: number, fields: readonly string[]) => {
    if (fields.length !== head.length) {
      fail(`line ${line} has ${count(fields.length)}, line ${first.value.line} has ${head.length}`);
    }
    for (const [at, field] of fields.entries()) {
      if (at === own) {
        if (field === "") fail(`line ${line} has no class`);
        classes.push(field);
      } else if (NUMBER.test(field) && Number.isFinite(Number(field))) numbers.push(Number(field));
      else fail(`line ${line}: ${problemOf(field, columnName(at))}`);
    }
    if (numbers.length > most) fail(`it holds more than ${most} numbers, which are not read`);
  };
  const columnName = (at: number) => named && head[at] !== "" ? quoted(head[at]) : `column ${at + 1}`;
  if (!named) addRow(first.value.line, head);
  for (const { line, text } of lines) addRow(line, split(text));
  const rows = numbers.length / columns.length;
  if (rows === 0) return fail("it has names of columns and no rows");
  if (named && head[0] === "" && rows > 1 && countsRows(numbers, columns.length)) {
    fail("its first column has no name and counts the rows: leave it out (pandas: to_csv(…, index=False))");
  }
  return { columns, values: Float64Array.from(numbers), classes: own === -1 ? null : classes };
}

/**
 * A table with a line of names, as {@linkcode readNumberTable} reads it; every number is written so that it is read as
 * the same float64.
 *
 * @param table Its columns, its values [N, D] and, where it has any, its classes, in a last column named class.
 */
export function writeNumberTable({ columns, values, classes }: NumberTable): string {
  const line = (fields: readonly (string | number)[]) => `${fields.map(field).join(",")}\n`;
  const dimension = columns.length;
  const lines = [
    line(classes === null ? columns : [...columns, columns.includes("class") ? "label" : "class"]),
  ];
  for (let row = 0; row < values.length / dimension; row++) {
    const numbers = Array.from(values.subarray(row * dimension, (row + 1) * dimension));
    lines.push(line(classes === null ? numbers : [...numbers, classes[row]]));
  }
  return lines.join("");
}

function field(value: string | number): string {
  return typeof value === "string" && /[",\n\r]|^\s|\s$/.test(value)
    ? `"${value.replaceAll('"', '""')}"`
    : String(value);
}

function count(fields: number): string {
  return `${fields} ${fields === 1 ? "field" : "fields"}`;
}

function problemOf(field: string, column: string): string {
  if (field === "") return `${column} is empty, where a number must be`;
  if (NUMBER.test(field) || MISSING.test(field)) {
    return `${column} is ${quoted(field)}, which is no finite number`;
  }
  const hint = /^[+-]?\d+,\d+$/.test(field) ? " (decimals have a point)" : "";
  return `${column} is ${
    quoted(field)
  }, which is no number${hint}; a column of classes must be named as such`;
}

/** The lines that are neither empty nor remarks, with their numbers from 1. */
function* linesOf(text: string): Generator<{ line: number; text: string }, void> {
  let line = 0;
  for (let start = text.charCodeAt(0) === 0xfeff ? 1 : 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    line++;
    const content = text.slice(start, end).trimEnd();
    start = end + 1;
    if (content.trim() !== "" && !content.trimStart().startsWith("#")) yield { line, text: content };
  }
}

/** What takes a line of the table apart: by tabs, semicolons or commas where the first line has them, else by spaces. */
function splitter(first: string): (line: string) => string[] {
  const bare = first.replaceAll(/"[^"]*"/g, "");
  const mark = ["\t", ";", ","].find((mark) => bare.includes(mark));
  if (mark === undefined) return (line) => line.trim().split(/\s+/).map(unquoted);
  return (line) => {
    if (!line.includes('"')) return line.split(mark).map((field) => field.trim());
    const fields: string[] = [];
    let [start, inside] = [0, false];
    for (let at = 0; at <= line.length; at++) {
      if (line[at] === '"') inside = !inside;
      else if (at === line.length || (line[at] === mark && !inside)) {
        fields.push(unquoted(line.slice(start, at).trim()));
        start = at + 1;
      }
    }
    return fields;
  };
}

function unquoted(field: string): string {
  return field.length > 1 && field.startsWith('"') && field.endsWith('"')
    ? field.slice(1, -1).replaceAll('""', '"')
    : field;
}

/** Whether the first column is 0, 1, 2, … or 1, 2, 3, …. */
function countsRows(numbers: readonly number[], columns: number): boolean {
  for (let row = 0; row < numbers.length / columns; row++) {
    if (numbers[row * columns] !== numbers[0] + row) return false;
  }
  return numbers[0] === 0 || numbers[0] === 1;
}

/**
 * What came of mutants, and the table of it by folder and operator.
 * @module
 */
import { columns } from "../../src/plots/text_table.ts";
import type { Mutant } from "./mutant.ts";

/** What became of a mutant. Undecided: its time was up before all claims had been examined. */
export type Outcome = "noticed" | "timed out" | "survived" | "not compiled" | "equivalent" | "undecided";

/** What came of one mutant. */
export interface Result {
  readonly id: string;
  readonly outcome: Outcome;
  /** The claim that noticed, the compiler's first error, or the reason why it is equivalent. */
  readonly by: string;
  /** What that claim saw. */
  readonly saw: string;
  readonly seconds: number;
}

/** A mutant with what came of it; null for none yet. */
export type Row = readonly [Mutant, Result | null];

/** The counts of a folder or an operator. A mutant that timed out counts as noticed, too. */
export interface Count {
  readonly name: string;
  readonly generated: number;
  readonly noticed: number;
  readonly survived: number;
  readonly notCompiled: number;
  readonly timedOut: number;
  readonly equivalent: number;
  readonly undecided: number;
}

/** The folder that a file's mutants are counted in, such as src/samplers; for a task, scripts. */
export function folderOf(file: string): string {
  return file.split("/").slice(0, -1).slice(0, 2).join("/");
}

/** Counts of all rows, by what `nameOf` says. */
export function countsBy(rows: readonly Row[], nameOf: (mutant: Mutant) => string): Count[] {
  return [...Map.groupBy(rows, ([mutant]) => nameOf(mutant))]
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, own]) => countOf(name, own));
}

/** The counts of rows. */
export function countOf(name: string, rows: readonly Row[]): Count {
  const count = (...outcomes: Outcome[]) =>
    rows.filter(([, result]) => result !== null && outcomes.includes(result.outcome)).length;
  return {
    name,
    generated: rows.length,
    noticed: count("noticed", "timed out"),
    survived: count("survived"),
    notCompiled: count("not compiled"),
    timedOut: count("timed out"),
    equivalent: count("equivalent"),
    undecided: count("undecided"),
  };
}

const header = ["", "generated", "examined", "noticed", "survived", "share", "timed out", "not compiled"];

function cells(count: Count): string[] {
  const { name, generated, noticed, survived, notCompiled, timedOut, equivalent, undecided } = count;
  const decided = noticed + survived;
  const share = decided === 0 ? "" : `${(100 * noticed / decided).toFixed(1)}%`;
  const numbers = [noticed, survived, share, timedOut, notCompiled, equivalent, undecided];
  return [name, generated, decided + notCompiled + equivalent + undecided, ...numbers].map(String);
}

/** The table by folder and by operator, with all in the last row. */
export function table(rows: readonly Row[], format: "text" | "markdown"): string {
  const parts = [
    ["folder", ...countsBy(rows, ({ file }) => folderOf(file)).map(cells)],
    ["operator", ...countsBy(rows, ({ operator }) => operator).map(cells)],
  ] as [string, ...string[][]][];
  return parts.map(([title, ...lines]) => {
    const all = [
      [title, ...header.slice(1), "equivalent", "undecided"],
      ...lines,
      cells(countOf("all", rows)),
    ];
    return format === "text" ? columns(all) : markdown(all);
  }).join("\n\n");
}

function markdown([head, ...lines]: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i === 0 ? "---" : "---:")), ...lines.map(line)].join("\n");
}

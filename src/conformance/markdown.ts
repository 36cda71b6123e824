/**
 * A measured sampler in Markdown, to be pasted into an issue.
 * @module
 */
import { isObject } from "../input/json.ts";
import { quoted } from "../input/quoted.ts";
import type { ConformanceReport } from "./conform.ts";
import type { Property, Verdict } from "./property.ts";

const marks: Readonly<Record<Verdict, string>> = {
  holds: "✅",
  fails: "❌",
  noted: "ℹ️",
  "not measured": "–",
};

/** How many properties have each verdict, in words: "14 hold, 1 fails, 2 noted". */
export function countsOf({ properties }: Pick<ConformanceReport, "properties">): string {
  const count = (verdict: Verdict) => properties.filter((property) => property.verdict === verdict).length;
  const words = {
    hold: count("holds"),
    [count("fails") === 1 ? "fails" : "fail"]: count("fails"),
    noted: count("noted"),
    "not measured": count("not measured"),
  };
  return Object.entries(words).filter(([word, number]) => number > 0 || word === "fail")
    .map(([word, number]) => `${number} ${word}`).join(", ");
}

/**
 * A report as Markdown: a line on the whole, a line on each failure in words, and a table of all properties that opens at a
 * click.
 * @throws {TypeError} When the report is none.
 */
export function conformanceMarkdown(report: ConformanceReport): string {
  requireReport(report);
  const { sampler, sde, grid, properties } = report;
  const failures = properties.filter(({ verdict }) => verdict === "fails");
  const mark = marks[failures.length > 0 ? "fails" : "holds"];
  const where = `SDE ${sde.kind}, ${grid} grid`;
  return [
    `**${mark} ${cell(sampler.name)}**: ${countsOf(report)} (conformance kit of score-sde; ${where})`,
    "",
    ...failures.map(({ name, words, observed }) => `- **${cell(name)}**: ${cell(words || observed)}`),
    ...failures.length > 0 ? [""] : [],
    "<details><summary>All properties</summary>",
    "",
    "| | property | observed | expected |",
    "| --- | --- | --- | --- |",
    ...properties.map(row),
    "",
    "</details>",
  ].join("\n");
}

/** Throws unless a value has what is read of a report, for callers without type checks. */
function requireReport(report: unknown): void {
  const { sampler, sde, properties } = (report ?? {}) as Partial<Record<keyof ConformanceReport, unknown>>;
  if (isObject(sampler) && isObject(sde) && Array.isArray(properties)) return;
  throw new TypeError(`report must be one of conform(), got ${quoted(report)}`);
}

function row({ name, title, verdict, observed, bound, words }: Property): string {
  return `| ${marks[verdict]} | **${cell(name)}**: ${cell(title)} | ${cell(observed || words)} | ${
    cell(bound)
  } |`;
}

/** Text that ends no cell and begins no HTML, link or mention of somebody. */
function cell(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>|#@~]/g, (sign) => `\\${sign}`);
}

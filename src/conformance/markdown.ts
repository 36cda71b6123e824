/** A report as a few lines of Markdown, to be pasted into an issue. @module */
import type { ConformanceReport } from "./conform.ts";
import type { Verdict } from "./property.ts";

const SIGNS: Readonly<Record<Verdict, string>> = {
  "holds": "✓",
  "fails": "✗",
  "noted": "·",
  "not measured": "–",
};

/**
 * A report as Markdown: a line that counts verdicts, and a table with a line for each property.
 */
export function conformanceMarkdown(report: ConformanceReport): string {
  const { sampler, sde, grid, properties } = report;
  const count = (verdict: Verdict) => properties.filter((property) => property.verdict === verdict).length;
  const head = `**${cell(sampler.name)}** on ${sde.kind}, ${grid} grid: ${count("holds")} hold, ${
    count("fails")
  } fail, ${count("noted")} noted, ${count("not measured")} not measured.`;
  const lines = properties.map(({ name, verdict, observed, words }) =>
    `| ${SIGNS[verdict]} | \`${name}\` | ${cell(observed)} | ${cell(words)} |`
  );
  return [head, "", "| | property | observed | |", "| --- | --- | --- | --- |", ...lines, ""].join("\n");
}

/** Text inside a cell of a table. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}

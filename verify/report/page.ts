/**
 * The page that shows a run to people: every claim with what was observed, the bound, where the bound comes from and the
 * smallest error it would have seen; pictures; and which claim caught which planted fault. One self-contained HTML file.
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { escape } from "../../src/plots/escape.ts";
import type { Caption, Comparison, Plot, Table } from "../suite/claim.ts";
import type { Verdict } from "../suite/examine.ts";
import type { FaultRun } from "../suite/fault.ts";
import type { ExaminedRun } from "../suite/shards.ts";
import type { Totals } from "../suite/totals.ts";
import { reportStyle } from "./style.ts";
import { subjectsOf, titleOf, type VerdictsOn } from "./subjects.ts";

/** A run, as the page shows it. */
export interface Run extends ExaminedRun {
  /** The last run of the planted faults, if there was one. */
  readonly faults: FaultRun | null;
}

/** The whole page. */
export function reportPage(run: Run): string {
  const groups = subjectsOf(run.verdicts);
  const failures = run.verdicts.filter(({ outcome }) => outcome === "failed");
  const sections = [
    header(run),
    failures.length === 0
      ? ""
      : section("failures", "What failed", failures.map((verdict) => claimDetails(verdict, true)).join("")),
    section("subjects", "By subject", subjectTable(groups)),
    tables(shownOnce(run.verdicts)),
    plots(shownOnce(run.verdicts)),
    faultSection(run.faults),
    section("claims", "Every claim", claimsIntroduction + groups.map(claimGroup).join("")),
  ];
  return [
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
    // Whatever a claim put into the page: nothing runs, nothing is fetched.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>score-sde, verified: ${
      verdictWord(run.totals)
    }</title><style>${reportStyle}</style></head><body><main>`,
    ...sections,
    "</main></body></html>",
  ].join("\n");
}

function verdictWord({ failed, skipped, passed }: Totals): string {
  if (failed > 0) return `${failed} of ${passed + failed} claims failed`;
  return `all ${passed} claims examined held${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function header({ totals, command, when, commit, faults }: Run): string {
  const facts: [string, string][] = [
    ["claims", `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`],
    ["comparisons", String(totals.comparisons)],
    [
      "false alarms",
      `correct code fails any Monte Carlo comparison of this run with probability ${
        power(totals.alarmRate)
      } at most`,
    ],
    [
      "planted faults",
      faults === null
        ? "not run here yet: deno task verify:faults"
        : `${
          faults.verdicts.filter(({ outcome }) => outcome === "caught").length
        } of ${faults.verdicts.length} caught, ${moment(faults.when, faults.commit)}`,
    ],
    ["seed", String(totals.seed)],
    ["time", `${Math.round(totals.seconds)} s on ${navigator.hardwareConcurrency} cores`],
    [
      "run",
      `${command}, ${moment(when, commit)}, Deno ${Deno.version.deno}`,
    ],
  ];
  const words = verdictWord(totals);
  return `<header><p class="kicker">score-sde: verification</p>
<h1 class="${totals.failed > 0 ? "failed" : "passed"}">${text(words[0].toUpperCase() + words.slice(1))}</h1>
<p>Score-based generative modelling through stochastic differential equations, in TypeScript. This page states what the
code computes as claims that can be refuted, and shows for each what was observed, the bound it was held to, where that
bound comes from, and the smallest error that the comparison would have seen. Samplers are judged on data whose scores are
known exactly, through the same tensor code that users run.</p>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${text(value)}</dd>`).join("")}</dl></header>`;
}

function subjectTable(groups: readonly VerdictsOn<Verdict>[]): string {
  const rows = groups.map(({ key, title, verdicts }) => {
    const count = (outcome: Verdict["outcome"]) => verdicts.filter((v) => v.outcome === outcome).length;
    const comparisons = verdicts.reduce((sum, verdict) => sum + verdict.comparisons.length, 0);
    const seconds = verdicts.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
    const numbers = [count("passed"), count("failed"), count("skipped"), comparisons, seconds.toFixed(1)];
    return `<tr><td><a href="#claims-${text(key)}">${text(title)}</a></td>${
      numbers.map((value) => `<td class="number">${value}</td>`).join("")
    }</tr>`;
  });
  return table(["subject", "passed", "failed", "skipped", "comparisons", "seconds"], rows);
}

/** One verdict a claim: what is examined on two engines gives its tables and pictures twice. */
function shownOnce(verdicts: readonly Verdict[]): Verdict[] {
  const first = new Map<string, Verdict>();
  for (const verdict of verdicts) {
    const known = first.get(verdict.name);
    if (known === undefined || known.engine === "webgpu") first.set(verdict.name, verdict);
  }
  return [...first.values()];
}

/** Tables with one title are joined: claims of one family each add their rows. */
function tables(verdicts: readonly Verdict[]): string {
  const byTitle = new Map<string, Table & { area: string; caption?: Caption }>();
  for (const { area, tables, captions } of verdicts) {
    for (const added of tables) {
      const rows = [...byTitle.get(added.title)?.rows ?? [], ...added.rows];
      byTitle.set(added.title, { area, caption: captions?.tables, ...added, rows });
    }
  }
  const areas = byArea([...byTitle.values()]);
  return areas.map(([area, tables]) =>
    section(
      `tables-${area}`,
      tables[0].caption?.title ?? `Tables: ${titleOf(area)}`,
      `<p>${text(tables[0].caption?.text ?? "")}</p><div class="tables">${
        tables.map(({ title, header, rows }) => {
          const body = [...rows].sort((a, b) => a[0].localeCompare(b[0])).map((row) =>
            `<tr>${row.map((cell) => `<td>${text(cell)}</td>`).join("")}</tr>`
          );
          return `<div><h3>${text(title)}</h3>${table(header, body)}</div>`;
        }).join("")
      }</div>`,
    )
  ).join("");
}

function plots(verdicts: readonly Verdict[]): string {
  const shown = verdicts.flatMap(({ area, plots, captions }) =>
    plots.map((plot) => ({ area, caption: captions?.plots, ...plot }))
  );
  return byArea(shown).map(([area, plots]) =>
    section(
      `plots-${area}`,
      plots[0].caption?.title ?? `Pictures: ${titleOf(area)}`,
      `<p>${text(plots[0].caption?.text ?? "")}</p><div class="plots">${plots.map(figure).join("")}</div>`,
    )
  ).join("");
}

/** Items by area, areas and titles in alphabetical order. */
function byArea<T extends { area: string; title: string }>(items: readonly T[]): [string, T[]][] {
  return [...new Set(items.map(({ area }) => area))]
    .sort()
    .map((area) => [
      area,
      items.filter((item) => item.area === area).sort((a, b) => a.title.localeCompare(b.title)),
    ]);
}

function figure({ title, svg }: Plot): string {
  return `<figure>${svg}<figcaption>${text(title)}</figcaption></figure>`;
}

function faultSection(faults: FaultRun | null): string {
  if (faults === null) return "";
  const areas = [...new Set(faults.verdicts.map(({ by }) => by.split(":")[0]).filter((area) => area !== ""))]
    .sort();
  const rows = faults.verdicts.map(({ fault, outcome, by, saw }) => {
    const [area, ...claim] = by.split(": ");
    return `<tr class="${outcome}"><td>${text(fault)}</td><td>${outcome}</td><td>${text(area)}</td><td>${
      text(claim.join(": "))
    }</td><td>${text(saw)}</td></tr>`;
  });
  const counts = areas.map((area) =>
    `${text(area)} ${faults.verdicts.filter(({ by }) => by.startsWith(`${area}:`)).length}`
  );
  return section(
    "faults",
    "Planted faults",
    `<p>Each fault is a small patch on a copy of the sources, after which the claims that should notice are run; the first that
failed is shown with what it saw. Run of ${text(moment(faults.when, faults.commit))}. Caught by: ${
      counts.join(", ")
    }.</p>` +
      table(["fault", "outcome", "caught in", "by the claim that", "which saw"], rows),
  );
}

const claimsIntroduction = `<p>“Sees” is the smallest error that the comparison notices: for Monte Carlo, with
probability 1 − 10⁻⁶; for deterministic comparisons, whatever exceeds the bound unless something else is said.</p>`;

function claimGroup({ key, title, verdicts }: VerdictsOn<Verdict>): string {
  return `<h3 id="claims-${text(key)}">${text(title)}</h3>${
    verdicts.map((verdict) => claimDetails(verdict, false)).join("")
  }`;
}

function claimDetails(verdict: Verdict, open: boolean): string {
  const { outcome, name, engine, area, reason, comparisons, milliseconds } = verdict;
  const facts = outcome === "skipped"
    ? `skipped: ${reason}`
    : `${area}, ${engine}, ${comparisons.length} comparison${
      comparisons.length === 1 ? "" : "s"
    }, ${milliseconds} ms`;
  const rows = [...comparisons].sort((a, b) => Number(a.held) - Number(b.held)).map(comparisonRow);
  const failure = outcome === "failed" && reason !== undefined ? `<pre>${text(reason)}</pre>` : "";
  const body = comparisons.length === 0
    ? ""
    : table(["", "what", "observed", "bound", "source of the bound", "sees"], rows);
  return `<details class="claim ${outcome}"${open ? " open" : ""}><summary><span class="mark">${
    { passed: "✓", failed: "✗", skipped: "–" }[outcome]
  }</span>${text(name)} <small>${text(facts)}</small></summary>${failure}${body}</details>`;
}

function comparisonRow({ held, what, observed, bound, source, detectable }: Comparison): string {
  const cells = [held ? "✓" : "✗", what, observed, bound, source, detectable ?? ""];
  return `<tr class="${held ? "" : "failed"}">${cells.map((cell) => `<td>${text(cell)}</td>`).join("")}</tr>`;
}

function section(id: string, title: string, body: string): string {
  return `<section id="${text(id)}"><h2>${text(title)}</h2>${body}</section>`;
}

function table(header: readonly string[], rows: readonly string[]): string {
  return `<div class="scroll"><table><thead><tr>${
    header.map((cell) => `<th>${text(cell)}</th>`).join("")
  }</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** When, and on which commit. */
function moment(when: string, commit: string | null | undefined): string {
  const time = `${when.slice(0, 16).replace("T", " ")} UTC`;
  return commit ? `${time} at ${commit}` : time;
}

function power(value: number): string {
  return value === 0 ? "0" : value.toExponential(1);
}

function text(value: string): string {
  return escape(stripVTControlCharacters(value));
}

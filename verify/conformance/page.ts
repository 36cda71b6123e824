/**
 * The page that shows a measured sampler to people: what fails in words, every property with what was observed and what was
 * expected, and plots. One self-contained HTML file.
 * @module
 */
import { countsOf } from "../../src/conformance/markdown.ts";
import type { ConformanceReport } from "../../src/conformance/conform.ts";
import type { ConformancePlot, Property, Verdict } from "../../src/conformance/property.ts";
import { printable } from "../../src/input/quoted.ts";
import { escape } from "../../src/plots/escape.ts";
import { pageStyle } from "./style.ts";

/** How a measurement was made. */
export interface Occasion {
  /** The command line, for the reader to repeat it. */
  readonly command: string;
  /** ISO 8601. */
  readonly when: string;
}

const words: Readonly<Record<Verdict, string>> = {
  holds: "holds",
  fails: "fails",
  noted: "noted",
  "not measured": "not measured",
};

/** The whole page. */
export function conformancePage(report: ConformanceReport, occasion: Occasion): string {
  const { properties, plots, sampler } = report;
  const failures = properties.filter(({ verdict }) => verdict === "fails");
  return [
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
    // Whatever a program calls itself: nothing runs, nothing is fetched.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${text(sampler.name)}: ${
      text(countsOf(report))
    }</title><style>${pageStyle}</style></head><body><main>`,
    header(report, occasion),
    failures.length === 0 ? "" : section("What fails", failures.map(failure).join("")),
    section("Every property", propertyTable(properties)),
    plots.length === 0 ? "" : section("Plots", `<div class="plots">${plots.map(figure).join("")}</div>`),
    section("How to read this", reading),
    "</main></body></html>",
  ].join("\n");
}

function header(report: ConformanceReport, { command, when }: Occasion): string {
  const { sampler, sde, grid, properties, seconds } = report;
  const alarms = properties.reduce((sum, { alarmRate }) => sum + alarmRate, 0);
  const facts: readonly (readonly [string, string])[] = [
    ["verdict", countsOf(report)],
    ["sampler", `noise ${sampler.noise}, start ${sampler.start}, grid ${sampler.grid}, ${sampler.precision}`],
    ["declares", pairs(sampler.declares) || "nothing"],
    ["SDE", pairs(sde)],
    ["grid", grid],
    [
      "false alarms",
      alarms === 0
        ? "none: nothing is drawn"
        : `a correct sampler fails with probability ${alarms.toExponential(1)}`,
    ],
    ["time", `${seconds.toFixed(1)} s`],
    ["run", `${command}, ${when.slice(0, 16).replace("T", " ")} UTC`],
  ];
  const count = properties.filter(({ verdict }) => verdict === "fails").length;
  const title = count === 0
    ? "no property fails"
    : count === 1
    ? "1 property fails"
    : `${count} properties fail`;
  return `<header><p class="kicker">score-sde: conformance of a sampler</p>
<h1 class="${count > 0 ? "failed" : "passed"}">${text(sampler.name)}: ${title}</h1>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${text(value)}</dd>`).join("")}</dl></header>`;
}

function pairs(fields: object): string {
  return Object.entries(fields).map(([name, value]) => `${name} ${value}`).join(", ");
}

function failure({ name, title, words, observed, bound }: Property): string {
  return `<div class="failure"><h3>${text(name)}</h3><p class="words">${
    text(words === "" ? observed : words)
  }</p>
<p><small>Asked: ${text(title)}. Observed: ${text(observed || "–")}. Expected: ${
    text(bound || "–")
  }.</small></p></div>`;
}

function propertyTable(properties: readonly Property[]): string {
  const rows = properties.map((property) => {
    const { name, title, verdict, observed, bound, source, detectable, alarmRate } = property;
    const said = property.words === "" || verdict === "fails"
      ? ""
      : `<br><small>${text(property.words)}</small>`;
    const alarm = alarmRate === 0 ? "" : `; false alarms ${alarmRate.toExponential(0)}`;
    return `<tr class="${verdict.replace(" ", "-")}"><td class="verdict">${words[verdict]}</td>
<td><b>${text(name)}</b><br>${text(title)}${said}</td><td>${text(observed)}</td><td>${text(bound)}</td>
<td>${text(source)}</td><td>${text(detectable)}${alarm}</td></tr>`;
  });
  const header = ["", "property", "observed", "expected", "why", "sees"];
  return `<div class="scroll"><table><thead><tr>${
    header.map((cell) => `<th>${cell}</th>`).join("")
  }</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function figure({ title, svg }: ConformancePlot): string {
  return `<figure>${svg}<figcaption>${text(title)}</figcaption></figure>`;
}

const reading =
  `<p>The data are independent Gaussians, one a coordinate, and the model's answers are exact. A sampler is then an affine
function of its start and of each noise. Rows of a batch with a single impulse give its coefficients, and with them the
exact mean and variance of its output, without sampling. “Expected” is what the equations named under “why” give; “sees” is
the smallest error that would have been noticed. “Noted” is measured and not judged: nothing was declared of it, or it is a
documented choice of samplers.</p>`;

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>`;
}

function text(value: string): string {
  return escape(printable(value));
}

/** Claims about text in SVG and in the report: whatever it holds, it is shown and never becomes an element. @module */
import type { Mark } from "../../../src/plots/marks.ts";
import { panels } from "../../../src/plots/panels.ts";
import { plot } from "../../../src/plots/plot.ts";
import { claim } from "../../suite/claim.ts";
import type { Verdict } from "../../suite/examine.ts";
import { reportPage } from "../../report/page.ts";

/** What would leave its attribute or its element, and letters that XML has no place for. */
const HOSTILE = `"><script>alert(1)</script><a b='&#60;` + "\u0000\u001b\ud800";
const PLAIN = "x".repeat(HOSTILE.length);

const ELEMENT = /<(!DOCTYPE html|\/?[a-z][\w]*(?:\s+[\w:-]+(?:="[^"<]*")?)*\s*\/?)>/gi;

/** The names of elements and of their attributes in order, and what is left when those are gone. */
function skeleton(markup: string): { elements: string[]; text: string } {
  const elements = [...markup.matchAll(ELEMENT)].map(([, inside]) => inside.replace(/="[^"]*"/g, ""));
  const rest = markup.replace(ELEMENT, "\n");
  return { elements, text: rest };
}

/** Every kind of mark, with a text wherever one is taken. */
function marksWith(text: string): Mark[] {
  const [x, y] = [[0, 1], [1, 2]];
  const style = { label: text, colour: text };
  return [
    { kind: "line", x, y, dots: true, ...style },
    { kind: "points", x, y, ...style },
    { kind: "bars", edges: [0, 1], heights: [1], ...style },
    { kind: "arrows", x, y, dx: x, dy: y, ...style },
    { kind: "density", values: [0, 1], columns: 2, xRange: [0, 1], yRange: [0, 1], label: text },
  ];
}

/** The same picture of one text and of another. */
const drawings: [what: string, draw: (text: string) => string][] = [
  ...marksWith(PLAIN).map((mark, at): [string, (text: string) => string] => [
    `the label and colour of a ${mark.kind} mark`,
    (text) => plot([marksWith(text)[at]], { width: 1200 }),
  ]),
  ["a plot's title and axes", (text) => plot([], { title: text, x: { label: text }, y: { label: text } })],
  ["the title of panels", (text) => panels([plot([])], { title: text })],
];

/** A run with a text in every field that is shown. */
function reportWith(text: string): string {
  const verdict: Verdict = {
    area: text,
    name: text,
    engine: text,
    outcome: "failed",
    reason: text,
    milliseconds: 1,
    comparisons: [
      { what: text, observed: text, bound: text, source: text, detectable: text, held: false },
    ],
    plots: [{ title: text, svg: plot([], { title: text }) }],
    tables: [{ title: text, header: [text], rows: [[text]] }],
  };
  return reportPage({
    verdicts: [verdict, { ...verdict, name: `${text}2`, outcome: "skipped" }],
    totals: { passed: 0, failed: 1, skipped: 1, comparisons: 1, seed: 1, seconds: 1, alarmRate: 0 },
    command: text,
    when: text,
    commit: text,
    faults: {
      when: text,
      commit: text,
      verdicts: [{ name: text, fault: text, outcome: "caught", by: `${text}: ${text}`, saw: text }],
    },
  });
}

claim("text and colours in plots and in the report add no element and no attribute", (check) => {
  for (const [what, draw] of [...drawings, ["every field of the report", reportWith] as const]) {
    const [hostile, plain] = [draw(HOSTILE), draw(PLAIN)];
    check.atLeast(`${what}: elements`, skeleton(plain).elements.length, 3, "the picture is not empty");
    check.equal(what, skeleton(hostile).elements, skeleton(plain).elements, "the same as with plain letters");
    const style = /:root \{[^<]*/.exec(hostile)?.[0] ?? "";
    check.equal(
      `${what}: brackets outside elements`,
      (skeleton(hostile.replace(style, "")).text.match(/[<>"]/g) ?? []).length,
      0,
      "they are written as &#60; and the like",
    );
    check.holds(
      `${what}: control letters and half letters`,
      !/(?![\t\n\r])\p{Cc}/u.test(hostile) && hostile.isWellFormed(),
      "Char in the XML recommendation",
    );
    check.holds(`${what}: shown`, hostile.includes("&#60;script&#62;alert(1)"), "escaped, not left out");
  }
});

claim("the report runs no script and fetches nothing, whatever it contains", (check) => {
  const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(reportWith("x")) ??
    [];
  check.equal(
    "content security policy",
    policy,
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    "the page is one file without scripts",
  );
});

claim(
  "text in the place of a plot's numbers, and a density's colour that is not #rrggbb, draw nothing",
  async (check) => {
    const text = '480"><script>' as unknown as number;
    const [x, y] = [[0, 1], [1, 2]];
    await check.throws(
      "a width that is text",
      () => plot([], { width: text }),
      /width must be a number from 1 to 100000, got "480/,
    );
    const drawn = plot([
      { kind: "line", x, y, width: text, dots: true },
      { kind: "points", x, y, radius: text, opacity: text },
    ]);
    check.holds("widths, radii and opacities that are text", !drawn.includes("<script"), "numbers only");
    const density = { kind: "density", values: [1], columns: 1, xRange: [0, 1], yRange: [0, 1] } as const;
    await check.throws(
      "a density in a named colour",
      () => plot([{ ...density, colour: "red" }]),
      /the colour of a density must be six digits such as #0072b2, got red/,
    );
  },
);

/**
 * Where marks are drawn: bars, dots, arrows and shades are read back from the SVG and put to the axes that say where they belong.
 * @module
 */
import { histogram, type Mark } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { decodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";

/** Axes from (0, 0) to (4, 2), drawn from pixel (62, 274) to (466, 12). */
const axes = { x: { min: 0, max: 4 }, y: { min: 0, max: 2 } };
const X = (value: number) => 62 + value / 4 * (466 - 62);
const Y = (value: number) => 274 - value / 2 * (274 - 12);

/** The paths that a mark is drawn with. */
function pathsOf(mark: Mark): number[][] {
  const svg = plot([{ ...mark, colour: "#123456" }], axes);
  const paths = [...svg.matchAll(/<path d="([^"]*)"[^>]*stroke="#123456"/g)].map(([, path]) => path);
  return paths.map((path) => (path.match(/-?[\d.]+/g) ?? []).map(Number));
}

function largest(observed: readonly number[], expected: readonly number[]): number {
  if (observed.length !== expected.length) return NaN;
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - observed[i])), 0);
}

const source = "the axes' ends and the plot's margins; two decimals";

claim("bars stand on zero between their edges, and dots and arrows lie at their coordinates", (check) => {
  const [bars] = pathsOf({ kind: "bars", edges: [0, 1, 3], heights: [0.5, 1.5] });
  const corners = [[0, 1, 0.5], [1, 3, 1.5]].flatMap((
    [from, to, height],
  ) => [X(from), Y(0), Y(height), X(to), Y(0)]);
  check.atMost("bars: left, bottom, top, right, bottom", largest(bars, corners), 0.006, source);
  const [dots] = pathsOf({ kind: "points", x: [0.5, 3], y: [1.5, 0.25] });
  check.atMost("dots", largest(dots, [X(0.5), Y(1.5), 0, X(3), Y(0.25), 0]), 0.006, source);
  const [arrow] = pathsOf({ kind: "arrows", x: [1], y: [0.5], dx: [2], dy: [1] });
  check.atMost("an arrow's ends", largest(arrow.slice(0, 4), [X(1), Y(0.5), X(3), Y(1.5)]), 0.006, source);
  const [wing1, tip, wing2] = [arrow.slice(4, 6), arrow.slice(6, 8), arrow.slice(8, 10)];
  check.equal("the head's tip", tip, arrow.slice(2, 4), "at the arrow's end");
  const along = (point: number[]) => {
    const [dx, dy] = [arrow[2] - arrow[0], arrow[3] - arrow[1]];
    const length = Math.hypot(dx, dy);
    const [px, py] = [point[0] - tip[0], point[1] - tip[1]];
    return { back: -(px * dx + py * dy) / length, aside: (px * dy - py * dx) / length };
  };
  const [one, two] = [along(wing1), along(wing2)];
  check.holds("both wings point back", one.back > 1 && two.back > 1, "a head, not a tail");
  check.within("the wings are mirrored", one.aside + two.aside, 0, 0.03, "to either side");
  check.holds("the wings are apart", Math.abs(one.aside) > 1, "else the head cannot be seen");
  const line = pathsOf({ kind: "line", x: [0, 4], y: [2, 1], dots: true });
  check.equal("a line with dots", line.length, 2, "the line and its dots");
  check.atMost("its dots", largest(line[1], [X(0), Y(2), 0, X(4), Y(1), 0]), 0.006, source);
});

claim(
  "a density is darkest where it is largest, its first row lowest, and covers its rectangle",
  async (check) => {
    const mark: Mark = {
      kind: "density",
      columns: 3,
      values: [0, 1, 2, 4, -1, 3],
      colour: "#102030",
      xRange: [1, 3],
      yRange: [0.5, 1],
    };
    const svg = plot([mark], axes);
    const image = /<image x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"[^>]*base64,([^"]+)"/
      .exec(svg)!;
    const place = image.slice(1, 5).map(Number);
    check.atMost(
      "left, top, width, height",
      largest(place, [X(1), Y(1), X(3) - X(1), Y(0.5) - Y(1)]),
      0.006,
      source,
    );
    const png = await decodePng(Uint8Array.from(atob(image[5]), (letter) => letter.charCodeAt(0)));
    check.equal("size", [png.width, png.height], [3, 2], "a pixel to a value");
    const alphas = Array.from({ length: 6 }, (_, i) => png.data[4 * i + 3]);
    check.equal(
      "opacity from above",
      alphas,
      [255, 0, 191, 0, 64, 128],
      "255 value / largest, the last row on top",
    );
    check.equal("colour", [...png.data.subarray(0, 3)], [16, 32, 48], "the mark's");
    const faint = plot([{ ...mark, peak: 8 }], axes);
    const dimmed = await decodePng(
      Uint8Array.from(atob(/base64,([^"]+)"/.exec(faint)![1]), (letter) => letter.charCodeAt(0)),
    );
    check.equal("opacity with a peak of 8", dimmed.data[3], 128, "255 · 4/8");
  },
);

claim(
  "axes without limits include every mark, and the legend lists marks in their order and colours",
  (check) => {
    const marks: Mark[] = [
      { kind: "arrows", x: [0], y: [0], dx: [10], dy: [-5], label: "field" },
      { kind: "points", x: [-3], y: [7] },
      { kind: "bars", edges: [1, 2], heights: [3], label: "bars" },
    ];
    const svg = plot(marks);
    const numbers = [...svg.matchAll(/(?:d|fraction)="([^"]*)" (?:fill="none" )?stroke="#/g)]
      .flatMap(([, path]) => [...path.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)])
      .map(([, x, y]) => [Number(x), Number(y)]);
    check.atLeast("points found", numbers.length, 3, "two marks of paths");
    const right = 480 - 14 - (30 + 6.6 * "field".length);
    const inside = numbers.every(([x, y]) => x >= 62 && x <= right && y >= 12 && y <= 274);
    check.holds("all inside", inside, "arrows' ends and bars' zero count");
    const legend = [...svg.matchAll(/height="10" fill="([^"]+)"\/><text[^>]*>([^<]+)</g)].map((
      [, colour, text],
    ) => [text, colour]);
    check.equal(
      "legend",
      legend,
      [["field", "#0072b2"], ["bars", "#009e73"]],
      "Okabe and Ito's colours, one to a mark",
    );
  },
);

claim("a histogram without values, without bins or over an empty range is refused", async (check) => {
  const make = (values: number[], bins: number, range: [number, number]) => () =>
    histogram(values, { bins, range });
  await check.throws("no values", make([], 3, [0, 1]), /at least one value/);
  for (const bins of [0, 1.5]) {
    await check.throws(`${bins} bins`, make([1], bins, [0, 1]), /bins must be a positive integer/);
  }
  await check.throws("empty range", make([1], 3, [1, 1]), /the range must increase, got 1 to 1/);
  const bad: [mark: unknown, message: string][] = [
    [
      { kind: "bars", edges: [0, 1], heights: [1, 2] },
      "the arrays of a bars mark do not belong together: lengths 2, 3",
    ],
    [
      { kind: "arrows", x: [1], y: [1, 2], dx: [1, 2, 3], dy: [] },
      "the arrays of an arrows mark do not belong together: lengths 1, 2, 3, 0",
    ],
    [
      { kind: "density", values: [1, 2, 3], columns: 2, xRange: [0, 1], yRange: [0, 1] },
      "the arrays of a density mark do not belong together: 3 values in rows of 2",
    ],
    [
      { kind: "line", x: [1, 2, 3], y: [1, 2] },
      "the arrays of a line mark do not belong together: lengths 3, 2",
    ],
    [
      { kind: "points", x: [1], y: [1, 2] },
      "the arrays of a points mark do not belong together: lengths 1, 2",
    ],
    [{ kind: "line", x: [1] }, "a line mark must have lists of numbers, got undefined"],
    [{ kind: "points", y: [1] }, "a points mark must have lists of numbers, got undefined"],
    [{ kind: "bars", edges: 3, heights: [] }, "a bars mark must have lists of numbers, got 3"],
    [{ kind: "bars", edges: [0, 1] }, "a bars mark must have lists of numbers, got undefined"],
    [{ kind: "arrows", x: [1], y: [1], dx: [1] }, "an arrows mark must have lists of numbers, got undefined"],
    [{ kind: "arrows", x: [1], y: [1], dy: [1] }, "an arrows mark must have lists of numbers, got undefined"],
    [
      { kind: "density", values: [1], columns: 1, xRange: null, yRange: [0, 1] },
      "a density mark must have lists of numbers, got null",
    ],
    [
      { kind: "density", values: [1], columns: 1, xRange: [0, 1] },
      "a density mark must have lists of numbers, got undefined",
    ],
    [
      { kind: "density", columns: 1, xRange: [0, 1], yRange: [0, 1] },
      "a density mark must have lists of numbers, got undefined",
    ],
    [
      { kind: "pie" },
      'the kind of a mark must be "line" or "points" or "bars" or "arrows" or "density", got "pie"',
    ],
    [3, "a mark must be an object, got 3"],
  ];
  for (const [mark, message] of bad) {
    const what = JSON.stringify(mark);
    await check.throws(
      what,
      () => plot([mark as Mark]),
      new RegExp(`^${message.replace(/[()[\]]/g, "\\$&")}$`),
    );
  }
});

/** Where everything in a plot stands, written out: ticks, labels, legend, the styles of marks, and panels around it. @module */
import { fitAxis } from "../../../src/plots/axis.ts";
import { histogram, type Mark } from "../../../src/plots/marks.ts";
import { panels } from "../../../src/plots/panels.ts";
import { plot } from "../../../src/plots/plot.ts";
import { decodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";

/** The lines of an SVG, with stars in the place of pictures in base64. */
function linesOf(svg: string): string[] {
  return svg.replace(/base64,[^"]*/g, "base64,***").split("\n");
}

claim("a plot's title, ticks, labels, marks and legend are drawn as written out", (check) => {
  const marks: Mark[] = [
    { kind: "line", x: [0, 1, 2], y: [0, 2, 1], label: "curve", dashed: true, dots: true, width: 3 },
    { kind: "points", x: [1], y: [1], radius: 5, opacity: 0.25 },
    { kind: "bars", edges: [0, 1, 2], heights: [1, 2], label: "ba" },
    { kind: "arrows", x: [1], y: [1], dx: [1], dy: [0] },
    { kind: "density", values: [1, 0], columns: 2, xRange: [0, 2], yRange: [0, 1], colour: "#ff0000" },
  ];
  const options = {
    title: "t & u",
    width: 300,
    height: 200,
    x: { label: "x in s", min: 0, max: 2 },
    y: { label: "y", min: 0, max: 2 },
  };
  // The legend takes 30 + 6.6 · 5 pixels: the axes go from 62 to 300 − 14 − 63 = 223, and from 32 to 200 − 46 = 154.
  const grid = (d: string) => `<path d="${d}" stroke="currentColor" stroke-opacity=".13"/>`;
  const xTick = (x: number, text: string) =>
    `${grid(`M${x} 32V154`)}<text x="${x}" y="170" text-anchor="middle">${text}</text>`;
  const yTick = (y: number, text: string) =>
    `${grid(`M62 ${y}H223`)}<text x="56" y="${y + 4}" text-anchor="end">${text}</text>`;
  const expected = [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200" width="300" height="200" role="img" ' +
    'font-family="system-ui, sans-serif" font-size="12" fill="currentColor">',
    "<title>t &#38; u</title>",
    '<text x="62" y="20" font-size="14" font-weight="600">t &#38; u</text>',
    xTick(62, "0"),
    xTick(102.25, "0.5"),
    xTick(142.5, "1"),
    xTick(182.75, "1.5"),
    xTick(223, "2"),
    yTick(154, "0"),
    yTick(123.5, "0.5"),
    yTick(93, "1"),
    yTick(62.5, "1.5"),
    yTick(32, "2"),
    '<path d="M62 32V154H223" fill="none" stroke="currentColor" stroke-opacity=".6"/>',
    '<text x="142.5" y="190" text-anchor="middle">x in s</text>',
    '<text x="14" y="93" text-anchor="middle" transform="rotate(-90 14 93)">y</text>',
    '<svg x="62" y="32" width="161" height="122" viewBox="62 32 161 122">',
    '<path d="M62 154L142.5 32L223 93" fill="none" stroke="#0072b2" stroke-width="3" stroke-dasharray="5 4"/>' +
    '<path d="M62 154h0M142.5 32h0M223 93h0" stroke="#0072b2" stroke-opacity="1" stroke-width="5.2" ' +
    'stroke-linecap="round"/>',
    '<path d="M142.5 93h0" stroke="#d55e00" stroke-opacity="0.25" stroke-width="10" stroke-linecap="round"/>',
    '<path d="M62 154V93H142.5V154ZM142.5 154V32H223V154Z" fill="#009e73" fill-opacity=".35" stroke="#009e73" ' +
    'stroke-width=".6"/>',
    // The head of an arrow goes back 0.9 · 4 pixels, and half as far to either side.
    '<path d="M142.5 93L223 93M219.4 91.2L223 93L219.4 94.8" fill="none" stroke="#cc79a7" stroke-width="1.1"/>',
    '<image x="62" y="93" width="161" height="61" preserveAspectRatio="none" href="data:image/png;base64,***"/>',
    "</svg>",
    '<rect x="233" y="37" width="12" height="10" fill="#0072b2"/><text x="250" y="46">curve</text>',
    '<rect x="233" y="55" width="12" height="10" fill="#009e73"/><text x="250" y="64">ba</text>',
    "</svg>",
  ];
  const drawn = linesOf(plot(marks, options));
  expected.forEach((line, i) => check.equal(`line ${i}`, drawn[i], line, "the margins and the axes' ends"));
  check.equal("lines", drawn.length, expected.length, "nothing else is drawn");
});

claim("marks have the documented styles where none is given, and the palette begins again", (check) => {
  const range = { min: 0, max: 1 };
  const styleOf = (mark: Mark) => linesOf(plot([mark], { x: range, y: range })).at(-3);
  const [x, y] = [[0], [0]];
  const place = "M62 274";
  check.equal(
    "a line",
    styleOf({ kind: "line", x, y }),
    `<path d="${place}" fill="none" stroke="#0072b2" stroke-width="1.6"/>`,
    "1.6 wide, unbroken, without dots",
  );
  check.equal(
    "points",
    styleOf({ kind: "points", x, y }),
    `<path d="${place}h0" stroke="#0072b2" stroke-opacity="0.6" stroke-width="4" stroke-linecap="round"/>`,
    "a radius of 2, an opacity of 0.6",
  );
  const density = { kind: "density", values: [1], columns: 1, xRange: [0, 1], yRange: [0, 1] } as const;
  const image = (rendering: string) =>
    `<image x="62" y="12" width="404" height="262" preserveAspectRatio="none"${rendering} ` +
    'href="data:image/png;base64,***"/>';
  check.equal("a density", styleOf(density), image(""), "smooth");
  check.equal("a smooth one", styleOf({ ...density, smooth: true }), image(""), "smooth");
  check.equal(
    "one of cells",
    styleOf({ ...density, smooth: false }),
    image(' image-rendering="optimizeSpeed"'),
    "smooth is false",
  );
  const points = (colour?: string): Mark => ({ kind: "points", x, y, ...(colour && { colour }) });
  const marks = [points(), points(), points("red"), ...Array.from({ length: 6 }, () => points())];
  const colours = [...plot(marks).matchAll(/h0" stroke="([^"]*)"/g)].map(([, colour]) => colour);
  const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"];
  check.equal(
    "colours of nine marks",
    colours,
    [...palette.slice(0, 2), "red", ...palette.slice(2), palette[0]],
    "Okabe and Ito's, in order; one of one's own takes none of them",
  );
});

claim("places that no axis has are left out of curves, dots, bars and arrows", (check) => {
  const x = { min: 1, max: 5 };
  const y = { min: 0, max: 2 };
  const path = (mark: Mark, axes = { x, y } as Parameters<typeof plot>[1]) =>
    / d="([^"]*)"[^>]*stroke="#0072b2"/.exec(plot([mark], axes))?.[1];
  // One unit is 101 pixels across and 131 high.
  check.equal(
    "a curve that begins with a gap",
    path({ kind: "line", x: [1, 2, 3, 4, NaN], y: [NaN, 1, 2, Infinity, 1] }),
    "M163 143L264 12",
    "NaN and infinity",
  );
  check.equal(
    "dots",
    path({ kind: "points", x: [1, 2, 3], y: [NaN, 1, Infinity] }),
    "M163 143h0",
    "likewise",
  );
  check.equal(
    "bars",
    path({ kind: "bars", edges: [1, 2, 3, 4, 5], heights: [0, 1, NaN, -1] }),
    "M163 274V143H264V274Z",
    "only positive heights",
  );
  check.equal(
    "arrows",
    path({ kind: "arrows", x: [1, 2, 2], y: [1, 1, 1], dx: [NaN, 0.02, 0], dy: [0, 0, Infinity] }),
    "M163 143L165.02 143M163.2 142.09L165.02 143L163.2 143.91",
    "a head on a short arrow is nine tenths of it, half as wide to either side",
  );
  check.equal(
    "a slanting arrow",
    path({ kind: "arrows", x: [1], y: [0], dx: [2], dy: [1] }),
    "M62 274L264 143M260 143.45L264 143L261.96 146.47",
    "3.6 pixels back from its tip along (202, −131)/240.8, and 1.8 to either side",
  );
  const log = { scale: "log", min: 0.1, max: 10 } as const;
  check.equal(
    "a bar on a logarithmic axis",
    path({ kind: "bars", edges: [0.1, 1], heights: [1] }, { x: log, y: log }),
    "M62 100000V143H264V100000Z",
    "its foot is far below the picture",
  );
  check.equal(
    "bars and a curve over a logarithmic axis that have no place",
    [
      path({ kind: "bars", edges: [0, 1], heights: [1] }, { x: log, y: log }),
      path({ kind: "line", x: [0, 1], y: [1, 1] }, { x: log, y: log }),
    ],
    ["", "M264 143"],
    "log 0",
  );
});

claim(
  "axes without ends take in their data with a margin of a twenty-fifth, or of a tenth of one value",
  (check) => {
    const ends = (data: number[], options: Parameters<typeof fitAxis>[1] = {}) => {
      const { fraction } = fitAxis(data, options);
      const change = options.scale === "log" ? Math.log10 : (value: number) => value;
      const [first, second] = options.scale === "log" ? [1, 10] : [0, 1];
      const slope = (fraction(second) - fraction(first)) / (change(second) - change(first));
      const low = change(first) - fraction(first) / slope;
      return [low, low + 1 / slope];
    };
    const rows: [what: string, observed: number[], expected: number[]][] = [
      ["0 to 10", ends([0, 10, 3]), [-0.4, 10.4]],
      ["with NaN and infinity", ends([NaN, 0, Infinity, 10, -Infinity]), [-0.4, 10.4]],
      ["only 5", ends([5]), [4.5, 5.5]],
      ["only −20", ends([-20, -20]), [-22, -18]],
      ["only 0", ends([0]), [-1, 1]],
      ["nothing", ends([]), [-0.04, 1.04]],
      ["0 to 10 from 2", ends([0, 10], { min: 2 }), [2, 10.4]],
      ["0 to 10 up to 12", ends([0, 10], { max: 12 }), [-0.4, 12]],
      ["decades 1 to 3", ends([10, 1000, 0, -1], { scale: "log" }), [0.92, 3.08]],
      ["only 1, logarithmic", ends([1], { scale: "log" }), [-0.5, 0.5]],
    ];
    for (const [what, observed, expected] of rows) {
      check.atMost(
        what,
        Math.max(...expected.map((end, i) => Math.abs(end - observed[i]))),
        1e-9,
        "the margins; rounding",
      );
    }
  },
);

claim("ticks stand at multiples of 1, 2 or 5 times a power of ten, and at powers of ten", async (check) => {
  const ticks = (min: number, max: number, scale: "linear" | "log" = "linear") =>
    fitAxis([], { min, max, scale }).ticks;
  const rows: [min: number, max: number, texts: string, scale?: "log"][] = [
    [0, 8, "0 1 2 3 4 5 6 7 8"],
    [0, 8.1, "0 2 4 6 8"],
    [0, 0.3, "0 0.05 0.1 0.15 0.2 0.25 0.3"],
    [-1, 1, "−1 −0.5 0 0.5 1"],
    [0.5, 7.9, "1 2 3 4 5 6 7"],
    [0, 70, "0 10 20 30 40 50 60 70"],
    [1e5, 1.4e5, "100000 105000 110000 115000 120000 125000 130000 135000 140000"],
    [0.1, 5, "0.1 0.2 0.5 1 2 5", "log"],
    [0.15, 14, "0.2 0.5 1 2 5 10", "log"],
    [0.1, 10, "0.1 1 10", "log"],
    [0.01, 1e5, "10⁻² 0.1 1 10 100 1000 10⁴ 10⁵", "log"],
    [1e-4, 1e4, "10⁻⁴ 10⁻³ 10⁻² 0.1 1 10 100 1000 10⁴", "log"],
    [1e-5, 1e5, "10⁻⁴ 10⁻² 1 100 10⁴", "log"],
    [1e-12, 1e-9, "10⁻¹² 10⁻¹¹ 10⁻¹⁰ 10⁻⁹", "log"],
  ];
  const numberOf = (text: string) => {
    const plain = text.replace("−", "-").replace(/⁻/g, "-").replace(
      /[⁰¹²³⁴⁵⁶⁷⁸⁹]/g,
      (sign) => String("⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign)),
    );
    return /[⁰¹²³⁴⁵⁶⁷⁸⁹]/.test(text) ? 10 ** Number(plain.slice(2)) : Number(plain);
  };
  for (const [min, max, texts, scale] of rows) {
    const found = ticks(min, max, scale);
    const what = `${min} to ${max}${scale === "log" ? ", logarithmic" : ""}`;
    check.equal(
      what,
      found.map(({ text }) => text).join(" "),
      texts,
      "at most nine; 2 and 5 below two decades",
    );
    check.atMost(
      `${what}: labels differ from their values by`,
      Math.max(...found.map(({ value, text }) => Math.abs(value - numberOf(text)) / (max - min))),
      1e-12,
      "six digits are enough for these",
    );
  }
  check.equal("the label", fitAxis([], { label: "t in s" }).label, "t in s", "as given");
  check.equal("no label", fitAxis([]).label, "", "none");
  for (
    const [max, scale, message] of [
      [Infinity, "linear", /an end of a linear axis cannot be Infinity/],
      [-1, "log", /an end of a logarithmic axis cannot be -1/],
    ] as const
  ) {
    await check.throws(`an axis up to ${max}`, () => fitAxis([], { max, scale }), message);
  }
  await check.throws(
    "an empty logarithmic axis",
    () => fitAxis([], { scale: "log", min: 100, max: 10 }),
    /max must exceed min, got 10 ≤ 100/,
  );
});

claim("a plot has 40 pixels for its axes at least", async (check) => {
  const size = ({ width = 480, height = 320 }) => () => plot([], { width, height });
  check.holds("116×98", size({ width: 116, height: 98 })().startsWith("<svg"), "62 + 40 + 14, 12 + 40 + 46");
  for (const [width, height] of [[115, 98], [116, 97]]) {
    await check.throws(
      `${width}×${height}`,
      size({ width, height }),
      new RegExp(`a plot of ${width}×${height} is too small for its title, axes and legend`),
    );
  }
  check.holds(
    "its usual size",
    plot([]).includes('viewBox="0 0 480 320" width="480" height="320"'),
    "480×320",
  );
});

claim("bins of a histogram begin at the range's lower end and hold their lower edges", (check) => {
  const bars = histogram([1, 1, 2, 2.5, 3, 0.9, 3.1, 1.9], {
    bins: 2,
    range: [1, 3],
    label: "n",
    colour: "red",
  });
  check.equal(
    "bars",
    { ...bars, edges: [...Array.from(bars.edges)], heights: [...Array.from(bars.heights)] },
    { kind: "bars", edges: [1, 2, 3], heights: [3 / 8, 3 / 8], label: "n", colour: "red" },
    "1, 1, 1.9 and 2, 2.5, 3 of eight values, in bins of width 1",
  );
});

claim("a density without positive values is clear, and one above its peak is full", async (check) => {
  const alphas = async (values: number[], peak?: number) => {
    const mark = { kind: "density", values, columns: 1, xRange: [0, 1], yRange: [0, 1], peak } as const;
    const [, base64] = /base64,([^"]+)"/.exec(plot([mark]))!;
    const { data } = await decodePng(Uint8Array.fromBase64(base64));
    return values.map((_, i) => data[4 * i + 3]).reverse();
  };
  check.equal("0 and −1", await alphas([0, -1]), [0, 0], "empty at 0 and below");
  check.equal("1 and 4 with a peak of 2", await alphas([1, 4], 2), [128, 255], "full at and above it");
});

claim("panels of two rows are drawn as written out", (check) => {
  const small = '<svg width="200" height="150"/>';
  const large = '<svg viewBox="0 0 1 1" width="300.5" height="180"/>';
  const head = (width: number, height: number) =>
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    'role="img" font-family="system-ui, sans-serif" fill="currentColor">';
  check.equal(
    "a title and two columns",
    panels([small, large, small], { columns: 2, title: "a" }).split("\n"),
    [
      head(500.5, 360),
      '<text x="14" y="21" font-size="16">a</text>',
      `<g transform="translate(0 30)">${small}</g>`,
      `<g transform="translate(200 30)">${large}</g>`,
      `<g transform="translate(0 210)">${small}</g>`,
      "</svg>",
    ],
    "30 for the title; a row is as high as its highest",
  );
  check.equal(
    "all in a row",
    panels([large, small]).split("\n"),
    [
      head(500.5, 180),
      `<g transform="translate(0 0)">${large}</g>`,
      `<g transform="translate(300.5 0)">${small}</g>`,
      "</svg>",
    ],
    "no title, no space for it",
  );
  check.equal(
    "one below the other",
    panels([large, small], { columns: 1 }).split("\n")[0],
    head(300.5, 330),
    "180 + 150",
  );
});

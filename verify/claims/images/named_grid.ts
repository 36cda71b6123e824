/** Claims about the names in grids of images: the text that is asked for, in its place, and images left as they are. @module */
import { letterTables } from "../../../scripts/build/letters.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import * as letters from "../../../src/images/letters.ts";
import { decodePng, type Picture } from "../../../src/images/png.ts";
import { ShownPicture } from "../../../src/images/shown_picture.ts";
import { loadRasterizer, type Rasterizer } from "../../../src/plots/rasterizer.ts";
import { claim } from "../../suite/claim.ts";

/** Labels of samplers, some alike but for a digit, and the letters of papers. */
const labels = [
  "predictor-corrector 20",
  "dpm-solver-3 4",
  "ddim 5",
  "ddim 6",
  "ddim 8",
  "dpm++2m 20",
  "dpm++2m 29",
  "σ_max → 80",
  "λ → −∞",
  "ρ ≤ 7, ν ≥ 4",
];
const [side, columns, gap] = [28, 3, 2];
const shape = [columns * labels.length, side, side, 1];
const values = Float32Array.from(
  { length: columns * labels.length * side ** 2 },
  (_, i) => (i * 37 % 256) / 255,
);

/** How bright the pixels of a box are above its ground, from 0 to 1, row by row. */
function ink(
  { width, data }: Picture,
  box: { x: number; y: number; width: number; height: number },
): number[][] {
  return Array.from(
    { length: box.height },
    (_, y) =>
      Array.from({ length: box.width }, (_, x) => (data[4 * ((box.y + y) * width + box.x + x)] - 64) / 191),
  );
}

/** The cosine between two pictures of text, the second moved by up to two pixels to where it is largest. */
function likeness(one: readonly number[][], other: readonly number[][]): number {
  const norm = (rows: readonly number[][]) => Math.sqrt(rows.flat().reduce((sum, v) => sum + v * v, 0));
  const shifts = [-2, -1, 0, 1, 2];
  const products = shifts.flatMap((down) =>
    shifts.map((right) =>
      one.reduce(
        (sum, row, y) =>
          sum + row.reduce((inner, v, x) => inner + v * (other[y + down]?.[x + right] ?? 0), 0),
        0,
      )
    )
  );
  return Math.max(...products) / (norm(one) * norm(other));
}

/** A line of text as the plots' rasterizer writes it, in white, with its end or its middle at a place. */
function written(
  rasterize: Rasterizer,
  text: string,
  { width, height, x, anchor }: { width: number; height: number; x: number; anchor: "end" | "middle" },
): number[][] {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><text x="${x}" ` +
    `y="${
      height / 2 + 4.5
    }" text-anchor="${anchor}" font-family="DejaVu Sans" font-size="13" fill="white">${text}</text></svg>`;
  return ink(rasterize(svg, { background: "#404040" }), { x: 0, y: 0, width, height });
}

/** Which of the texts each picture is most like. */
function read(
  drawn: readonly number[][][],
  wanted: readonly number[][][],
): number[] {
  const all = drawn.map((own) => wanted.map((other) => likeness(own, other)));
  return all.map((row) => row.indexOf(Math.max(...row)));
}

claim(
  "each row and column of a grid has its own name beside and above it, as the plots' rasterizer writes it",
  async (check) => {
    const rasterize = await loadRasterizer();
    const picture = imageGrid(values, shape, { columns, scale: 1, gap, rowNames: labels });
    const margin = picture.width - imageGrid(values, shape, { columns, scale: 1, gap }).width;
    const box = { x: 0, width: margin, height: side + gap };
    const drawn = labels.map((_, row) => ink(picture, { ...box, y: row * box.height + 1 }));
    const place = { width: margin, height: box.height, x: margin + gap - 6, anchor: "end" } as const;
    const rows = read(drawn, labels.map((label) => written(rasterize, label, place)));
    check.equal(
      "rows' names, read by likeness",
      rows.map((at) => labels[at]),
      labels,
      "resvg's text, same font and size",
    );
    const inkWidth = (lines: number[][]) => {
      const inked = lines.flatMap((line) => line.flatMap((v, x) => v > 0.2 ? [x] : []));
      return Math.max(...inked) - Math.min(...inked);
    };
    const wider = labels.map((label, at) => inkWidth(drawn[at]) - inkWidth(written(rasterize, label, place)));
    check.atMost(
      "largest difference of a row's name in width",
      Math.max(...wider.map(Math.abs)),
      3,
      "half a pixel of rounding and a faint column at each end, however long the name",
    );
    const edges = drawn.flatMap((row) => row.map((line) => [...line.slice(0, gap), ...line.slice(-gap)]));
    check.equal(
      "ink at the ends of the margin",
      Math.max(...edges.flat()),
      0,
      "no name is cut or touches an image",
    );
    const between = drawn.flatMap((lines) => [...lines.slice(0, gap), ...lines.slice(-gap)]);
    check.equal("ink between rows", Math.max(...between.flat()), 0, "no name touches another's row");

    const short = ["class 0", "class 1", "λ → 0", "7", "0.25"];
    const wide = new Float32Array(short.length * side ** 2);
    for (const kind of ["columnNames", "names"] as const) {
      const above = imageGrid(wide, [short.length, side, side, 1], {
        columns: short.length,
        gap,
        [kind]: short,
      });
      const texts = short.map((_, at) => ink(above, { x: gap + at * 86, y: gap, width: 84, height: 17 }));
      const middle = { width: 84, height: 17, x: 42, anchor: "middle" } as const;
      const found = read(texts, short.map((text) => written(rasterize, text, middle)));
      check.equal(`${kind}, read by likeness`, found.map((at) => short[at]), short, "resvg's text");
      const inked = (rows: readonly number[][]) =>
        rows.flatMap((row) => row.flatMap((v, x) => v > 0.3 ? [x] : []));
      const off = Math.max(
        ...texts.map((rows) => Math.abs(Math.min(...inked(rows)) + Math.max(...inked(rows)) - 83)),
      );
      check.atMost(
        `${kind}: twice the distance of a text's middle from its column's`,
        off,
        6,
        "side bearings of letters, rounding",
      );
    }
    const cut = imageGrid(wide, [short.length, side, side, 1], {
      columns: short.length,
      columnNames: [labels[0], ...short.slice(1)],
    });
    const outside = ink(cut, { x: 86, y: gap, width: gap, height: 17 });
    check.equal(
      "ink beside a column whose name is too long",
      Math.max(...outside.flat()),
      0,
      "it ends with an ellipsis",
    );
  },
);

claim("the letters of pictures are those that the builder makes of the plots' font", async (check) => {
  const tables = await letterTables();
  for (const [name, table] of Object.entries(tables)) {
    check.equal(name, letters[name as keyof typeof letters], table, "scripts/build/letters.ts");
  }
  check.equal(
    "tables",
    Object.keys(letters).sort(),
    [...Object.keys(tables), "LETTER_ROWS"].sort(),
    "all of the module",
  );
});

claim(
  "a grid's title is broken into lines that its width holds, and small grids are widened for it",
  (check) => {
    const image = new Float32Array(side ** 2);
    const plain = imageGrid(image, [1, side, side, 1]);
    const title = "ve, dpm++2m, 10 steps, guidance 1.3, seed 0";
    const titled = imageGrid(image, [1, side, side, 1], { title });
    check.equal("width", titled.width, 240, "the least of a picture with a long title");
    check.equal("height", titled.height, plain.height + 2 * 17, "two lines of 17 pixels");
    const right = ink(titled, { x: 234, y: 0, width: 6, height: 36 });
    check.equal("ink at the right end", Math.max(...right.flat()), 0, "no line is cut");
    const lines = [2, 19].map((y) => ink(titled, { x: 0, y, width: 240, height: 17 }).flat());
    check.holds("both lines have ink", lines.every((line) => Math.max(...line) > 0.9), "words on both");
    const ground = ink(titled, { x: 90, y: 40, width: 150, height: 80 });
    check.equal("ink beside the image", Math.max(...ground.flat()), 0, "the ground");
  },
);

claim(
  "names leave the images of a grid as they are, and there are as many as what they name",
  async (check) => {
    const layout = { columns, scale: 2, gap: 3 };
    const plain = imageGrid(values, shape, layout);
    const columnNames = ["a", "b", "c"];
    const named = imageGrid(values, shape, { ...layout, rowNames: labels, columnNames, title: "t" });
    const [left, top] = [named.width - plain.width, named.height - plain.height];
    check.equal("height of the names", top, 2 * 17, "a line for the title, one for the columns");
    const changed = Array.from({ length: plain.height - 3 }, (_, line) => {
      const y = line + 3;
      const from = 4 * ((y + top) * named.width + left);
      const row = plain.data.subarray(4 * y * plain.width, 4 * (y + 1) * plain.width);
      return row.findIndex((value, at) => at >= 12 && named.data[from + at] !== value);
    }).filter((at) => at >= 0).length;
    check.equal("rows of pixels that changed", changed, 0, "the same bytes, further to the right and below");
    const two = values.slice(0, 2 * side ** 2);
    for (
      const [what, names, message] of [
        [
          "a letter",
          { rowNames: ["ddim", "sampler 漢"] },
          /^the font of pictures has no letter "漢", got the name "sampler 漢"$/,
        ],
        ["one of two rows", { rowNames: ["ddim"] }, /^rowNames must hold 2 names or none, got 1$/],
        ["two of one column", { columnNames: ["a", "b"] }, /^columnNames must hold 1 names or none, got 2$/],
        ["three of two images", { names: ["a", "b", "c"] }, /^names must hold 2 names or none, got 3$/],
        ["a number", { names: [1, 2] as unknown as string[] }, /^an entry of names must be text, got 1$/],
      ] as const
    ) await check.throws(what, () => imageGrid(two, [2, side, side, 1], { columns: 1, ...names }), message);
  },
);

claim("a grid keeps its names, writes itself as PNG and gives a notebook the same file", async (check) => {
  const names = { title: "t", rowNames: ["a"], columnNames: ["b", "c"], names: ["d", "e"] };
  const picture = imageGrid(new Float32Array(8), [2, 2, 2, 1], names);
  const { title, rowNames, columnNames, names: own } = picture;
  check.equal("names", { title, rowNames, columnNames, names: own }, names, "as they were given");
  const { width, height, data } = await decodePng(picture.toPng());
  check.equal("size", [width, height], [picture.width, picture.height], "that of the pixels");
  check.equal("bytes", [...data], [...picture.data], "PNG is lossless");
  // What Deno's Jupyter kernel calls (https://docs.deno.com/runtime/reference/cli/jupyter/).
  const display =
    (picture as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")];
  const shown = display.call(picture);
  check.equal("kinds", Object.keys(shown), ["image/png", "text/plain"], "media types of a notebook");
  check.equal("image", [...Uint8Array.from(atob(shown["image/png"]), (c) => c.charCodeAt(0))], [
    ...picture.toPng(),
  ], "base64");
  check.equal(
    "words",
    shown["text/plain"],
    `a picture of ${width}×${height} pixels: t`,
    "where there are no images",
  );
  const broken = { width: 2, height: 2, data: new Uint8Array(3) };
  await check.throws("bytes that do not fit", () => new ShownPicture(broken), /must have 16 bytes, got 3/);
});

/** Claims about the labels beside rows of images: the text that is asked for, in its place, and images left as they are. @module */
import { labelledGrid } from "../../../scripts/comparison/labelled_grid.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import type { Picture } from "../../../src/images/png.ts";
import { loadRasterizer } from "../../../src/plots/rasterizer.ts";
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

claim(
  "each row of a labelled grid has its own label beside it, as the plots' rasterizer writes it",
  async (check) => {
    const picture = labelledGrid(values, shape, labels, { columns, scale: 1, gap });
    const rasterize = await loadRasterizer();
    const margin = picture.width - imageGrid(values, shape, { columns, scale: 1, gap }).width;
    const box = { x: 0, width: margin, height: side + gap };
    const drawn = labels.map((_, row) => ink(picture, { ...box, y: row * box.height }));
    const wanted = labels.map((label) =>
      ink(
        rasterize(
          `<svg xmlns="http://www.w3.org/2000/svg" width="${margin}" height="${box.height}"><text x="${gap}" ` +
            `y="20" font-family="DejaVu Sans" font-size="12" fill="white">${label}</text></svg>`,
          { background: "#404040" },
        ),
        { ...box, y: 0 },
      )
    );
    const nearest = drawn.map((own) => {
      const all = wanted.map((other) => likeness(own, other));
      return labels[all.indexOf(Math.max(...all))];
    });
    check.equal("labels, read by likeness", nearest, labels, "resvg's text in the same font and size");
    const edges = drawn.flatMap((rows) =>
      rows.map((row) => [...row.slice(0, gap - 1), ...row.slice(1 - gap)])
    );
    check.equal(
      "ink at the ends of the margin",
      Math.max(...edges.flat()),
      0,
      "no label is cut or touches an image",
    );
    const between = drawn.flatMap((rows) => [...rows.slice(0, gap), ...rows.slice(-gap)]);
    check.equal("ink between rows", Math.max(...between.flat()), 0, "no label touches another's row");
  },
);

claim("labels leave the images beside them as they are, and fit their rows", async (check) => {
  const plain = imageGrid(values, shape, { columns, scale: 2, gap: 3 });
  const labelled = labelledGrid(values, shape, labels, { columns, scale: 2, gap: 3 });
  const margin = labelled.width - plain.width;
  check.equal("height", labelled.height, plain.height, "the grid's own");
  const changed = Array.from({ length: plain.height }, (_, y) => {
    const from = 4 * (y * labelled.width + margin);
    const row = plain.data.subarray(4 * y * plain.width, 4 * (y + 1) * plain.width);
    return row.findIndex((value, at) => labelled.data[from + at] !== value);
  }).filter((at) => at >= 0).length;
  check.equal("rows of pixels that changed", changed, 0, "imageGrid's bytes, further to the right");
  const small = [2, side, side, 1];
  const two = values.slice(0, 2 * side ** 2);
  for (
    const [words, message] of [
      [["ddim", "sampler 漢"], /^the font of pictures has no letter "漢", got the label "sampler 漢"$/],
      [["ddim"], /^2 rows need as many labels, got 1$/],
    ] as const
  ) await check.throws(words.join(), () => labelledGrid(two, small, words, { columns: 1 }), message);
});

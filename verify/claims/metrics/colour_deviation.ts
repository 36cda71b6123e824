/** Claims about how even colours are within strokes and grounds, and about what of a digit the pen covers. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { colouredDigits } from "../../../src/data/coloured_digits.ts";
import type { ImageDataset } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { colourDeviation } from "../../../src/metrics/colour_deviation.ts";
import { colourRegions } from "../../../src/metrics/colour_regions.ts";
import { penCoverage } from "../../../src/metrics/pen_coverage.ts";
import { claim } from "../../suite/claim.ts";

type Colour = readonly [number, number, number];
/** The colour of a stroke or of a ground at a row and a column. */
type Paint = (row: number, column: number) => Colour;

const HEIGHT = 12;
const WIDTH = 11;

/**
 * A vertical stroke three pixels wide from the top to the last row but one, whose edges the pen covers by .4 on the left
 * and .6 on the right.
 */
function shareOf(row: number, column: number): number {
  if (row === HEIGHT - 1) return 0;
  return [0, 0, 0, 0, 0, 0.4, 1, 1, 1, 0.6, 0][column];
}

function image(stroke: Paint, ground: Paint): number[] {
  return Array.from({ length: HEIGHT * WIDTH }, (_, pixel) => {
    const [row, column] = [Math.floor(pixel / WIDTH), pixel % WIDTH];
    const share = shareOf(row, column);
    const [of, on] = [stroke(row, column), ground(row, column)];
    return of.map((value, c) => Math.round(share * value + (1 - share) * on[c]));
  }).flat();
}

function setOf(images: readonly number[][], height = HEIGHT, width = WIDTH): ImageDataset {
  const count = images.length;
  const labels = new Uint8Array(count);
  return {
    name: "painted",
    count,
    shape: [height, width, 3],
    classes: 1,
    images: Uint8Array.from(images.flat()),
    labels,
  };
}

/** The standard deviation of n numbers in equal steps of 1: ((n² − 1)/12)^½. */
function stepsDeviation(n: number): number {
  return Math.sqrt((n * n - 1) / 12);
}

const even = (colour: Colour): Paint => () => colour;
const violet = even([150, 50, 200]);
const yellow = even([250, 250, 50]);

claim("a stroke of one colour on a ground of one colour has no deviation, whichever is darker", (check) => {
  const source = "the mean of equal bytes is exactly their value, and the edges are in neither region";
  for (
    const [what, paints] of [["violet on yellow", [violet, yellow]], ["exchanged", [yellow, violet]]] as const
  ) {
    check.equal(what, colourDeviation(setOf([image(...paints)])), { stroke: 0, ground: 0, blank: 0 }, source);
  }
  const black: Colour = [0, 0, 0];
  const line = [3, 4, 5, 6].map((row) => 8 * row + 3);
  const thin = Array.from({ length: 64 }, (_, pixel): Colour => line.includes(pixel) ? [9, 200, 0] : black);
  check.equal("a line of one pixel", colourDeviation(setOf([thin.flat()], 8, 8)), {
    stroke: 0,
    ground: 0,
    blank: 0,
  }, source);
  check.equal("its pixels", colourRegions(thin.flat(), 8, 8).stroke, line, "what was painted");
  const flat = new Array(64).fill([7, 8, 9]).flat();
  check.equal(
    "an image of one colour",
    colourDeviation(setOf([flat], 8, 8)),
    { stroke: null, ground: 0, blank: 1 },
    "it has no stroke",
  );
});

claim(
  "the regions are the pixels that the pen covers whole, and those around which it covers none",
  (check) => {
    const { stroke, ground } = colourRegions(image(violet, yellow), HEIGHT, WIDTH);
    const pixels = (holds: (row: number, column: number) => boolean) =>
      Array.from({ length: HEIGHT * WIDTH }, (_, pixel) => pixel).filter((pixel) =>
        holds(Math.floor(pixel / WIDTH), pixel % WIDTH)
      );
    check.equal(
      "stroke",
      stroke,
      pixels((row, column) => row < HEIGHT - 1 && column >= 6 && column <= 8),
      "columns 6 to 8",
    );
    // The groups meet between .4 and .6. So column 5 is the ground's, and so is column 10, with an edge beside it.
    check.equal(
      "ground",
      ground,
      pixels((row, column) => column <= 4 || (row === HEIGHT - 1 && column <= 4)),
      "columns 0 to 4",
    );
  },
);

claim(
  "colours in equal steps along a stroke or over a ground have the deviation of such numbers",
  (check) => {
    // Every step is a multiple of 5, so that edges of .4 and .6 are whole bytes.
    const faded: Paint = (row) => [100 + 5 * row, 200, 200];
    const along = image(faded, even([0, 0, 0]));
    const rows = HEIGHT - 1;
    const stroke = 5 * stepsDeviation(rows) / Math.sqrt(3) / 255;
    const one = colourDeviation(setOf([along]));
    check.within("red along the stroke", one.stroke!, stroke, 1e-12, "eleven rows, one of three channels");
    check.equal("the ground beside it", one.ground, 0, "black");
    const grey: Paint = (row) => [120 + 5 * row, 120 + 5 * row, 120 + 5 * row];
    const all = colourDeviation(setOf([image(grey, even([10, 10, 10]))]));
    check.within(
      "grey along the stroke",
      all.stroke!,
      5 * stepsDeviation(rows) / 255,
      1e-12,
      "all three channels",
    );
    const shaded: Paint = (_, column) => [200, 20 * column, 0];
    const over = colourDeviation(setOf([image(even([0, 0, 250]), shaded)]));
    const ground = 20 * stepsDeviation(5) / Math.sqrt(3) / 255;
    check.within(
      "green over the ground",
      over.ground,
      ground,
      1e-12,
      "columns 0 to 4, one of three channels",
    );
    check.equal("the stroke on it", over.stroke, 0, "blue");
    const plain = image(violet, yellow);
    const flat = new Array(HEIGHT * WIDTH).fill([7, 8, 9]).flat();
    for (
      const [what, images] of [["in turn", [along, plain, flat]], ["reversed", [flat, plain, along]]] as const
    ) {
      const several = colourDeviation(setOf(images));
      check.within(
        `${what}: mean over images with strokes`,
        several.stroke!,
        stroke / 2,
        1e-12,
        "one of two",
      );
      check.equal(`${what}: without a stroke`, several.blank, 1, "one of three");
    }
  },
);

claim("what the pen covers is found from the colours alone, whichever is darker", async (check) => {
  const expected = Array.from(
    { length: HEIGHT * WIDTH },
    (_, pixel) => 255 * shareOf(Math.floor(pixel / WIDTH), pixel % WIDTH),
  );
  for (
    const [what, paints] of [["violet on yellow", [violet, yellow]], ["exchanged", [yellow, violet]]] as const
  ) {
    const { images, shape } = penCoverage(setOf([image(...paints)]));
    check.equal(what, [shape, Array.from(images)], [[HEIGHT, WIDTH, 1], expected], "255 · the painted share");
  }
  const beyond = image(violet, yellow);
  beyond.splice(0, 3, 255, 255, 20);
  check.equal(
    "a pixel beyond the ground's colour",
    penCoverage(setOf([beyond])).images[0],
    0,
    "the nearest place",
  );
  const flat = new Array(64).fill([7, 8, 9]).flat();
  check.equal(
    "an image of one colour",
    Array.from(penCoverage(setOf([flat], 8, 8)).images),
    new Array(64).fill(0),
    "black",
  );
  const rng = createRng(check.seed);
  const [coloured, grey] = [colouredDigits(50, rng), proceduralDigits(50, rng)];
  const found = penCoverage(coloured);
  check.equal("labels", found.labels, grey.labels, "kept");
  const errors = Array.from({ length: 50 }, (_, digit) => {
    const of = (set: ImageDataset) => set.images.subarray(784 * digit, 784 * (digit + 1));
    return of(found).reduce((sum, byte, at) => sum + Math.abs(byte - of(grey)[at]), 0) / 784;
  });
  check.atMost(
    "mean distance of a digit from the grey one, in bytes",
    Math.max(...errors),
    2,
    "a thin pen covers the pixels of the stroke by a tenth less here than there: at most .95 over 100 seeds",
    { detectable: "a digit that is found with its colours exchanged, 200 bytes" },
  );
  await check.throws("grey digits", () => penCoverage(grey), /must have images of 3 channels, got 1/);
  await check.throws("none", () => colourDeviation(setOf([])), /must have at least one image, got none/);
});

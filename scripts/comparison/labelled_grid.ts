/**
 * Grids of images with a label beside each row: pureimage draws the text, in the font of the plots.
 * @module
 */
import { fileURLToPath } from "node:url";
import { make, registerFont } from "npm:pureimage@0.4.20";
import { type GridLayout, imageGrid } from "../../src/images/grid.ts";
import type { Picture } from "../../src/images/png.ts";
import { quoted } from "../../src/input/quoted.ts";

const FAMILY = "DejaVu Sans";

/** Height of the letters' em square in pixels: the least at which all of them can be told apart. */
const SIZE = 12;

/** The part of the font that pureimage does not describe. */
interface Letters {
  /** The place of a letter's glyph; 0 for a letter that the font does not have. */
  charToGlyphIndex(letter: string): number;
}

/**
 * As {@linkcode imageGrid}, with a label to the left of each row, in white, at the middle of the row's height.
 * @param labels One for each row.
 * @throws {RangeError} For another number of labels than rows, or a letter that the font does not have.
 */
export function labelledGrid(
  values: Float32Array,
  shape: readonly number[],
  labels: readonly string[],
  { columns, gap = 2, ...layout }: GridLayout & { readonly columns: number },
): Picture {
  const grid = imageGrid(values, shape, { ...layout, columns, gap });
  const rows = Math.ceil(shape[0] / columns);
  if (labels.length !== rows) throw new RangeError(`${rows} rows need as many labels, got ${labels.length}`);
  const font = registerFont(
    fileURLToPath(new URL("../../fixtures/fonts/plot_font.ttf", import.meta.url)),
    FAMILY,
  )
    .loadSync();
  checkLetters(labels, font.font as Letters);
  const ruler = make(1, 1).getContext("2d");
  ruler.font = `${SIZE}px ${FAMILY}`;
  const margin = 2 * gap + Math.ceil(Math.max(...labels.map((label) => ruler.measureText(label).width)));
  const [width, height] = [margin + grid.width, grid.height];
  const picture = make(width, height);
  const context = picture.getContext("2d");
  context.fillStyle = "#404040";
  context.fillRect(0, 0, margin, height);
  context.fillStyle = "#ffffff";
  context.font = ruler.font;
  context.textBaseline = "middle";
  const pitch = (height - gap) / rows;
  labels.forEach((label, row) => context.fillText(label, gap, (row + 0.5) * pitch + gap / 2));
  const data = Uint8Array.from(picture.data);
  for (let y = 0; y < height; y++) {
    // pureimage's own drawImage changes some bytes by one.
    data.set(grid.data.subarray(4 * y * grid.width, 4 * (y + 1) * grid.width), 4 * (y * width + margin));
  }
  return { width, height, data };
}

/** Throws a RangeError for a letter that the font does not have. */
function checkLetters(labels: readonly string[], font: Letters): void {
  for (const label of labels) {
    const missing = Array.from(label).find((letter) => font.charToGlyphIndex(letter) === 0);
    if (missing !== undefined) {
      throw new RangeError(
        `the font of pictures has no letter ${quoted(missing)}, got the label ${quoted(label)}`,
      );
    }
  }
}

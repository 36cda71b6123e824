/** Many small images as one picture. @module */
import type { Picture } from "./png.ts";
import { ShownPicture } from "./shown_picture.ts";
import { drawText, fitText, LINE_HEIGHT, textWidth, wrapText } from "./text.ts";
import {
  requireArray,
  requireFloats,
  requireOptions,
  requireShape,
  requireText,
  requireWhole,
} from "../input/require.ts";
import { quoted, quotedShape } from "../input/quoted.ts";

/** Layout of a grid, and the names in it, in white. */
export interface GridLayout {
  /** What is written above the whole; by default nothing. */
  readonly title?: string;
  /** A name to the left of each row; by default none. */
  readonly rowNames?: readonly string[];
  /** A name above each column, which says how many columns there are; by default none. */
  readonly columnNames?: readonly string[];
  /** A name above each image; by default none. */
  readonly names?: readonly string[];
  /** Images in a row; by default the smallest square that holds all. */
  readonly columns?: number;
  /** Screen pixels to an image pixel; by default the least whole number that makes a side 84 or more: 3 for 28. */
  readonly scale?: number;
  /** Screen pixels between images and around them; default 2. */
  readonly gap?: number;
}

/** Screen pixels of an image's longer side, at least, by default. */
const SIDE = 84;

/** Screen pixels between a row's name and its images. */
const SPACE = 6;

/** The narrowest picture with a title. */
const TITLE_WIDTH = 240;

const BACKGROUND = 64;

/**
 * Lays images out in rows, left to right and top to bottom, on a dark grey ground, with names where they are given: above
 * all, beside rows, above columns, above images. A name that is wider than its column ends with an ellipsis.
 *
 * @example
 * ```ts
 * import { encodePng } from "./png.ts";
 * import { imageGrid } from "./grid.ts";
 * const twoGreyImages = new Float32Array(2 * 4 * 4).fill(.5);
 * const png = encodePng(imageGrid(twoGreyImages, [2, 4, 4, 1], { columnNames: ["one", "two"] }));
 * console.assert(png[0] === 0x89);
 * ```
 * @param values [N, height, width, channels] in [0, 1]; values outside are clamped. One channel is grey, three are RGB.
 * @throws {RangeError} When the shape does not fit the values, or has another number of channels, a layout option is invalid,
 * there are fewer or more names than what they are of, or a name has a letter that pictures do not have.
 */
export function imageGrid(
  values: Float32Array,
  shape: readonly number[],
  layout: GridLayout = {},
): ShownPicture {
  requireFloats("values", values);
  requireShape("shape", shape, 0);
  requireOptions("layout", layout);
  const [count, height, width, channels] = shape;
  if (shape.length !== 4 || (channels !== 1 && channels !== 3)) {
    throw new RangeError(
      `a grid needs images of shape [N, height, width, 1 or 3], got ${quotedShape(shape)}`,
    );
  }
  if (values.length !== count * height * width * channels || values.length === 0) {
    throw new RangeError(`the shape ${quotedShape(shape)} does not fit ${values.length} values`);
  }
  const { title = "", columnNames = [], rowNames = [], names = [] } = layout;
  const { columns = columnNames.length || Math.ceil(Math.sqrt(count)), gap = 2 } = layout;
  const { scale = Math.ceil(SIDE / Math.max(width, height)) } = layout;
  requireCount("columns", columns, 1, 1e5);
  requireCount("scale", scale, 1, 1e4);
  requireCount("gap", gap, 0, 1e4);
  requireText("title", title);
  const rows = Math.ceil(count / columns);
  checkNames({ rowNames, columnNames, names }, { rowNames: rows, columnNames: columns, names: count });
  const strip = names.length === 0 ? 0 : LINE_HEIGHT;
  const [cellWidth, cellHeight] = [width * scale + gap, height * scale + gap + strip];
  const margin = rowNames.length === 0 ? 0 : Math.max(...rowNames.map(textWidth)) + 2 * SPACE - gap;
  const gridWidth = margin + columns * cellWidth + gap;
  const fullWidth = title === ""
    ? gridWidth
    : Math.max(gridWidth, Math.min(TITLE_WIDTH, textWidth(title) + 2 * SPACE));
  const lines = title === "" ? [] : wrapText(title, fullWidth - 2 * SPACE);
  const head = lines.length * LINE_HEIGHT + (columnNames.length === 0 ? 0 : LINE_HEIGHT);
  const picture = blank(fullWidth, head + rows * cellHeight + gap);
  lines.forEach((line, at) => drawText(picture, line, SPACE, gap + at * LINE_HEIGHT));
  const centred = (text: string, column: number, top: number) => {
    const fitted = fitText(text, width * scale);
    const left = margin + gap + column * cellWidth + (width * scale - textWidth(fitted)) / 2;
    drawText(picture, fitted, left, top);
  };
  columnNames.forEach((name, column) => centred(name, column, gap + lines.length * LINE_HEIGHT));
  rowNames.forEach((name, row) => {
    const middle = head + gap + strip + row * cellHeight + height * scale / 2;
    drawText(picture, name, margin + gap - SPACE - textWidth(name), Math.round(middle - LINE_HEIGHT / 2));
  });
  names.forEach((name, at) =>
    centred(name, at % columns, head + gap + Math.floor(at / columns) * cellHeight)
  );
  for (let image = 0; image < count; image++) {
    const left = margin + gap + image % columns * cellWidth;
    const top = head + gap + strip + Math.floor(image / columns) * cellHeight;
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = ((image * height + Math.floor(y / scale)) * width + Math.floor(x / scale)) * channels;
        const to = ((top + y) * picture.width + left + x) * 4;
        for (let c = 0; c < 3; c++) picture.data[to + c] = toByte(values[from + (channels === 3 ? c : 0)]);
      }
    }
  }
  return new ShownPicture(picture, { title, rowNames, columnNames, names });
}

/** Throws unless there are no names of a kind, or as many texts as what they are of. */
function checkNames(
  names: Readonly<Record<string, readonly string[]>>,
  counts: Readonly<Record<string, number>>,
): void {
  for (const [kind, list] of Object.entries(names)) {
    requireArray(kind, list);
    for (const name of list) requireText(`an entry of ${kind}`, name);
    if (list.length !== 0 && list.length !== counts[kind]) {
      throw new RangeError(`${kind} must hold ${counts[kind]} names or none, got ${list.length}`);
    }
  }
}

function blank(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 4).fill(BACKGROUND);
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  return { width, height, data };
}

function toByte(value: number): number {
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}

/** Throws unless the value is an integer from `least` to `most`. */
function requireCount(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`${name} must be an integer of at least ${least}, got ${quoted(value)}`);
  }
  requireWhole(name, value, least, most);
}

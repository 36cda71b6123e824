/** Many small images as one picture. @module */
import type { Picture } from "./png.ts";
import { requireFloats, requireOptions, requireShape, requireWhole } from "../input/require.ts";
import { quoted, quotedShape } from "../input/quoted.ts";

/** Layout of a grid. */
export interface GridLayout {
  /** Images in a row; by default the smallest square that holds all. */
  readonly columns?: number;
  /** Screen pixels to an image pixel; default 2. */
  readonly scale?: number;
  /** Screen pixels between images and around them; default 2. */
  readonly gap?: number;
}

const BACKGROUND = 64;

/**
 * Lays images out in rows, left to right and top to bottom, on a dark grey ground.
 *
 * @example
 * ```ts
 * import { encodePng } from "./png.ts";
 * import { imageGrid } from "./grid.ts";
 * const twoGreyImages = new Float32Array(2 * 4 * 4).fill(.5);
 * const png = encodePng(imageGrid(twoGreyImages, [2, 4, 4, 1], { columns: 2 }));
 * console.assert(png[0] === 0x89);
 * ```
 * @param values [N, height, width, channels] in [0, 1]; values outside are clamped. One channel is grey, three are RGB.
 * @throws {RangeError} When the shape does not fit the values, or has another number of channels, or a layout option
 * is invalid.
 */
export function imageGrid(
  values: Float32Array,
  shape: readonly number[],
  layout: GridLayout = {},
): Picture {
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
  const { columns = Math.ceil(Math.sqrt(count)), scale = 2, gap = 2 } = layout;
  requireCount("columns", columns, 1, 1e5);
  requireCount("scale", scale, 1, 1e4);
  requireCount("gap", gap, 0, 1e4);
  const rows = Math.ceil(count / columns);
  const [cellWidth, cellHeight] = [width * scale + gap, height * scale + gap];
  const picture = blank(columns * cellWidth + gap, rows * cellHeight + gap);
  for (let image = 0; image < count; image++) {
    const left = gap + image % columns * cellWidth;
    const top = gap + Math.floor(image / columns) * cellHeight;
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = ((image * height + Math.floor(y / scale)) * width + Math.floor(x / scale)) * channels;
        const to = ((top + y) * picture.width + left + x) * 4;
        for (let c = 0; c < 3; c++) picture.data[to + c] = toByte(values[from + (channels === 3 ? c : 0)]);
      }
    }
  }
  return picture;
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

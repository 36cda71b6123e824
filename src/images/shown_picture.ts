/** Pictures that show themselves. @module */
import { encodePng, type Picture } from "./png.ts";
import { requireOptions, requireText } from "../input/require.ts";
import { requirePicture } from "../input/require_parts.ts";

/** The method by which Deno's Jupyter kernel asks a value how it is shown. */
const DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;

/** The names in a picture of many images; what has none is empty. */
export interface PictureNames {
  /** Above the whole. */
  readonly title?: string;
  /** One to the left of each row. */
  readonly rowNames?: readonly string[];
  /** One above each column. */
  readonly columnNames?: readonly string[];
  /** One above each image. */
  readonly names?: readonly string[];
}

/**
 * A picture that writes itself as a PNG file, and that a notebook of Deno's Jupyter kernel shows as an image. It can be given
 * to all functions that take a `Picture`.
 *
 * @example
 * ```ts
 * import { imageGrid } from "./grid.ts";
 * const picture = imageGrid(new Float32Array(2 * 28 * 28), [2, 28, 28, 1], { columnNames: ["before", "after"] });
 * console.assert(picture.toPng()[0] === 0x89);
 * ```
 */
export class ShownPicture implements Picture, PictureNames {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
  /** [height, width, 4]: red, green, blue, alpha, 0 to 255. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** What stands above the whole; "" for nothing. */
  readonly title: string;
  /** What stands beside each row of images; empty where nothing does. */
  readonly rowNames: readonly string[];
  /** What stands above each column of images; empty where nothing does. */
  readonly columnNames: readonly string[];
  /** What stands above each image; empty where nothing does. */
  readonly names: readonly string[];

  /**
   * Shows the pixels of a picture, which are not copied.
   * @param names What is written in it; nothing is drawn here.
   * @throws {TypeError | RangeError} When it is not a picture, or its bytes do not fit its size.
   */
  constructor(picture: Picture, names: PictureNames = {}) {
    requirePicture("picture", picture);
    requireOptions("names", names);
    if (names.title !== undefined) requireText("title", names.title);
    ({ width: this.width, height: this.height, data: this.data } = picture);
    ({ title: this.title = "", rowNames: this.rowNames = [] } = names);
    ({ columnNames: this.columnNames = [], names: this.names = [] } = names);
  }

  /** The bytes of a PNG file. */
  toPng(): Uint8Array<ArrayBuffer> {
    return encodePng(this);
  }

  /** What a notebook shows: the picture, and words where there are no images. */
  [DISPLAY](): { "image/png": string; "text/plain": string } {
    let letters = "";
    for (const byte of this.toPng()) letters += String.fromCharCode(byte);
    const words = [`a picture of ${this.width}×${this.height} pixels`, this.title].filter((part) =>
      part !== ""
    );
    return { "image/png": btoa(letters), "text/plain": words.join(": ") };
  }
}

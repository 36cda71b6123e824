/**
 * A data set from PNG and JPEG files in folders: the folder of a file names its class.
 * @module
 */
import { decodePicture } from "../images/picture_file.ts";
import type { Picture } from "../images/png.ts";
import { resizePicture } from "../images/resize.ts";
import type { ImageDataset } from "./dataset.ts";
import {
  requireArray,
  requireBytes,
  requireFunction,
  requireOptions,
  requireText,
  requireWhole,
} from "../input/require.ts";
import { requireSignal } from "../input/require_parts.ts";

/** A file of a folder. */
export interface ImageFile {
  /** Path within the folder, with "/": `cat/0001.jpg` is of class `cat`; `0001.jpg` is of the only class. */
  readonly path: string;
  /** The whole file, or a function that reads it, so that only one is in memory. */
  readonly bytes: Uint8Array | (() => Promise<Uint8Array>);
}

/** Options of {@linkcode imageFolderDataset}. */
export interface ImageFolderOptions {
  /** Height and width of all images; by default the pictures must have one size. */
  readonly size?: number;
  /** The largest number of pixels of a picture; by default 16 million. */
  readonly most?: number;
  /** Called for every file that cannot be read, which is then left out; by default such a file is an error. */
  readonly onCorrupt?: (problem: string) => void;
  /** Called after each file with the number of files done. */
  readonly onProgress?: (files: number) => void;
  /** Ends the reading once it is aborted, with its reason, before the next file. */
  readonly signal?: AbortSignal;
  /** For progress lines and model cards; default "images". */
  readonly name?: string;
}

/** Whether a file's name is that of a readable picture: .png, .jpg, .jpeg, .jpe or .jfif, in upper or lower case. */
export function isImagePath(path: string): boolean {
  return /\.(png|jpe?g|jpe|jfif)$/i.test(path);
}

/** Whether a file's name is one of a picture in a format that is not read, such as .webp. */
export function isOtherImagePath(path: string): boolean {
  return /\.(webp|gif|bmp|tiff?|avif|heic|heif|jp2|jxl)$/i.test(path);
}

/**
 * Decodes the files one after the other, in the order of their paths. With a size, the largest square in a picture's
 * middle is cut out and scaled, each new pixel the mean of the area that it covers. Transparent pictures are laid on
 * white. If all pictures are grey, images have one channel, else three.
 *
 * Class c is the c-th folder in the order of names, in which numbers are compared by value: 2 before 10. The first
 * folder of a file's path is its class.
 *
 * @returns [N, height, width, 1 or 3].
 * @throws {RangeError} When there is no file or none can be read, one is damaged (and `onCorrupt` is not given),
 * sizes differ (and `size` is not given), or there are more than 256 classes.
 */
export async function imageFolderDataset(
  files: readonly ImageFile[],
  options: ImageFolderOptions = {},
): Promise<ImageDataset> {
  requireArray("files", files);
  requireOptions("options", options);
  const { size, most, onCorrupt, onProgress, signal, name = "images" } = options;
  if (size !== undefined) requireWhole("the size of images", size, 1, 1e4);
  if (most !== undefined) requireWhole("the most pixels of a picture", most, 1, 2 ** 31);
  if (onCorrupt !== undefined) requireFunction("onCorrupt", onCorrupt);
  if (onProgress !== undefined) requireFunction("onProgress", onProgress);
  requireSignal("signal", signal);
  requireText("name", name);
  for (const file of files) {
    requireOptions("a file", file);
    requireText("the path of a file", file.path);
    if (typeof file.bytes !== "function") requireBytes(file.path, file.bytes);
  }
  if (files.length === 0) throw new RangeError(`${name}: there is no PNG or JPEG file`);
  const classes = [...new Set(files.map(({ path }) => classOf(path)))].sort(compareNames);
  if (classes.length > 256) {
    throw new RangeError(`${name}: at most 256 classes can be told apart, got ${classes.length} folders`);
  }
  const read: { path: string; width: number; height: number; colours: Uint8Array }[] = [];
  for (const [done, { path, bytes }] of files.toSorted((a, b) => a.path < b.path ? -1 : 1).entries()) {
    signal?.throwIfAborted();
    try {
      const picture = await decodePicture(typeof bytes === "function" ? await bytes() : bytes, path, most);
      const { width, height, data } = size === undefined ? picture : centred(picture, size);
      read.push({ path, width, height, colours: coloursOf(data) });
    } catch (error) {
      if (onCorrupt === undefined) throw error;
      onCorrupt(error instanceof Error ? error.message : String(error));
    }
    onProgress?.(done + 1);
  }
  if (read.length === 0) throw new RangeError(`${name}: none of the ${files.length} files can be read`);
  const { width, height } = read[0];
  const other = read.find((picture) => picture.width !== width || picture.height !== height);
  if (other !== undefined) {
    throw new RangeError(
      `${name}: without a size all images must be alike, ${
        read[0].path
      } is ${width}×${height} and ${other.path} is ${other.width}×${other.height}`,
    );
  }
  const channels = read.every(({ colours }) => isGrey(colours)) ? 1 : 3;
  const values = width * height * channels;
  const images = new Uint8Array(read.length * values);
  read.forEach(({ colours }, image) => {
    for (let at = 0; at < values; at++) images[image * values + at] = colours[channels === 3 ? at : 3 * at];
  });
  return {
    name,
    count: read.length,
    shape: [height, width, channels],
    classes: classes.length,
    classNames: classes.map((name) => name === "" ? "." : name),
    images,
    labels: Uint8Array.from(read, ({ path }) => classes.indexOf(classOf(path))),
  };
}

/** Compares names: numbers in them by value, the rest by code units. */
export function compareNames(a: string, b: string): number {
  const [first, second] = [a, b].map((name) => name.match(/\d+|\D+/g) ?? []);
  for (let i = 0; i < Math.min(first.length, second.length); i++) {
    const [left, right] = [first[i], second[i]];
    const numbers = /^\d/.test(left) && /^\d/.test(right);
    if (numbers && Number(left) !== Number(right)) return Number(left) - Number(right);
    if (!numbers && left !== right) return left < right ? -1 : 1;
  }
  return first.length - second.length || (a < b ? -1 : a > b ? 1 : 0);
}

function classOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** The largest square in the middle, scaled to another size. */
function centred(picture: Picture, size: number): Picture {
  const side = Math.min(picture.width, picture.height);
  const left = Math.floor((picture.width - side) / 2);
  const top = Math.floor((picture.height - side) / 2);
  const data = new Uint8Array(side * side * 4);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * picture.width + left) * 4;
    data.set(picture.data.subarray(from, from + 4 * side), y * side * 4);
  }
  const square = { width: side, height: side, data };
  return side === size ? square : resizePicture(square, size, size);
}

/** RGBA without the alpha. */
function coloursOf(data: Uint8Array): Uint8Array {
  const colours = new Uint8Array(data.length / 4 * 3);
  for (let pixel = 0; pixel < data.length / 4; pixel++) {
    for (let c = 0; c < 3; c++) colours[3 * pixel + c] = data[4 * pixel + c];
  }
  return colours;
}

function isGrey(colours: Uint8Array): boolean {
  for (let at = 0; at < colours.length; at += 3) {
    if (colours[at] !== colours[at + 1] || colours[at] !== colours[at + 2]) return false;
  }
  return true;
}

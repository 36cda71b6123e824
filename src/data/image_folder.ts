/**
 * A data set from PNG and JPEG files in folders: the folder of a file names its class.
 * @module
 */
import { decodeJpeg } from "../pictures/jpeg.ts";
import { decodePng, type Picture } from "../pictures/png.ts";
import { resizePicture } from "../pictures/resize.ts";
import type { ImageDataset } from "./dataset.ts";

/** A file of a folder. */
export interface ImageFile {
  /** From the folder on, parts divided by "/": `cat/0001.jpg` is of class `cat`, `0001.jpg` of the one class that there is. */
  readonly path: string;
  /** The whole file. */
  readonly bytes: Uint8Array;
}

/** How files become images. */
export interface ImageFolderOptions {
  /** Height and width of all images; by default they must be alike as they are. */
  readonly size?: number;
  /** Told of every file that cannot be read, which is then left out; by default such a file is an error. */
  readonly onCorrupt?: (problem: string) => void;
  /** For progress lines and model cards; default "images". */
  readonly name?: string;
}

/** Whether a file's name is one of a picture that can be read: .png, .jpg or .jpeg, in letters of any size. */
export function isImagePath(path: string): boolean {
  return /\.(png|jpe?g)$/i.test(path);
}

/**
 * Decodes the files, in the order of their paths. With a size, the largest square in a picture's middle is cut out and scaled, each
 * new pixel the mean of what it covers. Transparent pictures are laid on white. If no picture has
 * a colour, images have one channel, else three.
 *
 * Class c is the c-th folder in the order of names; files in several depths of folders are of the first one's class.
 *
 * @returns [N, height, width, 1 or 3].
 * @throws {RangeError} When there is no file or none can be read, one is damaged (and `onCorrupt` is not given), sizes differ
 * (and `size` is not given), or there are more than 256 classes.
 */
export function imageFolderDataset(
  files: readonly ImageFile[],
  options: ImageFolderOptions = {},
): ImageDataset {
  const { size, onCorrupt, name = "images" } = options;
  if (size !== undefined && !(Number.isInteger(size) && size > 0)) {
    throw new RangeError(`the size of images must be a positive integer, got ${size}`);
  }
  if (files.length === 0) throw new RangeError(`${name}: there is no PNG or JPEG file`);
  const classes = [...new Set(files.map(({ path }) => classOf(path)))].sort();
  if (classes.length > 256) {
    throw new RangeError(`${name}: at most 256 classes can be told apart, got ${classes.length} folders`);
  }
  const read: { path: string; picture: Picture }[] = [];
  for (const file of files.toSorted((a, b) => a.path < b.path ? -1 : 1)) {
    try {
      const picture = onWhite(decode(file));
      read.push({ path: file.path, picture: size === undefined ? picture : centred(picture, size) });
    } catch (error) {
      if (onCorrupt === undefined || !(error instanceof RangeError)) throw error;
      onCorrupt(error.message);
    }
  }
  if (read.length === 0) throw new RangeError(`${name}: none of the ${files.length} files can be read`);
  const { width, height } = read[0].picture;
  const other = read.find(({ picture }) => picture.width !== width || picture.height !== height);
  if (other !== undefined) {
    throw new RangeError(
      `${name}: without a size all images must be alike, ${
        read[0].path
      } is ${width}×${height} and ${other.path} is ` +
        `${other.picture.width}×${other.picture.height}`,
    );
  }
  const channels = read.every(({ picture }) => isGrey(picture)) ? 1 : 3;
  const values = width * height * channels;
  const images = new Uint8Array(read.length * values);
  read.forEach(({ picture: { data } }, image) => {
    for (let at = 0; at < values; at++) {
      images[image * values + at] = data[4 * Math.floor(at / channels) + at % channels];
    }
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

function classOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** By what the file begins with, whatever it is called. */
function decode({ path, bytes }: ImageFile): Picture {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return decodeJpeg(bytes, path);
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return decodePng(bytes, path);
  throw new RangeError(`${path}: begins like neither a PNG nor a JPEG file`);
}

function onWhite({ width, height, data }: Picture): Picture {
  const opaque = data.slice();
  for (let pixel = 0; pixel < data.length; pixel += 4) {
    const alpha = data[pixel + 3] / 255;
    for (let c = 0; c < 3; c++) {
      opaque[pixel + c] = Math.round(alpha * data[pixel + c] + 255 * (1 - alpha));
    }
    opaque[pixel + 3] = 255;
  }
  return { width, height, data: opaque };
}

/** The square in the middle, of the shorter side, at another size. */
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

function isGrey({ data }: Picture): boolean {
  for (let pixel = 0; pixel < data.length; pixel += 4) {
    if (data[pixel] !== data[pixel + 1] || data[pixel] !== data[pixel + 2]) return false;
  }
  return true;
}

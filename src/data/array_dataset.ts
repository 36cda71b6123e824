/**
 * Data sets from arrays of numbers: points [N, D] and images [N, height, width, channels] of any type and range.
 * @module
 */
import { quoted, quotedShape } from "../input/quoted.ts";
import { isList, requireArray, requireOptions, requireText } from "../input/require.ts";
import { sizeOf } from "../math/shape.ts";
import type { ImageDataset } from "./dataset.ts";
import { compareNames } from "./image_folder.ts";
import { type DataUnits, fromUnits, rangeUnits, standardUnits, toUnits } from "./units.ts";

/** Labelled points or images as model values in memory. */
export interface ArrayDataset {
  /** For progress lines and model cards. */
  readonly name: string;
  /** Number of samples, N. */
  readonly count: number;
  /** Shape of a sample: [D] of a point, [height, width, channels] of an image. */
  readonly shape: readonly number[];
  /** Number of classes; labels are below it. */
  readonly classes: number;
  /** [classes] names of the classes, in the order of labels; by default a class is named by its label. */
  readonly classNames?: readonly string[];
  /** [N, …shape] model values. */
  readonly values: Float32Array;
  /** [N]. */
  readonly labels: Uint8Array;
  /** How model values become values of the data. */
  readonly units: DataUnits;
}

/** Numbers with a shape, as a .npy file or a table has them. */
export interface NumberArray {
  /** [N, D], [N, height, width] or [N, height, width, channels]. */
  readonly shape: readonly number[];
  /** The values, row-major. Bytes of images that reach 64 are taken for pixels from 0 to 255. */
  readonly values: Uint8Array | Float32Array | Float64Array;
}

/** Options of {@linkcode arrayDataset}. */
export interface ArrayDatasetOptions {
  /** For errors, progress lines and model cards; default "data". */
  readonly name?: string;
  /** [D] names of a point's coordinates; by default "column 1" and so on. */
  readonly columns?: readonly string[];
  /** [N] the class of each sample, whole numbers from 0 or text; by default all are of one class. */
  readonly labels?: ArrayLike<number> | readonly string[];
}

/** The most coordinates of a point. */
const MOST_COORDINATES = 4096;
/** The most channels of an image. */
const MOST_CHANNELS = 64;
/** Bytes whose largest is below this are not pixels from 0 to 255, but counts or masks. */
const LEAST_BRIGHT = 64;

/**
 * A data set of points or images. Each coordinate of points is scaled to mean 0 and standard deviation ½; images are
 * scaled together so that their smallest value becomes −1 and their largest 1, or 0 and 1 do where they hold all
 * values, or 0 and 255 for bytes.
 *
 * @returns Byte images as an `ImageDataset`, all others as an {@linkcode ArrayDataset}, with the units of the data.
 * @throws {RangeError | TypeError} When the shape is no such one, there are fewer than two samples, a value is not
 * finite, a coordinate is the same in all points, all pixels are the same, or the labels do not fit.
 *
 * @example
 * ```ts
 * import { arrayDataset } from "./array_dataset.ts";
 * const { units } = arrayDataset({ shape: [2, 1], values: Float64Array.of(10, 14) });
 * console.assert(units?.offset[0] === 12 && units.scale[0] === 4);
 * ```
 */
export function arrayDataset(
  array: NumberArray,
  options: ArrayDatasetOptions = {},
): ArrayDataset | ImageDataset {
  requireOptions("array", array);
  requireOptions("options", options);
  const { name = "data", columns } = options;
  requireText("name", name);
  if (columns !== undefined) {
    requireArray("columns", columns);
    for (const column of columns) requireText("each of columns", column);
  }
  requireArray("shape", array.shape);
  if (!isList(array.values)) {
    throw new TypeError(`values must be a list of numbers, got ${quoted(array.values)}`);
  }
  const fail = (problem: string): never => {
    throw new RangeError(`${name}: ${problem}`);
  };
  const shape = sampleShape(array.shape, fail);
  const [count] = array.shape;
  const { values } = array;
  if (values.length !== count * sizeOf(shape)) {
    fail(`the shape ${quotedShape(array.shape)} needs ${count * sizeOf(shape)} values, got ${values.length}`);
  }
  if (count < 2) fail(`at least two samples are needed, got ${count}`);
  const wrong = values instanceof Uint8Array ? -1 : values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    fail(`the value at ${quotedShape(placeOf(wrong, array.shape))} is ${values[wrong]}, not a finite number`);
  }
  const own = { name, count, ...classesOf(options.labels, count, fail) };
  if (shape.length === 1) {
    const names = columns ?? Array.from({ length: shape[0] }, (_, at) => `column ${at + 1}`);
    if (names.length !== shape[0]) {
      throw new RangeError(
        `columns must hold a name for each of ${shape[0]} coordinates, got ${names.length}`,
      );
    }
    const units = named(name, () => standardUnits(values, names));
    return { ...own, shape, values: toUnits(values, units), units };
  }
  const [least, most] = rangeOf(values);
  if (least === most) fail(`all values of all images are ${least}: there is nothing to learn`);
  if (values instanceof Uint8Array && most >= LEAST_BRIGHT) {
    const [height, width, channels] = shape;
    return { ...own, shape: [height, width, channels], images: values, units: rangeUnits(0, 255) };
  }
  const units = named(name, () => least >= 0 && most <= 1 ? rangeUnits(0, 1) : rangeUnits(least, most));
  return { ...own, shape, values: toUnits(values, units), units };
}

/**
 * The same samples as model values of other units.
 * @throws {RangeError} When the units are for another number of coordinates.
 */
export function withUnits(dataset: ArrayDataset, units: DataUnits): ArrayDataset {
  const points = dataset.shape.length === 1;
  if (units.offset.length !== (points ? dataset.shape[0] : 1)) {
    throw new RangeError(
      `units must have an offset for each coordinate of ${
        quotedShape(dataset.shape)
      }, got ${units.offset.length}`,
    );
  }
  return { ...dataset, units, values: toUnits(fromUnits(dataset.values, dataset.units), units) };
}

/** The shape of a sample; refuses what is neither points nor images. */
function sampleShape(shape: readonly number[], fail: (problem: string) => never): readonly number[] {
  const wrong = shape.find((length) => !Number.isSafeInteger(length) || length < 0);
  if (wrong !== undefined) fail(`lengths must be whole numbers, got ${quotedShape(shape)}`);
  const own = shape.slice(1);
  if (shape.length < 2 || shape.length > 4) {
    fail(
      `the shape ${quotedShape(shape)} is neither [N, D] of points nor [N, height, width] or ` +
        "[N, height, width, channels] of images" +
        (shape.length === 1 ? ": numbers become points of one coordinate by array.reshape(-1, 1)" : ""),
    );
  }
  if (own.includes(0)) fail(`the shape ${quotedShape(shape)} has no values`);
  if (shape.length === 2) {
    if (own[0] <= MOST_COORDINATES) return own;
    return fail(`points may have up to ${MOST_COORDINATES} coordinates, got ${own[0]}`);
  }
  if (shape.length === 3) return [...own, 1];
  const [first, , last] = own;
  if (first <= 4 && last > 4) {
    fail(
      `the shape ${quotedShape(shape)} looks like [N, channels, height, width]: ` +
        "array.transpose(0, 2, 3, 1) puts the channels last",
    );
  }
  if (last > MOST_CHANNELS) fail(`images may have up to ${MOST_CHANNELS} channels, got ${last}`);
  return own;
}

/** Classes in the order of their names, in which numbers are compared by value. */
function classesOf(
  given: ArrayDatasetOptions["labels"],
  count: number,
  fail: (problem: string) => never,
): { classes: number; classNames: readonly string[]; labels: Uint8Array } {
  if (given === undefined) return { classes: 1, classNames: ["."], labels: new Uint8Array(count) };
  if (!isList(given)) {
    throw new TypeError(`labels must be a list of numbers or text, got ${quoted(given)}`);
  }
  if (given.length !== count) fail(`there are ${given.length} labels for ${count} samples`);
  const texts = Array.from(given as ArrayLike<string | number>, (label, at) => {
    if (typeof label === "string") return label;
    if (Number.isSafeInteger(label) && label >= 0) return String(label);
    return fail(`label ${at} is ${quoted(label)}, where whole numbers from 0 are allowed`);
  });
  const classNames = [...new Set(texts)].sort(compareNames);
  if (classNames.length > 256) {
    fail(`at most 256 classes can be told apart, the labels have ${classNames.length}`);
  }
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  return {
    classes: classNames.length,
    classNames,
    labels: Uint8Array.from(texts, (text) => numbers.get(text)!),
  };
}

function rangeOf(values: ArrayLike<number>): [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > most) most = values[i];
  }
  return [least, most];
}

/** The indices of a value by its place in the row-major order. */
function placeOf(at: number, shape: readonly number[]): number[] {
  let rest = at;
  return shape.toReversed().map((length) => {
    const index = rest % length;
    rest = Math.floor(rest / length);
    return index;
  }).reverse();
}

/** What an action returns; its errors begin with the name of the data. */
function named<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${name}: ${error.message}`);
    throw error;
  }
}

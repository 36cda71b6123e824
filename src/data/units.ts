/**
 * The units of data: how the values that a network is trained on become values of the data again, x = offset + scale v.
 * @module
 */
import { checkFields, checkNumbers } from "../input/fields.ts";
import { quoted } from "../input/quoted.ts";
import { requireNumbers, requireOptions, requireText, requireWhole } from "../input/require.ts";

/** How model values v become values x of the data: x = offset + scale · v; plain JSON. */
export interface DataUnits {
  /** One number for all values, or one for each coordinate of a point. */
  readonly offset: readonly number[];
  /** As many positive numbers. */
  readonly scale: readonly number[];
  /** The names of a point's coordinates; absent for images. */
  readonly columns?: readonly string[];
}

/**
 * The standard deviation of scaled points, EDM's σ_data, for which its noise levels are chosen (Karras et al. 2022,
 * table 1).
 */
const POINTS_STD = 0.5;

/**
 * Units in which every coordinate of points has mean 0 and standard deviation ½.
 *
 * @param values [N, D], row-major.
 * @param columns [D] names of the coordinates.
 * @throws {RangeError} When a coordinate is the same in every point, or spreads beyond float64.
 */
export function standardUnits(values: ArrayLike<number>, columns: readonly string[]): DataUnits {
  const dimension = columns.length;
  const count = values.length / dimension;
  const offset: number[] = [];
  const scale: number[] = [];
  for (const [at, column] of columns.entries()) {
    let [mean, square] = [0, 0];
    for (let row = 0; row < count; row++) mean += (values[row * dimension + at] - mean) / (row + 1);
    for (let row = 0; row < count; row++) square += (values[row * dimension + at] - mean) ** 2 / count;
    const std = Math.sqrt(square);
    if (!Number.isFinite(std / POINTS_STD)) {
      throw new RangeError(`${column} spreads beyond the largest number: scale it down`);
    }
    if (std <= 1e-12 * Math.abs(mean)) {
      throw new RangeError(
        `${column} is ${values[at]} in every row: leave it out, there is nothing to learn of it`,
      );
    }
    offset.push(mean);
    scale.push(std / POINTS_STD);
  }
  return { offset, scale, columns: [...columns] };
}

/**
 * Units in which values from `least` to `most` become −1 to 1.
 * @throws {RangeError} When `most` is not above `least`.
 */
export function rangeUnits(least: number, most: number): DataUnits {
  const scale = (most - least) / 2;
  if (!(scale > 0 && Number.isFinite(scale))) {
    throw new RangeError(`the largest value must be above the smallest, got ${most} and ${least}`);
  }
  return { offset: [least + scale], scale: [scale] };
}

/**
 * Values of the data as model values v = (x − offset) / scale, in float64 until the last rounding.
 * @param values [N, D] where the units have D offsets, else of any shape.
 */
export function toUnits(values: ArrayLike<number>, units: DataUnits): Float32Array {
  requireNumbers("values", values);
  checkUnits(units);
  const { offset, scale } = units;
  return Float32Array.from(values, (x, i) => (x - offset[i % offset.length]) / scale[i % scale.length]);
}

/**
 * Model values as values of the data x = offset + scale · v; the inverse of {@linkcode toUnits}.
 * @param values [N, D] where the units have D offsets, else of any shape.
 */
export function fromUnits(values: ArrayLike<number>, units: DataUnits): Float64Array {
  requireNumbers("values", values);
  checkUnits(units);
  const { offset, scale } = units;
  return Float64Array.from(values, (v, i) => offset[i % offset.length] + scale[i % scale.length] * v);
}

/**
 * ln |det ∂x/∂v| of one sample of `size` values: what is subtracted from the log density of model values to have that
 * of the data's, log p(x) = log p(v) − Σ ln scale.
 *
 * @throws {RangeError} When the size is no multiple of the number of scales.
 */
export function logVolume(units: DataUnits, size: number): number {
  checkUnits(units);
  requireWhole("size", size, 1);
  const { scale } = units;
  if (size % scale.length !== 0) {
    throw new RangeError(`size must be a multiple of the ${scale.length} scales, got ${size}`);
  }
  return size / scale.length * scale.reduce((sum, value) => sum + Math.log(value), 0);
}

/**
 * Checks units that were read from a file.
 * @throws {TypeError | RangeError} When a field is missing, unknown, or of another type, or a scale is not positive.
 */
export function checkUnits(units: unknown): asserts units is DataUnits {
  requireOptions("units", units);
  checkFields("the units", units, ["offset", "scale"], ["columns"]);
  const { offset, scale, columns = [] } = units;
  checkNumbers("the units' offset", offset);
  checkNumbers("the units' scale", scale, { above: 0 });
  if (offset.length === 0 || offset.length !== scale.length) {
    throw new RangeError(
      `the units must have as many scales as offsets, at least one, got ${scale.length} and ${offset.length}`,
    );
  }
  if (!Array.isArray(columns)) {
    throw new TypeError(`the units' columns must be a list, got ${quoted(columns)}`);
  }
  for (const column of columns) requireText("each of the units' columns", column);
  if (columns.length > 0 && columns.length !== offset.length) {
    throw new RangeError(
      `the units must have a name for each of ${offset.length} columns, got ${columns.length}`,
    );
  }
}

/** `x = 3.2 + 0.5 v`, or its numbers for each column; at most eight are named. */
export function describeUnits({ offset, scale, columns }: DataUnits): string {
  const short = (value: number) => String(Number(value.toPrecision(4)));
  if (columns === undefined) return `(x − ${short(offset[0])}) / ${short(scale[0])}`;
  const named = columns.slice(0, 8).map((column, at) =>
    `${column} (mean ${short(offset[at])}, standard deviation ${short(scale[at] * POINTS_STD)})`
  );
  const rest = columns.length > 8 ? ` and ${columns.length - 8} more` : "";
  return `mean 0 and standard deviation ${POINTS_STD}, from ${named.join(", ")}${rest}`;
}

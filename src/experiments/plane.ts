/**
 * Shared parts of the 2-D experiments: the square that is drawn, grids of points in it, fields and densities as
 * marks.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { ExactDistribution } from "../distributions/distribution.ts";
import type { ArrowsMark, DensityMark, LineMark, PointsMark } from "../plots/marks.ts";
import type { PlotOptions } from "../plots/plot.ts";

/** Half the side of the square [−3, 3]² that pictures show. */
export const HALF_SIDE = 3;
/** Cells along the side of densities and maps: three screen pixels each. */
export const MAP_SIDE = 80;
const RANGE = [-HALF_SIDE, HALF_SIDE] as const;

/** Width and height of a panel whose square has equal scales. */
export const PANEL = { width: 316, height: 318 } as const;

/** Axes of a panel that shows the square. */
export function squarePlot(title: string): PlotOptions {
  const axis = { min: -HALF_SIDE, max: HALF_SIDE };
  return { ...PANEL, title, x: axis, y: axis };
}

/** Centres of side × side cells of the square, [side², 2], rows from the lowest up. */
export function cellCentres(side: number): tf.Tensor2D {
  const at = (i: number) => HALF_SIDE * ((2 * i + 1) / side - 1);
  return tf.tensor2d(Array.from({ length: side * side }, (_, k) => [at(k % side), at(Math.floor(k / side))]));
}

/** ∇ log density [B, 2] of y = x_0 + ν ε at y [B, 2], ν > 0. */
export function exactScore(distribution: ExactDistribution, y: tf.Tensor, noiseRatio: number): tf.Tensor2D {
  return tf.tidy(() => tf.mul(distribution.predictNoise(y, noiseRatio), -1 / noiseRatio));
}

/** The density of y = x_0 + ν ε over the square, in a few shades (which keeps animations small). */
export async function densityMark(
  distribution: ExactDistribution,
  noiseRatio: number,
  { scale = 1, shades = 12 } = {},
): Promise<DensityMark> {
  const logs = tf.tidy(() => distribution.logDensity(tf.mul(cellCentres(MAP_SIDE), 1 / scale), noiseRatio));
  const density = Float64Array.from(await logs.data(), Math.exp);
  logs.dispose();
  // The root shows tails beside peaks.
  return shaded(density.map(Math.sqrt), shades, "#5b8fb9");
}

/** Values [side²] over the square in shades of a colour, full from `peak` on. */
export function shaded(
  values: Float64Array,
  shades: number,
  colour: string,
  peak: number = values.reduce((most, value) => Math.max(most, value), 0),
): DensityMark {
  const levels = values.map((value) => Math.round(shades * Math.min(1, value / peak)));
  const columns = Math.sqrt(values.length);
  return {
    kind: "density",
    values: levels,
    columns,
    peak: shades,
    smooth: false,
    xRange: RANGE,
    yRange: RANGE,
    colour,
  };
}

/** Vectors [N, 2] at points [N, 2], with lengths compressed to fit a cell: of long ones only the direction shows. */
export function fieldMark(
  points: ArrayLike<number>,
  vectors: ArrayLike<number>,
  cell: number,
  typical: number,
  colour: string,
): ArrowsMark {
  const scale = Float64Array.from({ length: vectors.length / 2 }, (_, k) => {
    const length = Math.hypot(vectors[2 * k], vectors[2 * k + 1]);
    return cell / (length + typical);
  });
  return {
    kind: "arrows",
    x: coordinate(points, 0),
    y: coordinate(points, 1),
    dx: coordinate(vectors, 0).map((v, k) => v * scale[k]),
    dy: coordinate(vectors, 1).map((v, k) => v * scale[k]),
    colour,
  };
}

/** Points [N, 2] as dots. */
export function dotsMark(points: ArrayLike<number>, colour: string, radius = 1, opacity = 0.6): PointsMark {
  return { kind: "points", x: coordinate(points, 0), y: coordinate(points, 1), colour, radius, opacity };
}

/** A path [moments, 2] as a line; by default of the next colour. */
export function pathMark(path: Float32Array, style: Pick<LineMark, "colour" | "width"> = {}): LineMark {
  return { kind: "line", x: coordinate(path, 0), y: coordinate(path, 1), width: 0.8, ...style };
}

function coordinate(points: ArrayLike<number>, i: number): Float64Array {
  return Float64Array.from({ length: points.length / 2 }, (_, k) => points[2 * k + i]);
}

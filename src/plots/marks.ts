/**
 * The kinds of marks in a plot, and their SVG.
 * @module
 */
import { escape } from "./escape.ts";
import { encodePng } from "../images/png.ts";
import { isList, requireNumbers, requireOptions, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";

/** The options of all marks. */
export interface MarkStyle {
  /** The entry in the legend; marks without a label have no entry. */
  readonly label?: string;
  /**
   * Any SVG colour, for a density #rrggbb; by default the next of a palette that colour-blind readers can distinguish.
   */
  readonly colour?: string;
}

/** A curve through points in the order given; a value that is not finite interrupts it. */
export interface LineMark extends MarkStyle {
  /** A curve. */
  readonly kind: "line";
  /** Places along the horizontal axis. */
  readonly x: ArrayLike<number>;
  /** Places along the vertical axis. */
  readonly y: ArrayLike<number>;
  /** A broken line; default false. */
  readonly dashed?: boolean;
  /** Dots at the points. */
  readonly dots?: boolean;
  /** Width of the line in screen pixels, default 1.6. */
  readonly width?: number;
}

/** A scatter of dots. */
export interface PointsMark extends MarkStyle {
  /** Dots. */
  readonly kind: "points";
  /** Places along the horizontal axis. */
  readonly x: ArrayLike<number>;
  /** Places along the vertical axis. */
  readonly y: ArrayLike<number>;
  /** Radius in screen pixels, default 2. */
  readonly radius?: number;
  /** Default .6. */
  readonly opacity?: number;
}

/** Bars that start at zero, as made by {@linkcode histogram}. */
export interface BarsMark extends MarkStyle {
  /** A histogram. */
  readonly kind: "bars";
  /** Edges of the bars, one more than the heights, increasing. */
  readonly edges: ArrayLike<number>;
  /** Height of each bar. */
  readonly heights: ArrayLike<number>;
}

/** Arrows from (x, y) to (x + dx, y + dy) in data units. */
export interface ArrowsMark extends MarkStyle {
  /** A vector field. */
  readonly kind: "arrows";
  /** Places along the horizontal axis. */
  readonly x: ArrayLike<number>;
  /** Places along the vertical axis. */
  readonly y: ArrayLike<number>;
  /** Horizontal extents. */
  readonly dx: ArrayLike<number>;
  /** Vertical extents. */
  readonly dy: ArrayLike<number>;
}

/** Shades of one colour over a rectangle; needs linear axes. */
export interface DensityMark extends MarkStyle {
  /** A shaded rectangle. */
  readonly kind: "density";
  /** [rows, columns], row 0 at the lowest y; darkest where largest, empty at 0 and below. */
  readonly values: ArrayLike<number>;
  /** Values in a row. */
  readonly columns: number;
  /** The value at and above which the colour is full; default the largest. */
  readonly peak?: number;
  /** Whether colours are interpolated between cells; default true. */
  readonly smooth?: boolean;
  /** Left and right end of the rectangle. */
  readonly xRange: readonly [number, number];
  /** Lower and upper end of the rectangle. */
  readonly yRange: readonly [number, number];
}

/** Anything that can be drawn. */
export type Mark = LineMark | PointsMark | BarsMark | ArrowsMark | DensityMark;

/** Data to screen pixels along one axis. */
export type Placement = (value: number) => number;

/**
 * Counts values into bins of equal width and scales the bars to a density: their areas add up to the share of values in
 * the range.
 *
 * @throws {RangeError} When there are no values, no bins, or the range is empty.
 */
export function histogram(
  values: ArrayLike<number>,
  options: { bins: number; range: readonly [number, number] } & MarkStyle,
): BarsMark {
  requireNumbers("values", values);
  requireOptions("options", options);
  requireNumbers("range", options.range);
  const { bins, range: [low, high], ...style } = options;
  requireWhole("bins", bins, 1, 1e7);
  if (!(high > low)) throw new RangeError(`the range must increase, got ${low} to ${high}`);
  if (values.length === 0) throw new RangeError("a histogram needs at least one value");
  const step = (high - low) / bins;
  const heights = new Float64Array(bins);
  for (let at = 0; at < values.length; at++) {
    const bin = values[at] === high ? bins - 1 : Math.floor((values[at] - low) / step);
    if (bin >= 0 && bin < bins) heights[bin] += 1 / (values.length * step);
  }
  return {
    kind: "bars",
    edges: Float64Array.from({ length: bins + 1 }, (_, i) => low + i * step),
    heights,
    ...style,
  };
}

/**
 * SVG elements of a mark; X and Y take data to screen pixels.
 *
 * @throws {RangeError} When a density's colour is not of the form #rrggbb.
 */
export function drawMark(mark: Mark, anyColour: string, X: Placement, Y: Placement): string {
  const colour = escape(anyColour);
  switch (mark.kind) {
    case "line": {
      const dash = mark.dashed ? ' stroke-dasharray="5 4"' : "";
      const dots = mark.dots ? drawDots(mark, colour, X, Y, 2.6, 1) : "";
      return `<path d="${curve(mark, X, Y)}" fill="none" stroke="${colour}" stroke-width="${
        Number(mark.width ?? 1.6)
      }"${dash}/>${dots}`;
    }
    case "points":
      return drawDots(mark, colour, X, Y, mark.radius ?? 2, mark.opacity ?? .6);
    case "bars": {
      const bars = Array.from(mark.heights, (height, i) => {
        const [from, to] = [X(mark.edges[i]), X(mark.edges[i + 1])];
        // On a logarithmic axis zero is infinitely far below.
        const [base, top] = [Math.min(Y(0), 1e5), Y(height)];
        if (!(height > 0) || !Number.isFinite(from + to + top)) return "";
        return `M${fix(from)} ${fix(base)}V${fix(top)}H${fix(to)}V${fix(base)}Z`;
      });
      return `<path d="${
        bars.join("")
      }" fill="${colour}" fill-opacity=".35" stroke="${colour}" stroke-width=".6"/>`;
    }
    case "arrows":
      return `<path d="${arrows(mark, X, Y)}" fill="none" stroke="${colour}" stroke-width="1.1"/>`;
    case "density":
      return drawDensity(mark, colour, X, Y);
  }
}

function curve(mark: LineMark, X: Placement, Y: Placement): string {
  let pen = "M";
  let path = "";
  for (let i = 0; i < mark.x.length; i++) {
    const [x, y] = [X(mark.x[i]), Y(mark.y[i])];
    const drawable = Number.isFinite(x) && Number.isFinite(y);
    if (drawable) path += `${pen}${fix(x)} ${fix(y)}`;
    pen = drawable ? "L" : "M";
  }
  return path;
}

function drawDots(
  mark: LineMark | PointsMark,
  colour: string,
  X: Placement,
  Y: Placement,
  radius: number,
  opacity: number,
): string {
  // A line of length 0 with round caps is a dot: one path for all dots keeps the file small.
  let path = "";
  for (let i = 0; i < mark.x.length; i++) {
    const [x, y] = [X(mark.x[i]), Y(mark.y[i])];
    if (Number.isFinite(x) && Number.isFinite(y)) path += `M${fix(x)} ${fix(y)}h0`;
  }
  return `<path d="${path}" stroke="${colour}" stroke-opacity="${Number(opacity)}" stroke-width="${
    2 * radius
  }" stroke-linecap="round"/>`;
}

function arrows(mark: ArrowsMark, X: Placement, Y: Placement): string {
  let path = "";
  for (let i = 0; i < mark.x.length; i++) {
    const [x0, y0] = [X(mark.x[i]), Y(mark.y[i])];
    const [x1, y1] = [X(mark.x[i] + mark.dx[i]), Y(mark.y[i] + mark.dy[i])];
    const [dx, dy] = [x1 - x0, y1 - y0];
    if (!Number.isFinite(dx + dy)) continue;
    const head = Math.min(1, 4 / Math.hypot(dx, dy)) * .9;
    const wing = (side: number) =>
      `${fix(x1 - head * (dx - side * dy / 2))} ${fix(y1 - head * (dy + side * dx / 2))}`;
    path += `M${fix(x0)} ${fix(y0)}L${fix(x1)} ${fix(y1)}M${wing(1)}L${fix(x1)} ${fix(y1)}L${wing(-1)}`;
  }
  return path;
}

/** A small PNG with the density as its transparency, stretched over the rectangle. */
function drawDensity(mark: DensityMark, colour: string, X: Placement, Y: Placement): string {
  const { values, columns, xRange, yRange } = mark;
  if (!/^#[0-9a-f]{6}$/i.test(colour)) {
    throw new RangeError(
      `the colour of a density must be six digits such as #0072b2, got ${colour.slice(0, 80)}`,
    );
  }
  const rows = values.length / columns;
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const peak = mark.peak ?? (Array.from(values).reduce((most, value) => Math.max(most, value), 0) || 1);
  const data = new Uint8Array(4 * values.length);
  for (let i = 0; i < values.length; i++) {
    const row = rows - 1 - Math.floor(i / columns);
    const alpha = Math.round(255 * Math.min(1, Math.max(0, values[i]) / peak));
    data.set([red, green, blue, alpha], 4 * (row * columns + i % columns));
  }
  const png = btoa(String.fromCharCode(...encodePng({ width: columns, height: rows, data })));
  const [left, right] = [X(xRange[0]), X(xRange[1])];
  const [top, bottom] = [Y(yRange[1]), Y(yRange[0])];
  return `<image x="${fix(left)}" y="${fix(top)}" width="${fix(right - left)}" height="${
    fix(bottom - top)
  }" ` +
    `preserveAspectRatio="none"${
      mark.smooth === false ? ' image-rendering="optimizeSpeed"' : ""
    } href="data:image/png;base64,${png}"/>`;
}

/** The values of a mark that the axes must contain. */
export function extent(mark: Mark, axis: "x" | "y"): number[] {
  switch (mark.kind) {
    case "line":
    case "points":
      return Array.from(mark[axis]);
    case "bars":
      return axis === "x" ? Array.from(mark.edges) : [0, ...Array.from(mark.heights)];
    case "arrows": {
      const lengths = axis === "x" ? mark.dx : mark.dy;
      return Array.from(mark[axis]).flatMap((from, i) => [from, from + lengths[i]]);
    }
    case "density":
      return [...(axis === "x" ? mark.xRange : mark.yRange)];
  }
}

/** Throws a RangeError when the arrays of a mark differ in length. */
export function checkLengths(mark: Mark): void {
  requireOptions("a mark", mark);
  checkName("the kind of a mark", mark.kind, ["line", "points", "bars", "arrows", "density"]);
  const noun = `${mark.kind === "arrows" ? "an" : "a"} ${mark.kind} mark`;
  const lists = mark.kind === "bars"
    ? [mark.edges, mark.heights]
    : mark.kind === "density"
    ? [mark.values, mark.xRange, mark.yRange]
    : mark.kind === "arrows"
    ? [mark.x, mark.y, mark.dx, mark.dy]
    : [mark.x, mark.y];
  const stranger = lists.find((list) => !isList(list));
  if (stranger !== undefined || (lists as readonly unknown[]).includes(undefined)) {
    throw new TypeError(
      `${noun} must have lists of numbers, got ${quoted(stranger)}`,
    );
  }
  const lengths = mark.kind === "bars"
    ? [mark.edges.length, mark.heights.length + 1]
    : mark.kind === "density"
    ? []
    : mark.kind === "arrows"
    ? [mark.x.length, mark.y.length, mark.dx.length, mark.dy.length]
    : [mark.x.length, mark.y.length];
  if (mark.kind === "density" && mark.values.length % mark.columns !== 0) {
    throw new RangeError(
      `the arrays of a density mark do not belong together: ${mark.values.length} values in rows of ${mark.columns}`,
    );
  }
  if (lengths.some((length) => length !== lengths[0])) {
    throw new RangeError(
      `the arrays of ${
        mark.kind === "arrows" ? "an" : "a"
      } ${mark.kind} mark do not belong together: lengths ${lengths.join(", ")}`,
    );
  }
}

/** Two decimals are enough for screen pixels. */
export function fix(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/**
 * Plots as self-contained SVG: curves, points, histograms, vector fields and densities, on linear or logarithmic axes.
 * Text and axes take the colour of the page (`currentColor`), so that they suit light and dark pages.
 * @module
 */
import { type Axis, type AxisOptions, fitAxis } from "./axis.ts";
import { escape } from "./escape.ts";
import { checkLengths, drawMark, extent, fix, type Mark, type Placement } from "./marks.ts";
import { requireArray, requireBetween, requireOptions, requireText } from "../input/require.ts";

/** Title, axes and size of a plot. */
export interface PlotOptions {
  /** Title above the plot. */
  readonly title?: string;
  /** The horizontal axis. */
  readonly x?: AxisOptions;
  /** The vertical axis. */
  readonly y?: AxisOptions;
  /** Width in screen pixels, default 480. */
  readonly width?: number;
  /** Height in screen pixels, default 320. */
  readonly height?: number;
}

/** Okabe and Ito's palette, without its yellow. */
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"];
const LEGEND_ROW = 18;

/**
 * Draws marks over each other, the first at the bottom.
 *
 * @example
 * ```ts
 * import { plot } from "./plot.ts";
 * const error = { kind: "line", x: [10, 100], y: [1e-2, 1e-4], label: "Heun" } as const;
 * const svg = plot([error], { x: { label: "steps", scale: "log" }, y: { label: "error", scale: "log" } });
 * console.assert(svg.startsWith("<svg"));
 * ```
 * @returns An `<svg>` element as text.
 * @throws {RangeError} When a mark's arrays differ in length, or the plot is too small for its axes.
 */
export function plot(marks: readonly Mark[], options: PlotOptions = {}): string {
  requireArray("marks", marks);
  requireOptions("options", options);
  const { width = 480, height = 320, title = "" } = options;
  requireBetween("width", width, 1, 1e5);
  requireBetween("height", height, 1, 1e5);
  requireText("title", title);
  marks.forEach(checkLengths);
  const xAxis = fitAxis(marks.flatMap((mark) => extent(mark, "x")), options.x);
  const yAxis = fitAxis(marks.flatMap((mark) => extent(mark, "y")), options.y);
  const colours = assignColours(marks);
  const named = marks.flatMap((mark, at) =>
    mark.label === undefined ? [] : [{ text: mark.label, colour: colours[at] }]
  );
  const legendWidth = named.length > 0 ? 30 + 6.6 * Math.max(...named.map(({ text }) => text.length)) : 0;
  const area = {
    left: 62,
    top: title === "" ? 12 : 32,
    right: width - 14 - legendWidth,
    bottom: height - 46,
  };
  if (!(area.right - area.left >= 40 && area.bottom - area.top >= 40)) {
    throw new RangeError(`a plot of ${width}×${height} is too small for its title, axes and legend`);
  }
  const inside = { width: fix(area.right - area.left), height: fix(area.bottom - area.top) };
  const X = (value: number): number => area.left + xAxis.fraction(value) * (area.right - area.left);
  const Y = (value: number): number => area.bottom - yAxis.fraction(value) * (area.bottom - area.top);
  const legend = named.map(({ text, colour }, row) => {
    const y = area.top + 10 + row * LEGEND_ROW;
    return `<rect x="${fix(area.right + 10)}" y="${y - 5}" width="12" height="10" fill="${
      escape(colour)
    }"/>` +
      `<text x="${fix(area.right + 27)}" y="${y + 4}">${escape(text)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ` +
    `font-family="system-ui, sans-serif" font-size="12" fill="currentColor">`,
    `<title>${escape(title)}</title>`,
    title === ""
      ? ""
      : `<text x="${area.left}" y="20" font-size="14" font-weight="600">${escape(title)}</text>`,
    drawAxes(xAxis, yAxis, X, Y, area),
    // A nested svg clips what lies outside it.
    `<svg x="${area.left}" y="${area.top}" width="${inside.width}" height="${inside.height}" ` +
    `viewBox="${area.left} ${area.top} ${inside.width} ${inside.height}">`,
    ...marks.map((mark, at) => drawMark(mark, colours[at], X, Y)),
    "</svg>",
    ...legend,
    "</svg>",
  ].filter((line) => line !== "").join("\n");
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function drawAxes(xAxis: Axis, yAxis: Axis, X: Placement, Y: Placement, area: Area): string {
  const { left, top, right, bottom } = area;
  const grid = (d: string) => `<path d="${d}" stroke="currentColor" stroke-opacity=".13"/>`;
  const xTicks = xAxis.ticks.map(({ value, text }) =>
    grid(`M${fix(X(value))} ${top}V${bottom}`) +
    `<text x="${fix(X(value))}" y="${bottom + 16}" text-anchor="middle">${text}</text>`
  );
  const yTicks = yAxis.ticks.map(({ value, text }) =>
    grid(`M${left} ${fix(Y(value))}H${fix(right)}`) +
    `<text x="${left - 6}" y="${fix(Y(value) + 4)}" text-anchor="end">${text}</text>`
  );
  const middle = (top + bottom) / 2;
  return [
    ...xTicks,
    ...yTicks,
    `<path d="M${left} ${top}V${bottom}H${
      fix(right)
    }" fill="none" stroke="currentColor" stroke-opacity=".6"/>`,
    `<text x="${fix((left + right) / 2)}" y="${bottom + 36}" text-anchor="middle">${
      escape(xAxis.label)
    }</text>`,
    `<text x="14" y="${middle}" text-anchor="middle" transform="rotate(-90 14 ${middle})">${
      escape(yAxis.label)
    }</text>`,
  ].join("\n");
}

function assignColours(marks: readonly Mark[]): string[] {
  let next = 0;
  return marks.map(({ colour }) => colour ?? PALETTE[next++ % PALETTE.length]);
}

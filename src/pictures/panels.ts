/** Several plots as one SVG. @module */
import { escape } from "./plot.ts";

/** How panels are laid out. */
export interface PanelLayout {
  /** Width of a panel in screen pixels, as its plot was asked for. */
  readonly width: number;
  /** Height of a panel. */
  readonly height: number;
  /** Panels in a row; default: all of them. */
  readonly columns?: number;
  /** Above all panels. */
  readonly title?: string;
}

/**
 * Lays plots of one size out in rows, left to right and top to bottom.
 *
 * @param plots SVG elements that `plot` wrote.
 * @returns An `<svg>` element as text.
 * @throws {RangeError} When there is no plot, or columns is no positive integer.
 */
export function panels(plots: readonly string[], layout: PanelLayout): string {
  const { width, height, columns = plots.length, title = "" } = layout;
  if (plots.length === 0) throw new RangeError("panels need at least one plot, got none");
  if (!Number.isInteger(columns) || columns < 1) {
    throw new RangeError(`columns must be a positive integer, got ${columns}`);
  }
  const top = title === "" ? 0 : 30;
  const rows = Math.ceil(plots.length / columns);
  const [fullWidth, fullHeight] = [Math.min(columns, plots.length) * width, rows * height + top];
  const placed = plots.map((svg, at) => {
    const [x, y] = [at % columns * width, top + Math.floor(at / columns) * height];
    return `<g transform="translate(${x} ${y})">${svg}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${fullWidth} ${fullHeight}" width="${fullWidth}" ` +
    `height="${fullHeight}" role="img" font-family="system-ui, sans-serif" fill="currentColor">`,
    ...(title === "" ? [] : [`<text x="14" y="21" font-size="16">${escape(title)}</text>`]),
    ...placed,
    "</svg>",
  ].join("\n");
}

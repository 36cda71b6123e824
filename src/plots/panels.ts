/** Several plots as one SVG. @module */
import { escape } from "./escape.ts";
import { requireArray, requireOptions, requireText, requireWhole } from "../input/require.ts";

/** Layout of panels. */
export interface PanelLayout {
  /** Panels in a row; default all. */
  readonly columns?: number;
  /** Title above all panels. */
  readonly title?: string;
}

/**
 * Lays plots out in rows, left to right and top to bottom; a row is as high as its highest plot.
 *
 * @param plots SVG elements made by `plot`.
 * @returns An `<svg>` element as text.
 * @throws {RangeError} When there is no plot, one does not state its size, or columns is not a positive integer.
 */
export function panels(plots: readonly string[], layout: PanelLayout = {}): string {
  requireArray("plots", plots);
  requireOptions("layout", layout);
  const { columns = plots.length, title = "" } = layout;
  if (plots.length === 0) throw new RangeError("panels need at least one plot, got none");
  requireText("title", title);
  for (const svg of plots) requireText("a panel", svg);
  requireWhole("columns", columns, 1);
  const placed: string[] = [];
  let [fullWidth, top] = [0, title === "" ? 0 : 30];
  for (let first = 0; first < plots.length; first += columns) {
    let [left, height] = [0, 0];
    for (const svg of plots.slice(first, first + columns)) {
      const size = sizeOf(svg);
      placed.push(`<g transform="translate(${left} ${top})">${svg}</g>`);
      left += size.width;
      height = Math.max(height, size.height);
    }
    fullWidth = Math.max(fullWidth, left);
    top += height;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${fullWidth} ${top}" width="${fullWidth}" ` +
    `height="${top}" role="img" font-family="system-ui, sans-serif" fill="currentColor">`,
    ...(title === "" ? [] : [`<text x="14" y="21" font-size="16">${escape(title)}</text>`]),
    ...placed,
    "</svg>",
  ].join("\n");
}

function sizeOf(svg: string): { width: number; height: number } {
  const size = /^<svg [^>]*\bwidth="([\d.]+)" height="([\d.]+)"/.exec(svg);
  if (size === null) {
    throw new RangeError(`a panel must be an <svg> with width and height, got ${svg.slice(0, 40)}`);
  }
  return { width: Number(size[1]), height: Number(size[2]) };
}

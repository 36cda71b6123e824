/**
 * Plots of numbers as SVG, and a rasterizer that makes pixels of them.
 *
 * @example A line in the first of two panels, a histogram in the second
 * ```ts
 * import { histogram, panels, plot } from "./mod.ts";
 * const line = plot([{ kind: "line", x: [0, 1, 2], y: [0, 1, 4] }], { title: "squares" });
 * const bars = plot([histogram([1, 2, 2, 3], { bins: 3, range: [0.5, 3.5] })]);
 * console.assert(panels([line, bars], { columns: 2 }).startsWith("<svg"));
 * ```
 * @module
 */

// Plots.
export { plot, type PlotOptions } from "./plot.ts";
export {
  type ArrowsMark,
  type BarsMark,
  type DensityMark,
  histogram,
  type LineMark,
  type Mark,
  type MarkStyle,
  type PointsMark,
} from "./marks.ts";
export type { AxisOptions } from "./axis.ts";
export { type PanelLayout, panels } from "./panels.ts";
export { type PointPanel, pointPanels } from "./point_panels.ts";

// Tables.
export { ShownTable, table, type TableCell, type TableOptions } from "./table.ts";

// Their pixels.
export { loadRasterizer, type Rasterizer, type RasterizerParts, type RasterOptions } from "./rasterizer.ts";

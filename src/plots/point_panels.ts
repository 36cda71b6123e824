/** Clouds of points in the plane, side by side on the same axes. @module */
import { requireArray, requireNumbers, requireOptions, requireText } from "../input/require.ts";
import { panels } from "./panels.ts";
import { plot } from "./plot.ts";

/** Points with a title. */
export interface PointPanel {
  /** The title above them. */
  readonly title: string;
  /** [N, 2], row-major. */
  readonly points: ArrayLike<number>;
}

/** Width and height of a panel, whose square of axes has equal sides. */
const PANEL = { width: 396, height: 398 };
/** The most points that a panel shows, the first ones: more would fill the square. */
const MOST_POINTS = 5000;

/**
 * Draws clouds of points side by side as an SVG; the axes are those of the first cloud, with a margin, and what lies
 * outside is counted in the title.
 *
 * @param columns Names of the two coordinates.
 * @throws {RangeError} When there is no panel, or one has no points.
 */
export function pointPanels(
  clouds: readonly PointPanel[],
  columns: readonly [x: string, y: string],
): string {
  requireArray("clouds", clouds);
  requireArray("columns", columns);
  for (const column of [0, 1]) requireText("each of two columns", columns[column]);
  for (const cloud of clouds) {
    requireOptions("a cloud", cloud);
    requireText("the title of a cloud", cloud.title);
    requireNumbers("the points of a cloud", cloud.points);
    if (cloud.points.length === 0 || cloud.points.length % 2 !== 0) {
      throw new RangeError(`a cloud must hold points of two coordinates, got ${cloud.points.length} values`);
    }
  }
  if (clouds.length === 0) throw new RangeError("at least one cloud of points is needed, got none");
  const [across, up] = [0, 1].map((axis) => rangeOf(clouds[0].points, axis));
  const drawn = clouds.map(({ title, points }) => {
    const shown = Array.from({ length: Math.min(MOST_POINTS, points.length / 2) }, (_, i) => i)
      .filter((i) =>
        points[2 * i] >= across.min && points[2 * i] <= across.max &&
        points[2 * i + 1] >= up.min && points[2 * i + 1] <= up.max
      );
    const outside = Math.min(MOST_POINTS, points.length / 2) - shown.length;
    const mark = {
      kind: "points",
      x: shown.map((i) => points[2 * i]),
      y: shown.map((i) => points[2 * i + 1]),
      radius: shown.length > 1000 ? 1.1 : 1.8,
      opacity: 0.5,
      colour: "#0072b2",
    } as const;
    return plot([mark], {
      ...PANEL,
      title: outside === 0 ? title : `${title} (${outside} outside)`,
      x: { ...across, label: columns[0] },
      y: { ...up, label: columns[1] },
    });
  });
  return panels(drawn, { columns: Math.min(3, clouds.length) });
}

/** The range of a coordinate with a twelfth of it on both sides. */
function rangeOf(points: ArrayLike<number>, axis: number): { min: number; max: number } {
  let [min, max] = [Infinity, -Infinity];
  for (let i = axis; i < points.length; i += 2) {
    min = Math.min(min, points[i]);
    max = Math.max(max, points[i]);
  }
  const margin = (max - min) / 12 || 1;
  return { min: min - margin, max: max + margin };
}

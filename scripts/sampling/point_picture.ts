/**
 * Pictures of points, drawn and of the data, in the units of the data.
 * @module
 */
import type { DataUnits } from "../../src/data/units.ts";
import { encodePng } from "../../src/images/png.ts";
import { pointPanels } from "../../src/plots/point_panels.ts";

/** Points in the units of the data with a title. */
interface Cloud {
  readonly title: string;
  /** [N, D]. */
  readonly points: Float64Array;
}

/** A PNG with a panel for each cloud, of the first two of D ≥ 2 coordinates. */
export async function pointsPng(
  clouds: readonly Cloud[],
  units: DataUnits,
): Promise<Uint8Array<ArrayBuffer>> {
  const dimension = units.offset.length;
  const [x, y] = units.columns ?? ["x", "y"];
  const plane = (points: Float64Array) =>
    Float64Array.from(
      { length: 2 * points.length / dimension },
      (_, i) => points[(i >> 1) * dimension + i % 2],
    );
  const svg = pointPanels(clouds.map(({ title, points }) => ({ title, points: plane(points) })), [x, y]);
  // Loaded here, since pictures of images do without it.
  const { loadRasterizer } = await import("../../src/plots/rasterizer.ts");
  const rasterize = await loadRasterizer();
  return encodePng(rasterize(svg, { scale: 2 }));
}

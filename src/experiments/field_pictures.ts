/**
 * Pictures of learned scores: as arrows beside the true score, and their errors by place and by noise level. @module
 */
import type { ExactDistribution } from "../distributions/distribution.ts";
import type { Mark } from "../plots/marks.ts";
import { panels } from "../plots/panels.ts";
import { plot } from "../plots/plot.ts";
import { ARROW_SIDE, type FieldsReport } from "./learned_fields.ts";
import { densityMark, dotsMark, fieldMark, HALF_SIDE, PANEL, shaded, squarePlot } from "./plane.ts";
import { requireFloats, requireOptions, requirePositive } from "../input/require.ts";
import { requirePlaneDistribution, requireSome } from "../input/require_parts.ts";

/** The true field and the learned ones as arrows on the density, as an SVG. */
export async function fieldsPicture(distribution: ExactDistribution, report: FieldsReport): Promise<string> {
  requirePlaneDistribution("distribution", distribution);
  requireReport(report);
  const { sigma, truth, centres, fields } = report;
  const shade = await densityMark(distribution, sigma);
  const typical = medianLength(truth);
  const cell = 2 * HALF_SIDE / ARROW_SIDE * 1.1;
  const panel = (title: string, vectors: Float32Array) =>
    plot([shade, fieldMark(centres, vectors, cell, typical, "#222222")], squarePlot(title));
  return panels([
    panel("True score", truth),
    ...fields.map(({ method, vectors, relative }) =>
      panel(`${method}: error ${(100 * relative).toPrecision(2)}%`, vectors)
    ),
  ], { columns: 3, title: `Scores at noise σ = ${sigma}; E‖s − s*‖² in percent of E‖s*‖²` });
}

/** Maps of the learned fields' errors, as an SVG: all maps share one scale. */
export async function errorsPicture(
  distribution: ExactDistribution,
  report: FieldsReport,
  data: Float32Array,
): Promise<string> {
  requirePlaneDistribution("distribution", distribution);
  requireReport(report);
  requireFloats("data", data);
  const { sigma, fields } = report;
  const all = fields.flatMap(({ map }) => [...map]).sort((a, b) => a - b);
  const peak = all[Math.floor(0.9 * all.length)];
  const dots = dotsMark(data, "#222222", 0.8, 0.5);
  return panels([
    plot([await densityMark(distribution, sigma), dots], squarePlot("Density and data")),
    ...fields.map(({ method, map }) => plot([shaded(map, 16, "#b2182b", peak), dots], squarePlot(method))),
  ], {
    columns: 3,
    title: `Distance ‖s − s*‖ from the true score at σ = ${sigma}: white is 0, full red ${
      peak.toPrecision(2)
    } and more`,
  });
}

/** The error by noise level, and by the density of the place, as an SVG. */
export function levelsPicture(report: FieldsReport): string {
  requireReport(report);
  const { sigma, levels, fields } = report;
  const size = { width: 560, height: PANEL.height };
  const byLevel: Mark[] = fields.map(({ method, byLevel }) => ({
    kind: "line",
    x: levels,
    y: byLevel,
    label: method,
    dots: true,
  }));
  const byDensity: Mark[] = fields.map(({ method, byDensity }) => ({
    kind: "line",
    x: byDensity.map((_, i) => i + 1),
    y: byDensity,
    label: method,
    dots: true,
  }));
  return panels([
    plot(byLevel, {
      ...size,
      title: `½ E‖ν (s − s*)‖² on data noised by ν (trained at ${sigma})`,
      x: { label: "noise level ν", scale: "log" },
      y: { scale: "log" },
    }),
    plot(byDensity, {
      ...size,
      title: `Median ‖s − s*‖ at σ = ${sigma} by density`,
      x: { label: "tenth of the square, densest first" },
      y: { scale: "log" },
    }),
  ]);
}

function medianLength(vectors: Float32Array): number {
  const lengths = Array.from(
    { length: vectors.length / 2 },
    (_, i) => Math.hypot(vectors[2 * i], vectors[2 * i + 1]),
  );
  return lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)];
}

/** Throws unless the value is a report of fields. */
function requireReport(report: FieldsReport): void {
  requireOptions("report", report);
  requirePositive("the noise of a report", report.sigma);
  requireSome("the fields of a report", report.fields);
}

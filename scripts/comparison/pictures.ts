/**
 * What `deno task compare` draws: quality against network evaluations, and a row of digits for each sampler.
 * @module
 */
import { fromModel } from "../../src/data/dataset.ts";
import { samplerInfo } from "../../src/samplers/registry.ts";
import type { Mark } from "../../src/plots/marks.ts";
import { plot } from "../../src/plots/plot.ts";
import { imageGrid } from "../../src/images/grid.ts";
import type { ShownRow } from "../../src/runs/comparison.ts";
import { measuredRows, paretoFront } from "./pareto_front.ts";
import { type Results, samplerText } from "./results.ts";

/**
 * Fréchet distance against evaluations under one equation, a line for each sampler, broken where it adds noise, and the Pareto front.
 */
export function qualityPlot({ run, floor, rows }: Results, sde: string): string {
  const points = measuredRows(rows, sde, String(run.weights));
  const names = [...new Set(points.map(({ sampler }) => sampler))];
  const lines: Mark[] = names.map((name, i) => {
    const own = points.filter(({ sampler }) => sampler === name);
    return {
      kind: "line",
      label: name,
      colour: `hsl(${Math.round(360 * i / names.length)}, 70%, 45%)`,
      x: own.map(({ evaluations }) => evaluations),
      y: own.map(({ quality }) => quality.frechet),
      dashed: samplerInfo(name).stochastic,
      dots: true,
    };
  });
  const front = paretoFront(points);
  if (names.length > 1) {
    lines.push({
      kind: "points",
      label: "Pareto front",
      colour: "#202020",
      x: front.map(({ evaluations }) => evaluations),
      y: front.map(({ quality }) => quality.frechet),
      radius: 6,
      opacity: 0.3,
    });
  }
  const others = rows.filter(({ quality, network }) => quality !== null && network !== run.weights);
  for (const row of others) {
    const [x, y] = [[row.evaluations!], [row.quality!.frechet]];
    lines.push({ kind: "points", label: samplerText(row, run), colour: "#000000", x, y, radius: 4 });
  }
  const all = [...points, ...others].map(({ evaluations }) => evaluations!);
  const ends = [Math.min(...all), Math.max(...all)];
  const label = `${run.count} training images`;
  lines.push({
    kind: "line",
    label,
    colour: "#7f7f7f",
    x: ends,
    y: [floor.frechet, floor.frechet],
    dashed: true,
  });
  return plot(lines, {
    title: `Fréchet distance of ${run.count} digits, ${sde}`,
    x: { label: "network evaluations", scale: "log" },
    y: { label: "Fréchet distance", scale: "log" },
    width: 760,
    height: Math.max(360, 100 + 18 * lines.length),
  });
}

/** A PNG with a row of digits for each setting, named by its sampler and its network evaluations. */
export function digitRows(shown: readonly ShownRow[], sampleShape: readonly number[]): Uint8Array {
  const pieces = shown.map(({ images }) => fromModel(images));
  const values = new Float32Array(pieces.length * pieces[0].length);
  pieces.forEach((piece, i) => values.set(piece, i * piece.length));
  const columns = pieces[0].length / sampleShape.reduce((size, length) => size * length, 1);
  const rowNames = shown.map(({ row }) => `${row.sampler} ${row.evaluations}`);
  const shape = [rowNames.length * columns, ...sampleShape];
  const title = `samplers under ${shown[0].row.sde}, with their network evaluations`;
  const columnNames = Array.from(shown[0].labels ?? [], (label) => `class ${label}`);
  return imageGrid(values, shape, { columns, title, rowNames, columnNames }).toPng();
}

/** Posterior samples beside their images and measurements, as one picture. @module */
import { fromModel } from "../data/dataset.ts";
import { imageGrid } from "../images/grid.ts";
import type { ShownPicture } from "../images/shown_picture.ts";
import { sizeOf } from "../math/shape.ts";
import { posteriorMoments } from "../metrics/posterior_moments.ts";
import type { PosteriorResult } from "./posterior.ts";
import type { PosteriorImages } from "./posterior_errors.ts";

/** The most images, which are columns, and the most samples, which are rows, that a picture shows. */
const MOST_COLUMNS = 20;
const MOST_SAMPLES = 8;

/** What a picture shows, in model units. */
export type ShownPosterior = PosteriorImages & Pick<PosteriorResult, "seen">;

/** What is written in it. */
export interface PosteriorNames {
  /** Above all. */
  readonly title: string;
  /** What the measurements are called. */
  readonly seen: string;
  /** The images' names, one each; empty for none. */
  readonly columnNames: readonly string[];
}

/**
 * A column for each image, with the rows original, measurement, samples, their mean and twice their standard deviation in units
 * of a pixel's range, so that the most that there can be is white.
 */
export function posteriorPicture(
  { shape, inputs, samples, originals, seen, values }: ShownPosterior,
  names: PosteriorNames,
): ShownPicture {
  const size = sizeOf(shape);
  const columns = Math.min(inputs, MOST_COLUMNS);
  const shown = Math.min(samples, MOST_SAMPLES);
  const { mean, std } = posteriorMoments(values, inputs, samples);
  const sampleRows = Array.from({ length: shown }, (_, sample) => {
    const row = new Float32Array(columns * size);
    for (let input = 0; input < columns; input++) {
      const start = (input * samples + sample) * size;
      row.set(values.subarray(start, start + size), input * size);
    }
    return row;
  });
  const rows = [originals, seen, ...sampleRows, mean].map((row) =>
    fromModel(row.subarray(0, columns * size))
  );
  // From model units, whose range is 2, to picture units, twice.
  rows.push(std.slice(0, columns * size));
  const all = new Float32Array(rows.length * columns * size);
  rows.forEach((row, at) => all.set(row, at * columns * size));
  return imageGrid(all, [rows.length * columns, ...shape], {
    columns,
    title: names.title,
    rowNames: [
      "original",
      names.seen,
      ...sampleRows.map((_, sample) => `sample ${sample + 1}`),
      "mean",
      "2 × std",
    ],
    columnNames: names.columnNames.slice(0, columns),
  });
}

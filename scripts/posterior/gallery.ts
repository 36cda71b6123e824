/**
 * Writes posterior samples beside their inputs and measurements, as one picture or an array.
 * @module
 */
import { fromModel } from "../../src/data/dataset.ts";
import { posteriorMoments } from "../../src/metrics/posterior_moments.ts";
import { imageGrid } from "../../src/images/grid.ts";
import { writeNpy } from "../../src/images/npy.ts";
import { encodePng } from "../../src/images/png.ts";
import { sizeOf } from "../../src/math/shape.ts";
import type { PosteriorImages } from "../../src/runs/posterior_errors.ts";
import type { PosteriorResult } from "../../src/runs/posterior.ts";
import { atomicWrite } from "../cli/files.ts";
import { UsageError } from "../cli/flags.ts";

/** The most images, which are columns, and the most samples, which are rows, that a picture shows. */
const mostColumns = 20;
const mostSamples = 8;

/** What is drawn: images, their measurements and their samples. */
type Gallery = PosteriorImages & Pick<PosteriorResult, "seen">;

/** Refuses the name of an output that is neither a picture nor an array. */
export function checkOutputName(path: string): void {
  if (!/\.(png|npy)$/.test(path)) throw new UsageError(`--output must end in .png or .npy, got "${path}"`);
}

/**
 * Writes a PNG: a column for each image, with the rows original, measurement, samples, their mean and their standard deviation (twice
 * it, so that the most that there can be is white); or the samples as a .npy in [0, 1].
 */
export async function writeGallery(path: string, gallery: Gallery): Promise<void> {
  const { shape, inputs, samples, values } = gallery;
  const bytes = path.endsWith(".npy")
    ? writeNpy({ shape: [inputs, samples, ...shape], values: fromModel(values) })
    : encodePng(galleryPicture(gallery));
  await atomicWrite(path, bytes);
}

function galleryPicture({ shape, inputs, samples, originals, seen, values }: Gallery) {
  const size = sizeOf(shape);
  const columns = Math.min(inputs, mostColumns);
  const { mean, std } = posteriorMoments(values, inputs, samples);
  const sampleRows = Array.from({ length: Math.min(samples, mostSamples) }, (_, sample) => {
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
  return imageGrid(all, [rows.length * columns, ...shape], { columns });
}

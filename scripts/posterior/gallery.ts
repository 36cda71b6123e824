/**
 * Writes posterior samples beside their inputs and measurements, as one picture or an array.
 * @module
 */
import { fromModel } from "../../src/data/dataset.ts";
import { writeNpy } from "../../src/images/npy.ts";
import {
  type PosteriorNames,
  posteriorPicture,
  type ShownPosterior,
} from "../../src/runs/posterior_picture.ts";
import { atomicWrite } from "../cli/files.ts";
import { UsageError } from "../cli/flags.ts";

/** Refuses the name of an output that is neither a picture nor an array. */
export function checkOutputName(path: string): void {
  if (!/\.(png|npy)$/.test(path)) throw new UsageError(`--output must end in .png or .npy, got "${path}"`);
}

/** Writes a PNG, as {@linkcode posteriorPicture} draws it; or the samples as a .npy in [0, 1]. */
export async function writeGallery(
  path: string,
  drawn: ShownPosterior,
  names: PosteriorNames,
): Promise<void> {
  const { shape, inputs, samples, values } = drawn;
  const bytes = path.endsWith(".npy")
    ? writeNpy({ shape: [inputs, samples, ...shape], values: fromModel(values) })
    : posteriorPicture(drawn, names).toPng();
  await atomicWrite(path, bytes);
}

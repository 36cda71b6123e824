/** Drawn samples as one picture that says how they were drawn. @module */
import { imageGrid } from "../images/grid.ts";
import type { PictureNames, ShownPicture } from "../images/shown_picture.ts";
import type { SamplingRequest } from "./sampling.ts";

/** How samples were drawn, in one line: the equation's name, sampler, steps, label, guidance and seed. */
export function samplingTitle(
  { sampler, grid, label, guidance, classifierScale, seed }: SamplingRequest,
  sde: string,
): string {
  const one = typeof label === "object" && label.every((other) => other === label[0]) ? label[0] : label;
  const guided = label === "none" ? ["no label"] : [
    ...(typeof one === "number" ? [`label ${one}`] : []),
    ...(guidance.scale === 1 ? [] : [`guidance ${guidance.scale}`]),
    ...(classifierScale === 0 ? [] : [`classifier scale ${classifierScale}`]),
  ];
  return [
    sde,
    sampler.name,
    `${grid.steps} ${grid.steps === 1 ? "step" : "steps"}`,
    ...guided,
    `seed ${seed}`,
  ].join(", ");
}

/**
 * Up to ten samples in a row, more in a square, and their names: rows by the number of their first sample, samples by their labels if
 * these differ.
 */
export function sampleNames(
  count: number,
  { title, labels }: { readonly title: string; readonly labels: readonly number[] | null },
): PictureNames & { readonly columns: number } {
  const columns = count <= 10 ? count : Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  return {
    title,
    columns,
    rowNames: rows === 1 ? [] : Array.from({ length: rows }, (_, row) => `#${row * columns}`),
    names: labels === null || new Set(labels).size === 1 ? [] : labels.map(String),
  };
}

/**
 * Samples as one picture.
 * @param values [N, height, width, channels] in [0, 1].
 */
export function samplePicture(
  values: Float32Array,
  shape: readonly number[],
  names: { readonly title: string; readonly labels: readonly number[] | null },
): ShownPicture {
  return imageGrid(values, shape, sampleNames(shape[0], names));
}

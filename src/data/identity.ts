/**
 * The identity of a data set: its shape, its classes and their counts, and a hash of every label and pixel.
 * Checkpoints contain it, so that a run is not resumed on other data.
 * @module
 */
import type { ArrayDataset } from "./array_dataset.ts";
import type { ImageDataset } from "./dataset.ts";
import { requireArray, requireOptions } from "../input/require.ts";
import { requireLabels, requireSamples } from "../input/require_parts.ts";
import { hexadecimal } from "../input/hexadecimal.ts";
import { printable } from "../input/quoted.ts";

/** The identity of a data set; plain JSON. */
export interface DatasetIdentity {
  /** [height, width, channels] of one image, [D] of one point. */
  readonly shape: readonly number[];
  /** Names of the classes, in the order of labels. */
  readonly classes: readonly string[];
  /** Images of each class, in the same order. */
  readonly counts: readonly number[];
  /**
   * SHA-256 of all labels [N] and then all pixels [N, height, width, channels], in hexadecimal digits; of arrays, all
   * model values as float32 and the units as JSON.
   */
  readonly sha256: string;
}

/** Computes the identity of a data set, of all its labels and pixels. */
export async function datasetIdentity(dataset: ImageDataset | ArrayDataset): Promise<DatasetIdentity> {
  requireSamples("dataset", dataset);
  requireLabels("dataset", dataset);
  const { shape, classes, classNames, labels } = dataset;
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  // A hash of two hashes needs no copy of the pixels.
  const parts = await Promise.all([labels, ...contentsOf(dataset)].map(sha256));
  return {
    shape: [...shape],
    classes: classNames ?? Array.from({ length: classes }, (_, label) => String(label)),
    counts,
    sha256: hexadecimal(await sha256(Uint8Array.from(parts.flatMap((part) => [...part])))),
  };
}

/** The bytes that make a data set beside its labels. */
function contentsOf(dataset: ImageDataset | ArrayDataset): Uint8Array[] {
  if (!("values" in dataset)) return [dataset.images];
  const { values, units } = dataset;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [bytes, new TextEncoder().encode(JSON.stringify(units))];
}

/** `10 classes: 0 (5923), 1 (6742), …`; the first twenty by name. */
export function describeClasses({ classes, counts }: DatasetIdentity): string {
  const named = classes.slice(0, 20).map((name, label) => `${name} (${counts[label]})`).join(", ");
  const rest = classes.length > 20 ? ` and ${classes.length - 20} more` : "";
  return `${classes.length} ${classes.length === 1 ? "class" : "classes"}: ${named}${rest}`;
}

/**
 * The difference of one data set from another, as the continuation of a sentence; null when they have the same images
 * in the same order.
 */
export function datasetChange(before: DatasetIdentity, now: DatasetIdentity): string | null {
  for (const identity of [before, now]) {
    requireOptions("identity", identity);
    requireArray("classes", identity.classes);
    requireArray("counts", identity.counts);
  }
  if (before.sha256 === now.sha256 && String(before.shape) === String(now.shape)) {
    return String(before.classes) === String(now.classes) ? null : classChange(before.classes, now.classes);
  }
  if (String(before.shape) !== String(now.shape)) {
    return `it has ${describeSamples(now.shape)}, and had ${describeSamples(before.shape)}`;
  }
  if (String(before.classes) !== String(now.classes)) return classChange(before.classes, now.classes);
  const changed = now.counts.flatMap((count, label) =>
    count === before.counts[label]
      ? []
      : [`class ${now.classes[label]} has ${count} samples, and had ${before.counts[label]}`]
  );
  return changed.length > 0
    ? someOf(changed)
    : "its samples are as many, but not the same or in another order";
}

/** `images of 32×32 with 3 channels`, `points of 2 coordinates`. */
export function describeSamples(shape: readonly number[]): string {
  if (shape.length === 3) return `images of ${describeShape(shape)}`;
  return `points of ${shape[0]} ${shape[0] === 1 ? "coordinate" : "coordinates"}`;
}

/** `32×32 with 3 channels`. */
function describeShape([height, width, channels]: readonly number[]): string {
  return `${height}×${width} with ${channels} ${channels === 1 ? "channel" : "channels"}`;
}

function classChange(before: readonly string[], now: readonly string[]): string {
  const added = now.filter((name) => !before.includes(name));
  const missing = before.filter((name) => !now.includes(name));
  const words = [
    ...missing.length > 0 ? [`it lacks the ${noun(missing)} ${someOf(missing)}`] : [],
    ...added.length > 0 ? [`it has the new ${noun(added)} ${someOf(added)}`] : [],
  ];
  return words.length > 0 ? words.join(" and ") : "its classes are in another order";
}

function noun(names: readonly string[]): string {
  return names.length === 1 ? "class" : "classes";
}

function someOf(words: readonly string[]): string {
  return words.slice(0, 5).map((word) => printable(word.length > 80 ? `${word.slice(0, 79)}…` : word)).join(
    ", ",
  ) + (words.length > 5 ? ` and ${words.length - 5} more` : "");
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

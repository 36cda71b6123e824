/** Digits and their nearest training images as numbers, as a sentence and as a picture. @module */
import { imageGrid } from "../../src/images/grid.ts";
import type { NearestImages } from "../../src/runs/evaluation.ts";
import { formatPercent } from "../cli/terminal.ts";

/** Distances to the nearest training images in a few numbers. */
interface NearestNumbers {
  /** How many digits. */
  readonly count: number;
  /** The middle of their distances. */
  readonly median: number;
  /** The middle of the test images' distances. */
  readonly testMedian: number;
  /** The share of digits that are nearer to a training image than all but a hundredth of the test images. */
  readonly nearer: number;
}

/** The value that a share `part` in [0, 1) of the values is below. */
function quantile(values: Float64Array, part: number): number {
  return values.toSorted()[Math.floor(part * values.length)];
}

/** The numbers of digits and test images; a hundredth of digits like the test images are nearer than that. */
export function nearestNumbers({ distances, testDistances }: NearestImages): NearestNumbers {
  const near = quantile(testDistances, 0.01);
  return {
    count: distances.length,
    median: quantile(distances, 0.5),
    testMedian: quantile(testDistances, 0.5),
    nearer: distances.filter((distance) => distance < near).length / distances.length,
  };
}

/** Those numbers as a sentence. */
export function nearestText(nearest: NearestImages): string {
  const { count, median, testMedian, nearer } = nearestNumbers(nearest);
  return `the nearest training image is at ${median.toFixed(2)} in the median of ${count} digits, at ` +
    `${testMedian.toFixed(2)} of ${nearest.testDistances.length} test images; ${
      formatPercent(nearer)
    } of the digits are ` +
    "nearer than 99% of the test images";
}

/** Classes that the picture shows. */
const CLASSES = 10;

/**
 * A PNG of a row of digits, one of each class in turn, above the training images that are nearest to them, and the same of
 * the digits of each class that come nearest to a training image.
 */
export function nearestPicture(
  { digits, images, distances }: NearestImages,
  sampleShape: readonly number[],
): Uint8Array {
  const first = Array.from({ length: Math.min(CLASSES, distances.length) }, (_, at) => at);
  const closest = first.map((start) => {
    let found = start;
    for (let i = start; i < distances.length; i += CLASSES) if (distances[i] < distances[found]) found = i;
    return found;
  });
  const size = sampleShape.reduce((product, side) => product * side);
  const rows = [[digits, first], [images, first], [digits, closest], [images, closest]] as const;
  const values = new Float32Array(rows.length * first.length * size);
  rows.forEach(([from, chosen], row) =>
    chosen.forEach((at, column) =>
      values.set(
        Array.from(from.subarray(at * size, (at + 1) * size), (byte) => byte / 255),
        (row * chosen.length + column) * size,
      )
    )
  );
  return imageGrid(values, [rows.length * first.length, ...sampleShape], {
    columns: first.length,
    title: "drawn digits and their nearest training images",
    rowNames: ["first digits", "nearest image", "closest digits", "nearest image"],
    columnNames: first.map((label) => `class ${label}`),
  }).toPng();
}

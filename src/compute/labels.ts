/** Class labels of the rows of a batch. @module */
import { quoted } from "../input/quoted.ts";

/**
 * Throws unless every label is a class, and there is one for each row where the number of rows is known.
 *
 * @param classes Number of classes; labels are whole numbers from 0 to one less.
 * @throws {RangeError} When a label is not a class, naming the first, or there is not one for each row.
 */
export function checkLabels(labels: ArrayLike<number>, classes: number, rows: number = labels.length): void {
  for (const label of Array.from(labels)) {
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw new RangeError(`labels must be whole numbers from 0 to ${classes - 1}, got ${quoted(label)}`);
  }
  if (labels.length !== rows) {
    throw new RangeError(`expected one label per row, got ${labels.length} for ${rows} rows`);
  }
}

/**
 * Data in one file: arrays of numbers in .npy files, points in .csv files.
 * @module
 */
import { basename } from "node:path";
import { arrayDataset } from "../../src/data/array_dataset.ts";
import { readNumberTable } from "../../src/data/csv.ts";
import type { Dataset } from "../../src/data/held_out.ts";
import { readNpyNumbers } from "../../src/images/npy.ts";
import { readWhole } from "../cli/files.ts";
import { UsageError } from "../cli/flags.ts";

/** The longest table that is read; a .npy file holds the same numbers in a third of the bytes. */
const LONGEST_TABLE = 2 ** 28;
/** The most numbers of an array that are read. */
const MOST_NUMBERS = 2 ** 29;

/** Whether data are one file of numbers, by their name. */
export function isArrayFile(data: string): boolean {
  return /\.npy$/i.test(data) || isTable(data);
}

/** Whether data are a table of points, by their name. */
export function isTable(data: string): boolean {
  return /\.(csv|tsv|txt)$/i.test(data);
}

/** The name of the data in a file: its own without its ending. */
function arrayFileName(path: string): string {
  return basename(path).replace(/\.\w+$/, "").replaceAll(/\s/g, "-");
}

/**
 * The data set in a file of numbers.
 * @param labels For a table, the column with the classes, by its name or its number from 1; for an array, a .npy file with the
 * class of each sample.
 * @throws {Error} with one sentence, when it cannot be read
 */
export async function loadArrayFile(path: string, labels: string | undefined): Promise<Dataset> {
  const bytes = await readWhole(path);
  const name = arrayFileName(path);
  if (isTable(path)) {
    if (bytes.length > LONGEST_TABLE) {
      throw new Error(
        `"${path}" has ${bytes.length} bytes, of a table at most ${LONGEST_TABLE} are read: store it as .npy`,
      );
    }
    if (labels !== undefined && /\.npy$/i.test(labels)) {
      throw new UsageError(`--labels of a table is one of its columns, by name or number, got "${labels}"`);
    }
    const { columns, values, classes } = readNumberTable(decodeText(bytes), path, labels);
    const shape = [values.length / columns.length, columns.length];
    const dataset = arrayDataset({ shape, values }, { name: path, columns, labels: classes ?? undefined });
    return { ...dataset, name };
  }
  const array = readNpyNumbers(bytes, path, MOST_NUMBERS);
  const dataset = arrayDataset(array, {
    name: path,
    labels: labels === undefined ? undefined : await readLabels(labels),
  });
  return { ...dataset, name };
}

/** The text of a file in UTF-8 or, by the mark at its beginning, in UTF-16, as spreadsheets write Unicode text. */
function decodeText(bytes: Uint8Array): string {
  const mark = bytes[0] << 8 | bytes[1];
  const encoding = mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** Whether a table has a column of a name; arrays have none. */
export async function hasColumn(path: string, column: string): Promise<boolean> {
  if (!isTable(path)) return false;
  try {
    readNumberTable(decodeText(await readWhole(path)), path, column);
    return true;
  } catch {
    return false;
  }
}

async function readLabels(path: string): Promise<ArrayLike<number>> {
  if (!/\.npy$/i.test(path)) {
    throw new UsageError(`--labels of an array is a .npy file with the class of each sample, got "${path}"`);
  }
  const { shape, values } = readNpyNumbers(await readWhole(path), path);
  const own = shape.filter((length, axis) => axis === 0 || length !== 1);
  if (own.length !== 1) {
    throw new Error(`"${path}" must have one axis, [N], of the samples' classes, got [${shape}]`);
  }
  return values;
}

/**
 * The data that a checkpoint is measured with: those that it was trained on, or others of the same kind.
 * @module
 */
import { resolve } from "node:path";
import { withUnits } from "../../src/data/array_dataset.ts";
import { type Dataset, holdOut } from "../../src/data/held_out.ts";
import { datasetIdentity, describeSamples } from "../../src/data/identity.ts";
import { UsageError } from "../cli/flags.ts";
import { hasColumn, isArrayFile, isTable } from "../datasets/array_file.ts";
import { loadData } from "../datasets/training_data.ts";
import type { OwnData } from "../sampling/own_data.ts";

/** Data to measure against, and further data. */
interface MeasuredData {
  /** What was held out, or all where nothing was; half of data that the checkpoint was not trained on. */
  readonly reference: Dataset;
  /** What was trained on, or all where nothing was held out; the other half. */
  readonly others: Dataset;
  /** What the two are called. */
  readonly names: readonly [reference: string, others: string];
}

/**
 * The data of a checkpoint, or others of the same kind, to measure with; in the units of the checkpoint. Data that have
 * changed since they were trained on are others, and a line says so.
 * @throws {Error} with one sentence, when they cannot be read or are of another kind
 */
export async function loadMeasured(own: OwnData, data: string): Promise<MeasuredData> {
  const dataset = await loadOwnData(own, data);
  const trained = (await datasetIdentity(dataset)).sha256 === own.sha256;
  if (String(dataset.shape) !== String(own.shape)) {
    throw new Error(
      `"${data}" has ${describeSamples(dataset.shape)}, the checkpoint was trained on ${
        describeSamples(own.shape)
      }`,
    );
  }
  const [now, before] = [dataset.units?.columns, own.units?.columns];
  if (before !== undefined && String(now) !== String(before)) {
    throw new Error(
      `"${data}" has the columns ${now?.join(", ")}, the checkpoint's are ${before.join(", ")}`,
    );
  }
  if (!trained && own.sha256 !== null && isOf(own, data)) {
    console.error(
      `"${data}" has changed since the checkpoint was trained on it: what was held out is no longer known, a half is measured against`,
    );
  }
  const scaled = "values" in dataset && own.units !== null ? withUnits(dataset, own.units) : dataset;
  if (trained && own.source.heldOut === 0) {
    return { reference: scaled, others: scaled, names: ["all of the data", "of the data"] };
  }
  const { heldOut, training } = holdOut(scaled, trained ? own.source.heldOut : Math.floor(scaled.count / 2));
  const names = trained
    ? ["what was held out", "of what was trained on"] as const
    : [`half of ${dataset.name}`, "of the other half"] as const;
  return { reference: heldOut, others: training, names };
}

/** The data that a checkpoint was trained on, or others, with their classes where they are kept in the same way. */
async function loadOwnData(own: OwnData, data: string): Promise<Dataset> {
  const [height, width] = own.shape;
  const square = own.units === null && own.shape.length === 3 && height === width;
  const points = own.shape.length === 1;
  if (points ? !isArrayFile(data) : isTable(data)) {
    const fitting = points ? "a .csv or .npy file" : "a folder or a .npy file";
    throw new UsageError(
      `the checkpoint was trained on ${describeSamples(own.shape)}: --data must be ${fitting}, got "${data}"`,
    );
  }
  const { labels } = own.source;
  const kept = labels !== null && (isOf(own, data) || await hasColumn(data, labels));
  return await loadData(data, kept ? labels : undefined, square ? { resumedShape: own.shape } : {});
}

/** Whether data are in the place of those that a checkpoint was trained on. */
function isOf(own: OwnData, data: string): boolean {
  return own.data !== null && resolve(own.data) === resolve(data);
}

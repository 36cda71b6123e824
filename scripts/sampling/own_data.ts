/**
 * What a checkpoint says of the data that it was trained on, for tasks that draw or measure in their units.
 * @module
 */
import { withUnits } from "../../src/data/array_dataset.ts";
import { type DatasetIdentity, datasetIdentity, describeSamples } from "../../src/data/identity.ts";
import { type Dataset, holdOut } from "../../src/data/held_out.ts";
import { parseJson } from "../../src/input/json.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import type { DataUnits } from "../../src/data/units.ts";
import { checkSource, type DataSource } from "../../src/training/checkpoint.ts";
import { loadData } from "../datasets/training_data.ts";
import { describeCheckpoint } from "./checkpoint.ts";

/** Data that a checkpoint was trained on. */
export interface OwnData {
  /** Shape of a sample. */
  readonly shape: readonly number[];
  /** Their units; null for pixels, which are written from 0 to 1. */
  readonly units: DataUnits | null;
  /** Their name, folder or file; null where the checkpoint does not say. */
  readonly data: string | null;
  /** Where the classes are, and how many samples were held out. */
  readonly source: DataSource;
  /** Names of the classes; null where the checkpoint does not say, or there is only one. */
  readonly classNames: readonly string[] | null;
  /** SHA-256 of the data; null where the checkpoint does not say. */
  readonly sha256: string | null;
}

/** What a checkpoint says of its data; null for a network that comes with the project, and for what is no checkpoint. */
export async function ownDataOf(checkpoint: string | undefined | null): Promise<OwnData | null> {
  if (checkpoint === undefined || checkpoint === null || !checkpoint.includes(".")) return null;
  const model = await describeCheckpoint(checkpoint);
  if (model === undefined) return null;
  const { config, metadata } = model;
  const identity = read(metadata.dataset) as DatasetIdentity | null;
  const source = read(metadata.source) ?? { labels: null, heldOut: 0 };
  checkSource(source);
  const classNames = Array.isArray(identity?.classes) ? identity.classes.map(String) : [];
  return {
    shape: networkFromConfig(config.network).sampleShape,
    units: config.units ?? null,
    data: metadata.data ?? null,
    source,
    classNames: classNames.length > 1 ? classNames : null,
    sha256: typeof identity?.sha256 === "string" ? identity.sha256 : null,
  };
}

/** Whether samples are points. */
export function arePoints(own: OwnData | null): own is OwnData & { readonly units: DataUnits } {
  return own !== null && own.units !== null && own.shape.length === 1;
}

/** The data that a checkpoint was trained on, or others of the same columns and classes. */
export async function loadOwnData(own: OwnData, data: string): Promise<Dataset> {
  const [height, width] = own.shape;
  const square = own.units === null && own.shape.length === 3 && height === width;
  return await loadData(data, own.source.labels ?? undefined, square ? { resumedShape: own.shape } : {});
}

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
 * The data of a checkpoint, or others of the same kind, to measure with; in the units of the checkpoint.
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

/** Whether a checkpoint was trained on other data than digits, by what it says. */
export function isOwn(own: OwnData | null): own is OwnData {
  if (own === null || own.data === null) return false;
  if (own.units !== null) return true;
  const digits = /^28,28,[13]$/.test(String(own.shape)) &&
    (own.classNames === null || own.classNames.join() === "0,1,2,3,4,5,6,7,8,9");
  return !digits;
}

/** The value of a note in a file's header; null where it is not there or no JSON. */
function read(note: string | undefined): unknown {
  if (note === undefined) return null;
  try {
    return parseJson(note);
  } catch {
    return null;
  }
}

/** Defaults of a task's flags for points, which cost little and are not to be drawn towards their class. */
export function defaultsFor<F extends { readonly guidance?: number; readonly steps?: number }>(
  own: OwnData | null,
  flags: F & { readonly sampler?: string; readonly grid?: string; readonly levels?: readonly number[] },
): F {
  if (own === null || own.units === null) return flags;
  const guidance = flags.guidance ?? 1;
  const given = flags.steps !== undefined || (flags.levels ?? []).length > 0;
  return arePoints(own) && !given ? { ...flags, guidance, steps: POINT_STEPS } : { ...flags, guidance };
}

/** Steps in which points are drawn unasked. */
const POINT_STEPS = 50;

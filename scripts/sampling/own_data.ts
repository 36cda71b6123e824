/**
 * What a checkpoint says of the data that it was trained on, for tasks that draw or measure in their units.
 * @module
 */
import type { DatasetIdentity } from "../../src/data/identity.ts";
import { parseJson } from "../../src/input/json.ts";
import { networkFromConfig } from "../../src/networks/registry.ts";
import type { DataUnits } from "../../src/data/units.ts";
import { checkSource, type DataSource } from "../../src/training/checkpoint.ts";
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

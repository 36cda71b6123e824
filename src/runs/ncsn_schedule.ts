/**
 * Noise levels and Langevin steps for annealed Langevin dynamics as one call: computed from images, or as published.
 * @module
 */
import { type ImageDataset, imageSize, slice } from "../data/dataset.ts";
import { largestDistance } from "../data/largest_distance.ts";
import { levelOverlap, type NcsnSchedule, ncsnSchedule, varianceAfter } from "../diffusion/ncsn_levels.ts";
import { checkName } from "../input/option_name.ts";
import {
  requireFinite,
  requireFunction,
  requireOptions,
  requirePositive,
  requireWhole,
} from "../input/require.ts";
import { requireDataset } from "../input/require_parts.ts";

/** A schedule to make, as plain data; pixels are from 0 to 1. */
export type NcsnScheduleRequest =
  /** Computed from images (Song & Ermon 2020). */
  | {
    readonly kind: "ncsnv2";
    /** How many images at most, from the first on, two or more; null for all. */
    readonly limit: number | null;
    /** σ_L, at which noise cannot be seen, above 0. */
    readonly smallest: number;
    /** How much of a level lies where the level before is, above 0 and below .99 (technique 2). */
    readonly overlap: number;
    /** T, Langevin steps at each level, from 1 on (technique 4). */
    readonly stepsPerLevel: number;
  }
  /** The levels and the step size of Song & Ermon 2019, the same for all images. */
  | {
    readonly kind: "ncsn";
    /** T, Langevin steps at each level, from 1 on. */
    readonly stepsPerLevel: number;
  };

/** What a schedule needs beside the request. */
export interface NcsnScheduleParts {
  /** The images. */
  readonly images: ImageDataset;
  /** Called with the share of pairs of images, from 0 to 1, that are compared. */
  readonly onProgress?: (share: number) => void;
  /** Ends the run once it is aborted, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A schedule and what it comes from. */
export interface NcsnScheduleResult {
  /** Levels and Langevin steps. */
  readonly schedule: NcsnSchedule;
  /** How much of a level lies where the level before is. */
  readonly overlap: number;
  /** Pixel values of an image. */
  readonly dimension: number;
  /** How many images were compared; 0 for a published schedule. */
  readonly count: number;
  /** Places of the two images that are farthest from each other, σ_1 apart; null for a published schedule. */
  readonly pair: readonly [number, number] | null;
}

/**
 * Song & Ermon 2019, section 5: σ from 1 to .01 in ten levels; ε = 2e-5 of x ← x + (α_i/2) s + √α_i z, which is 1e-5 of the steps
 * x ← x + α_i s + √(2α_i) z.
 */
const PUBLISHED = { largest: 1, smallest: 0.01, levels: 10, langevinStep: 1e-5 };

/**
 * Makes a schedule: NCSNv2's from the largest distance between two images, the overlap of neighbouring levels and the number of
 * steps, or NCSN's as published.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is computed.
 */
export async function runNcsnSchedule(
  request: NcsnScheduleRequest,
  parts: NcsnScheduleParts,
): Promise<NcsnScheduleResult> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  const { images, onProgress = () => {}, signal } = parts;
  requireDataset("images", images);
  requireFunction("onProgress", onProgress);
  checkName("kind", request.kind, ["ncsnv2", "ncsn"]);
  const { stepsPerLevel } = request;
  requireWhole("stepsPerLevel", stepsPerLevel, 1);
  const dimension = imageSize(images);
  if (request.kind === "ncsn") {
    const { largest, smallest, levels } = PUBLISHED;
    const ratio = (largest / smallest) ** (1 / (levels - 1));
    const steps = { ...PUBLISHED, stepsPerLevel, ratio };
    const schedule = { ...steps, variance: varianceAfter(steps) };
    return { schedule, overlap: levelOverlap(ratio, dimension), dimension, count: 0, pair: null };
  }
  const { limit, smallest, overlap } = request;
  if (limit !== null) requireWhole("limit", limit, 2);
  requirePositive("smallest", smallest);
  requireFinite("overlap", overlap);
  // What is wrong with the numbers is said before all pairs are compared.
  ncsnSchedule({ largest: 2 * smallest, smallest, dimension, overlap, stepsPerLevel });
  const compared = slice(images, 0, limit ?? images.count);
  const { distance: largest, pair } = await largestDistance(compared, onProgress, signal);
  const schedule = ncsnSchedule({ largest, smallest, dimension, overlap, stepsPerLevel });
  return {
    schedule,
    overlap: levelOverlap(schedule.ratio, dimension),
    dimension,
    count: compared.count,
    pair,
  };
}

/**
 * Drawn digits and completions as pictures that keep their numbers, and the options of the calls that return them.
 * @module
 */
import type { MaskName } from "../conditioning/masks.ts";
import type { Picture } from "../images/png.ts";
import { type PictureNames, ShownPicture } from "../images/shown_picture.ts";
import { requireFunction, requireWhole } from "../input/require.ts";
import { requireSignal } from "../input/require_parts.ts";

/** Images as numbers. */
export interface ImageValues {
  /** [N, height, width, channels] in [0, 1]. */
  readonly values: Float32Array;
  /** Its axes. */
  readonly shape: readonly number[];
  /** [N], what the images show; absent or null where nobody knows. */
  readonly labels?: readonly number[] | null;
}

/** Options of all calls. */
export interface CallOptions {
  /** The same seed draws the same; default 0. */
  readonly seed?: number;
  /** Steps of the sampler, from 1; more take longer and are a little better. */
  readonly steps?: number;
  /** Ends the call once it is aborted, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after every step with the number of steps so far and of all. */
  readonly onStep?: (step: number, steps: number) => void;
}

/** Options of `digits`. */
export interface DigitsOptions extends CallOptions {
  /** The digits to draw, one or many, each from 0 to 9; default one of each. */
  readonly labels?: number | readonly number[];
  /**
   * How strongly labels are followed: 1 is the plain conditional model, 0 the unconditional one. By default 1.3, which a
   * consistency function has in it.
   */
  readonly guidance?: number;
}

/** Options of `inpaint` and of `colorize`. */
export interface CompletionOptions extends CallOptions {
  /** The images: what `digits` returned, numbers in [0, 1], or a picture of 28×28 pixels; by default digits are drawn. */
  readonly images?: ImageValues | Picture;
  /** Samples of each image; default 5. */
  readonly samples?: number;
}

/** Options of `inpaint`. */
export interface InpaintOptions extends CompletionOptions {
  /** What is hidden: a half such as "left", a part such as "centre", or what is dark in a picture of 28×28 pixels; default "left". */
  readonly mask?: MaskName | Picture;
}

/** Options of `colorize`. */
export type ColorizeOptions = CompletionOptions;

/** Drawn images: a picture of all, and their numbers. */
export class DrawnImages extends ShownPicture implements ImageValues {
  /** [N, height, width, channels] in [0, 1]. */
  readonly values: Float32Array;
  /** Its axes. */
  readonly shape: readonly number[];
  /** [N], the class of each. */
  readonly labels: readonly number[];

  /** Beside a picture the numbers that it shows. */
  constructor(
    picture: Picture & PictureNames,
    images: Required<ImageValues> & { labels: readonly number[] },
  ) {
    super(picture, picture);
    ({ values: this.values, shape: this.shape, labels: this.labels } = images);
  }
}

/** What images could have been, given a part of each: a picture with a column for each image, and the numbers. */
export class DrawnCompletions extends ShownPicture {
  /** [N, samples, height, width, channels] in [0, 1]. */
  readonly values: Float32Array;
  /** Its axes. */
  readonly shape: readonly number[];
  /** [N, height, width, channels] in [0, 1], the whole images. */
  readonly originals: Float32Array;
  /** [N, height, width, channels] in [0, 1], what was seen of them. */
  readonly seen: Float32Array;

  /** Beside a picture the numbers that it shows. */
  constructor(
    picture: Picture & PictureNames,
    drawn: Pick<DrawnCompletions, "values" | "shape" | "originals" | "seen">,
  ) {
    super(picture, picture);
    ({ values: this.values, shape: this.shape } = drawn);
    ({ originals: this.originals, seen: this.seen } = drawn);
  }
}

/**
 * What every call does around its run: options that all have are checked, an aborted call ends, and the caller learns of each step.
 * @returns What a run calls after each step.
 */
export function followCall(
  { seed = 0, signal, onStep }: CallOptions,
  { steps, batches }: { readonly steps: number; readonly batches: number },
): (step: number) => void {
  requireWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  requireWhole("steps", steps, 1, 100_000);
  requireSignal("signal", signal);
  if (onStep !== undefined) requireFunction("onStep", onStep);
  signal?.throwIfAborted();
  let last = 0;
  return (step) => {
    signal?.throwIfAborted();
    // Every batch has a state before its first step.
    if (step > last) onStep?.(step, batches * steps);
    last = step;
  };
}

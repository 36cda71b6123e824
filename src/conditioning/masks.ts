/**
 * Masks of an image's pixels: 1 for known, 0 for hidden.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import { onWhite } from "../images/picture_file.ts";
import type { Picture } from "../images/png.ts";
import { isList, requireShape } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { requirePicture, requireRng } from "../input/require_parts.ts";
import { sizeOf } from "../math/shape.ts";

/** The names of the masks, beside random ones. */
export type MaskName =
  | "left"
  | "right"
  | "top"
  | "bottom"
  | "centre"
  | "vertical-stripe"
  | "horizontal-stripe"
  | "none"
  | "all";

/** Whether a pixel is hidden; u and v are its centre's coordinates, to the right and down, from −½ to ½. */
const HIDDEN: Readonly<Record<MaskName, (u: number, v: number) => boolean>> = {
  "left": (u) => u < 0,
  "right": (u) => u > 0,
  "top": (_, v) => v < 0,
  "bottom": (_, v) => v > 0,
  "centre": (u, v) => Math.abs(u) < 1 / 4 && Math.abs(v) < 1 / 4,
  "vertical-stripe": (u) => Math.abs(u) < 1 / 8,
  "horizontal-stripe": (_, v) => Math.abs(v) < 1 / 8,
  "none": () => false,
  "all": () => true,
};

/** The names that {@linkcode maskByName} knows. */
export const maskNames: readonly MaskName[] = Object.keys(HIDDEN) as MaskName[];

/**
 * Throws unless a mask holds 1 (known) or 0 (hidden) for each entry of a sample.
 *
 * @throws {RangeError} When it has another size or another value, naming it.
 */
export function checkMask(mask: ArrayLike<number>, sampleShape: readonly number[]): void {
  requireShape("a sample's shape", sampleShape);
  if (!isList(mask)) throw new TypeError(`a mask must be a list of numbers, got ${quoted(mask)}`);
  const size = sizeOf(sampleShape);
  if (mask.length !== size) {
    throw new RangeError(
      `a mask for samples of shape [${sampleShape}] has ${size} entries, got ${mask.length}`,
    );
  }
  const wrong = Array.from(mask).findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) throw new RangeError(`a mask holds 1 (known) and 0 (hidden), got ${quoted(mask[wrong])}`);
}

/**
 * A mask by its name, which says what it hides: a half ("left", "right", "top", "bottom"; an odd middle line stays
 * known), the middle half of both sides ("centre"), the middle quarter ("vertical-stripe", "horizontal-stripe":
 * pixels whose centre lies inside it, 6 of 28), nothing or all.
 *
 * @param shape [height, width, channels]; all channels of a pixel are known or none.
 * @returns [height · width · channels], 1 for known and 0 for hidden.
 * @throws {RangeError} For an unknown name.
 */
export function maskByName(name: MaskName, shape: readonly number[]): Float32Array {
  if (!Object.hasOwn(HIDDEN, name)) {
    throw new RangeError(`the masks are ${maskNames.join(", ")}; got ${quoted(name)}`);
  }
  requireImageShape(shape);
  const hidden = HIDDEN[name];
  const [height, width] = shape;
  return fromPixels(shape, (y, x) => hidden((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5) ? 0 : 1);
}

/**
 * A mask that hides each pixel with the same probability, independently.
 *
 * @param shape [height, width, channels].
 * @param hidden The probability, from 0 to 1.
 * @param rng Its fork draws; it is left where it is.
 * @throws {RangeError} When the probability is not from 0 to 1.
 */
export function randomMask(shape: readonly number[], hidden: number, rng: Rng): Float32Array {
  if (!(typeof hidden === "number" && hidden >= 0 && hidden <= 1)) {
    throw new RangeError(`the share of hidden pixels must be from 0 to 1, got ${quoted(hidden)}`);
  }
  requireImageShape(shape);
  requireRng("rng", rng);
  const [height, width] = shape;
  const uniforms = rng.fork("mask").uniformValues([1, height * width]);
  return fromPixels(shape, (y, x) => uniforms[y * width + x] < hidden ? 0 : 1);
}

/**
 * A mask from a picture on a white ground: pixels at least half as bright as white are known, darker ones are hidden.
 * A transparent pixel is known, whatever colour is stored in it.
 *
 * @param shape [height, width, channels].
 * @throws {RangeError} When the picture is of another size, or hides nothing.
 */
export function maskFromPicture(picture: Picture, shape: readonly number[]): Float32Array {
  requirePicture("the mask", picture);
  requireImageShape(shape);
  const [height, width] = shape;
  if (picture.height !== height || picture.width !== width) {
    throw new RangeError(
      `a mask for images of ${width}×${height} must be of that size, got ${picture.width}×${picture.height}`,
    );
  }
  const { data } = onWhite(picture);
  const mask = fromPixels(shape, (y, x) => {
    const [red, green, blue] = data.subarray(4 * (y * width + x));
    return red + green + blue >= 3 * 127.5 ? 1 : 0;
  });
  if (!mask.includes(0)) {
    throw new RangeError(
      "the mask hides nothing: paint black what is to be hidden; transparent pixels count as white, which is known",
    );
  }
  return mask;
}

function fromPixels(shape: readonly number[], known: (y: number, x: number) => 0 | 1): Float32Array {
  const [height, width, channels] = shape;
  return Float32Array.from({ length: height * width * channels }, (_, at) => {
    const pixel = Math.floor(at / channels);
    return known(Math.floor(pixel / width), pixel % width);
  });
}

/** Throws unless the value is a shape [height, width, channels]. */
function requireImageShape(shape: readonly number[]): void {
  const wanted = "a mask is for images of shape [height, width, channels]";
  if (!isList(shape)) throw new TypeError(`${wanted}, got ${quoted(shape)}`);
  if (shape.length !== 3 || !shape.every((size) => Number.isInteger(size) && size > 0)) {
    throw new RangeError(`${wanted}, got ${quoted(shape)}`);
  }
  requireShape("an image's shape", shape);
}

/** How many pixels a picture may have, known from its header before anything is allocated. @module */

/**
 * The most pixels of a picture that is read unless its reader is asked for more: 4,000 × 4,000. While it is decoded a pixel
 * takes up to twenty bytes.
 */
export const MOST_PIXELS = 16_000_000;

/** What {@linkcode checkPixels} compares with. */
interface PixelLimits {
  /** The most pixels that a file of its length can hold. */
  readonly possible: number;
  /** The most pixels that are read. */
  readonly most: number;
  /** What to call the file in errors. */
  readonly name: string;
}

/**
 * Checks the size that a header states.
 * @throws {RangeError} When a side is zero, or there are more pixels than are read or than are possible.
 */
export function checkPixels(width: number, height: number, { possible, most, name }: PixelLimits): void {
  if (width === 0 || height === 0) {
    throw new RangeError(`${name}: a picture of ${width}×${height} has no pixels`);
  }
  const pixels = width * height;
  if (pixels > most) {
    throw new RangeError(
      `${name}: ${width}×${height} pixels are more than the ${most / 1e6} megapixels allowed`,
    );
  }
  if (pixels > possible) {
    throw new RangeError(
      `${name}: its header states ${width}×${height} pixels, more than its length can hold`,
    );
  }
}

/** Limits on a picture's pixels, checked by its header before anything is allocated. @module */

/**
 * The default limit on a picture's pixels: 4,000 × 4,000. While it is decoded a pixel takes up to twenty bytes.
 */
export const MOST_PIXELS = 16_000_000;

/** The limits of {@linkcode checkPixels}. */
interface PixelLimits {
  /** The largest number of pixels that a file of its length can hold. */
  readonly possible: number;
  /** The largest number of pixels that is read. */
  readonly most: number;
  /** The file's name in errors. */
  readonly name: string;
}

/**
 * Checks the size that a header states.
 * @throws {RangeError} When a side is zero, or the pixels exceed one of the limits.
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

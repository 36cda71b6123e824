/** How many pixels a picture may have, known from its header before anything is allocated. @module */

/** The most pixels of a picture: what a large photograph has. */
export const MOST_PIXELS = 100_000_000;

/**
 * Checks the size that a header states.
 *
 * @param possible The most pixels that a file of its length can hold.
 * @param name What to call the file in errors.
 * @throws {RangeError} When a side is zero, or there are more pixels than {@linkcode MOST_PIXELS} or than are possible.
 */
export function checkPixels(width: number, height: number, possible: number, name: string): void {
  if (width === 0 || height === 0) {
    throw new RangeError(`${name}: a picture of ${width}×${height} has no pixels`);
  }
  const pixels = width * height;
  if (pixels > MOST_PIXELS) {
    throw new RangeError(
      `${name}: ${width}×${height} pixels are more than the ${MOST_PIXELS / 1e6} megapixels allowed`,
    );
  }
  if (pixels > possible) {
    throw new RangeError(
      `${name}: its header states ${width}×${height} pixels, more than its length can hold`,
    );
  }
}

/** Errors of colorization, on images of two colours. @module */
import { posteriorMoments } from "./posterior_moments.ts";

/** Measures of coloured images; all but the first in units of a pixel's range. */
export interface ColourErrors {
  /** The largest change of a pixel's grey, the mean of its channels, in model units. */
  readonly greyError: number;
  /**
   * Root mean square distance of pixels from their image's best line in the space of colours with their grey. In an
   * image of two colours and their blends every channel is an affine function of the grey, so that the distance is 0
   * but for rounding.
   */
  readonly lineError: number;
  /** Root mean square standard deviation of a pixel's channels over the samples; null for one sample. */
  readonly colourStd: number | null;
  /** Root mean square difference of channels from their grey, over the samples. */
  readonly saturation: number;
  /** The same over the originals. */
  readonly originalSaturation: number;
}

/**
 * Measures colorized samples against the originals whose grey they were drawn for.
 *
 * @param originals [images, pixels, 3] in [−1, 1].
 * @param values [images, samples, pixels, 3].
 * @throws {RangeError} When the lengths do not fit the numbers of images, samples and pixels.
 */
export function colourErrors(
  originals: Float32Array,
  values: Float32Array,
  images: number,
  samples: number,
): ColourErrors {
  const size = originals.length / images;
  if (!Number.isInteger(size) || size % 3 !== 0 || values.length !== images * samples * size) {
    throw new RangeError(
      `${originals.length} and ${values.length} values are not ${images} images and ${samples} samples of each`,
    );
  }
  let greyError = 0;
  let offLine = 0;
  for (let row = 0; row < images * samples; row++) {
    const sample = values.subarray(row * size, (row + 1) * size);
    const start = Math.floor(row / samples) * size;
    for (let pixel = 0; pixel < size; pixel += 3) {
      greyError = Math.max(greyError, Math.abs(grey(sample, pixel) - grey(originals, start + pixel)));
    }
    offLine += squaresOffLine(sample);
  }
  const { std } = posteriorMoments(values, images, samples);
  // Model units have a range of 2.
  const rms = (squares: number, count: number) => Math.sqrt(squares / count) / 2;
  return {
    greyError,
    lineError: rms(offLine, values.length),
    colourStd: samples === 1 ? null : rms(std.reduce((sum, value) => sum + value ** 2, 0), std.length),
    saturation: rms(squaresOffGrey(values), values.length),
    originalSaturation: rms(squaresOffGrey(originals), originals.length),
  };
}

/** The mean of the three channels from `start`. */
function grey(values: Float32Array, start: number): number {
  return (values[start] + values[start + 1] + values[start + 2]) / 3;
}

/** Sum of the squared differences of channels from their pixel's grey. */
function squaresOffGrey(values: Float32Array): number {
  return values.reduce((sum, value, at) => sum + (value - grey(values, at - at % 3)) ** 2, 0);
}

/** Sum of the squared residuals of the regression of each channel on the grey of an image, [pixels, 3]. */
function squaresOffLine(image: Float32Array): number {
  const pixels = image.length / 3;
  const greys = Float64Array.from({ length: pixels }, (_, pixel) => grey(image, 3 * pixel));
  const mean = greys.reduce((sum, value) => sum + value, 0) / pixels;
  const variance = greys.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  let squares = 0;
  for (let channel = 0; channel < 3; channel++) {
    let [total, product] = [0, 0];
    greys.forEach((value, pixel) => {
      total += image[3 * pixel + channel];
      product += image[3 * pixel + channel] * (value - mean);
    });
    const slope = variance > 0 ? product / variance : 0;
    greys.forEach((value, pixel) =>
      squares += (image[3 * pixel + channel] - total / pixels - slope * (value - mean)) ** 2
    );
  }
  return squares;
}

/**
 * Digits in random colours on grounds of random colours: RGB images of two colours, on which colorization can be
 * measured. Every pixel of an image lies on the line between its two colours.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import type { ImageDataset } from "./dataset.ts";
import { proceduralDigits } from "./digits.ts";
import { requireNumbers, requireWhole } from "../input/require.ts";
import { requireDataset, requireRng } from "../input/require_parts.ts";

/**
 * The least difference of grey, the mean of red, green and blue, between a digit and its ground; colours are in [0, 1].
 */
const COLOUR_CONTRAST = 0.25;

/**
 * Draws the two colours of each digit: independent and uniform in the cube [0, 1]³, given that their greys differ by at
 * least {@linkcode COLOUR_CONTRAST}.
 *
 * @param rng Digit i uses the stream of sample `rng.firstSample + i` in a fork of this generator.
 * @returns [count, 2, 3]: red, green and blue of the digit, then of its ground.
 */
export function digitColours(count: number, rng: Rng): Float64Array {
  requireWhole("the number of digits", count, 1, 1e7);
  requireRng("rng", rng);
  const colours = new Float64Array(count * 6);
  const streams = rng.fork("colours");
  for (let digit = 0; digit < count; digit++) {
    const stream = streams.startingAt(rng.firstSample + digit);
    let pair = stream.uniformValues([1, 6]);
    while (Math.abs(grey(pair, 0) - grey(pair, 3)) < COLOUR_CONTRAST) pair = stream.uniformValues([1, 6]);
    colours.set(pair, 6 * digit);
  }
  return colours;
}

/** The mean of the three values from `start`. */
function grey(colours: Float64Array, start: number): number {
  return (colours[start] + colours[start + 1] + colours[start + 2]) / 3;
}

/**
 * Gives grey digits colours: a pixel of which the pen covers the share a becomes a · digit + (1 − a) · ground.
 *
 * @param digits One channel, 0 for the ground and 255 for the pen.
 * @param colours [N, 2, 3] in [0, 1], as {@linkcode digitColours} draws them.
 * @throws {RangeError} When the digits have more than one channel, or their number differs from that of the colours.
 */
export function colourDigits(digits: ImageDataset, colours: Float64Array): ImageDataset {
  requireDataset("digits", digits);
  requireNumbers("colours", colours, (value) => value >= 0 && value <= 1, "numbers from 0 to 1");
  const [height, width, channels] = digits.shape;
  if (channels !== 1) throw new RangeError(`only grey digits can be coloured, got ${channels} channels`);
  if (colours.length !== digits.count * 6) {
    throw new RangeError(
      `${digits.count} digits need ${digits.count * 6} colour values, got ${colours.length}`,
    );
  }
  const pixels = height * width;
  const images = new Uint8Array(digits.count * pixels * 3);
  for (let at = 0; at < digits.count * pixels; at++) {
    const pair = Math.floor(at / pixels) * 6;
    const share = digits.images[at] / 255;
    for (let c = 0; c < 3; c++) {
      images[3 * at + c] = Math.round(
        255 * (share * colours[pair + c] + (1 - share) * colours[pair + 3 + c]),
      );
    }
  }
  return { ...digits, name: `coloured ${digits.name}`, shape: [height, width, 3], images };
}

/**
 * Draws `count` procedural digits in colours, [28, 28, 3]. Digit i is the same whatever the count.
 *
 * @example
 * ```ts
 * import { createRng } from "../compute/rng.ts";
 * import { colouredDigits } from "./coloured_digits.ts";
 * const digits = colouredDigits(3, createRng(1));
 * console.assert(digits.images.length === 3 * 28 * 28 * 3);
 * ```
 * @param rng As {@linkcode proceduralDigits} uses it; it does not advance.
 * @throws {RangeError} When the count is not a positive integer.
 */
export function colouredDigits(count: number, rng: Rng): ImageDataset {
  const digits = proceduralDigits(count, rng);
  return colourDigits(digits, digitColours(count, rng));
}

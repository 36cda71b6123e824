/**
 * The way from noise to images as an animation that is small enough to put on a page.
 * @module
 */
import { encodeGif } from "../../src/images/gif.ts";
import { type GridLayout, imageGrid } from "../../src/images/grid.ts";

/** The most bytes of an animation, unless it is of too many images for that. */
const MOST_BYTES = 2_000_000;

/** Milliseconds that the whole plays, and a frame of it at least. */
const [duration, shortest] = [2000, 30];

/** What is given up, in turn, until an animation is small enough: shades, frames, pixels on the screen. */
const economies = [
  { colours: 256, scale: 3, stride: 1 },
  { colours: 128, scale: 3, stride: 1 },
  { colours: 32, scale: 3, stride: 1 },
  { colours: 16, scale: 3, stride: 1 },
  { colours: 8, scale: 3, stride: 1 },
  { colours: 8, scale: 3, stride: 2 },
  { colours: 8, scale: 3, stride: 3 },
  { colours: 8, scale: 3, stride: 5 },
  { colours: 8, scale: 2, stride: 5 },
  { colours: 8, scale: 1, stride: 5 },
] as const;

/**
 * Writes frames of images in grids as an animation of two seconds. Noise cannot be compressed, so a long way of many images is
 * shown in fewer shades, in fewer frames, or smaller. Images in colour have at most 128 colours.
 *
 * @param frames Each [N, height, width, channels] in [0, 1]; the last one is always shown.
 * @param names What is written in every frame, and the columns.
 */
export function trajectoryGif(
  frames: readonly Float32Array[],
  shape: readonly number[],
  names: GridLayout = {},
): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array();
  for (const { colours, scale, stride } of economies) {
    if (colours === 256 && shape[3] === 3) continue;
    const shown = frames.filter((_, at) => (frames.length - 1 - at) % stride === 0);
    const delay = Math.max(shortest, duration / shown.length);
    bytes = encodeGif(shown.map((values) => imageGrid(values, shape, { ...names, scale })), {
      delay,
      colours,
    });
    if (bytes.length <= MOST_BYTES) break;
  }
  return bytes;
}

/** Animated GIF. @module */
import * as gifencModule from "npm:gifenc@1.0.3";
import type { Picture } from "./png.ts";
import { requireArray, requireBetween, requireOptions, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { requirePicture } from "../input/require_parts.ts";

type Palette = readonly (readonly number[])[];

/** The part of gifenc that is used; the package has no types of its own. */
interface Gifenc {
  GIFEncoder(): {
    writeFrame(
      indices: Uint8Array,
      width: number,
      height: number,
      options: { palette: Palette; delay: number; repeat: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  };
  quantize(rgba: Uint8Array, colours: number, options: { format: string }): Palette;
  applyPalette(rgba: Uint8Array, palette: Palette, format: string): Uint8Array;
}

// Node's resolution gives a CommonJS module under `default`; a browser's gives the named exports themselves.
const gifenc = ("quantize" in gifencModule ? gifencModule : gifencModule.default) as Gifenc;

/** Timing and colours of an animation. */
export interface GifOptions {
  /** Duration of a frame in milliseconds; GIF stores hundredths of a second. Default 60. */
  readonly delay?: number;
  /** Duration of the last frame in milliseconds; default 1500. */
  readonly lastDelay?: number;
  /**
   * The largest number of colours of a frame, 2 to 256; of grey frames, evenly spaced levels from black to white.
   * Default 256.
   */
  readonly colours?: number;
}

/**
 * Writes pictures as an animation that repeats forever. Grey frames keep all their 256 levels unless `colours` is
 * smaller; coloured ones are reduced to `colours` each.
 *
 * @throws {RangeError} When there is no frame, frames differ in size, or the number of colours is not from 2 to 256.
 */
export function encodeGif(frames: readonly Picture[], options: GifOptions = {}): Uint8Array<ArrayBuffer> {
  requireOptions("options", options);
  const { delay = 60, lastDelay = 1500, colours = 256 } = options;
  if (!(Number.isInteger(colours) && colours >= 2 && colours <= 256)) {
    throw new RangeError(`an animation has 2 to 256 colours, got ${quoted(colours)}`);
  }
  // A GIF counts hundredths of a second in 16 bits.
  requireBetween("delay", delay, 0, 655_350);
  requireBetween("lastDelay", lastDelay, 0, 655_350);
  requireArray("frames", frames);
  // How finely colours are counted before they are reduced; noise in the finer one takes seconds a frame.
  const format = colours === 256 ? "rgb565" : "rgb444";
  const greys: Palette = Array.from(
    { length: colours },
    (_, level) => Array(3).fill(Math.round(255 * level / (colours - 1))),
  );
  if (frames.length === 0) throw new RangeError("an animation needs at least one frame, got 0");
  frames.forEach((frame, at) => requirePicture(`frame ${at}`, frame));
  const { width, height } = frames[0];
  requireWhole("the width of an animation", width, 1, 65_535);
  requireWhole("the height of an animation", height, 1, 65_535);
  const encoder = gifenc.GIFEncoder();
  frames.forEach((frame, at) => {
    if (frame.width !== width || frame.height !== height) {
      throw new RangeError(
        `all frames must be ${width}×${height} like the first, frame ${at} is ${frame.width}×${frame.height}`,
      );
    }
    const grey = greyLevels(frame)?.map((level) => Math.round(level * (colours - 1) / 255)) ?? null;
    const palette = grey === null ? gifenc.quantize(frame.data, colours, { format }) : greys;
    encoder.writeFrame(grey ?? gifenc.applyPalette(frame.data, palette, format), width, height, {
      palette,
      delay: at === frames.length - 1 ? lastDelay : delay,
      repeat: 0,
    });
  });
  encoder.finish();
  return new Uint8Array(encoder.bytes());
}

/** The level of each pixel, or null when some pixel has a colour. */
function greyLevels({ data }: Picture): Uint8Array | null {
  const levels = new Uint8Array(data.length / 4);
  for (let pixel = 0; pixel < levels.length; pixel++) {
    const [red, green, blue] = [data[4 * pixel], data[4 * pixel + 1], data[4 * pixel + 2]];
    if (red !== green || red !== blue) return null;
    levels[pixel] = red;
  }
  return levels;
}

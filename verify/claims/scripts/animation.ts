/** Claims about the animations that tasks write. @module */
import { trajectoryGif } from "../../../scripts/sampling/trajectory_gif.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { claim } from "../../suite/claim.ts";
import { GifReader } from "../../instruments/gif_reader.ts";

claim(
  "an animation of the default number of digits stays below a megabyte, its noisy frames included",
  (check) => {
    const animations = [["64 digits", [64, 28, 28, 1], 16], ["16 digits", [16, 28, 28, 1], 60]] as const;
    for (const [what, shape, count] of animations) {
      const size = shape.reduce<number>((product, length) => product * length, 1);
      const noise = createRng(check.seed).uniformValues([size + 7 * count]);
      // Every frame is noise but the last, which is half black and half white.
      const frames = Array.from(
        { length: count },
        (_, at) =>
          Float32Array.from(
            { length: size },
            (_, i) =>
              at < count - 1 ? noise[i + 7 * at] : i % (size / shape[0]) < size / shape[0] / 2 ? 0 : 1,
          ),
      );
      const bytes = trajectoryGif(frames, shape);
      check.atMost(
        `${what}: bytes`,
        bytes.length,
        1_000_000,
        "noise cannot be compressed, so shades, size or frames must go",
      );
      const reader = new GifReader(bytes);
      check.atLeast(`${what}: frames`, reader.numFrames(), count / 5, "at most four of five are left out");
      const pixels = new Uint8Array(reader.width * reader.height * 4);
      reader.decodeAndBlitFrameRGBA(reader.numFrames() - 1, pixels);
      const at = (x: number, y: number) => pixels[(y * reader.width + x) * 4];
      check.equal(
        `${what}: the last frame, top and bottom of the first image`,
        [at(4, 3), at(4, Math.floor(reader.height / Math.sqrt(shape[0])) - 4)],
        [0, 255],
        "the end is always shown",
      );
    }
  },
);

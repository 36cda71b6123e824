/** Claims about the animations that tasks write. @module */
import { trajectoryGif } from "../../../scripts/sampling/trajectory_gif.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { claim } from "../../suite/claim.ts";
import { GifReader } from "../../instruments/gif_reader.ts";

claim(
  "an animation of the default number of digits stays below two megabytes, its noisy frames included",
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
        2_000_000,
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

claim(
  "an animation shows its frames in order in two seconds, all of them or each second, third or fifth",
  (check) => {
    const cases = [
      { what: "ten flat frames", images: 4, count: 10, noise: 0, strides: [1] },
      { what: "ninety flat frames", images: 4, count: 90, noise: 0, strides: [1] },
      { what: "44 noisy frames", images: 64, count: 44, noise: 1, strides: [2, 3, 5] },
    ];
    for (const { what, images, count, noise, strides } of cases) {
      const random = createRng(check.seed).uniformValues([images * 784]);
      // The first image of frame k is grey, of level k/(count − 1); the others are noise or black.
      const frames = Array.from(
        { length: count },
        (_, at) => Float32Array.from(random, (value, i) => i < 784 ? at / (count - 1) : noise * value),
      );
      const reader = new GifReader(trajectoryGif(frames, [images, 28, 28, 1]));
      const shown = reader.numFrames();
      const stride = strides.find((stride) => Math.ceil(count / stride) === shown);
      check.holds(`${what}: ${shown} of ${count} are shown`, stride !== undefined, `every ${strides}th`);
      const pixels = new Uint8Array(reader.width * reader.height * 4);
      const levels = Array.from({ length: shown }, (_, at) => {
        reader.decodeAndBlitFrameRGBA(at, pixels);
        return pixels[(10 * reader.width + 10) * 4] / 255;
      });
      const expected = levels.map((_, at) => 1 - (shown - 1 - at) * (stride ?? 1) / (count - 1));
      check.atMost(
        `${what}: largest difference of a frame's grey from its place`,
        Math.max(...levels.map((level, at) => Math.abs(level - expected[at]))),
        noise === 0 ? 0.5 / 255 + 1e-6 : 0.5 / 7 + 1e-6,
        "frames in order, the last one shown; rounding to 256 or at least 8 shades",
      );
      const delays = Array.from({ length: shown }, (_, at) => 10 * reader.frameInfo(at).delay);
      const delay = Math.max(30, 2000 / shown);
      check.atMost(
        `${what}: largest difference of a delay from ${delay.toFixed(1)} ms`,
        Math.max(...delays.slice(0, -1).map((value) => Math.abs(value - delay))),
        5,
        "two seconds among the frames that are shown, 30 ms at least; rounding to hundredths of a second",
      );
      check.equal(
        `${what}: the last frame's delay`,
        delays.at(-1),
        1500,
        "a second and a half to see the end",
      );
    }
  },
);

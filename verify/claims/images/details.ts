/** Pictures' details: a grid's usual layout, resizing, colours of animations, limits on pixels, damage in words. @module */
import { encodeGif } from "../../../src/images/gif.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { decodeJpeg } from "../../../src/images/jpeg.ts";
import { decodePicture, luma, onWhite } from "../../../src/images/picture_file.ts";
import { checkPixels } from "../../../src/images/picture_size.ts";
import { decodePng, encodePng, type Picture } from "../../../src/images/png.ts";
import { concatenated, END } from "../../../src/images/png_chunks.ts";
import { resizePicture } from "../../../src/images/resize.ts";
import { GifReader } from "../../instruments/gif_reader.ts";
import { claim } from "../../suite/claim.ts";

const folder = new URL("../../../fixtures/files/images/", import.meta.url);

/** Pixels of red, green, blue and alpha. */
const picture = (width: number, height: number, ...data: number[]): Picture => ({
  width,
  height,
  data: Uint8Array.from(data),
});

claim(
  "a grid has by default the smallest square of columns, images of 84 pixels or just above, two between them, and dark grey ground",
  (check) => {
    for (
      const [count, columns, rows] of [[1, 1, 1], [2, 2, 1], [4, 2, 2], [5, 3, 2], [7, 3, 3], [9, 3, 3], [
        10,
        4,
        3,
      ]]
    ) {
      const { width, height } = imageGrid(new Float32Array(count * 3), [count, 1, 3, 1]);
      check.equal(
        `${count} images of 3×1`,
        [width, height],
        [columns * 86 + 2, rows * 30 + 2],
        "3 · 28 + 2 and 1 · 28 + 2, and 2",
      );
    }
    for (const [side, screen] of [[28, 84], [32, 96], [42, 84], [43, 86], [84, 84], [85, 85], [300, 300]]) {
      const { width } = imageGrid(new Float32Array(side), [1, 1, side, 1], { gap: 0 });
      check.equal(`a side of ${side}`, width, screen, "the least multiple of at least 84");
    }
    const { data } = imageGrid(Float32Array.of(1, 0.2, 0), [1, 1, 1, 3], { scale: 2 });
    const ground = [64, 64, 64, 255];
    const colour = [255, 51, 0, 255];
    const row = (middle: number[]) => [ground, ground, middle, middle, ground, ground].flat();
    const expected = [row(ground), row(ground), row(colour), row(colour), row(ground), row(ground)].flat();
    check.equal("one pixel", [...data], expected, "2×2 of its colour in the middle of 6×6");
  },
);

claim("layouts just outside their ranges are refused, and those at their ends taken", async (check) => {
  const grid = (layout: object) => () => imageGrid(new Float32Array(1), [1, 1, 1, 1], layout);
  check.equal(
    "no gap, one to one",
    [...grid({ gap: 0, scale: 1, columns: 1 })().data],
    [0, 0, 0, 255],
    "the pixel itself",
  );
  check.equal(
    "three columns of one image",
    grid({ gap: 0, scale: 1, columns: 3 })().width,
    3,
    "as wide as asked for",
  );
  for (
    const [layout, message] of [
      [{ columns: 0 }, /^columns must be an integer of at least 1, got 0$/],
      [{ scale: 0 }, /^scale must be an integer of at least 1, got 0$/],
      [{ scale: 1.5 }, /^scale must be an integer of at least 1, got 1\.5$/],
      [{ gap: -1 }, /^gap must be an integer of at least 0, got -1$/],
      [{ columns: 100_001 }, /^columns must be .*100000, got 100001$/],
      [{ scale: 10_001 }, /^scale must be .*10000, got 10001$/],
      [{ gap: 10_001 }, /^gap must be .*10000, got 10001$/],
    ] as const
  ) {
    await check.throws(JSON.stringify(layout), grid(layout), message);
  }
});

claim(
  "a resized picture's pixels are means of the areas that they cover, worked out by hand",
  async (check) => {
    // Two rows of three: 0 30 60 and 90 120 150, red alone; green, blue and alpha are 200, 100 and 255.
    const levels = [0, 30, 60, 90, 120, 150];
    const source = picture(3, 2, ...levels.flatMap((red) => [red, 200, 100, 255]));
    const reds = (width: number, height: number) => {
      const { data, ...size } = resizePicture(source, width, height);
      check.equal(`${width}×${height}: size`, size, { width, height }, "as asked for");
      const others = Array.from(
        { length: width * height },
        (_, i) => [...data.subarray(4 * i + 1, 4 * i + 4)],
      );
      check.equal(
        `${width}×${height}: other channels`,
        others,
        others.map(() => [200, 100, 255]),
        "constant",
      );
      return Array.from({ length: width * height }, (_, i) => data[4 * i]);
    };
    check.equal("3×2", reds(3, 2), levels, "as it was");
    check.equal("1×1", reds(1, 1), [75], "the mean of all");
    check.equal("3×1", reds(3, 1), [45, 75, 105], "means of columns");
    // A half covers a column and half of the next: (0 + 30/2) / 1.5 and (30/2 + 60) / 1.5.
    check.equal("2×2", reds(2, 2), [10, 50, 100, 140], "columns and a half");
    check.equal("6×2", reds(6, 2), levels.flatMap((red) => [red, red]), "each twice");
    check.equal("2×3", reds(2, 3), [10, 50, 55, 95, 100, 140], "the middle row is half of each");
    for (const [width, height] of [[0, 1], [1, 0], [1.5, 1], [-1, 1]]) {
      await check.throws(
        `${width}×${height}`,
        () => resizePicture(source, width, height),
        new RegExp(`^a picture's sides must be positive integers, got ${width}×${height}$`),
      );
    }
  },
);

claim("an animation has the colours, greys and delays that are asked for", async (check) => {
  const grey = (...levels: number[]) =>
    picture(levels.length, 1, ...levels.flatMap((level) => [level, level, level, 255]));
  const shown = (frames: Picture[], options = {}) => {
    const reader = new GifReader(encodeGif(frames, options));
    return frames.map(({ data }, at) => {
      const pixels = new Uint8Array(data.length);
      reader.decodeAndBlitFrameRGBA(at, pixels);
      return { pixels: [...pixels], delay: reader.frameInfo(at).delay };
    });
  };
  const frame = grey(0, 100, 140, 255);
  check.equal(
    "delays",
    shown([frame, frame, frame]).map(({ delay }) => delay),
    [6, 6, 150],
    "60 ms and 1.5 s",
  );
  check.equal("one frame", shown([frame]).map(({ delay }) => delay), [150], "the last");
  for (
    const [colours, levels] of [[2, [0, 0, 255, 255]], [3, [0, 128, 128, 255]], [4, [
      0,
      85,
      170,
      255,
    ]]] as const
  ) {
    check.equal(
      `greys of ${colours}`,
      shown([frame], { colours })[0].pixels,
      [...grey(...levels).data],
      "evenly spaced, the nearest",
    );
  }
  // Sixteen colours, each of which the reduced ones keep apart.
  const many = picture(
    16,
    1,
    ...Array.from({ length: 16 }, (_, i) => [16 * i, 255 - 16 * i, 128, 255]).flat(),
  );
  const distinct = (options: object) =>
    new Set(shown([many], options)[0].pixels.map(String).join().match(/\d+,\d+,\d+,255/g)).size;
  check.equal("colours of 16", [distinct({}), distinct({ colours: 16 })], [16, 16], "all are kept");
  check.atMost("colours of 4", distinct({ colours: 4 }), 4, "as many as asked for");
  for (
    const [options, message] of [
      [{ colours: 1 }, /^an animation has 2 to 256 colours, got 1$/],
      [{ colours: 257 }, /^an animation has 2 to 256 colours, got 257$/],
      [{ colours: 2.5 }, /^an animation has 2 to 256 colours, got 2\.5$/],
      [{ delay: -1 }, /^delay must be .*got -1$/],
      [{ delay: 655_351 }, /^delay must be .*got 655351$/],
      [{ lastDelay: -1 }, /^lastDelay must be .*got -1$/],
      [{ lastDelay: 655_351 }, /^lastDelay must be .*got 655351$/],
    ] as const
  ) {
    await check.throws(JSON.stringify(options), () => encodeGif([frame], options), message);
  }
  check.equal(
    "the longest delays",
    shown([frame, frame], { delay: 655_350, lastDelay: 0 }).map(({ delay }) => delay),
    [65_535, 0],
    "16 bits",
  );
  const tall = (width: number, height: number) => ({
    width,
    height,
    data: new Uint8Array(4 * width * height),
  });
  await check.throws(
    "65,536 rows",
    () => encodeGif([tall(1, 65_536)]),
    /^the height of an animation must be .*65535, got 65536$/,
  );
  await check.throws(
    "65,536 columns",
    () => encodeGif([tall(65_536, 1)]),
    /^the width of an animation must be .*65535, got 65536$/,
  );
  await check.throws(
    "frames of two heights",
    () => encodeGif([tall(1, 1), tall(1, 2)]),
    /must be 1×1 like the first, frame 1 is 1×2$/,
  );
});

claim("a header's size is allowed up to its limits", async (check) => {
  const within = (width: number, height: number, possible: number, most: number) => () =>
    checkPixels(width, height, { possible, most, name: "a" });
  check.equal("at both limits", within(3, 2, 6, 6)(), undefined, "6 pixels of 6");
  await check.throws(
    "above the first",
    within(3, 2, 5, 6),
    /^a: its header states 3×2 pixels, more than its length can hold$/,
  );
  await check.throws(
    "above the second",
    within(3000, 2000, 6e6, 5_999_999),
    /^a: 3000×2000 pixels are more than the 5\.999999 megapixels allowed$/,
  );
  for (const [width, height] of [[0, 2], [2, 0]]) {
    await check.throws(
      `${width}×${height}`,
      within(width, height, 6, 6),
      new RegExp(`^a: a picture of ${width}×${height} has no pixels$`),
    );
  }
  const good = encodePng(picture(2, 1, ...Array(8).fill(7)));
  check.equal("a picture at its limit", (await decodePicture(good, "a", 2)).width, 2, "2 pixels of 2");
  const photo = await Deno.readFile(new URL("blocks.jpg", folder));
  check.equal("a photograph at its limit", (await decodeJpeg(photo, "a", 256)).width, 16, "16 · 16");
  await check.throws(
    "one above it",
    () => decodePicture(photo, "a", 255),
    /^a: 16×16 pixels are more than the 0\.000255 megapixels allowed$/,
  );
  const inks = await Deno.readFile(new URL("corpus/jpeg_cmyk.jpg", folder));
  const { width, height } = await decodeJpeg(inks);
  check.equal(
    "four inks at their limit",
    (await decodeJpeg(inks, "a", 4 * width * height)).width,
    width,
    "a quarter",
  );
  await check.throws(
    "above it",
    () => decodeJpeg(inks, "a", 4 * width * height - 4),
    new RegExp(`^a: ${width}×${height} pixels are more than`),
  );
});

claim("a JPEG file may have fill bytes before its markers, and damage is named", async (check) => {
  const photo = await Deno.readFile(new URL("blocks.jpg", folder));
  const right = await decodeJpeg(photo);
  const frame = photo.findIndex((byte, i) => byte === 0xff && photo[i + 1] === 0xc0);
  const filled = concatenated([photo.subarray(0, frame), Uint8Array.of(0xff, 0xff), photo.subarray(frame)]);
  check.equal("two fill bytes before the frame", await decodeJpeg(filled), right, "ITU-T T.81, B.1.1.2");
  const refused = (what: string, bytes: Uint8Array, reason: string) =>
    check.throws(
      what,
      () => decodeJpeg(bytes, "a.jpg"),
      new RegExp(`^a\\.jpg: not a complete JPEG file \\(${reason}\\)$`),
    );
  await refused("nothing but the start", photo.subarray(0, 20), "it states no size");
  await refused("the frame cut off", photo.subarray(0, frame + 9), "it states no size");
  await refused("no end", photo.subarray(0, photo.length - 2), "it is cut off");
  const scan = photo.findIndex((byte, i) => byte === 0xff && photo[i + 1] === 0xda);
  // A scan is the marker of its beginning; those after the end are counted, too, and not decoded.
  const scans = (count: number) =>
    concatenated([photo, ...new Array(count - 1).fill(photo.subarray(scan, scan + 2))]);
  check.equal("96 scans", (await decodeJpeg(scans(96))).width, 16, "the most");
  await refused("97 scans", scans(97), "it has 97 scans, at most 96 are read");
  // At a limit of 512 pixels, 256 of them are half: 96/4 · 2 scans.
  check.equal(
    "48 scans of half the pixels",
    (await decodeJpeg(scans(48), "a.jpg", 512)).width,
    16,
    "fewer of a large picture",
  );
  await check.throws(
    "49 of them",
    () => decodeJpeg(scans(49), "a.jpg", 512),
    /it has 49 scans, at most 48 are read/,
  );
});

claim("a PNG file without its last chunk, or with bytes after it, is read", async (check) => {
  const right = picture(2, 1, 1, 2, 3, 255, 4, 5, 6, 128);
  const whole = encodePng(right);
  check.equal("its end", [...whole.slice(-12)], END, "IEND with its checksum");
  check.equal("without it", await decodePng(whole.subarray(0, -12)), right, "all pixels are there");
  check.equal(
    "with bytes after it",
    await decodePng(concatenated([whole, Uint8Array.of(1, 2, 3)])),
    right,
    "no part of it",
  );
  check.equal(
    "in a larger buffer",
    await decodePng(concatenated([Uint8Array.of(9), whole]).subarray(1)),
    right,
    "its own offset",
  );
  check.equal("cut in its last chunk", await decodePng(whole.subarray(0, -2)), right, "all pixels are there");
  await check.throws(
    "without pixels",
    () => decodePng(whole.subarray(0, 33), "a"),
    /^a: not a complete PNG file/,
  );
});

claim("pictures on white and luma are as their formulas say", (check) => {
  const half = picture(2, 1, 10, 20, 30, 51, 40, 50, 60, 255);
  const seen = onWhite(half);
  check.equal("on white", [...seen.data], [206, 208, 210, 255, 40, 50, 60, 255], "c/5 + 255 · 4/5");
  check.equal("size", [seen.width, seen.height], [2, 1], "as it was");
  check.equal("what was given", half.data[3], 51, "left as it is");
  check.within("luma", luma(100, 200, 50), 29.9 + 117.4 + 5.7, 1e-12, "ITU-R BT.601");
});

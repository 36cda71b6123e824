/** Readers' details: archives, limits, names of files and of classes. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { digitColours } from "../../../src/data/coloured_digits.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { gunzip } from "../../../src/data/gzip.ts";
import { readIdx } from "../../../src/data/idx.ts";
import {
  compareNames,
  imageFolderDataset,
  isImagePath,
  isOtherImagePath,
} from "../../../src/data/image_folder.ts";
import { idxDataset } from "../../../src/data/mnist.ts";
import { tarFiles } from "../../../src/data/tar.ts";
import { encodePng } from "../../../src/images/png.ts";
import { gzip, writeIdx } from "../../instruments/file_writers.ts";
import { claim } from "../../suite/claim.ts";

const png = (width: number, height: number, ...levels: number[]) =>
  encodePng({ width, height, data: Uint8Array.from(levels.flatMap((level) => [level, level, level, 255])) });

claim(
  "an archive's links and unnamed types are passed over, old files read, and limits named",
  async (check) => {
    /** A header with its checksum, and the content in blocks of 512. */
    const tarred = (name: string, content: Uint8Array, type: number) => {
      const bytes = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
      const put = (text: string, at: number) => bytes.set(new TextEncoder().encode(text), at);
      put(name, 0);
      put(content.length.toString(8).padStart(11, "0"), 124);
      put("        ", 148);
      bytes[156] = type;
      put(bytes.subarray(0, 512).reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0"), 148);
      bytes[154] = 0;
      bytes.set(content, 512);
      return [...bytes];
    };
    const end = new Array<number>(512).fill(0);
    const long = "n".repeat(100);
    const content = Uint8Array.from({ length: 512 }, (_, i) => 255 - i % 256);
    const archive = Uint8Array.from([
      ...tarred("link", new Uint8Array(0), 50),
      ...tarred("pax", Uint8Array.of(1, 2, 3), 120),
      ...tarred("old", content, 0),
      ...tarred(long, Uint8Array.of(4), 48),
      ...end,
    ]);
    check.equal(
      "files",
      [...tarFiles(archive)],
      [["old", content], [long, Uint8Array.of(4)]],
      "POSIX: types 0 and NUL",
    );
    check.equal("as many as allowed", tarFiles(archive, "a", 2).size, 2, "two of two");
    await check.throws("one allowed", () => tarFiles(archive, "a", 1), /^a: it holds more than 1 files$/);
    await check.throws(
      "no end",
      () => tarFiles(archive.subarray(0, -512), "a"),
      /^a: truncated, \d+ bytes without the block of zeros at the end$/,
    );
    await check.throws("cut in a file", () => tarFiles(archive.subarray(0, 512 + 512 + 2)), /^tar archive: /);
    const cut = Uint8Array.from(tarred("f", content, 48)).subarray(0, -1);
    await check.throws(
      "one byte short",
      () => tarFiles(cut, "a"),
      /^a: truncated, a file of 512 bytes begins at byte 512 of 1023$/,
    );
    check.equal("the end alone", tarFiles(Uint8Array.from(end)).size, 0, "no files");
    await check.throws("nothing", () => tarFiles(new Uint8Array(0), "a"), /^a: truncated, 0 bytes/);
  },
);

claim("gzip is unpacked up to a limit, and what is not gzip is handed on", async (check) => {
  const plain = new Uint8Array(1000).fill(7);
  const packed = await gzip(plain);
  check.equal("at the limit", await gunzip(packed, "a", 1000), plain, "1,000 of 1,000 bytes");
  await check.throws(
    "above it",
    () => gunzip(packed, "a", 999),
    /^a: it holds more than 999 bytes, which are not unpacked$/,
  );
  const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251 ^ i >> 8);
  check.equal("several pieces", await gunzip(await gzip(large)), large, "joined in order");
  check.equal("plain", await gunzip(plain) === plain, true, "the same bytes");
});

claim(
  "an IDX file's type, dimensions and limits are named, and a data set's parts go together",
  async (check) => {
    const head = (type: number, rank: number) => Uint8Array.of(0, 0, type, rank, 0, 0, 0, 1, 5);
    for (
      const [type, name] of [[0x09, "int8"], [0x0b, "int16"], [0x0c, "int32"], [0x0d, "float32"], [
        0x0e,
        "float64",
      ]] as const
    ) {
      await check.throws(
        name,
        () => readIdx(head(type, 1), "a"),
        new RegExp(`^a: the values are ${name}, only unsigned bytes \\(type 08\\) are read$`),
      );
    }
    await check.throws(
      "33 dimensions",
      () => readIdx(head(8, 33), "a"),
      /^a: byte 3 says 33 dimensions, 1 to 32 are read$/,
    );
    await check.throws(
      "32 dimensions of a short file",
      () => readIdx(head(8, 32), "a"),
      /^a: the header of 32 dimensions ends at byte 132, the file ends at byte 9$/,
    );
    check.equal("at the limit", [...readIdx(head(8, 1), "a", 1).values], [5], "one value of one");
    await check.throws(
      "a second byte that is not 0",
      () => readIdx(Uint8Array.of(0, 9, 8, 1), "a"),
      /^a: .* 00 00, not 00 09$/,
    );
    await check.throws("three bytes", () => readIdx(Uint8Array.of(0, 0, 8), "a"), /^a: 3 bytes are too few/);
    check.equal(
      "a part of a larger buffer",
      [...readIdx(Uint8Array.from([1, ...head(8, 1)]).subarray(1)).values],
      [5],
      "its own offset",
    );
    const images = writeIdx({ shape: [2, 1, 3], values: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    const labels = writeIdx({ shape: [2], values: Uint8Array.of(3, 11) });
    const letters = await idxDataset(images, labels, "letters", 12);
    check.equal("a data set of twelve classes", letters, {
      name: "letters",
      count: 2,
      shape: [1, 3, 1],
      classes: 12,
      images: Uint8Array.of(1, 2, 3, 4, 5, 6),
      labels: Uint8Array.of(3, 11),
    }, "as written");
    await check.throws(
      "the usual ten",
      () => idxDataset(images, labels),
      /^mnist labels: label 1 is 11, allowed are 0 to 9$/,
    );
    await check.throws(
      "labels in rows",
      () => idxDataset(images, writeIdx({ shape: [2, 1], values: Uint8Array.of(1, 2) })),
      /^mnist: labels of shape \[2, 1\] do not belong to 2 images$/,
    );
  },
);

claim("a folder's pictures are recognized by name, cropped, counted and limited", async (check) => {
  for (const name of ["a.png", "a.PNG", "b/a.jpg", "a.jpeg", "a.jpe", "a.JFIF"]) {
    check.equal(name, isImagePath(name), true, "read");
  }
  for (const name of ["a.pngx", "apng", "a.webp", "a.txt", "png", "a.png.txt"]) {
    check.equal(name, isImagePath(name), false, "not read");
  }
  for (const ending of "webp gif bmp tif tiff avif heic heif jp2 JXL".split(" ")) {
    check.equal(
      ending,
      [isOtherImagePath(`a.${ending}`), isImagePath(`a.${ending}`)],
      [true, false],
      "another format",
    );
  }
  for (const name of ["a.png", "a.webp.txt", "awebp"]) {
    check.equal(`${name} is not another`, isOtherImagePath(name), false, "by its ending");
  }
  check.equal("one name and itself", compareNames("a9", "a9"), 0, "neither first");
  const done: number[] = [];
  const bytes = png(3, 2, 10, 20, 30, 40, 50, 60);
  const read = () => Promise.resolve(bytes);
  const set = await imageFolderDataset([{ path: "b.png", bytes: read }, { path: "a.png", bytes }], {
    size: 2,
    onProgress: (files) => done.push(files),
  });
  // (3 − 2)/2 is rounded down: the left two columns.
  check.equal(
    "cropped, not scaled",
    [...set.images],
    [10, 20, 40, 50, 10, 20, 40, 50],
    "the square in the middle",
  );
  check.equal("progress", done, [1, 2], "after each file");
  check.equal("the only class", [set.name, set.classes, set.classNames, [...set.labels]], [
    "images",
    1,
    ["."],
    [0, 0],
  ], "files that lie in no folder");
  await check.throws(
    "too many pixels",
    () => imageFolderDataset([{ path: "a.png", bytes }], { most: 5 }),
    /^a\.png: 3×2 pixels are more than/,
  );
  check.equal(
    "as many as allowed",
    (await imageFolderDataset([{ path: "a.png", bytes }], { most: 6 })).count,
    1,
    "6 of 6",
  );
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ path: `${i}/a.png`, bytes: png(1, 1, i % 256) }));
  check.equal(
    "256 classes",
    Math.max(...(await imageFolderDataset(many(256))).labels),
    255,
    "the last in the order of numbers",
  );
  await check.throws(
    "257",
    () => imageFolderDataset(many(257), { name: "pets" }),
    /^pets: at most 256 classes can be told apart, got 257 folders$/,
  );
  await check.throws(
    "other heights",
    () => imageFolderDataset([{ path: "a.png", bytes }, { path: "b.png", bytes: png(3, 1, 1, 2, 3) }]),
    /a\.png is 3×2 and b\.png is 3×1$/,
  );
});

claim(
  "numbers of images, classes and pixels just outside their ranges are refused by name",
  async (check) => {
    const images = writeIdx({ shape: [1, 1, 1], values: Uint8Array.of(1) });
    const labels = writeIdx({ shape: [1], values: Uint8Array.of(255) });
    const set = await idxDataset(images, labels, "a", 256);
    check.equal("256 classes", [set.classes, set.labels[0]], [256, 255], "a byte's");
    const file = { path: "a.png", bytes: png(1, 1, 7) };
    const rng = createRng(1);
    check.equal("batches of 10⁷", typeof shuffledBatches(set, 1e7, rng), "function", "the most");
    check.equal(
      "a limit of 2³¹ pixels",
      (await imageFolderDataset([file], { most: 2 ** 31 })).count,
      1,
      "the most",
    );
    const refused: [what: string, action: () => unknown, message: RegExp][] = [
      ["257 classes", () => idxDataset(images, labels, "a", 257), /^classes must be .*256, got 257$/],
      ["no classes", () => idxDataset(images, labels, "a", 0), /^classes must be .*got 0$/],
      [
        "batches above 10⁷",
        () => shuffledBatches(set, 1e7 + 1, rng),
        /^the batch size must be .*got 10000001$/,
      ],
      ["half a step", () => shuffledBatches(set, 1, rng)(0.5), /^step must be .*got 0\.5$/],
      ["no digits", () => proceduralDigits(0, rng), /^the number of digits must be .*got 0$/],
      [
        "digits above 10⁷",
        () => proceduralDigits(1e7 + 1, rng),
        /^the number of digits must be .*got 10000001$/,
      ],
      ["no colours", () => digitColours(0, rng), /^the number of digits must be .*got 0$/],
      [
        "colours above 10⁷",
        () => digitColours(1e7 + 1, rng),
        /^the number of digits must be .*got 10000001$/,
      ],
      [
        "a size above 10⁴",
        () => imageFolderDataset([file], { size: 10_001 }),
        /^the size of images must be .*got 10001$/,
      ],
      [
        "no pixels",
        () => imageFolderDataset([file], { most: 0 }),
        /^the most pixels of a picture must be .*got 0$/,
      ],
      [
        "above 2³¹",
        () => imageFolderDataset([file], { most: 2 ** 31 + 1 }),
        /^the most pixels of a picture must be .*got 2147483649$/,
      ],
    ];
    for (const [what, action, message] of refused) await check.throws(what, action, message);
  },
);

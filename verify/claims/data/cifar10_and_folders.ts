/** Claims about CIFAR-10, folders of pictures and what is measured of colour images. @module */
import { loadCifar10 } from "../../../scripts/datasets/cifar10.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { CIFAR10_ARCHIVE, CIFAR10_MIRRORS, cifar10Dataset } from "../../../src/data/cifar10.ts";
import { gzip } from "../../../src/data/gzip.ts";
import { type ImageFile, imageFolderDataset } from "../../../src/data/image_folder.ts";
import { tarFiles } from "../../../src/data/tar.ts";
import { patchStatistics } from "../../../src/metrics/pooled_features.ts";
import { decodeJpeg } from "../../../src/images/jpeg.ts";
import { encodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

/** A record of CIFAR-10 with its own value at each place, modulo 251: value(c, row, column) = 97 c + 32 row + column + shift. */
function record(label: number, shift = 0): Uint8Array {
  const bytes = new Uint8Array(3073);
  bytes[0] = label;
  for (let c = 0; c < 3; c++) {
    for (let at = 0; at < 1024; at++) bytes[1 + 1024 * c + at] = (97 * c + at + shift) % 251;
  }
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

claim(
  "CIFAR-10's planes become pixels, row by row, and each record's first byte its label",
  async (check) => {
    const files = [
      { name: "a.bin", bytes: joined(record(7), record(0, 100)) },
      { name: "b.bin", bytes: await gzip(record(9, 50)) },
    ];
    const { images, ...rest } = await cifar10Dataset(files, "two files");
    const source = "the format: a label, then red, green and blue planes of 32 rows of 32 bytes";
    const expected = {
      name: "two files",
      count: 3,
      shape: [32, 32, 3],
      classes: 10,
      // https://www.cs.toronto.edu/~kriz/cifar.html, in the order of labels.
      classNames: "airplane automobile bird cat deer dog frog horse ship truck".split(" "),
      labels: Uint8Array.of(7, 0, 9),
    };
    check.equal("what it is", rest, expected, source);
    const wrong = [0, 1, 2].flatMap((image) => {
      const shift = [0, 100, 50][image];
      return Array.from({ length: 3072 }, (_, at) => at).filter((at) => {
        const [row, column, c] = [Math.floor(at / 96), Math.floor(at / 3) % 32, at % 3];
        return images[image * 3072 + at] !== (97 * c + 32 * row + column + shift) % 251;
      });
    });
    check.equal("pixels in the wrong place", wrong, [], source);
  },
);

claim(
  "a damaged CIFAR-10 file is refused with an error that names the file, the damage and its size",
  async (check) => {
    const refused = (what: string, bytes: Uint8Array, message: RegExp) =>
      check.throws(what, () => cifar10Dataset([{ name: "data_batch_1.bin", bytes }]), message);
    await refused("nothing", new Uint8Array(0), /^data_batch_1\.bin: 0 bytes, where a record has 3073/);
    await refused(
      "cut in the second record",
      joined(record(1), record(2)).subarray(0, 5000),
      /^data_batch_1\.bin: truncated, 5000 bytes are 1 records of 3073 and 1927 bytes more/,
    );
    await refused(
      "a label of 10",
      joined(record(1), record(10)),
      /record 1, at byte 3073, has the label 10, allowed are 0 to 9/,
    );
    await refused(
      "gzip cut short",
      (await gzip(record(1))).subarray(0, 60),
      /data_batch_1\.bin: damaged or trunc/,
    );
    await checkProperty(
      check,
      "any bytes are whole records of labels below 10, or refused by name",
      fc.tuple(fc.uint8Array({ minLength: 0, maxLength: 40 }), fc.integer({ min: 0, max: 3 })),
      async ([head, records]) => {
        const bytes = joined(...Array(records).fill(record(3)), head);
        const good = bytes.length > 0 && head.length === 0;
        return await cifar10Dataset([{ name: "x.bin", bytes }]).then(
          ({ count }) => good && count === records,
          (error) => !good && error instanceof RangeError && error.message.startsWith("x.bin: "),
        );
      },
      "the reader's documentation",
      60,
    );
  },
);

claim(
  "CIFAR-10 is read from a folder, plain, gzipped or unpacked from its archive, or downloaded",
  (check) =>
    withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/gzipped/cifar10`, { recursive: true });
      await Deno.mkdir(`${folder}/unpacked/cifar-10-batches-bin`, { recursive: true });
      await Deno.writeFile(`${folder}/gzipped/cifar10/data_batch_1.bin.gz`, await gzip(record(4)));
      await Deno.writeFile(`${folder}/unpacked/cifar-10-batches-bin/data_batch_1.bin`, record(4));
      await Deno.writeFile(`${folder}/unpacked/cifar-10-batches-bin/data_batch_3.bin`, record(5));
      await Deno.writeFile(`${folder}/unpacked/cifar-10-batches-bin/test_batch.bin`, record(6));
      const labels = async (
        place: string,
        split: "train" | "test",
      ) => [...(await loadCifar10(split, { data: `${folder}/${place}` })).labels];
      check.equal("gzipped", await labels("gzipped", "train"), [4], "the file's label");
      check.equal(
        "training files that are there",
        await labels("unpacked", "train"),
        [4, 5],
        "their labels, in order",
      );
      check.equal("test", await labels("unpacked", "test"), [6], "the file's label");
      await check.throws(
        "a folder without",
        () => loadCifar10("test", { data: `${folder}/gzipped` }),
        /no test_batch\.bin or test_batch\.bin\.gz in .*\/gzipped or .*cifar10 or .*cifar-10-batches-bin/,
      );
      const wrong = await gzip(new Uint8Array(1024));
      const server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        () => new Response(wrong),
      );
      const mirrors = [`http://127.0.0.1:${server.addr.port}/`];
      await check.throws(
        "a mirror with another archive",
        () => loadCifar10("train", { data: "", cache: `${folder}/cache`, mirrors, report: () => {} }),
        /^CIFAR-10 is not on this machine .*--data FOLDER.*SHA-256 is .*, expected c4a38c50a1bc/,
      );
      await server.shutdown();
      check.holds(
        "the archive's name, hash and mirrors",
        /\.tar\.gz$/.test(CIFAR10_ARCHIVE.name) && /^[0-9a-f]{64}$/.test(CIFAR10_ARCHIVE.sha256) &&
          CIFAR10_MIRRORS.every((url) => /^https:\/\/.*\/$/.test(url)),
        "https, ending in a slash; SHA-256 in hexadecimal",
      );
    }),
);

/** A file as tar has it: the old header with its checksum, then the bytes in blocks of 512. */
function tarred(name: string, content: Uint8Array, type = "0"): Uint8Array {
  const blocks = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  const put = (text: string, at: number) => blocks.set(new TextEncoder().encode(text), at);
  put(name, 0);
  put(`${content.length.toString(8).padStart(11, "0")} `, 124);
  put("        ", 148);
  put(type, 156);
  const sum = blocks.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  blocks.set(content, 512);
  return blocks;
}

claim("an archive's files are read by name, and a damaged archive is refused", async (check) => {
  const [a, b] = [Uint8Array.from({ length: 700 }, (_, i) => i % 256), new TextEncoder().encode("short")];
  const end = new Uint8Array(1024);
  const archive = joined(tarred("f/", new Uint8Array(0), "5"), tarred("f/a.bin", a), tarred("f/b", b), end);
  check.equal(
    "files",
    [...tarFiles(archive)],
    [["f/a.bin", a], ["f/b", b]],
    "POSIX's header, folders passed over",
  );
  await check.throws(
    "cut in a file",
    () => tarFiles(archive.subarray(0, 1100), "x.tar"),
    /^x\.tar: truncated/,
  );
  await check.throws(
    "cut after a file",
    () => tarFiles(archive.subarray(0, 2048)),
    /without the block of zeros/,
  );
  await check.throws(
    "a changed name",
    () => tarFiles(archive.map((byte, at) => at === 513 ? byte ^ 1 : byte)),
    /no tar header at byte 512/,
  );
  await checkProperty(
    check,
    "any bytes are an archive or refused",
    fc.uint8Array({ maxLength: 2000 }),
    (bytes) => {
      try {
        return tarFiles(bytes).size >= 0;
      } catch (error) {
        return error instanceof RangeError;
      }
    },
    "the reader's documentation",
  );
});

/** A PNG file of pixels given by their red, green, blue and alpha. */
function png(width: number, height: number, pixel: (x: number, y: number) => number[]): Uint8Array {
  const pixels = Array.from({ length: width * height }, (_, i) => pixel(i % width, Math.floor(i / width)));
  const data = Uint8Array.from(pixels.flat());
  return encodePng({ width, height, data });
}

const flat = (width: number, height: number, ...rgb: number[]) => png(width, height, () => [...rgb, 255]);

claim(
  "a folder's classes are its folders in the order of names, and its images in the order of paths",
  async (check) => {
    const files: ImageFile[] = [
      { path: "zebra/1.png", bytes: flat(2, 2, 1, 2, 3) },
      { path: "ant/b/2.PNG", bytes: flat(2, 2, 4, 5, 6) },
      { path: "ant/1.png", bytes: flat(2, 2, 7, 8, 9) },
      { path: "cow/1.png", bytes: flat(2, 2, 10, 11, 12) },
    ];
    const source = "the function's documentation";
    for (const [order, shuffled] of [["as given", files], ["reversed", files.toReversed()]] as const) {
      const set = await imageFolderDataset(shuffled, { name: "animals" });
      check.equal(`${order}: labels`, [...set.labels], [0, 0, 1, 2], source);
      check.equal(
        `${order}: first values`,
        [0, 1, 2, 3].map((i) => set.images[12 * i]),
        [7, 4, 10, 1],
        source,
      );
      check.equal(`${order}: shape, classes`, [set.shape, set.classes, set.count], [[2, 2, 3], 3, 4], source);
      check.equal(`${order}: their names`, set.classNames, ["ant", "cow", "zebra"], source);
    }
    const grey = flat(2, 2, 90, 90, 90);
    const both = await imageFolderDataset([{ path: "a.png", bytes: grey }, {
      path: "b.png",
      bytes: flat(2, 2, 1, 2, 3),
    }]);
    check.equal(
      "grey among colours",
      [...both.images.subarray(0, 3)],
      [90, 90, 90],
      "grey is red = green = blue",
    );
    const alone = await imageFolderDataset([{ path: "a.png", bytes: grey }]);
    check.equal("grey alone", [alone.shape, [...alone.images]], [[2, 2, 1], [90, 90, 90, 90]], source);
    const clear = png(1, 1, () => [100, 0, 200, 51]);
    check.equal(
      "a fifth opaque",
      [...(await imageFolderDataset([{ path: "a.png", bytes: clear }])).images],
      [224, 204, 244],
      "c/5 + 255·4/5, laid on white",
    );
  },
);

claim("pictures are cropped to their centre and resized by exact means of areas", async (check) => {
  // 10 wide, 6 high: the middle 6 columns are 2 … 7; each new pixel is the mean of 3 × 3 old ones.
  const value = (x: number, y: number, c: number) => (23 * x + 11 * y + 60 * c + (x * y) % 7) % 256;
  for (const [width, height, left, top] of [[10, 6, 2, 0], [6, 9, 0, 1]]) {
    const bytes = png(width, height, (x, y) => [value(x, y, 0), value(x, y, 1), value(x, y, 2), 255]);
    const { images, shape } = await imageFolderDataset([{ path: "a.png", bytes }], { size: 2 });
    const expected: number[] = [];
    for (const y of [0, 1]) {
      for (const x of [0, 1]) {
        for (const c of [0, 1, 2]) {
          let sum = 0;
          for (let at = 0; at < 9; at++) {
            sum += value(left + 3 * x + at % 3, top + 3 * y + Math.floor(at / 3), c);
          }
          expected.push(Math.round(sum / 9));
        }
      }
    }
    check.equal(`${width}×${height}: shape`, shape, [2, 2, 3], "the size that was asked for");
    check.equal(`${width}×${height}: pixels`, [...images], expected, "means of nine pixels, summed here");
  }
});

const fixture = (name: string) =>
  Deno.readFile(new URL(`../../../fixtures/files/images/${name}`, import.meta.url));

claim("baseline and progressive JPEG files decode to the colours that were encoded", async (check) => {
  const blocks = [[200, 30, 60], [20, 180, 90], [10, 40, 220], [240, 230, 20]];
  for (const name of ["blocks.jpg", "blocks-progressive.jpg"]) {
    const { width, height, data } = await decodeJpeg(await fixture(name));
    check.equal(`${name}: size`, [width, height], [16, 16], "fixtures/files/images/README.md");
    let error = 0;
    for (let at = 0; at < data.length; at++) {
      const pixel = at >> 2;
      const block = 2 * (pixel >> 7) + ((pixel & 15) >> 3);
      error = Math.max(error, Math.abs(data[at] - [...blocks[block], 255][at & 3]));
    }
    check.atMost(
      `${name}: largest error of a level`,
      error,
      3,
      "the writer rounds luma and chroma, ½ + 1.772 · ½, and keeps their means to 1/16, .2; the reader rounds in its transform, ½, and " +
        "at the end, ½: 2.6 together, and errors are whole",
    );
  }
});

claim(
  "damaged pictures are refused by name, or skipped and listed, and unusable folders are refused",
  async (check) => {
    const good = { path: "a/good.png", bytes: flat(4, 4, 1, 2, 3) };
    const photo = await fixture("blocks.jpg");
    const damaged: [string, Uint8Array, RegExp][] = [
      ["a/cut.png", good.bytes.subarray(0, 50), /^a\/cut\.png: not a complete PNG file/],
      ["a/cut.jpg", photo.subarray(0, photo.length - 2), /^a\/cut\.jpg: not a complete JPEG file/],
      ["a/half.jpg", photo.subarray(0, photo.length / 2), /^a\/half\.jpg: not a complete JPEG file/],
      [
        "a/text.png",
        new TextEncoder().encode("hello"),
        /^a\/text\.png: begins like neither a PNG nor a JPEG file/,
      ],
      ["a/empty.jpg", new Uint8Array(0), /^a\/empty\.jpg: begins like neither/],
    ];
    for (const [path, bytes, message] of damaged) {
      await check.throws(path, () => imageFolderDataset([good, { path, bytes }]), message);
    }
    const problems: string[] = [];
    const files = [...damaged.map(([path, bytes]) => ({ path, bytes })), good];
    const kept = await imageFolderDataset(files, { onCorrupt: (problem) => problems.push(problem) });
    check.equal("images that are left", kept.count, 1, "one file is good");
    check.equal(
      "files that are named",
      problems.map((problem) => problem.split(":")[0]),
      damaged.map(([path]) => path).sort(),
      "all that are damaged",
    );
    await check.throws(
      "no file",
      () => imageFolderDataset([], { name: "pets" }),
      /^pets: there is no PNG or JPEG file/,
    );
    const text = { path: "a.png", bytes: new Uint8Array(9) };
    await check.throws(
      "none good",
      () => imageFolderDataset([text], { onCorrupt: () => {} }),
      /none of the 1 files can/,
    );
    const wide = { path: "b/wide.png", bytes: flat(5, 4, 9, 9, 9) };
    await check.throws(
      "two sizes",
      () => imageFolderDataset([good, wide]),
      /without a size all images must be alike, a\/good\.png is 4×4 and b\/wide\.png is 5×4/,
    );
    await check.throws(
      "size 0",
      () => imageFolderDataset([good], { size: 0 }),
      /must be a positive integer, got 0/,
    );
    const starts = [[], [0xff, 0xd8], [0x89, 0x50], [...photo.subarray(0, 200)], [
      ...good.bytes.subarray(0, 40),
    ]];
    await checkProperty(
      check,
      "any bytes are a picture or refused by name",
      fc.tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 120 })),
      async ([start, rest]) => {
        try {
          const bytes = Uint8Array.from([...start, ...rest]);
          return (await imageFolderDataset([{ path: "x", bytes }])).count === 1;
        } catch (error) {
          return error instanceof RangeError && error.message.startsWith("x: ");
        }
      },
      "the function's documentation",
    );
  },
);

claim("pooled features are the means and standard deviations of each channel's patches", async (check) => {
  const values = createRng(check.seed).uniformValues([2 * 5 * 4 * 3]).map((u) => Math.floor(256 * u));
  const images = Uint8Array.from(values);
  const set = {
    name: "x",
    count: 2,
    shape: [5, 4, 3],
    classes: 1,
    images,
    labels: new Uint8Array(2),
  } as const;
  const { features, dimension } = patchStatistics(set, 2);
  check.equal("dimension", [dimension, features.length], [24, 48], "2 · 2² · 3 for each of two images");
  // Rows 2 … 4 and columns 0 … 1 of the second image, green.
  const part = [2, 3, 4].flatMap((y) => [0, 1].map((x) => images[60 + (4 * y + x) * 3 + 1] / 255));
  const mean = part.reduce((sum, value) => sum + value, 0) / 6;
  const deviation = Math.sqrt(part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 6);
  const at = 24 + (2 * 3 + 1) * 2;
  check.within("mean", features[at], mean, 1e-12, "by its definition, rounding apart");
  check.within(
    "standard deviation",
    features[at + 1],
    deviation,
    1e-7,
    "by its definition, rounding under a root apart",
  );
  await check.throws(
    "too many parts",
    () => patchStatistics(set, 5),
    /images of 5×4 have 1 to 4 parts a side, got 5/,
  );
});

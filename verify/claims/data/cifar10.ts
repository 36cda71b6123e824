/** Claims about CIFAR-10's binary files, the archive that they come in, and where they are found. @module */
import { loadCifar10 } from "../../../scripts/datasets/cifar10.ts";
import { loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import {
  CIFAR10_ARCHIVE,
  CIFAR10_FILES,
  CIFAR10_MIRRORS,
  cifar10Dataset,
} from "../../../src/data/cifar10.ts";
import { tarFiles } from "../../../src/data/tar.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { gzip } from "../../instruments/file_writers.ts";

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

/** Files of the binary version and the labels of their records here. https://www.cs.toronto.edu/~kriz/cifar.html */
const published: Readonly<Record<"train" | "test", Readonly<Record<string, readonly number[]>>>> = {
  train: {
    "data_batch_1.bin": [1, 8],
    "data_batch_2.bin": [2],
    "data_batch_3.bin": [3, 5],
    "data_batch_4.bin": [4],
    "data_batch_5.bin": [0, 7],
  },
  test: { "test_batch.bin": [6, 9, 9] },
};

claim(
  "CIFAR-10's training images are those of five files, and its test images those of one",
  (check) =>
    withFolder(async (folder) => {
      for (const files of Object.values(published)) {
        for (const [name, labels] of Object.entries(files)) {
          await Deno.writeFile(`${folder}/${name}`, joined(...labels.map((label) => record(label))));
        }
      }
      for (const split of ["train", "test"] as const) {
        const { labels, count } = await loadCifar10(split, { data: folder });
        const expected = Object.values(published[split]).flat();
        check.equal(
          `${split}: labels`,
          [...labels],
          expected,
          "all files' records, in the order of their names",
        );
        check.equal(`${split}: images`, count, expected.length, "all files' records");
        check.equal(
          `${split}: files`,
          CIFAR10_FILES[split],
          Object.keys(published[split]),
          "the published names",
        );
      }
      for (const name of Object.keys(published.train)) {
        const alone = `${folder}/only ${name}`;
        await Deno.mkdir(alone);
        await Deno.rename(`${folder}/${name}`, `${alone}/${name}`);
        const { count, shape } = await loadTrainingData(alone);
        check.equal(
          `a folder with ${name} alone, given to --data of train`,
          [count, ...shape],
          [published.train[name].length, 32, 32, 3],
          "its records",
        );
      }
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

/** Claims about readers of data, the data sets and their batches. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { cifar10Dataset } from "../../../src/data/cifar10.ts";
import { tarFiles } from "../../../src/data/tar.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { fromModel, type ImageDataset, modelToBytes, toModel } from "../../../src/data/dataset.ts";
import { gunzip } from "../../../src/data/gzip.ts";
import { readIdx } from "../../../src/data/idx.ts";
import { idxDataset } from "../../../src/data/mnist.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { gzip, writeIdx } from "../../instruments/file_writers.ts";

const fixture = (name: string): Promise<Uint8Array> =>
  Deno.readFile(new URL(`../../../fixtures/files/idx/${name}`, import.meta.url));

claim("an IDX file is read with rows before columns", async (check) => {
  const images = await gunzip(await fixture("images-4x2.idx.gz"));
  const array = readIdx(images);
  const source = "fixtures/files/idx/README.md: value 60·image + 10·row + column, written by Python's struct";
  check.equal("shape", array.shape, [3, 4, 2], source);
  check.equal("image 1, row 2, column 1", array.values[1 * 8 + 2 * 2 + 1], 60 + 20 + 1, source);
  check.equal("writing what was read", writeIdx(array), new Uint8Array(images), "byte for byte");
  const dataset = await idxDataset(
    await fixture("images-4x2.idx.gz"),
    await fixture("labels.idx"),
    "fixture",
  );
  check.equal("height, width, channels", dataset.shape, [4, 2, 1], source);
  check.equal("count", dataset.count, 3, source);
  check.equal("labels", [...dataset.labels], [7, 0, 9], source);
  check.equal("pixels", dataset.images, array.values, source);
});

claim("a damaged IDX file is refused with an error that names the file and the damage", async (check) => {
  const good = writeIdx({ shape: [2, 3], values: new Uint8Array(6) });
  const changed = (at: number, value: number): Uint8Array => good.map((byte, i) => i === at ? value : byte);
  const refused = (what: string, bytes: Uint8Array, message: RegExp): Promise<void> =>
    check.throws(what, () => readIdx(bytes, "train.idx"), message);
  await refused("nothing at all", new Uint8Array(0), /^train\.idx: 0 bytes are too few/);
  await refused("wrong magic", changed(0, 0x50), /starts with the bytes 00 00, not 50 00/);
  await refused("float32 values", changed(2, 0x0d), /values are float32, only unsigned bytes/);
  await refused("no such type", changed(2, 0x55), /byte 2 is 55, which is no IDX type/);
  await refused("no dimensions", changed(3, 0), /0 dimensions/);
  await refused("a header cut short", good.subarray(0, 9), /header of 2 dimensions ends at byte 12.* byte 9/);
  await refused("values cut short", good.subarray(0, 17), /truncated: the shape \[2, 3\] needs 6 .*found 5/);
  await refused("a byte too many", new Uint8Array([...good, 0]), /trailing bytes: .*needs 6 .*found 7/);
  await refused("a size beyond the file", changed(4, 0xff), /truncated: the shape \[4278190082, 3\]/);
  const packed = await gzip(good);
  await check.throws(
    "gzip cut short",
    () => gunzip(packed.subarray(0, 20), "a.gz"),
    /a\.gz: damaged or truncated/,
  );
  const images = writeIdx({ shape: [2, 1, 1], values: new Uint8Array(2) });
  const labels = (...values: number[]) =>
    writeIdx({ shape: [values.length], values: Uint8Array.from(values) });
  await check.throws(
    "too many labels",
    () => idxDataset(images, labels(1, 2, 3)),
    /\[3\] do not belong to 2 images/,
  );
  await check.throws(
    "a label too large",
    () => idxDataset(images, labels(1, 10)),
    /label 1 is 10, allowed are 0 to 9/,
  );
  await check.throws(
    "labels for images",
    () => idxDataset(labels(1), labels(1)),
    /expected the shape \[count, rows/,
  );
});

claim("a data set without images, pixels or files is refused", async (check) => {
  const images = (shape: number[]) =>
    writeIdx({ shape, values: new Uint8Array(shape.reduce((a, b) => a * b, 1)) });
  for (const shape of [[0, 28, 28], [2, 0, 28], [2, 28, 0]]) {
    await check.throws(
      `images of shape [${shape}]`,
      () => idxDataset(images(shape), images([shape[0]]), "a"),
      new RegExp(`^a images: the shape \\[${shape.join(", ")}\\] has no pixels$`),
    );
  }
  await check.throws("no files of CIFAR-10", () => cifar10Dataset([], "a"), /^a: there are no files$/);
  await check.throws(
    "a limit of one's own",
    () => readIdx(images([2, 3]), "a", 5),
    /^a: it holds 6 values, at most 5 are read$/,
  );
  const tar = new Uint8Array(1024).fill(32, 148, 156);
  tar.set(new TextEncoder().encode("name"));
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0")), 148);
  tar[154] = 0;
  await check.throws(
    "an archive whose file has no size",
    () => tarFiles(tar, "a.tar"),
    /^a\.tar: the header at byte 0 does not say a file's size$/,
  );
});

claim("the IDX reader refuses arbitrary bytes with an error that names the file", async (check) => {
  const survives = (bytes: Uint8Array): boolean => {
    try {
      const { shape, values } = readIdx(bytes, "file-name");
      return values.length === shape.reduce((product, length) => product * length, 1);
    } catch (error) {
      return error instanceof RangeError && error.message.startsWith("file-name: ");
    }
  };
  const bytes = fc.uint8Array({ maxLength: 64 });
  await checkProperty(check, "any bytes", bytes, survives, "a value or a RangeError, never anything else");
  const header = fc.tuple(fc.constantFrom(8, 9, 13), fc.integer({ min: 0, max: 4 }), bytes);
  await checkProperty(
    check,
    "a good start and any bytes",
    header,
    ([type, rank, rest]) => survives(new Uint8Array([0, 0, type, rank, ...rest])),
    "a value or a RangeError, never anything else",
    500,
  );
  const arrays = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 });
  await checkProperty(
    check,
    "written and read",
    arrays,
    (shape) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const values = Uint8Array.from({ length: size }, (_, i) => i * 37);
      const back = readIdx(writeIdx({ shape, values }));
      return String(back.shape) === String(shape) && String(back.values) === String(values);
    },
    "the inverse of each other",
  );
  const damaged = (bytes: Uint8Array) =>
    gunzip(new Uint8Array([0x1f, 0x8b, ...bytes]), "file-name").then(
      () => true,
      (error) => error instanceof RangeError && error.message.startsWith("file-name: "),
    );
  await checkProperty(check, "gzip's start and any bytes", bytes, damaged, "a value or a RangeError");
});

claim("bytes, model values and picture values convert into each other without loss", (check) => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const model = toModel(bytes);
  check.equal("black in model units", model[0], -1, "models work in [−1, 1]");
  check.equal("white in model units", model[255], 1, "models work in [−1, 1]");
  check.equal("bytes again", modelToBytes(model), bytes, "exact for all 256");
  const worst = fromModel(model).reduce((most, value, i) => Math.max(most, Math.abs(value - i / 255)), 0);
  check.atMost("picture values against byte / 255", worst, 2 ** -23, "two roundings to float32 in [0, 1]");
  const clamped = [...fromModel(new Float32Array([-1.5, 1.5]))];
  check.equal("values beyond the range", clamped, [0, 1], "pictures are clamped");
});

claim("batches visit every image once an epoch, in a new order, and depend on the step alone", (check) => {
  const dataset = numbered(10);
  const rng = createRng(5);
  const batches = shuffledBatches(dataset, 4, rng);
  const seen = [0, 1, 2, 3, 4].flatMap((step) => [...batches(step).indices]);
  const [first, second] = [seen.slice(0, 10), seen.slice(10)];
  const all = Array.from({ length: 10 }, (_, i) => i);
  const sorted = (values: number[]) => values.toSorted((a, b) => a - b);
  check.equal("first epoch", sorted(first), all, "a permutation");
  check.equal("second epoch, which begins within a batch", sorted(second), all, "a permutation");
  check.holds("the second order is new", String(first) !== String(second), "a fresh permutation each epoch");
  check.holds("the first order is shuffled", String(first) !== String(all), "1 in 10! seeds would not be");
  const resumed = shuffledBatches(dataset, 4, createRng(5));
  check.equal(
    "step 3 without the steps before",
    [...resumed(3).indices],
    seen.slice(12, 16),
    "resume equals uninterrupted",
  );
  const elsewhere = shuffledBatches(dataset, 4, createRng(5).startingAt(100));
  check.equal(
    "step 0 for other samples",
    [...elsewhere(0).indices],
    seen.slice(0, 4),
    "rows are images here, not samples",
  );
  rng.normalValues([7]);
  check.equal(
    "step 0 after other draws",
    [...batches(0).indices],
    seen.slice(0, 4),
    "the generator's cursor plays no part",
  );
  const batch = batches(2);
  const model = batch.images.every((value, i) =>
    value === toModel(new Uint8Array([batch.indices[i >> 1] * 3 + (i & 1)]))[0]
  );
  check.holds(
    "images and labels go with their indices",
    model && batch.labels.every((label, i) => label === batch.indices[i]),
    "pixels 3·index, 3·index + 1; label index",
  );
  check.equal("shape", batch.shape, [4, 1, 2, 1], "[batch, height, width, channels]");
});

claim("invalid batch sizes are refused", async (check) => {
  await check.throws(
    "size 0",
    () => shuffledBatches(numbered(3), 0, createRng(1)),
    /positive integer, got 0/,
  );
  await check.throws(
    "size 1.5",
    () => shuffledBatches(numbered(3), 1.5, createRng(1)),
    /positive integer, got 1\.5/,
  );
  await check.throws("no images", () => shuffledBatches(numbered(0), 1, createRng(1)), /has no images/);
});

/** Images of one row of two pixels, 3i and 3i + 1, labelled i. */
function numbered(count: number): ImageDataset {
  return {
    name: "numbered",
    count,
    shape: [1, 2, 1],
    classes: Math.max(1, count),
    images: Uint8Array.from({ length: 2 * count }, (_, i) => 3 * (i >> 1) + (i & 1)),
    labels: Uint8Array.from({ length: count }, (_, i) => i),
  };
}

/** Data sets' details: digits of a seed, orders of epochs, sizes, and words about classes and changes. @module */
import { createHash } from "node:crypto";
import { createRng } from "../../../src/compute/rng.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { colourDigits, colouredDigits } from "../../../src/data/coloured_digits.ts";
import { type ImageDataset, modelToBytes, pixelMoments, toModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { datasetChange, type DatasetIdentity, describeClasses } from "../../../src/data/identity.ts";
import { largestDistance } from "../../../src/data/largest_distance.ts";
import { resizedDataset } from "../../../src/data/resized.ts";
import { claim } from "../../suite/claim.ts";

/** Grey images [height, width, 1] of the bytes given. */
const greys = (height: number, width: number, ...images: number[]): ImageDataset => ({
  name: "greys",
  count: images.length / (height * width),
  shape: [height, width, 1],
  classes: 2,
  images: Uint8Array.from(images),
  labels: new Uint8Array(images.length / (height * width)).fill(1),
});

claim(
  "the procedural digits of a seed are those of every version, so that runs on them can be resumed",
  (check) => {
    const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const digits = proceduralDigits(120, createRng(1));
    const source = "SHA-256 of the bytes in version 1";
    check.equal(
      "pixels",
      hash(digits.images),
      "cfa17d86901b6c59d0e57841a5e44bf4ef285416118bd646ee99e2d2796060a1",
      source,
    );
    check.equal(
      "labels",
      hash(digits.labels),
      "064188c7c8bb4ce2567cab415cf3fe398280b87fa67a4297219a84c6ecddfe32",
      source,
    );
    const coloured = colouredDigits(20, createRng(1));
    check.equal(
      "in colours",
      hash(coloured.images),
      "f491ec816298685dd0580befd291cb980672e5b39b963541dd30c45f92be01f1",
      source,
    );
    check.equal(
      "names",
      [digits.name, coloured.name],
      ["procedural digits", "coloured procedural digits"],
      "for model cards",
    );
    check.equal("classes and counts", [digits.classes, digits.count, coloured.classes, coloured.count], [
      10,
      120,
      10,
      20,
    ], "ten digits");
    const blend = colourDigits(greys(1, 1, 51), Float64Array.of(1, 0, 0.5, 0, 1, 0.25));
    check.equal("a fifth of the pen", [...blend.images], [51, 204, 77], "255 · (1/5 · digit + 4/5 · ground)");
  },
);

claim(
  "an epoch's order is that of its own uniform numbers, and a batch has what its indices say",
  (check) => {
    const images = greys(1, 2, ...Array.from({ length: 14 }, (_, i) => 10 * i));
    const rng = createRng(6);
    const batchAt = shuffledBatches({ ...images, labels: Uint8Array.of(0, 1, 0, 1, 1, 0, 0) }, 3, rng);
    const order = (epoch: number) => {
      const keys = rng.fork(`epoch ${epoch}`).startingAt(0).uniformValues([7]);
      return [0, 1, 2, 3, 4, 5, 6].toSorted((a, b) => keys[a] - keys[b]);
    };
    const all = [...order(0), ...order(1), ...order(2)];
    for (let step = 0; step < 7; step++) {
      const expected = all.slice(3 * step, 3 * step + 3);
      const batch = batchAt(step);
      check.equal(
        `step ${step}`,
        [...batch.indices],
        expected,
        "a fork of each epoch's, from its first number on",
      );
      check.equal(`step ${step}: shape`, batch.shape, [3, 1, 2, 1], "rows, then an image's");
      const bytes = expected.flatMap((image) => [20 * image, 20 * image + 10]);
      check.equal(
        `step ${step}: images`,
        modelToBytes(batch.images),
        Uint8Array.from(bytes),
        "scaled to [−1, 1]",
      );
      check.equal(
        `step ${step}: labels`,
        [...batch.labels],
        expected.map((image) => [0, 1, 0, 1, 1, 0, 0][image]),
        "of those images",
      );
    }
    check.equal("a step of before", [...batchAt(1).indices], all.slice(3, 6), "a function of the step");
  },
);

claim(
  "bytes are rounded to the nearest, clamped, and their moments are those of all pixels",
  async (check) => {
    const value = (byte: number) => Math.fround(byte / 127.5 - 1);
    check.equal(
      "to bytes",
      [...modelToBytes(Float32Array.of(-2, 2, value(7.4), value(7.6)))],
      [0, 255, 7, 8],
      "the nearest of 0 … 255",
    );
    check.equal("to model values", [...toModel(Uint8Array.of(51))], [value(51)], "b/127.5 − 1");
    const { mean, std } = pixelMoments(greys(1, 2, 0, 255, 255, 255));
    check.within("mean", mean, 0.5, 1e-12, "(−1 + 1 + 1 + 1)/4");
    check.within("std", std, Math.sqrt(0.75), 1e-12, "√(1 − 1/4)");
    await check.throws("no image", () => pixelMoments(greys(1, 1)), /moments need at least one image/);
  },
);

claim("a resized data set has the means of the areas, channel by channel", async (check) => {
  const grey = resizedDataset(greys(2, 2, 0, 10, 20, 30, 100, 100, 200, 200), 1);
  check.equal("grey", [grey.shape, [...grey.images], grey.count, [...grey.labels]], [
    [1, 1, 1],
    [15, 150],
    2,
    [1, 1],
  ], "means of four");
  const colours: ImageDataset = {
    ...greys(1, 1, 0),
    shape: [1, 2, 3],
    images: Uint8Array.of(10, 20, 30, 50, 40, 90),
  };
  const small = resizedDataset(colours, 1);
  check.equal(
    "colours",
    [small.shape, [...small.images]],
    [[1, 1, 3], [30, 30, 60]],
    "means of two, each channel's",
  );
  check.equal("larger", [...resizedDataset(greys(1, 1, 7), 2).images], [7, 7, 7, 7], "stretched");
  await check.throws("size 0", () => resizedDataset(colours, 0), /sides must be positive integers, got 0×0$/);
});

claim("words about classes name twenty, and those about changes five", (check) => {
  const identity = (
    classes: string[],
    counts = classes.map(() => 1),
    sha256 = String(classes),
  ): DatasetIdentity => ({
    shape: [1, 1, 3],
    classes,
    counts,
    sha256,
  });
  const letters = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`);
  const named = (count: number) => letters(count).map((name) => `${name} (1)`).join(", ");
  check.equal("one", describeClasses(identity(["a"], [4])), "1 class: a (4)", "in the singular");
  check.equal("twenty", describeClasses(identity(letters(20))), `20 classes: ${named(20)}`, "all");
  check.equal(
    "22",
    describeClasses(identity(letters(22))),
    `22 classes: ${named(20)} and 2 more`,
    "the first twenty",
  );
  const change = (before: DatasetIdentity, now: DatasetIdentity) => datasetChange(before, now);
  check.equal(
    "five added",
    change(identity(["a"]), identity(["a", ...letters(5)])),
    "it has the new classes c0, c1, c2, c3, c4",
    "all",
  );
  check.equal(
    "seven lost",
    change(identity(["a", ...letters(7)]), identity(["a"])),
    "it lacks the classes c0, c1, c2, c3, c4 and 2 more",
    "five by name",
  );
  const long = "n".repeat(81);
  check.equal(
    "a long name",
    change(identity(["a"]), identity(["a", long])),
    `it has the new class ${"n".repeat(79)}…`,
    "80 letters",
  );
  check.equal(
    "80 letters",
    change(identity(["a"]), identity(["a", long.slice(1)])),
    `it has the new class ${"n".repeat(80)}`,
    "as it is",
  );
  check.equal(
    "counts",
    change(identity(["a", "b"], [1, 2], "x"), identity(["a", "b"], [3, 4], "y")),
    "class a has 3 samples, and had 1, class b has 4 samples, and had 2",
    "each class that has changed",
  );
  check.equal(
    "channels",
    change(identity(["a"]), { ...identity(["a"]), shape: [2, 3, 1] }),
    "it has images of 2×3 with 1 channel, and had images of 1×1 with 3 channels",
    "both shapes",
  );
});

claim("the search for the largest distance says how far it is", async (check) => {
  const shares: number[] = [];
  const count = 1001;
  const images = greys(1, 1, ...Array.from({ length: count }, (_, i) => i % 100));
  images.images[400] = 255;
  const { distance, pair } = await largestDistance({ ...images, count }, (share) => shares.push(share));
  check.equal("distance", distance, 1, "0 to 255");
  check.equal(
    "pair",
    [images.images[pair[0]], images.images[pair[1]]].sort((a, b) => a - b),
    [0, 255],
    "the ends",
  );
  check.equal("shares", shares, [1 / 3, 1], "one of three pairs of two blocks, then all");
});

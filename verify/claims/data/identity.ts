/** Claims about the identity of a data set: what it sees, and in which words it says so. @module */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { ImageDataset } from "../../../src/data/dataset.ts";
import { datasetChange, datasetIdentity, describeClasses } from "../../../src/data/identity.ts";
import { claim } from "../../suite/claim.ts";

const animals: ImageDataset = {
  name: "animals",
  count: 4,
  shape: [1, 2, 1],
  classes: 3,
  classNames: ["ant", "cow", "zebra"],
  images: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
  labels: new Uint8Array([0, 0, 1, 2]),
};

claim(
  "the identity of data differs after every change, and the difference is described",
  { engines: ["wasm"] },
  async (check) => {
    const identity = await datasetIdentity(animals);
    const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
    const expected = hash(Buffer.concat([hash(animals.labels), hash(animals.images)])).toString("hex");
    check.equal("hash", identity.sha256, expected, "node:crypto, the hash of the two hashes");
    check.equal("counts", identity.counts, [2, 1, 1], "counted by hand");
    check.equal(
      "itself",
      datasetChange(identity, await datasetIdentity({ ...animals })),
      null,
      "nothing changed",
    );
    check.equal(
      "read from JSON",
      datasetChange(JSON.parse(JSON.stringify(identity)), identity),
      null,
      "as checkpoints keep it",
    );
    const changes: [what: string, changed: Partial<ImageDataset>, words: string][] = [
      [
        "another height",
        { shape: [2, 1, 1] },
        "it has images of 2×1 with 1 channel, and had images of 1×2 with 1 channel",
      ],
      [
        "another channel count",
        { shape: [1, 1, 2] },
        "it has images of 1×1 with 2 channels, and had images of 1×2 with 1 channel",
      ],
      [
        "a class renamed",
        { classNames: ["ant", "cow", "yak"] },
        "it lacks the class zebra and it has the new class yak",
      ],
      ["two classes swapped", { classNames: ["cow", "ant", "zebra"] }, "its classes are in another order"],
      [
        "a class in front of the others",
        {
          classes: 4,
          classNames: ["aardvark", ...animals.classNames!],
          labels: new Uint8Array([1, 1, 2, 3]),
        },
        "it has the new class aardvark",
      ],
      [
        "a class removed",
        {
          classes: 2,
          count: 2,
          classNames: ["cow", "zebra"],
          images: animals.images.slice(4),
          labels: new Uint8Array([0, 1]),
        },
        "it lacks the class ant",
      ],
      [
        "an image more",
        {
          count: 5,
          images: new Uint8Array([...animals.images, 9, 9]),
          labels: new Uint8Array([0, 0, 1, 2, 2]),
        },
        "class zebra has 2 samples, and had 1",
      ],
      [
        "a label changed to another",
        { labels: new Uint8Array([0, 1, 0, 2]) },
        "its samples are as many, but not the same or in another order",
      ],
      ...[...animals.images.keys()].map((at): [string, Partial<ImageDataset>, string] => [
        `one bit of pixel ${at}`,
        { images: animals.images.map((byte, i) => i === at ? byte ^ 1 : byte) },
        "its samples are as many, but not the same or in another order",
      ]),
    ];
    for (const [what, changed, words] of changes) {
      const now = await datasetIdentity({ ...animals, ...changed });
      check.equal(what, datasetChange(identity, now), words, "in one clause that names it");
    }
    const { classNames: _, ...unnamed } = animals;
    check.equal(
      "classes in words",
      [describeClasses(identity), describeClasses(await datasetIdentity(unnamed))],
      ["3 classes: ant (2), cow (1), zebra (1)", "3 classes: 0 (2), 1 (1), 2 (1)"],
      "names, or labels where there are none",
    );
  },
);

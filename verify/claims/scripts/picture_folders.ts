/** Claims about folders of pictures as people have them: what is found, what is refused, in which order. @module */
import { compareNames } from "../../../src/data/image_folder.ts";
import { encodePng } from "../../../src/images/png.ts";
import { findPictures } from "../../../scripts/datasets/image_folder.ts";
import { loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { writeIdx } from "../../instruments/file_writers.ts";

/** A 2×2 picture of one grey. */
function grey(level: number): Uint8Array {
  return encodePng({
    width: 2,
    height: 2,
    data: Uint8Array.from({ length: 16 }, (_, i) => i % 4 === 3 ? 255 : level),
  });
}

/** Writes a small grey picture under each path of a folder. */
async function writePictures(folder: string, files: readonly string[]): Promise<void> {
  for (const [i, path] of files.entries()) {
    await Deno.mkdir(`${folder}/${path.split("/").slice(0, -1).join("/")}`, { recursive: true });
    await Deno.writeFile(`${folder}/${path}`, grey(10 * (i + 1)));
  }
}

claim("classes are folders, linked ones too, in the order of the numbers in their names", {
  engines: ["wasm"],
}, async (check) => {
  await withFolder(async (folder) => {
    await writePictures(folder, ["10/a.png", "2/a.png", "9/a.jfif", "elsewhere/a.png"]);
    await Deno.mkdir(`${folder}/data`);
    for (const name of ["10", "2", "9"]) await Deno.rename(`${folder}/${name}`, `${folder}/data/${name}`);
    await Deno.rename(`${folder}/elsewhere`, `${folder}/outside`);
    await Deno.symlink(`${folder}/outside`, `${folder}/data/11`);
    // A link to the folder above: a walk that follows it again and again never ends.
    await Deno.symlink(`${folder}/data`, `${folder}/data/9/up`);
    const { classNames, labels, images, count } = await loadTrainingData(`${folder}/data`);
    check.equal("classes", classNames, ["2", "9", "10", "11"], "2 before 10; the linked folder is one");
    const levels = Array.from(labels, (label, i) => [classNames![label], images[4 * i]]);
    check.equal(
      "images",
      [count, Object.fromEntries(levels)],
      [4, { "10": 10, "2": 20, "9": 30, "11": 40 }],
      "each once",
    );
  });
  const names = ["img10", "img9", "img9a", "b", "a", "", "img09", "10", "9"];
  check.equal(
    "order of names",
    names.toSorted(compareNames),
    ["", "9", "10", "a", "b", "img09", "img9", "img9a", "img10"],
    "numbers by value, the rest by letters",
  );
});

claim(
  "unusable files are named, and skipped only on request",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writePictures(folder, ["cat/1.png", "cat/2.webp", "dog/1.webp", "dog/2.webp", "dog/3.webp"]);
      await check.throws(
        "pictures in another format",
        () => loadTrainingData(folder),
        /has 4 files in formats that are not read \(PNG and JPEG are\): cat\/2\.webp, dog\/1\.webp and 2 more: convert or remove them, or --skip-corrupt$/,
      );
      const { classNames, count } = await loadTrainingData(folder, { skipCorrupt: true });
      check.equal("left out when asked", [classNames, count], [["cat"], 1], "the one PNG file");
      for (const name of ["cat/2.webp", "dog/1.webp", "dog/2.webp", "dog/3.webp"]) {
        await Deno.remove(
          `${folder}/${name}`,
        );
      }
      await Deno.symlink(`${folder}/nowhere.png`, `${folder}/cat/gone.png`);
      await check.throws(
        "a link to nothing",
        () => loadTrainingData(folder),
        /has 1 files whose names are not UTF-8, or which are links to nothing: cat\/gone\.png/,
      );
      check.equal(
        "left out when asked",
        (await loadTrainingData(folder, { skipCorrupt: true })).count,
        1,
        "the other file",
      );
    }),
);

claim(
  "train and test folders are not taken for classes, nor a training run's folder for data",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writePictures(folder, ["train/cat/1.png", "test/cat/1.png", "train/dog/1.png"]);
      await check.throws(
        "train and test",
        () => loadTrainingData(folder),
        /is divided into test and train, which are no classes: give one, such as ".*\/test"$/,
      );
      const { classNames, count } = await loadTrainingData(`${folder}/train`);
      check.equal("one of them", [classNames, count], [["cat", "dog"], 2], "its folders");
      await Deno.mkdir(`${folder}/train/run`);
      await Deno.writeFile(`${folder}/train/run/samples-000100.png`, grey(1));
      await Deno.writeTextFile(`${folder}/train/run/metrics.jsonl`, "");
      const { paths, runs } = await findPictures(`${folder}/train`);
      check.equal(
        "with a run's folder inside",
        [paths, runs],
        [["cat/1.png", "dog/1.png"], ["run"]],
        "left out, and said so",
      );
    }),
);

claim(
  "files in MNIST's format are found under their common names",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const images = writeIdx({ shape: [2, 2, 2], values: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
      const labels = writeIdx({ shape: [2], values: Uint8Array.of(3, 9) });
      const places: [what: string, images: string, labels: string][] = [
        ["with dots", "dots/train-images.idx3-ubyte", "dots/train-labels.idx1-ubyte"],
        [
          "in folders of their own names",
          "kaggle/train-images-idx3-ubyte/train-images-idx3-ubyte",
          "kaggle/train-labels-idx1-ubyte/train-labels-idx1-ubyte",
        ],
        [
          "in MNIST/raw",
          "torch/MNIST/raw/train-images-idx3-ubyte",
          "torch/MNIST/raw/train-labels-idx1-ubyte",
        ],
      ];
      for (const [what, imagePath, labelPath] of places) {
        for (const [path, bytes] of [[imagePath, images], [labelPath, labels]] as const) {
          await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
          await Deno.writeFile(`${folder}/${path}`, bytes);
        }
        const set = await loadTrainingData(`${folder}/${imagePath.split("/")[0]}`);
        check.equal(what, [set.shape, set.classes, [...set.labels], [...set.images]], [
          [2, 2, 1],
          10,
          [3, 9],
          [1, 2, 3, 4, 5, 6, 7, 8],
        ], "as written");
      }
      await Deno.mkdir(`${folder}/emnist`);
      await Deno.writeFile(`${folder}/emnist/emnist-letters-train-images-idx3-ubyte`, images);
      await Deno.writeFile(
        `${folder}/emnist/emnist-letters-train-labels-idx1-ubyte`,
        writeIdx({ shape: [2], values: Uint8Array.of(1, 26) }),
      );
      const { classes, classNames, labels: letters, images: turned } = await loadTrainingData(
        `${folder}/emnist`,
      );
      check.equal(
        "EMNIST's letters",
        [classes, classNames?.at(0), classNames?.at(-1), [...letters], [...turned]],
        [26, "A", "Z", [0, 25], [1, 3, 2, 4, 5, 7, 6, 8]],
        "labels from 1 to 26; rows and columns are exchanged in its files",
      );
    }),
);

/** Claims about what --data may be, and whether data fit a network and a checkpoint. @module */
import { abbreviateList, findPictures } from "../../../scripts/datasets/image_folder.ts";
import { folderName, loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import { checkFits, checkSameData } from "../../../scripts/datasets/training_data_check.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { encodePng } from "../../../src/images/png.ts";
import type { Checkpoint } from "../../../src/training/checkpoint.ts";
import { writeIdx } from "../../instruments/file_writers.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { written } from "../../instruments/written_files.ts";
import { claim } from "../../suite/claim.ts";

/** What an action prints on stderr, line by line, and what it gives. */
async function saying<T>(action: () => Promise<T>): Promise<[T, string[]]> {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line) => void lines.push(line);
  try {
    return [await action(), lines];
  } finally {
    console.error = error;
  }
}

claim("--data is a name or a folder, whose files say what it is, and --size scales what it holds", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    const images = proceduralDigits(1, createRng(0));
    check.equal("a name's run's folder", folderName("digits", images), "digits", "the name");
    const named = folderName("/x/y", { ...images, name: "pets and more" });
    check.equal("a folder's run's folder", named, "pets", "its first word");
    await writeMnist(folder, smallMnist({ train: 3, test: 2 }));
    const whole = await loadTrainingData(folder);
    check.equal("a folder of MNIST's files", [whole.name, whole.count, whole.shape], ["mnist train", 3, [
      28,
      28,
      1,
    ]], "its files");
    check.equal(
      "--size 28",
      (await loadTrainingData(folder, { size: 28 })).images,
      whole.images,
      "as they are",
    );
    check.equal("--size 14", (await loadTrainingData(folder, { size: 14 })).shape, [14, 14, 1], "scaled");
    check.equal(
      "a resumed run's size",
      (await loadTrainingData(folder, { resumedShape: [14, 14, 1] })).shape,
      [14, 14, 1],
      "if square",
    );
    check.equal(
      "--size on resuming",
      (await loadTrainingData(folder, { size: 7, resumedShape: [14, 14, 1] })).shape,
      [7, 7, 1],
      "it wins",
    );
    check.equal("not square", (await loadTrainingData(folder, { resumedShape: [14, 15, 1] })).shape, [
      28,
      28,
      1,
    ], "as they are");
    await check.throws(
      "--skip-corrupt",
      () => loadTrainingData(folder, { skipCorrupt: true }),
      /^--skip-corrupt is for a folder of pictures, got --data /,
    );
    const labelsOnly = await written(folder, {
      "train-labels-idx1-ubyte": writeIdx({ shape: [1], values: Uint8Array.of(1) }),
    });
    await check.throws("labels alone", () => loadTrainingData(labelsOnly), /train-images-idx3-ubyte/);
    const cifar = await written(folder, { "cifar-10-batches-bin/data_batch_2.bin": new Uint8Array(3073) });
    const pictures = await loadTrainingData(cifar);
    check.equal("CIFAR-10's", [pictures.name, pictures.count, pictures.shape], ["cifar10 train", 1, [
      32,
      32,
      3,
    ]], "one of its files");
    await check.throws(
      "nothing",
      () => loadTrainingData(`${folder}/none`),
      /^--data must be mnist, cifar10, digits, coloured-digits, .* a folder, or a file of numbers that ends in .*, got ".*none" \(.+\)$/,
    );

    const grey = (side: number, level: number) =>
      encodePng({
        width: side,
        height: side,
        data: Uint8Array.from({ length: 4 * side * side }, (_, i) => i % 4 === 3 ? 255 : level),
      });
    const pets = await written(folder, {
      "my pets/cat/1.png": grey(4, 10),
      "my pets/cat/2.png": grey(4, 20),
      "my pets/dog/1.png": grey(6, 30),
      "my pets/dog/torn.png": grey(6, 30).subarray(0, 40),
      "my pets/run/checkpoint.safetensors": new Uint8Array(1),
      "my pets/run/samples.png": grey(4, 1),
      "my pets/.hidden/1.png": grey(4, 1),
    });
    const path = `${pets}/my pets`;
    const [all, said] = await saying(() => loadTrainingData(path, { size: 4, skipCorrupt: true }));
    check.equal("pictures", [all.name, all.count, all.shape, all.classNames, [...all.labels]], [
      "my-pets",
      3,
      [4, 4, 1],
      ["cat", "dog"],
      [0, 0, 1],
    ], "folders are classes");
    check.equal("levels", [0, 1, 2].map((i) => all.images[16 * i]), [10, 20, 30], "in order");
    check.equal(
      "said",
      said.slice(0, 1),
      [`left out of "${path}", as a training run writes there: run`],
      "a run's folder",
    );
    await check.throws(
      "damaged",
      () => saying(() => loadTrainingData(path, { size: 4 })),
      /^".*my pets": dog\/torn\.png: .*: remove it, or --skip-corrupt$/,
    );
    await Deno.remove(`${path}/dog/torn.png`);
    await check.throws(
      "of two sizes",
      () => saying(() => loadTrainingData(path)),
      /^".*my pets": my-pets: without a size all images must be alike, .*: give --size$/,
    );
    const [resumed] = await saying(() => loadTrainingData(path, { resumedShape: [2, 2, 1] }));
    check.equal("a resumed run's", resumed.shape, [2, 2, 1], "its size");
    const numbered = await written(folder, {
      "10.png": grey(4, 10),
      "9.png": grey(4, 20),
      "a/1.png": grey(4, 30),
    });
    const byValue = (await findPictures(numbered)).paths;
    check.equal("numbers", byValue, ["9.png", "10.png", "a/1.png"], "by their values");
    const { paths, others, unreachable, runs } = await findPictures(path);
    check.equal("found", [paths, others, unreachable, runs], [
      ["cat/1.png", "cat/2.png", "dog/1.png"],
      [],
      [],
      ["run"],
    ], "by name");
    check.equal("lists", [["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]].map(abbreviateList), [
      "a",
      "a, b",
      "a, b and 1 more",
      "a, b and 2 more",
    ], "two by name");
  }));

claim(
  "data that do not fit a network, or have changed since a checkpoint, are refused in a sentence",
  async (check) => {
    const classes = Array.from({ length: 10 }, (_, i) => String(i));
    const identity = { shape: [28, 28, 1], classes, counts: classes.map(() => 1), sha256: "a".repeat(64) };
    const fits = (changed: object, network = { sampleShape: [28, 28, 1], classes: 10 }) =>
      checkFits(network, { ...identity, ...changed }, "d");
    check.equal("the same", fits({}), undefined, "shape and classes");
    check.equal(
      "no classes wanted",
      fits({ classes: [] }, { sampleShape: [28, 28, 1], classes: 0 }),
      undefined,
      "labels are not used",
    );
    await check.throws(
      "shape",
      () => fits({ shape: [32, 32, 3] }),
      /^the network is for images of 28×28 with 1 channel, "d" has images of 32×32 with 3 channels$/,
    );
    await check.throws(
      "classes",
      () => fits({ classes: identity.classes.slice(1) }),
      /^the network has 10 classes, "d" has 9$/,
    );
    const checkpoint = { config: { model: smallModel().config } } as unknown as Checkpoint;
    const same = (dataset: unknown, changed: object = {}) =>
      saying(async () =>
        await checkSameData(
          "c",
          { ...checkpoint, dataset } as Checkpoint,
          "d",
          { ...identity, ...changed },
        )
      );
    check.equal("unchanged", await same(identity), [undefined, []], "nothing to say");
    check.equal("of an older version", await same(undefined), [undefined, [
      "c is of an older version and says nothing about its images: that these are the same is not checked",
    ]], "it is said");
    await check.throws(
      "of an older version, of another shape",
      () => same(undefined, { shape: [2, 2, 1] }),
      /^the network is for images of 28×28/,
    );
    await check.throws(
      "changed",
      () => same({ ...identity, shape: [28, 28, 3] }),
      /^"d" has changed since c: .*; give its former state, or begin a new run with --from its model$/,
    );
  },
);

/** Claims about data sets in MNIST's format that have names, and about classes in the names of pictures. @module */
import { imageFiles } from "../../../scripts/datasets/image_folder.ts";
import { loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import { writeIdx } from "../../instruments/file_writers.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { withVariables } from "../../instruments/variables.ts";
import { written } from "../../instruments/written_files.ts";
import { claim } from "../../suite/claim.ts";

/** Images and labels of a data set; pixel k of image i is 10 i + k. */
function files(place: string, prefix: string, labels: readonly number[]): Record<string, Uint8Array> {
  const values = Uint8Array.from({ length: 4 * labels.length }, (_, i) => 10 * (i >> 2) + i % 4);
  return {
    [`${place}/${prefix}train-images-idx3-ubyte`]: writeIdx({ shape: [labels.length, 2, 2], values }),
    [`${place}/${prefix}train-labels-idx1-ubyte`]: writeIdx({
      shape: [labels.length],
      values: Uint8Array.from(labels),
    }),
  };
}

claim(
  "Fashion-MNIST, KMNIST and EMNIST are found by name in torchvision's folders, with their classes",
  (check) =>
    withFolder(async (folder) => {
      const place = await written(folder, {
        ...files("FashionMNIST/raw", "", [9, 0]),
        ...files("kmnist", "", [1, 1, 2]),
        ...files("EMNIST/raw", "emnist-letters-", [1, 26]),
        ...files("EMNIST/raw", "emnist-digits-", [3, 9]),
      });
      const load = (data: string) => withVariables({ SCORE_SDE_DATA: place }, () => loadTrainingData(data));
      const fashion = await load("fashion-mnist");
      check.equal(
        "Fashion-MNIST",
        [fashion.name, fashion.count, fashion.classNames?.[9], fashion.classNames?.[0]],
        ["fashion-mnist train", 2, "Ankle boot", "T-shirt/top"],
        "github.com/zalandoresearch/fashion-mnist",
      );
      const byPath = await loadTrainingData(`${place}/FashionMNIST`);
      check.equal(
        "by its folder",
        [byPath.name, byPath.classNames],
        [fashion.name, fashion.classNames],
        "the same",
      );
      const kmnist = await load("kmnist");
      check.equal("KMNIST", [kmnist.count, kmnist.classNames?.[1]], [3, "ki"], "github.com/rois-codh/kmnist");
      const letters = await load("emnist-letters");
      check.equal("EMNIST's letters", [letters.classes, letters.classNames?.[25], [...letters.labels]], [
        26,
        "Z",
        [0, 25],
      ], "from 1 to 26");
      const digits = await load("emnist-digits");
      check.equal("EMNIST's digits", [digits.classes, [...digits.labels], [...digits.images]], [10, [3, 9], [
        0,
        2,
        1,
        3,
        10,
        12,
        11,
        13,
      ]], "beside the letters; rows and columns exchanged");
      await check.throws("no such files", () => load("emnist-byclass"), /emnist-byclass|train-images/);
      await check.throws(
        "no folder",
        () => withVariables({ SCORE_SDE_DATA: `${place}/kmnist` }, () => loadTrainingData("kmnist")),
        /kmnist" has no folder KMNIST, kmnist, kuzushiji-mnist with the files of kmnist$/,
      );
      await check.throws(
        "no variable",
        () => withVariables({ SCORE_SDE_DATA: "" }, () => loadTrainingData("kmnist")),
        /^--data kmnist is looked for in the folder that SCORE_SDE_DATA names, which is not set$/,
      );
    }),
);

claim("pictures called by class and number are of that class, unless one is called otherwise", (check) => {
  const paths = (...names: string[]) => imageFiles("f", names).map(({ path }) => path);
  check.equal(
    "cats and dogs",
    paths("cat.0.jpg", "dog.12.jpg"),
    ["cat/cat.0.jpg", "dog/dog.12.jpg"],
    "Kaggle's train folder",
  );
  check.equal("one class", paths("cat.0.jpg", "cat.1.jpg"), ["cat.0.jpg", "cat.1.jpg"], "says nothing");
  check.equal("another name", paths("cat.0.jpg", "dog.jpg"), ["cat.0.jpg", "dog.jpg"], "no number");
  check.equal(
    "folders",
    paths("a/cat.0.jpg", "b/dog.1.jpg"),
    ["a/cat.0.jpg", "b/dog.1.jpg"],
    "the folder is the class",
  );
});

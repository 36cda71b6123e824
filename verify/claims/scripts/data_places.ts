/** Claims about where tasks look for data: names of files, prefixes, caches. @module */
import { findIdx } from "../../../scripts/datasets/idx_files.ts";
import { loadMnist } from "../../../scripts/datasets/mnist.ts";
import { loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import { dataCacheFolder } from "../../../scripts/datasets/published_files.ts";
import { gzip, writeIdx } from "../../instruments/file_writers.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { withVariables } from "../../instruments/variables.ts";
import { written } from "../../instruments/written_files.ts";
import { claim } from "../../suite/claim.ts";

claim(
  "files of MNIST's format are found by split and part, in each folder and spelling, and by their prefix",
  (check) =>
    withFolder(async (folder) => {
      const bytes = Uint8Array.of(1, 2, 3);
      const packed = await gzip(bytes);
      const found = async (
        files: Record<string, Uint8Array>,
        split: "train" | "test",
        part: "images" | "labels",
      ) => {
        const file = await findIdx(await written(folder, files), split, part);
        return file && [[...file.bytes], file.prefix];
      };
      for (const [split, name] of [["train", "train"], ["test", "t10k"], ["test", "test"]] as const) {
        for (const [part, n] of [["images", 3], ["labels", 1]] as const) {
          const own = `${name}-${part}-idx${n}-ubyte`;
          const paths = [
            own,
            `${own}.gz`,
            own.replace("-idx", ".idx"),
            `mnist/${own}`,
            `MNIST/raw/${own}`,
            `raw/${own}.gz`,
            `${own}/${own}`,
          ];
          for (const path of paths) {
            const file = { [path]: path.endsWith(".gz") ? packed : bytes };
            check.equal(
              `${split}, ${part}: ${path}`,
              await found(file, split, part),
              [[1, 2, 3], ""],
              "as written",
            );
            const other = split === "train" ? "test" : "train";
            check.equal(`${other}, ${part}: ${path}`, await found(file, other, part), null, "another split");
          }
          const prefixed = { [`emnist-letters-${own}`]: bytes };
          check.equal(`${own} with a prefix`, await found(prefixed, split, part), [
            [1, 2, 3],
            "emnist-letters",
          ], "its own");
          check.equal(`${own}x`, await found({ [`${own}x`]: bytes }, split, part), null, "another file");
        }
      }
      const train = "train-images-idx3-ubyte";
      const several = { [`b-${train}`]: bytes, [`a-${train}`]: bytes };
      await check.throws(
        "several data sets",
        () => found(several, "train", "images"),
        /^".*" holds several data sets: a, b; put the one that is meant into a folder of its own$/,
      );
      const withOwn = await found({ ...several, [train]: Uint8Array.of(9) }, "train", "images");
      check.equal("several beside MNIST's own", withOwn, [[9], ""], "MNIST's own");
      const dotted = { ...several, [train.replace("-idx", ".idx")]: Uint8Array.of(9) };
      check.equal(
        "several beside its own with a dot",
        await found(dotted, "train", "images"),
        [[9], ""],
        "MNIST's own",
      );
      const twice = { [`a-${train}`]: bytes, [`a-${train}.gz`]: packed };
      check.equal("one twice", await found(twice, "train", "images"), [[1, 2, 3], "a"], "one data set");
      const both = { [train]: Uint8Array.of(9), [`mnist/${train}`]: bytes };
      check.equal(
        "in two folders",
        await found(both, "train", "images"),
        [[1, 2, 3], ""],
        "the one in mnist/",
      );
      check.equal("no folder", await findIdx(`${folder}/none`, "train", "images"), null, "nothing is there");
    }),
);

claim(
  "labels beyond 9 are as many classes as from the smallest to the largest, and EMNIST's images are turned",
  (check) =>
    withFolder(async (folder) => {
      const load = async (labels: number[], prefix = "") => {
        const count = labels.length;
        const values = Uint8Array.from({ length: 4 * count }, (_, i) => i + 1);
        const place = await written(folder, {
          [`${prefix}train-images-idx3-ubyte`]: writeIdx({ shape: [count, 2, 2], values }),
          [`${prefix}train-labels-idx1-ubyte`]: writeIdx({ shape: [count], values: Uint8Array.from(labels) }),
        });
        const { name, classes, classNames, labels: read, images } = await loadMnist("train", { data: place });
        return {
          name,
          classes,
          names: classNames && [classNames[0], classNames.at(-1)],
          labels: [...read],
          images: [...images],
        };
      };
      const upright = [1, 2, 3, 4, 5, 6, 7, 8];
      check.equal("0 to 9", await load([0, 9]), {
        name: "mnist train",
        classes: 10,
        names: undefined,
        labels: [0, 9],
        images: upright,
      }, "ten classes");
      check.equal("0 to 10", await load([0, 10], "own-"), {
        name: "own train",
        classes: 11,
        names: ["0", "10"],
        labels: [0, 10],
        images: upright,
      }, "eleven");
      check.equal("5 to 14", await load([14, 5]), {
        name: "mnist train",
        classes: 10,
        names: ["5", "14"],
        labels: [9, 0],
        images: upright,
      }, "from the smallest");
      check.equal("1 to 26", await load([1, 26], "emnist-letters-"), {
        ...{ name: "emnist-letters train", classes: 26, names: ["A", "Z"], labels: [0, 25] },
        images: [1, 3, 2, 4, 5, 7, 6, 8],
      }, "letters, rows and columns exchanged");
    }),
);

claim(
  "downloads are kept in the platform's cache folder, and MNIST is looked for where SCORE_SDE_DATA says",
  (check) =>
    withFolder(async (folder) => {
      const at = (variables: Record<string, string | undefined>) =>
        withVariables({
          XDG_CACHE_HOME: undefined,
          HOME: undefined,
          USERPROFILE: undefined,
          LOCALAPPDATA: undefined,
          ...variables,
        }, () => dataCacheFolder("mnist"));
      const below = { linux: ".cache", darwin: "Library/Caches" }[Deno.build.os as "linux"] ?? "";
      check.equal(
        "XDG_CACHE_HOME",
        await at({ XDG_CACHE_HOME: "/x", HOME: "/h" }),
        "/x/score-sde/mnist",
        "it wins",
      );
      if (below !== "") {
        check.equal(
          "HOME",
          await at({ HOME: "/h", USERPROFILE: "/u" }),
          `/h/${below}/score-sde/mnist`,
          "the platform's",
        );
        check.equal(
          "USERPROFILE",
          await at({ USERPROFILE: "/u" }),
          `/u/${below}/score-sde/mnist`,
          "the platform's",
        );
        check.equal("nothing", await at({}), `./${below}/score-sde/mnist`, "here");
      }
      const sets = smallMnist({ train: 3, test: 2 });
      await writeMnist(folder, sets);
      const images = await written(folder, { "train-images-idx3-ubyte": new Uint8Array(9) });
      const unreachable = { cache: `${folder}/cache`, mirrors: ["http://127.0.0.1:9/"], report: () => {} };
      await withVariables({ SCORE_SDE_DATA: images }, () =>
        check.throws(
          "images without labels",
          () => loadMnist("train", unreachable),
          /tried http:\/\/127\.0\.0\.1:9\/train-images-idx3-ubyte\.gz \(/,
        ));
      await withVariables({ SCORE_SDE_DATA: folder }, async () => {
        check.equal("train", [...(await loadMnist("train")).labels], [...sets.train.labels], "its files");
        check.equal("test", [...(await loadMnist("test", {})).labels], [...sets.test.labels], "its files");
        check.equal("--data mnist", (await loadTrainingData("mnist")).count, 3, "the training images");
      });
    }),
);

/** Claims that `deno task train` trains on files of points and of images, and says what it does to them. @module */
import { checkSameData } from "../../../scripts/datasets/training_data_check.ts";
import { loadData } from "../../../scripts/datasets/training_data.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { task } from "../../../scripts/train.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import { train } from "../../../src/training/train.ts";
import { holdOut } from "../../../src/data/held_out.ts";
import { datasetIdentity } from "../../../src/data/identity.ts";
import type { ArrayDataset } from "../../../src/data/array_dataset.ts";
import { decodePng } from "../../../src/images/png.ts";
import { writeNpy } from "../../../src/images/npy.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { readCheckpoint } from "../../../src/training/checkpoint.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

/** Twenty points of two classes, far from 0. */
const table = [
  "mass,time,kind",
  ...Array.from({ length: 20 }, (_, i) => `${100 + i % 5},${1e6 + 3 * (i % 7)},${i % 2 === 0 ? "b" : "a"}`),
].join("\n");

claim(
  "points of a .csv are trained on with their classes, a tenth held out, and a run goes on with the same points",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const data = `${folder}/two stars.csv`;
      await Deno.writeTextFile(data, table);
      // Spaces separate words of a line here.
      const path = `${folder}/stars.csv`;
      await Deno.copyFile(data, path);
      const out = `${folder}/run`;
      const line = `--data ${path} --labels kind --engine wasm --steps 2 --batch 4 --out ${out}`;
      const { request, stderr, bar } = await runInside(task, line);
      check.equal("held out", [request.heldOut, request.labels], [2, "kind"], "a tenth of 20, --labels");
      check.equal(
        "lines on stderr",
        stderr,
        [
          "stars: 20 points of 2 coordinates, 2 classes: a (10), b (10)",
          "scaled to mean 0 and standard deviation 0.5, from mass (mean 102, standard deviation 1.414), " +
          "time (mean 1000000, standard deviation 5.792); samples and densities are in the units of the data",
          "training 141826 parameters on 18 points of stars, 2 held out, engine wasm, as asked",
        ],
        "mass runs through 0 … 4, whose standard deviation is √2; of time, three times 0 … 6 twice and 0 … 5, the variance is 9 (237/20 − 2.85²)",
      );
      check.equal(
        "picture",
        bar.at(-1)?.replace(/loss [\d.]+/, "loss …"),
        `step 2: loss …, ${out}/samples-000002.png`,
        "the last step's",
      );
      const picture = await decodePng(await Deno.readFile(`${out}/samples-000002.png`));
      check.atLeast("width of the picture", picture.width, 1500, "two panels of points, at twice their size");
      const checkpoint = readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`));
      check.equal(
        "source",
        checkpoint.source,
        { labels: "kind", heldOut: 2 },
        "what is needed to read the data again",
      );
      check.equal("columns", checkpoint.config.model.units?.columns, ["mass", "time"], "the table's");
      const points = await loadData(path, "kind");
      const batches = shuffledBatches(holdOut(points, 2).training, 4, createRng(0).fork("batches"));
      for await (const { step, snapshot } of train(request.config, batches)) {
        if (step < 2) continue;
        check.equal(
          "weights",
          checkpoint.state.weights,
          (await snapshot()).weights,
          "train() on the 18 others, bit for bit",
        );
      }
      const { config } = readModel(await Deno.readFile(`${out}/model.safetensors`));
      check.equal(
        "the model's units",
        config.units,
        checkpoint.config.model.units,
        "those of the checkpoint",
      );
      check.equal("network", config.network, {
        ...{ kind: "mlp", dimensions: 2, hidden: 256, layers: 3, noiseFeatures: 32, classes: 2 },
      }, "the preset for two coordinates and two classes");
      const resume = `--resume ${out}/checkpoint.safetensors --engine wasm --steps 3`;
      const again = await task.request(parseFlags(task.usage, resume.split(" ")));
      check.equal("on resuming", [again.heldOut, again.labels, again.data, again.size], [
        2,
        "kind",
        path,
        null,
      ], "the checkpoint's");
      const dataset = await loadData(path, "kind");
      checkSameData("c", checkpoint, path, await datasetIdentity(dataset));
      await Deno.writeTextFile(path, `${table}\n1,2,a`);
      const changed = await datasetIdentity(await loadData(path, "kind"));
      await check.throws(
        "other points",
        () => checkSameData("c", checkpoint, path, changed),
        /class a has 11/,
      );
    }),
);

claim(
  "images of any height and width and any range are trained on from a .npy, with one line on the border",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const values = Float32Array.from({ length: 12 * 5 * 7 }, (_, i) => -3 + i % 9);
      await Deno.writeFile(`${folder}/fields.npy`, writeNpy({ shape: [12, 5, 7], values }));
      const line = `--data ${folder}/fields.npy --engine wasm --steps 1 --batch 2 --out ${folder}/run`;
      const { stderr, bar } = await runInside(task, line);
      check.equal("lines on stderr", stderr.slice(0, 3), [
        "fields: 12 images of 5×7 with 1 channel, no classes",
        "scaled to (x − 1) / 4; samples and densities are in the units of the data",
        "the network computes at 8×8: it lays a border around images of 5×7 and cuts it off its samples",
      ], "−3 … 5 become −1 … 1; a level is half of the unfolded 4");
      const { config: { network } } = readModel(await Deno.readFile(`${folder}/run/model.safetensors`));
      check.equal("network", network.kind === "unet" && [network.height, network.width, network.classes], [
        5,
        7,
        0,
      ], "no classes");
      check.holds("sample grid", bar.at(-1)!.endsWith("samples-000001.png"), "of the first step");
    }),
);

claim(
  "a table in UTF-16, as spreadsheets write it, is the table in UTF-8",
  (check) =>
    withFolder(async (folder) => {
      const path = `${folder}/stars.txt`;
      const text = table.replace("mass", "Größe").replaceAll(",", "\t");
      await Deno.writeTextFile(path, text);
      const expected = await datasetIdentity(await loadData(path, "kind"));
      for (const littleEndian of [true, false]) {
        const bytes = new DataView(new ArrayBuffer(2 * text.length + 2));
        bytes.setUint16(0, 0xfeff, littleEndian);
        for (let i = 0; i < text.length; i++) bytes.setUint16(2 * i + 2, text.charCodeAt(i), littleEndian);
        await Deno.writeFile(path, new Uint8Array(bytes.buffer));
        const dataset = await loadData(path, "kind");
        const order = littleEndian ? "little-endian" : "big-endian";
        check.equal(order, await datasetIdentity(dataset), expected, "the same points and classes");
        check.equal(`columns, ${order}`, dataset.units?.columns, ["Größe", "time"], "the names in the file");
      }
    }),
);

claim("samples are held out at random, the same each time, and none is in both parts", (check) => {
  const count = 50;
  const values = Float32Array.from({ length: 2 * count }, (_, i) => i);
  const dataset: ArrayDataset = {
    ...{
      name: "n",
      count,
      shape: [2],
      classes: 1,
      values,
      labels: Uint8Array.from({ length: count }, (_, i) => i),
    },
    units: { offset: [0], scale: [1] },
  };
  const { training, heldOut } = holdOut(dataset, 10);
  check.equal("sizes", [training.count, heldOut.count, training.values.length], [40, 10, 80], "50 − 10");
  const rows = [...training.labels, ...heldOut.labels];
  check.equal(
    "all of them",
    rows.toSorted((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i),
    "once each",
  );
  check.equal(
    "values",
    [...heldOut.values],
    [...heldOut.labels].flatMap((i) => [2 * i, 2 * i + 1]),
    "those of the labels",
  );
  check.equal("again", holdOut(dataset, 10).heldOut.labels, heldOut.labels, "the same");
  const last = [...heldOut.labels].filter((i) => i >= 40).length;
  check.holds(
    "not the last ten",
    last < 10 && [...heldOut.labels].some((i) => i >= 10),
    "a file may be sorted",
  );
});

claim(
  "flags that do not suit a file of numbers are refused in a sentence",
  (check) =>
    withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/p.csv`, "x,y\n1,2\n3,5\n");
      await Deno.writeFile(
        `${folder}/i.npy`,
        writeNpy({ shape: [2, 1, 2], values: Float32Array.of(0, 1, 2, 3) }),
      );
      const labels = (values: number[], shape: number[]) =>
        Deno.writeFile(`${folder}/l.npy`, writeNpy({ shape, values: Float32Array.from(values) }));
      await labels([1, 2, 3, 4], [2, 2]);
      const refused = (line: string, message: RegExp) =>
        check.throws(line, () => {
          const words = line.replaceAll("$", `${folder}/`).split(" ");
          return task.request(parseFlags(task.usage, ["--out", `${folder}/new`, ...words])) as Promise<
            unknown
          >;
        }, message);
      await refused(
        "--data $p.csv --network digits",
        /^--network digits is not for points of 2 coordinates, as p has: take mlp$/,
      );
      await refused(
        "--data $i.npy --network mlp",
        /^--network mlp is not for images of 1×2 with 1 channel, as i has: take a U-Net$/,
      );
      await refused("--data $p.csv --flip", /^--flip is for images, p has points of 2 coordinates$/);
      await refused("--data $p.csv --size 8", /^--size is for pictures and images of bytes, got --data /);
      await refused(
        "--data $p.csv --skip-corrupt",
        /^--skip-corrupt is for a folder of pictures, got --data /,
      );
      await refused("--data digits --labels x", /^--labels is for a \.npy or \.csv file, got --data digits$/);
      await refused(
        "--data $p.csv --labels $l.npy",
        /^--labels of a table is one of its columns, by name or number, got /,
      );
      await refused(
        "--data $i.npy --labels x",
        /^--labels of an array is a \.npy file with the class of each sample, got "x"$/,
      );
      await refused(
        "--data $i.npy --labels $l.npy",
        /l\.npy" must have one axis, \[N\], of the samples' classes, got \[2,2\]$/,
      );
      await refused(
        "--data $p.csv --sde sigma-power --sigma data",
        /^--sigma data is for pictures, give a number for the arrays of p$/,
      );
      await refused("--data $none.csv", /^could not read ".*none\.csv": /);
    }),
);

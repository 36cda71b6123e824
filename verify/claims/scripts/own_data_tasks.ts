/** Claims that `sample`, `evaluate` and `likelihood` take checkpoints of one's own points, in the units of the data. @module */
import { datasetIdentity } from "../../../src/data/identity.ts";
import { fromUnits } from "../../../src/data/units.ts";
import { loadData } from "../../../scripts/datasets/training_data.ts";
import { task as evaluate } from "../../../scripts/evaluate.ts";
import { task as inpaint } from "../../../scripts/inpaint.ts";
import { task as interpolate } from "../../../scripts/interpolate.ts";
import { task as likelihood } from "../../../scripts/likelihood.ts";
import { task as sample } from "../../../scripts/sample.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { decodePng } from "../../../src/images/png.ts";
import { readNpy, writeNpy } from "../../../src/images/npy.ts";
import { mlp } from "../../../src/networks/mlp.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

/** Forty points of two classes with different spreads far from 0, and a model that is exact for their Gaussian. */
async function withModel(
  action: (model: string, data: string, folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const normals = createRng(5).normalValues([40, 2]);
    const rows = Array.from(
      { length: 40 },
      (_, i) =>
        `${1000 + 20 * normals[2 * i]},${i % 4 === 0 ? '"old, red"' : "blue"},${0.01 * normals[2 * i + 1]}`,
    );
    const data = `${folder}/stars.csv`;
    await Deno.writeTextFile(data, ["mass,kind,time", ...rows].join("\n"));
    const dataset = await loadData(data, "kind");
    const network = {
      kind: "mlp",
      dimensions: 2,
      hidden: 4,
      layers: 1,
      noiseFeatures: 4,
      classes: 2,
    } as const;
    const config = { network, preconditioning: { sigmaData: 0.5, centre: 0 }, units: dataset.units };
    const metadata = {
      data,
      dataset: JSON.stringify(await datasetIdentity(dataset)),
      source: JSON.stringify({ labels: "kind", heldOut: 10 }),
    };
    const model = `${folder}/model.safetensors`;
    await Deno.writeFile(
      model,
      writeModel({ config, weights: mlp(network).initialise(createRng(1)) }, "F32", { metadata }),
    );
    await action(model, data, folder);
  });
}

claim("points are drawn in the units of the data, as a table with their classes, an array or a picture", {
  engines: ["wasm"],
}, (check) =>
  withModel(async (model, data, folder) => {
    const line = (output: string, more = "") =>
      `--checkpoint ${model} --engine wasm --count 200 --steps 12 --output ${folder}/${output}${more}`;
    const { request, stdout } = await runInside(sample, line("a.csv"));
    check.equal(
      "guidance and batch",
      [request.guidance.scale, request.batch],
      [1, 208],
      "those of points, in sixteens",
    );
    check.holds(
      stdout[0],
      /^200 points, ve, dpm\+\+2m on a karras grid, 12 steps, 13 network evaluations, /.test(stdout[0]),
      "words",
    );
    const [head, ...lines] = (await Deno.readTextFile(`${folder}/a.csv`)).trimEnd().split("\n");
    const labelOf = async (text: string) =>
      (await sample.request(parseFlags(sample.usage, ["--checkpoint", model, "--label", text]))).label;
    check.equal(
      "--label",
      [await labelOf("blue"), await labelOf("old, red"), await labelOf("1"), await labelOf("none")],
      [0, 1, 1, "none"],
      "a class by its name, in the order of the alphabet, or by its number",
    );
    await check.throws(
      "another name",
      () => labelOf("green"),
      /^--label must be a class by its number from 0 or its name \(blue, old, red\), random or none, got "green"$/,
    );
    const digit = parseFlags(sample.usage, ["--label", "ten"]);
    await check.throws(
      "a name where none is known",
      () => sample.request(digit),
      /^--label must be a class by its number from 0, random or none, got "ten"$/,
    );
    check.equal("columns", head, "mass,time,class", "the data's, without that of the classes");
    const rows = lines.map((text) => text.split(/,(?=\S)/));
    const classes = new Set(rows.map(([, , name]) => name));
    check.equal(
      "classes",
      [...classes].sort(),
      ['"old, red"', "blue"],
      "drawn at random, with the names of the data",
    );
    const masses = rows.map(([mass]) => Number(mass));
    const { values } = readNpy(
      await (async () => {
        await runInside(sample, line("a.npy"));
        return await Deno.readFile(`${folder}/a.npy`);
      })(),
    );
    check.equal(
      "the same in an array",
      [...values],
      rows.flatMap(([mass, time]) => [mass, time].map((x) => Math.fround(+x))),
      "rounded to float32",
    );
    const dataset = await loadData(data, "kind");
    const known = fromUnits((dataset as { values: Float32Array }).values, dataset.units!).filter((_, i) =>
      i % 2 === 0
    );
    const moments = (x: ArrayLike<number>) => {
      const mean = Array.from(x).reduce((a, b) => a + b) / x.length;
      return [mean, Math.sqrt(Array.from(x).reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length)];
    };
    const [[mean, std], [own, spread]] = [moments(known), moments(masses)];
    check.within(
      "mean mass",
      own,
      mean,
      6 * std / Math.sqrt(200),
      "that of the data: the model is their Gaussian",
      { alarmRate: 2e-9 },
    );
    check.within("its deviation", spread, std, 6 * std / Math.sqrt(400), "that of the data", {
      alarmRate: 2e-9,
    });
    await runInside(sample, line("a.png"));
    check.atLeast(
      "width of the picture",
      (await decodePng(await Deno.readFile(`${folder}/a.png`))).width,
      1500,
      "beside the data",
    );
    await Deno.remove(data);
    const { stderr } = await runInside(sample, line("b.png"));
    check.holds(
      stderr.join(),
      /^no data beside the samples: could not read ".*stars\.csv"/.test(stderr[0]),
      "the data are gone",
    );
    check.atMost(
      "width without them",
      (await decodePng(await Deno.readFile(`${folder}/b.png`))).width,
      1000,
      "one panel",
    );
  }));

claim(
  "points are measured against what was held out, beside what was trained on",
  { engines: ["wasm"] },
  (check) =>
    withModel(async (model, data, folder) => {
      const line = `--checkpoint ${model} --engine wasm --count 100 --steps 4`;
      const { stdout: lines, request } = await runInside(evaluate, line);
      const table = lines.join("\n");
      check.equal("data", request.data, data, "the checkpoint's");
      check.holds(
        table,
        /^against what was held out \(10\) +100 samples +30 of what was trained on\n/.test(table),
        "parts",
      );
      check.holds(
        "distances",
        /\nsliced Wasserstein .* \d\.\d{4} +\d\.\d{4}\nenergy .* -?\d\.\d{5} +-?\d\.\d{5}\n/.test(table),
        "rows",
      );
      const json = JSON.parse((await runInside(evaluate, `${line} --json`)).stdout[0]);
      check.equal(
        "as JSON",
        [json.referenceCount, json.floorCount, json.frechet],
        [10, 30, null],
        "the same",
      );
      const other = `${folder}/other.csv`;
      await Deno.writeTextFile(
        other,
        ["mass,kind,time", ...Array.from({ length: 8 }, (_, i) => `${1e3 + i},a,${i / 50}`)].join("\n"),
      );
      const beside = (await runInside(evaluate, `${line} --data ${other}`)).stdout.join("\n");
      check.holds(
        beside,
        /^against half of other \(4\) +100 samples +4 of the other half\n/.test(beside),
        "other data, in halves",
      );
      await Deno.writeTextFile(other, "mass,kind,place\n1,a,2\n3,b,4\n5,a,9");
      await check.throws(
        "other columns",
        () => runInside(evaluate, `${line} --data ${other}`),
        /has the columns mass, place, the checkpoint's are mass, time$/,
      );
      const bits = await runInside(likelihood, `--checkpoint ${model} --engine wasm --steps 60`);
      const [, mean, error, count] =
        /^log density (\S+) ± (\S+) nats, .* in the units of the data; (\d+) points, what was held out, ve from/
          .exec(bits.stdout[0]) ?? [];
      check.equal("points", count, "10", "those that were held out");
      // −½ ln(2πe) of each coordinate, whose deviations are about 20 and 0.01.
      const expected = -Math.log(2 * Math.PI * Math.E) - Math.log(20 * 0.01);
      check.within(
        "log density",
        Number(mean),
        expected,
        6 * Number(error) + 0.4,
        "of the Gaussian; 40 points have its deviations to .1",
      );
      const train = await runInside(
        likelihood,
        `--checkpoint ${model} --engine wasm --steps 10 --split train --json`,
      );
      check.equal("trained on", JSON.parse(train.stdout[0]).count, 30, "--split train");
    }),
);

claim(
  "other data need no classes; data of another kind are refused, and data that have changed are other data",
  { engines: ["wasm"] },
  (check) =>
    withModel(async (model, data, folder) => {
      const line = `--checkpoint ${model} --engine wasm --count 100 --steps 4`;
      const rows = Array.from({ length: 8 }, (_, i) => `${1e3 + i},${i / 50}`);
      const beside = async (file: string) =>
        (await runInside(evaluate, `${line} --data ${folder}/${file}`)).stdout.join("\n");
      await Deno.writeTextFile(`${folder}/bare.csv`, ["mass,time", ...rows].join("\n"));
      const bare = await beside("bare.csv");
      check.holds("without classes", bare.startsWith("against half of bare (4) "), bare);
      const array = {
        shape: [8, 2],
        values: Float32Array.from(rows.flatMap((row) => row.split(",").map(Number))),
      };
      await Deno.writeFile(`${folder}/bare.npy`, writeNpy(array));
      await check.throws(
        "an array, whose columns have no names",
        () => beside("bare.npy"),
        /has the columns column 1, column 2, the checkpoint's are mass, time$/,
      );
      await Deno.writeTextFile(`${folder}/renamed.csv`, ["x,y", ...rows].join("\n"));
      await check.throws(
        "other columns and no classes",
        () => beside("renamed.csv"),
        /has the columns x, y, the checkpoint's are mass, time$/,
      );
      for (const other of ["mnist", folder]) {
        await check.throws(
          `points against ${other === folder ? "a folder" : other}`,
          () => runInside(likelihood, `--checkpoint ${model} --engine wasm --data ${other}`),
          /^the checkpoint was trained on points of 2 coordinates: --data must be a \.csv or \.npy file, got "/,
        );
      }
      await check.throws(
        "digits against a table",
        () => runInside(likelihood, `--engine wasm --data ${data}`),
        /^digits are read from a folder with MNIST's files, got the file ".*stars\.csv"$/,
      );
      const before = await runInside(evaluate, line);
      check.equal(
        "the same data",
        before.stderr.filter((text) => /changed/.test(text)),
        [],
        "nothing to say",
      );
      const [head, ...stars] = (await Deno.readTextFile(data)).split("\n");
      await Deno.writeTextFile(data, [head, ...stars.reverse()].join("\n"));
      const { stderr, stdout } = await runInside(evaluate, line);
      check.holds(
        "changed data",
        stderr.some((text) =>
          /^".*stars\.csv" has changed since the checkpoint was trained on it: /.test(text)
        ),
        stderr.join(" "),
      );
      check.holds("are other data", stdout[0].startsWith("against half of stars (20) "), stdout[0]);
    }),
);

claim(
  "pictures of one's own are not called digits when they are drawn",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const { config, weights } = smallModel();
      for (
        const [classes, noun] of [[["cat", "dog"], "samples"], [[
          "0",
          "1",
          "2",
          "3",
          "4",
          "5",
          "6",
          "7",
          "8",
          "9",
        ], "digits"]] as const
      ) {
        const metadata = { data: "pictures", dataset: JSON.stringify({ classes }) };
        await Deno.writeFile(
          `${folder}/model.safetensors`,
          writeModel({ config, weights }, "F32", { metadata }),
        );
        const line =
          `--checkpoint ${folder}/model.safetensors --engine wasm --count 1 --steps 1 --output ${folder}/a.png`;
        const { stdout } = await runInside(sample, line);
        check.holds(
          `of classes ${classes[0]} to ${classes.at(-1)}`,
          stdout[0].startsWith(`1 ${noun}, `),
          stdout[0],
        );
      }
    }),
);

claim("tasks that cannot take points, and files that cannot hold them, are refused in a sentence", {
  engines: ["wasm"],
}, (check) =>
  withModel(async (model, _data, folder) => {
    const refused = (what: string, action: () => unknown, message: RegExp) =>
      check.throws(what, action as () => Promise<unknown>, message);
    const flags = (line: string) => parseFlags(sample.usage, line.split(" "));
    await refused(
      "a .gif",
      () => sample.request(flags(`--checkpoint ${model} --output a.gif`)),
      /^a \.gif shows images, ".*" draws points: --output must end in \.png, \.npy or \.csv$/,
    );
    await refused("a .csv of images", () =>
      sample.request(flags("--output a.csv")), /^a \.csv holds points, the checkpoint draws images/);
    await refused(
      "inpaint",
      () =>
        runInside(inpaint, `--checkpoint ${model} --engine wasm --output ${folder}/a.png`),
      /draws points of 2 coordinates, and this task is for images/,
    );
    await refused(
      "interpolate, before it looks for MNIST",
      () =>
        runInside(
          interpolate,
          `--checkpoint ${model} --engine wasm --data ${folder} --output ${folder}/a.png`,
        ),
      /draws points of 2 coordinates, and this task is for images/,
    );
    await refused(
      "the bound",
      () =>
        runInside(likelihood, `--checkpoint ${model} --engine wasm --method elbo`),
      /^--method elbo is for images of bytes/,
    );
  }));

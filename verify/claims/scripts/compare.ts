/** Claims about `deno task compare` and `deno task tune`. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { fromModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { veSde, vpSde } from "../../../src/diffusion/sde.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { readClassifier } from "../../../src/classifiers/digit_classifier.ts";
import { digitQuality, digitReference } from "../../../src/metrics/digit_quality.ts";
import { NETWORK_PRESETS } from "../../../src/networks/registry.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { decodePng } from "../../../src/images/png.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { mnistFiles } from "../../reference/mnist_files.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { writeIdx } from "../../instruments/file_writers.ts";

/** The equations as tasks have them. */
const sdes = { ve: () => veSde({ sigmaMin: 0.005, sigmaMax: 40 }), vp: () => vpSde() };

/** The kinds of grids that suit the samplers here. */
const gridKinds = { "ddim": "log-snr", "dpm-solver-3": "log-snr", "edm-heun": "karras" } as const;

/** Digits of all classes in turn by the library alone, in one batch: [count, 28, 28, 1] in [−1, 1]. */
async function digits(
  name: keyof typeof gridKinds,
  sde: keyof typeof sdes,
  steps: number,
  count: number,
  seed: number,
  options: SamplerOptions = {},
): Promise<Float32Array> {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const labels = Array.from({ length: count }, (_, i) => i % 10);
  const x = await drawSamples(
    scoreModel(noisePredictor.withLabels(labels), sdes[sde]()),
    samplerByName(name, options),
    {
      shape: [count, 28, 28, 1],
      grid: { kind: gridKinds[name], steps },
      rng: createRng(seed),
    },
  );
  const values = await x.data<"float32">();
  x.dispose();
  noisePredictor.dispose();
  return values;
}

/** Digits in the stead of MNIST's, few enough to be classified in no time. */
const data = { train: proceduralDigits(40, createRng(1)), test: proceduralDigits(60, createRng(2)) };

/** Writes the data under MNIST's names into a folder. */
async function writeData(folder: string): Promise<void> {
  for (const split of ["train", "test"] as const) {
    const { images, labels, count } = data[split];
    const names = mnistFiles[split];
    const write = (name: string, shape: number[], values: Uint8Array) =>
      Deno.writeFile(`${folder}/${name}`, writeIdx({ shape, values }));
    await write(names.images, [count, 28, 28], images);
    await write(names.labels, [count], labels);
  }
}

/** The Fréchet distance of digits, by the library alone. */
async function frechetOf(images: Float32Array): Promise<number> {
  const file = new URL("../../../fixtures/models/classifier.safetensors", import.meta.url);
  const classifier = readClassifier(await Deno.readFile(file));
  const reference = await digitReference(classifier, data, images.length / 784);
  return (await digitQuality(classifier, images, null, reference)).frechet;
}

claim(
  "compare measures every sampler on the same noise, pictures them row by row, and keeps rows when resumed",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeData(folder);
      const common = [
        "--checkpoint",
        `${folder}/model.safetensors`,
        "--data",
        folder,
        "--engine",
        "wasm",
        "--sde",
        "vp",
      ];
      const sizes = ["--count", "20", "--batch", "8", "--nfe", "3,5", "--show", "5"];
      const compare = (...flags: string[]) =>
        run("compare", ...common, ...sizes, "--output", `${folder}/c`, ...flags);
      const first = await compare("--samplers", "ddim,ddpm,dpm-solver-3", "--json");
      check.equal("exit code", first.code, 0, "the flags in the claim");
      const results = JSON.parse(first.stdout);
      const rows = results.rows as Record<string, unknown>[];
      check.equal(
        "rows: sampler, steps, evaluations, measured",
        rows.map((
          { sampler, steps, evaluations, quality },
        ) => [sampler, steps, evaluations, quality !== null]),
        [
          ["ddpm", 2, null, false],
          ["ddpm", 4, null, false],
          ["ddim", 2, 3, true],
          ["ddim", 4, 5, true],
          ["dpm-solver-3", 1, 4, true],
        ],
        "budgets of 3 and 5; DDPM's rule needs more steps, DPM-Solver-3 more evaluations than 3",
      );
      check.holds(
        `why not: ${rows[0].failure}`,
        /DDPM's rule needs β\(t\)·h ≤ 1, .*: use more steps$/.test(String(rows[0].failure)),
        "the sampler's own error",
      );
      check.equal("refused", results.refused.map(({ sampler }: { sampler: string }) => sampler), [
        "dpm-solver-3",
      ], "");
      const measured = rows.find(({ sampler, steps }) => sampler === "ddim" && steps === 4)!;
      const alone = await frechetOf(await digits("ddim", "vp", 4, 20, 0));
      const { frechet } = measured.quality as { frechet: number };
      // Digits are rounded to bytes, so that rounding in the network moves few pixels by one level.
      check.within("DDIM's Fréchet distance", frechet / alone, 1, 1e-3, "the library, in one batch of 20", {
        detectable: "other noise, steps, labels or equation: 1e-2 and more",
      });

      const expected = imageGrid(
        fromModel(
          Float32Array.from([
            ...await digits("ddim", "vp", 4, 10, 0),
            ...await digits("dpm-solver-3", "vp", 1, 10, 0),
          ]),
        ),
        [20, 28, 28, 1],
        {
          title: "samplers under vp, with their network evaluations",
          rowNames: ["ddim 5", "dpm-solver-3 4"],
          columnNames: Array.from({ length: 10 }, (_, digit) => `class ${digit}`),
        },
      );
      const picture = await decodePng(await Deno.readFile(`${folder}/c.png`));
      const size = [expected.width, expected.height];
      check.equal(
        "size of the picture",
        [picture.width, picture.height],
        size,
        "two samplers at 5 evaluations",
      );
      const apart = picture.data.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - expected.data[i])),
        0,
      );
      check.atMost(
        "largest difference of its bytes",
        apart,
        1,
        "rounded values of the same digits, same words",
      );

      const kept = await compare("--samplers", "ddim,ode-euler", "--resume", "--json");
      check.holds(
        kept.stderr.split("\n")[0],
        kept.stderr.startsWith("keeping 2 of 4 rows\n"),
        "DDIM's are there",
      );
      const after = JSON.parse(kept.stdout).rows as Record<string, unknown>[];
      check.equal(
        "a row that was there, its seconds included",
        after.find(({ sampler, steps }) => sampler === "ddim" && steps === 4),
        measured,
        "nothing is measured twice",
      );
      check.equal("rows", after.length, 7, "five and two");
      const lines = (await Deno.readTextFile(`${folder}/c.csv`)).trim().split("\n");
      check.equal(
        "lines of the CSV file",
        lines.length,
        1 + 7 + 1,
        "a header, the rows, the training images",
      );
      const svg = await Deno.readTextFile(`${folder}/c.svg`);
      check.holds(
        "lines in the plot",
        ["ddim", "ode-euler"].every((name) => svg.includes(`>${name}</text>`)),
        "",
      );
      const [anew, other] = await Promise.all([
        compare("--samplers", "ddim"),
        compare("--samplers", "ddim", "--resume", "--seed", "1"),
      ]);
      check.equal("without --resume, with another seed: exit codes", [anew.code, other.code], [1, 1], "");
      check.holds(
        anew.stderr.trim(),
        /holds 7 measured rows: --resume keeps them/.test(anew.stderr),
        "not lost",
      );
      check.holds(other.stderr.trim(), /its seed is 0, now it is 1\n$/.test(other.stderr), "not mixed");
    }),
);

claim(
  "compare and tune refuse bad lists, tolerances and networks of other shapes in one sentence",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeData(folder);
      const small = {
        ...NETWORK_PRESETS.digits,
        widths: [8, 8],
        blocks: 1,
        middleBlocks: 1,
        height: 8,
        width: 8,
      };
      const bytes = writeModel(smallModel({ ...small, embedding: 16, noiseFeatures: 8 }));
      await Deno.writeFile(`${folder}/eight.safetensors`, bytes);
      const output = ["--output", `${folder}/c`];
      const cases: readonly [code: number, message: RegExp, ...args: string[]][] = [
        [
          2,
          /^error: --samplers must be one of .*, got "dpm"\n$/,
          "compare",
          "--samplers",
          "ddim,dpm",
          ...output,
        ],
        [2, /^error: rtol must be a positive number, got 0\n$/, "compare", "--rtol", "0", ...output],
        [
          1,
          /^error: the checkpoint is for samples of shape \[8,8,1\], MNIST's have \[28,28,1\]\n$/,
          "compare",
          "--checkpoint",
          `${folder}/eight.safetensors`,
          "--data",
          folder,
          "--engine",
          "wasm",
          ...output,
        ],
        [2, /^error: there is nothing to search: give --snr, .* several values\n$/, "tune", "--snr", "0.1"],
        [2, /^error: dpm\+\+2m has no option snr.*\n$/, "tune", "--sampler", "dpm++2m", "--snr", "0.1,0.2"],
      ];
      const runs = await Promise.all(cases.map(([, , task, ...args]) => run(task, ...args)));
      for (const [i, [code, message, ...args]] of cases.entries()) {
        check.equal(
          `${args.slice(0, 3).join(" ")}: exit code`,
          runs[i].code,
          code,
          "2 for bad usage, 1 for failure",
        );
        check.holds(runs[i].stderr.trim(), message.test(runs[i].stderr), "one sentence");
      }
      const begun = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
        name.startsWith("c.")
      );
      check.equal("files", begun, [], "nothing was begun");
    }),
);

claim(
  "tune measures all combinations with the same seeds and finds the least mean",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeData(folder);
      const { code, stdout, stderr } = await run(
        "tune",
        "--checkpoint",
        `${folder}/model.safetensors`,
        "--data",
        folder,
        "--engine",
        "wasm",
        "--sampler",
        "edm-stochastic",
        "--gamma",
        "0:0.4:0.4",
        "--steps",
        "2,3",
        "--repeats",
        "2",
        "--count",
        "20",
        "--batch",
        "20",
        "--json",
      );
      check.equal("exit code", code, 0, stderr || "the flags in the claim");
      const { trials, best } = JSON.parse(stdout) as {
        trials: { steps: number; options: SamplerOptions; values: number[]; mean: number; error: number }[];
        best: { steps: number; options: SamplerOptions };
      };
      check.equal(
        "combinations",
        trials.map(({ steps, options, values }) => [steps, options.gamma, values.length]),
        [[2, 0, 2], [2, .4, 2], [3, 0, 2], [3, .4, 2]],
        "two of each, two seeds",
      );
      const [first] = trials;
      const means = trials.map(({ values: [a, b] }) => (a + b) / 2);
      const least = trials[means.indexOf(Math.min(...means))];
      check.equal("best", best, { steps: least.steps, options: least.options }, "the least mean");
      check.within(
        "a mean's error",
        first.error,
        Math.abs(first.values[0] - first.values[1]) / 2,
        1e-9,
        "|a − b|/2",
      );
      check.holds("two seeds differ", first.values[0] !== first.values[1], "digits of other noise");
      const alone = await frechetOf(await digits("edm-heun", "ve", 2, 20, 1));
      check.within(
        "the second seed without γ",
        first.values[1] / alone,
        1,
        1e-3,
        "Heun's steps from seed 1",
        {
          detectable: "the first seed again: 1e-2",
        },
      );
    }),
);

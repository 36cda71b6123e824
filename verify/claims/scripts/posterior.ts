/**
 * Claims about `deno task inpaint`, `colorize` and `restore`, and about classifier guidance in `sample`.
 * @module
 */
import { DEFAULT_GUIDANCE, DEFAULT_SAMPLER, sdes } from "../../../scripts/sampling/sampling.ts";
import { drawLabels } from "../../../scripts/sampling/draw_batches.ts";
import { inputFlag } from "../../../scripts/posterior/inputs.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { classifierGuided } from "../../../src/conditioning/guidance.ts";
import { colourDigits, digitColours } from "../../../src/data/coloured_digits.ts";
import { fromModel, toModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { COLOURED_DIGITS, type NetworkConfig } from "../../../src/networks/registry.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { type NpyArray, readNpy } from "../../../src/images/npy.ts";
import { decodePng, encodePng } from "../../../src/images/png.ts";
import { loadNoisyClassifier } from "../../../src/classifiers/noisy_classifier.ts";
import { samplerInfo } from "../../../src/samplers/registry.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";

/** Runs in a folder with small checkpoints, grey and coloured, which is removed. */
async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  await withCheckpoint(async (folder) => {
    const coloured: NetworkConfig = {
      ...COLOURED_DIGITS,
      widths: [8, 8],
      blocks: 1,
      middleBlocks: 1,
      embedding: 16,
      noiseFeatures: 8,
    };
    await Deno.writeFile(`${folder}/coloured.safetensors`, writeModel(smallModel(coloured)));
    await action(folder);
  });
}

const quick = ["--engine", "wasm", "--steps", "2", "--json", "--seed", "5"];

/** Runs a task; its summary and its array. */
async function drawn(task: string, file: string, ...args: string[]): Promise<[Summary, NpyArray]> {
  const { code, stdout, stderr } = await run(task, ...quick, ...args, "--output", file);
  if (code !== 0) throw new Error(stderr);
  return [JSON.parse(stdout), readNpy(await Deno.readFile(file))];
}

type Summary = Record<string, number | string | null>;

/** The digits that `--input digits:FROM-…` is with `--seed 5`, as bytes. */
const inputs = (count: number, from = 0) =>
  proceduralDigits(count, createRng(5).fork("inputs").startingAt(from));

claim(
  "inpaint leaves every known pixel exactly as it was, by every method, and draws the hidden ones",
  { engines: ["wasm"] },
  (check) =>
    inFolder(async (folder) => {
      const originals = fromModel(toModel(inputs(2, 3).images));
      const hides = (pixel: number) => pixel % 28 < 14;
      await Promise.all(["replacement", "repaint", "pigdm", "mmps"].map(async (method) => {
        const [summary, { shape, values }] = await drawn(
          "inpaint",
          `${folder}/${method}.npy`,
          "--checkpoint",
          `${folder}/model.safetensors`,
          "--input",
          "digits:3-4",
          "--count",
          "3",
          "--mask",
          "left",
          "--method",
          method,
          ...(method === "repaint"
            ? ["--resamplings", "2"]
            : method === "replacement"
            ? []
            : ["--iterations", "1"]),
        );
        check.equal(`${method}: shape`, shape, [2, 3, 28, 28, 1], "two images, three samples");
        let [changed, drawnAnew] = [0, 0];
        values.forEach((value, at) => {
          const original = originals[Math.floor(at / 3 / 784) * 784 + at % 784];
          if (hides(at % 784)) drawnAnew += value === original ? 0 : 1;
          else changed += value === original ? 0 : 1;
        });
        check.equal(`${method}: known pixels changed`, changed, 0, "pasted at the end");
        check.atLeast(
          `${method}: hidden pixels drawn, share`,
          drawnAnew / (3 * 784),
          0.3,
          "half of each is hidden",
        );
        check.equal(`${method}: reported`, [summary.knownError, summary.hidden], [0, 0.5], "the same");
        const [first, second] = [values.slice(0, 784), values.slice(784, 2 * 784)];
        check.holds(`${method}: samples differ`, String(first) !== String(second), "each has its own noise");
      }));
    }),
);

claim(
  "inpaint takes a mask from a picture, one that hides all and one that hides nothing",
  { engines: ["wasm"] },
  (check) =>
    inFolder(async (folder) => {
      const common = ["--checkpoint", `${folder}/model.safetensors`, "--count", "1"];
      const mask = new Uint8Array(28 * 28 * 4).fill(255);
      // Dark, so hidden: the first ten rows.
      for (let at = 0; at < 10 * 28 * 4; at++) if (at % 4 < 3) mask[at] = 0;
      await Deno.writeFile(`${folder}/mask.png`, encodePng({ width: 28, height: 28, data: mask }));
      const wide = { width: 56, height: 56, data: new Uint8Array(56 * 56 * 4).fill(255) };
      await Deno.writeFile(`${folder}/wide.png`, encodePng(wide));
      const originals = fromModel(toModel(inputs(1).images));
      const input = ["--input", "digits:0"];
      const [[own, { values }], [, all], [, none], [, white]] = await Promise.all([
        drawn("inpaint", `${folder}/own.npy`, ...common, ...input, "--mask", `${folder}/mask.png`),
        drawn("inpaint", `${folder}/all.npy`, ...common, ...input, "--mask", "all"),
        drawn("inpaint", `${folder}/none.npy`, ...common, ...input, "--mask", "none"),
        drawn(
          "inpaint",
          `${folder}/white.npy`,
          ...common,
          "--input",
          `${folder}/wide.png`,
          "--resize",
          "--mask",
          "top",
        ),
      ]);
      const different = values.map((value, at) => value === originals[at] ? 0 : 1);
      check.equal("below the dark rows", different.subarray(280).indexOf(1), -1, "white is known");
      check.atLeast(
        "in the dark rows",
        different.subarray(0, 280).filter((d) => d === 1).length,
        100,
        "black is hidden",
      );
      check.equal("hidden share", own.hidden, 10 / 28, "ten of 28 rows");
      check.equal("all known", none.values, originals, "the input comes back");
      check.equal(
        "half of a white picture",
        white.values.slice(392),
        new Float32Array(392).fill(1),
        "white stays",
      );
      // Nothing is known: the plain sampler's first sample.
      const { config, weights } = smallModel();
      const noisePredictor = networkPredictor(config, weights);
      const grid = { ...samplerInfo(DEFAULT_SAMPLER).grid, steps: 2 };
      // In a batch of one, as the task draws it.
      const shape = [1, 28, 28, 1];
      const x = await drawSamples(scoreModel(noisePredictor, sdes.ve()), dpmSolver2M(), {
        shape,
        grid,
        rng: createRng(5),
      });
      const free = fromModel(await x.data<"float32">());
      x.dispose();
      noisePredictor.dispose();
      const apart = Math.max(...free.map((value, at) => Math.abs(value - all.values[at])));
      check.atMost(
        "all hidden, from an unconditional sample",
        apart,
        1e-5,
        "there is nothing to follow",
        {
          detectable: "a known part that leaks in",
        },
      );
    }),
);

claim(
  "colorize keeps the grey of every pixel and draws its colours",
  { engines: ["wasm"] },
  (check) =>
    inFolder(async (folder) => {
      const colours = digitColours(2, createRng(5).fork("inputs"));
      const truth = fromModel(toModel(colourDigits(inputs(2), colours).images));
      await Promise.all(["replacement", "pigdm"].map(async (method) => {
        const [summary, { shape, values }] = await drawn(
          "colorize",
          `${folder}/${method}.npy`,
          "--checkpoint",
          `${folder}/coloured.safetensors`,
          "--input",
          "digits:0-1",
          "--count",
          "2",
          "--method",
          method,
        );
        check.equal(`${method}: shape`, shape, [2, 2, 28, 28, 3], "two images, two samples, three channels");
        const grey = (image: ArrayLike<number>, at: number) =>
          (image[at] + image[at + 1] + image[at + 2]) / 3;
        let [error, seen, coloured] = [0, 0, 0];
        for (let at = 0; at < values.length; at += 3) {
          const pixel = values.subarray(at, at + 3);
          // A colour outside what a picture can show is cut off in the array.
          if (pixel.some((value) => value <= 0 || value >= 1)) continue;
          seen++;
          error = Math.max(
            error,
            Math.abs(grey(values, at) - grey(truth, Math.floor(at / 2 / 2352) * 2352 + at % 2352)),
          );
          if (Math.abs(pixel[0] - pixel[1]) > 1e-3) coloured++;
        }
        check.atLeast(
          `${method}: pixels compared`,
          seen,
          10,
          "an untrained network draws few colours that can be shown",
        );
        check.atMost(`${method}: change of grey`, error, 1e-6, "imputed in an orthogonal basis, in float32");
        check.atMost(
          `${method}: change of grey reported`,
          Number(summary.greyError),
          2e-5,
          "colours of up to 80 in float32",
        );
        check.atLeast(`${method}: share in colour`, coloured / seen, 0.9, "colours are drawn");
      }));
      const refused = await run(
        "colorize",
        ...quick,
        "--checkpoint",
        `${folder}/model.safetensors`,
        "--output",
        `${folder}/x.png`,
      );
      check.equal("a grey network", refused.code, 2, "colours need three channels");
      check.holds("says so", /three channels, this one has 1/.test(refused.stderr), refused.stderr.trim());
    }),
);

claim(
  "restore observes through its operator, and reports the errors of the array that it writes",
  { engines: ["wasm"] },
  (check) =>
    inFolder(async (folder) => {
      const originals = fromModel(toModel(inputs(1).images));
      const common = ["--checkpoint", `${folder}/model.safetensors`, "--input", "digits:0", "--count", "2"];
      const cases = [["pool2"], ["pool4"], ["blur", "--blur", "1"], ["projection", "--directions", "50"]];
      await Promise.all(cases.map(async ([operator, ...options]) => {
        const file = `${folder}/${operator}.npy`;
        const args = [...common, "--operator", operator, ...options, "--noise", "0.01"];
        const [summary, { shape, values }] = await drawn("restore", file, ...args);
        check.equal(`${operator}: shape`, shape, [1, 2, 28, 28, 1], "one image, two samples");
        // Without samples out of range the mean of the array is the mean.
        if (values.some((value) => value <= 0 || value >= 1)) {
          check.holds(
            `${operator}: errors`,
            [summary.meanError, summary.residual].every((e) => Number(e) > 0),
            "reported",
          );
          return;
        }
        const squares = originals.map((value, at) => ((values[at] + values[784 + at]) / 2 - value) ** 2);
        const rms = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 784);
        check.within(
          `${operator}: error of the mean`,
          Number(summary.meanError),
          rms,
          1e-6,
          "the array's own",
        );
      }));
      const seen = `${folder}/seen.png`;
      const picture = await run(
        "restore",
        ...quick,
        ...common,
        "--operator",
        "pool4",
        "--noise",
        "0",
        "--output",
        seen,
      );
      check.equal("picture", picture.code, 0, picture.stderr);
      const { width, height, data } = await decodePng(await Deno.readFile(seen));
      // Two screen pixels to a pixel and two between: original, seen, two samples, mean and deviation.
      check.equal("rows and columns", [width, height], [58 + 2, 6 * 58 + 2], "one image, six rows");
      const at = (row: number, y: number, x: number) =>
        data[4 * ((2 + row * 58 + 2 * y) * width + 2 + 2 * x)] / 255;
      let [most, apart] = [0, 0];
      for (let y = 0; y < 28; y += 4) {
        for (let x = 0; x < 28; x += 4) {
          let mean = 0;
          for (let i = 0; i < 16; i++) mean += originals[(y + (i >> 2)) * 28 + x + i % 4] / 16;
          for (let i = 0; i < 16; i++) most = Math.max(most, Math.abs(at(1, y + (i >> 2), x + i % 4) - mean));
        }
      }
      for (let i = 0; i < 784; i++) {
        const [y, x] = [Math.floor(i / 28), i % 28];
        apart = Math.max(apart, Math.abs(at(0, y, x) - originals[i]));
      }
      check.atMost("first row, from the original", apart, 0.5 / 255 + 1e-6, "a byte's rounding");
      check.atMost("second row, from the means of blocks", most, 0.5 / 255 + 1e-6, "a byte's rounding");
    }),
);

claim("invalid input to the posterior tasks is one sentence and exit code 2, a damaged file exit code 1", {
  engines: ["wasm"],
}, (check) =>
  inFolder(async (folder) => {
    const small = { width: 20, height: 28, data: new Uint8Array(20 * 28 * 4).fill(255) };
    await Deno.writeFile(`${folder}/small.png`, encodePng(small));
    await Deno.writeFile(`${folder}/torn.png`, encodePng(small).slice(0, 60));
    const model = ["--checkpoint", `${folder}/model.safetensors`];
    const out = (name: string) => ["--output", `${folder}/${name}`];
    const cases: [string, string[], number, RegExp][] = [
      [
        "inpaint",
        [...model, "--mask", `${folder}/small.png`],
        2,
        /images of 28×28 must be of that size, got 20×28/,
      ],
      [
        "inpaint",
        [...model, "--input", `${folder}/small.png`],
        2,
        /20×28 pixels, but the model takes 28×28: pass --resize/,
      ],
      ["inpaint", [...model, "--input", `${folder}/torn.png`], 1, /torn\.png: not a complete PNG file/],
      ["inpaint", [...model, "--input", `${folder}/none.png`], 1, /could not read ".*none\.png"/],
      [
        "inpaint",
        ["--mask", "diagonal"],
        2,
        /--mask must be one of left, .*, random, or end in \.png, got "diagonal"/,
      ],
      [
        "inpaint",
        ["--mask", "left", "--hidden-fraction", "0.5"],
        2,
        /--hidden-fraction is for --mask random/,
      ],
      [
        "inpaint",
        ["--method", "magic"],
        2,
        /--method must be one of replacement, repaint, pigdm, mmps, got "magic"/,
      ],
      ["restore", ["--operator", "pool2", "--blur", "2"], 2, /--blur is for --operator blur/],
      ["restore", ["--method", "repaint"], 2, /--method must be one of mmps, pigdm, got "repaint"/],
      ["colorize", ["--output", "colours.gif"], 2, /--output must end in \.png or \.npy, got "colours\.gif"/],
      [
        "sample",
        ["--label", "none", "--classifier-scale", "2"],
        2,
        /--classifier-scale needs a label, got 2/,
      ],
    ];
    for (const text of ["cifar", "mnist:9-3", "mnist:-1", "mnist:0-10000", "picture.bmp"]) {
      const message = /^--input must (be samples, digits or mnist|name 1 to 10000 images)/;
      await check.throws(`--input ${text}`, () => inputFlag.parse(text, "--input"), message);
    }
    check.equal(
      "--input digits",
      inputFlag.parse("digits", "--input"),
      { kind: "digits", from: 0, to: 9 },
      "ten",
    );
    for (const [at, [task, args, code, message]] of cases.entries()) {
      const output = args.includes("--output") ? [] : out(`${at}.png`);
      const result = await run(task, "--engine", "wasm", "--steps", "2", ...args, ...output);
      const what = `${task} ${args.filter((arg) => !arg.includes("/") && arg !== "--checkpoint").join(" ")}`;
      check.equal(`${what}: exit code`, result.code, code, "2 for bad usage, 1 for failure");
      check.holds(
        `${what}: message`,
        message.test(result.stderr) && !/\n.+/.test(result.stderr.trim()),
        result.stderr.trim(),
      );
    }
  }));

claim(
  "MNIST's test images are selected by their number, and a number beyond the last is refused",
  { engines: ["wasm"], needs: ["mnist"] },
  (check) =>
    inFolder(async (folder) => {
      const common = ["--checkpoint", `${folder}/model.safetensors`, "--count", "1", "--mask", "none"];
      const data = ["--data", Deno.env.get("SCORE_SDE_DATA")!];
      const [[summary], beyond] = await Promise.all([
        drawn("inpaint", `${folder}/a.npy`, ...common, ...data, "--input", "mnist:0-9"),
        run("inpaint", ...quick, ...common, ...data, "--input", "mnist:10000", "--output", `${folder}/b.png`),
      ]);
      check.equal(
        "classes kept with all known",
        summary.kept,
        1,
        "the first ten are known to the classifier",
      );
      check.equal("beyond: exit code", beyond.code, 2, "bad usage");
      check.holds("beyond: message", /test images are 0 to 9999/.test(beyond.stderr), beyond.stderr.trim());
    }),
);

claim("sample is guided by a classifier as the library does it, alone or beside the network's labels", {
  engines: ["wasm"],
}, (check) =>
  inFolder(async (folder) => {
    const { config, weights } = smallModel();
    const noisePredictor = networkPredictor(config, weights);
    const classifier = await loadNoisyClassifier();
    const rng = createRng(5);
    const labels = drawLabels("random", 10, rng, 4) as number[];
    const grid = { ...samplerInfo(DEFAULT_SAMPLER).grid, steps: 2 };
    const library = async (conditioned: typeof noisePredictor, scale: number) => {
      const model = classifierGuided(scoreModel(conditioned, sdes.ve()), classifier, labels, scale);
      const x = await drawSamples(model, dpmSolver2M(), {
        shape: [4, 28, 28, 1],
        grid,
        rng: rng.startingAt(0),
      });
      const values = fromModel(await x.data<"float32">());
      x.dispose();
      return values;
    };
    const common = [
      "--checkpoint",
      `${folder}/model.safetensors`,
      "--count",
      "4",
      "--batch",
      "4",
      "--classifier-scale",
      "3",
    ];
    const [[, alone], [, both]] = await Promise.all([
      drawn("sample", `${folder}/alone.npy`, ...common),
      drawn("sample", `${folder}/both.npy`, ...common, "--guidance", "2"),
    ]);
    const apart = (a: Float32Array, b: Float32Array) =>
      Math.max(...a.map((value, at) => Math.abs(value - b[at])));
    const expected = [
      await library(noisePredictor, 3),
      await library(noisePredictor.withLabels(labels, { ...DEFAULT_GUIDANCE, scale: 2 }), 3),
    ];
    check.atMost(
      "alone",
      apart(alone.values, expected[0]),
      1e-5,
      "guidance 0 leaves the network's label out",
    );
    check.atMost("beside the network's labels", apart(both.values, expected[1]), 1e-5, "both are followed");
    const unguided = await library(noisePredictor, 0);
    check.atLeast(
      "what the classifier changes",
      apart(alone.values, unguided),
      0.01,
      "its gradient is not nothing",
    );
    noisePredictor.dispose();
    classifier.dispose();
  }));

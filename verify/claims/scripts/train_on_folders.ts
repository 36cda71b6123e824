/** Claims about training on folders of colour images: flips, σ from the data, kept models, damaged pictures. @module */
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { withSigma } from "../../../scripts/sampling/sigma_flag.ts";
import { type FolderOptions, loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import { checkRecipe, newConfig, recipeFlags } from "../../../scripts/training/recipe.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { shuffledBatches } from "../../../src/data/batches.ts";
import type { ImageDataset } from "../../../src/data/dataset.ts";
import {
  COLOUR_32,
  COLOUR_64,
  COLOURED_DIGITS,
  DIGITS,
  type NetworkConfig,
} from "../../../src/networks/registry.ts";
import { decodePng, encodePng } from "../../../src/images/png.ts";
import { sigmaPowerSde } from "../../../src/diffusion/sde.ts";
import { readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { train, type TrainingConfig, type TrainingState } from "../../../src/training/train.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { writePets } from "../../problems/pet_pictures.ts";

/** What the library makes of a run. */
async function trained(
  config: TrainingConfig,
  pets: ImageDataset,
  steps: readonly number[],
): Promise<TrainingState[]> {
  const states: TrainingState[] = [];
  const batches = shuffledBatches(pets, config.batch, createRng(config.seed).fork("batches"));
  for await (const { step, snapshot } of train(config, batches)) {
    if (steps.includes(step)) states.push(await snapshot());
  }
  return states;
}

claim(
  "deno task train trains on a folder of pictures as the library does: flips, σ from the data, a model every two epochs",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const pets = await writePets(folder);
      const out = `${folder}/run`;
      const flags =
        `--data ${folder}/pets --size 8 --flip --batch 4 --steps 8 --engine wasm --sde sigma-power --sigma data ` +
        `--network digits --warmup 1 --checkpoint-every 2epochs --keep-models --out ${out}`;
      const { code, stderr } = await run("train", ...flags.split(" "));
      check.equal("exit code", code, 0, stderr);
      const { config, state, data } = readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`));
      let largest = 0;
      for (let a = 0; a < 12; a++) {
        for (let b = 0; b < a; b++) {
          let squares = 0;
          for (let i = 0; i < 192; i++) squares += (pets.images[192 * a + i] - pets.images[192 * b + i]) ** 2;
          largest = Math.max(largest, Math.sqrt(squares) / 127.5);
        }
      }
      const sigma = Number(largest.toPrecision(4));
      check.equal(
        "objective",
        config.objective,
        { kind: "sde", sde: sigmaPowerSde({ sigma }).config, weighting: "variance" },
        "σ is the largest distance between two images with pixels from −1 to 1, to four digits",
      );
      const network: NetworkConfig = { ...DIGITS, height: 8, width: 8, channels: 3, classes: 2 };
      check.equal(
        "network",
        config.model.network,
        network,
        "the preset, made to fit",
      );
      check.equal("flips", config.flip, true, "--flip");
      const [fifth, whole] = await trained(config, pets, [5, 8]);
      const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
      check.equal(
        "files",
        names,
        ["checkpoint.safetensors", "metrics.jsonl", "model-000006.safetensors", "model-000008.safetensors"]
          .concat(["model.safetensors", "samples-000006.png", "samples-000008.png"]),
        "2 epochs of 12 images are 6 batches of 4",
      );
      for (const name of ["weights", "ema", "mean", "variance"] as const) {
        check.equal(name, state[name], whole[name], "train() on the middle squares, bit for bit");
      }
      // Goes on from step 5; the size is the checkpoint's.
      await Deno.writeFile(`${out}/checkpoint.safetensors`, writeCheckpoint({ config, state: fifth, data }));
      const again = await run("train", "--resume", `${out}/checkpoint.safetensors`, "--engine", "wasm");
      check.equal("going on: exit code", again.code, 0, again.stderr);
      const resumed = readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`)).state;
      check.equal("going on: weights", resumed.weights, whole.weights, "as if it had not stopped");
      const drawn = await run(
        "sample",
        "--checkpoint",
        `${out}/model.safetensors`,
        "--sde",
        "sigma-power",
        "--engine",
        "wasm",
        "--count",
        "4",
        "--steps",
        "3",
        "--output",
        `${folder}/a.png`,
      );
      check.equal("samples: exit code", drawn.code, 0, drawn.stderr);
      const usual = {
        sde: sigmaPowerSde().config,
        sampler: { name: "ddim", options: {} },
        grid: { kind: "uniform", steps: 3 },
      } as const;
      const flag = { sde: "sigma-power", sigma: undefined, checkpoint: `${out}/model.safetensors` } as const;
      for (const file of ["model.safetensors", "checkpoint.safetensors"]) {
        const own = (await withSigma(usual, { ...flag, checkpoint: `${out}/${file}` })).sde;
        check.equal(`σ of samples by ${file}`, own, sigmaPowerSde({ sigma }).config, "that of the training");
      }
      const asked = (await withSigma(usual, { ...flag, sigma: 9 })).sde;
      check.equal(
        "σ of samples by --sigma 9",
        asked,
        sigmaPowerSde({ sigma: 9 }).config,
        "what was asked for",
      );
      const grid = await decodePng(await Deno.readFile(`${folder}/a.png`));
      check.equal(
        "grid",
        [grid.width, grid.height],
        [2 + 4 * 90, 2 + 90 + 3 * 17],
        "4 images of 8 pixels eleven times as large, gaps of 2, two lines of a title, classes",
      );
    }),
);

claim(
  "a damaged picture is an error or, on request, skipped and named; networks take the data's size",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const pets = await writePets(folder);
      await Deno.writeTextFile(`${folder}/pets/dog/torn.jpg`, "no picture");
      const flags = `--data ${folder}/pets --size 8 --output ${folder}/plan.json --engine wasm`.split(" ");
      const [refused, skipped] = await Promise.all([
        run("ncsn:plan", ...flags),
        run("ncsn:plan", ...flags, "--skip-corrupt"),
      ]);
      const problem = "dog/torn.jpg: begins like neither a PNG nor a JPEG file";
      check.equal(
        "a damaged picture",
        [refused.code, refused.stderr],
        [1, `error: "${folder}/pets": ${problem}: remove it, or --skip-corrupt\n`],
        "an error unless it is asked to skip",
      );
      check.equal("skipping: exit code", skipped.code, 0, skipped.stderr);
      check.holds("it is named", skipped.stderr.includes(`skipped ${problem}`), skipped.stderr);
      check.holds(
        "the rest is used",
        skipped.stdout.includes("12 images of pets, 192 pixel"),
        skipped.stdout,
      );
      const values = parseFlags({ name: "train", purpose: "", flags: recipeFlags }, []);
      const shapes = [[8, 8, 3], [28, 28, 1], [28, 28, 3], [32, 32, 3], [64, 64, 3]] as const;
      for (const shape of shapes) {
        const images = Uint8Array.from({ length: 12 * shape[0] * shape[1] * shape[2] }, (_, i) => i % 7);
        const { model: { network } } = await newConfig(values, { ...pets, shape, images }, undefined);
        const preset = shape[0] > 48
          ? COLOUR_64
          : shape[0] > 28
          ? COLOUR_32
          : shape[2] === 3
          ? COLOURED_DIGITS
          : DIGITS;
        const [height, width, channels] = shape;
        const expected = { ...preset, height, width, channels, classes: 2 };
        check.equal(
          `network for [${shape}]`,
          network,
          expected,
          "the preset by size, with the data's own sizes and classes",
        );
      }
      for (const line of ["--network coloured-digits", "--data coloured-digits"]) {
        const values = parseFlags({ name: "train", purpose: "", flags: recipeFlags }, line.split(" "));
        const images = Uint8Array.from({ length: 12 * 2352 }, (_, i) => i % 7);
        const { model: { network } } = await newConfig(
          values,
          { ...pets, shape: [28, 28, 3], images },
          undefined,
        );
        check.equal(`network of ${line}`, network, COLOURED_DIGITS, "the preset, which has no labels");
      }
      const attending = parseFlags(
        { name: "train", purpose: "", flags: recipeFlags },
        ["--network", "coloured-digits-attention"],
      );
      const coloured = {
        ...pets,
        shape: [28, 28, 3],
        images: new Uint8Array(12 * 2352).map((_, i) => i % 7),
      } as const;
      check.equal(
        "network of --network coloured-digits-attention",
        (await newConfig(attending, coloured, undefined)).model.network,
        { ...DIGITS, channels: 3, attention: [7], classes: 2 },
        "as for grey digits, with colours, with attention on the coarsest level and with the data's labels",
      );
    }),
);

claim(
  "invalid data and flags for colour images are refused in one sentence",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writePets(folder);
      await Deno.mkdir(`${folder}/empty`);
      await Deno.mkdir(`${folder}/cut`);
      await Deno.writeFile(`${folder}/cut/data_batch_1.bin`, new Uint8Array(4000));
      const photo = encodePng({ width: 3, height: 3, data: new Uint8Array(36) });
      await Deno.writeFile(`${folder}/pets/dog/small.png`, photo);
      const data: [string, FolderOptions, RegExp][] = [
        [`${folder}/empty`, {}, /holds no PNG or JPEG picture, and no file of MNIST or CIFAR-10$/],
        [
          `${folder}/nowhere`,
          {},
          /--data must be mnist, cifar10, .* a folder, or a file of .*, got ".*nowhere"/,
        ],
        [`${folder}/cut`, {}, /^data_batch_1\.bin: truncated, 4000 bytes are 1 records of 3073 and 927/],
        [`${folder}/pets`, {}, /all images must be alike, cat\/0\.png is 10×8 .* is 3×3: give --size$/],
        ["digits", { skipCorrupt: true }, /--skip-corrupt is for a folder of pictures, got --data digits/],
        [
          "mnist",
          { skipCorrupt: true },
          /--skip-corrupt is for a folder of pictures, got --data mnist/,
        ],
      ];
      for (const [name, options, message] of data) {
        const what = `${name.replace(folder, "…")} ${JSON.stringify(options)}`;
        await check.throws(what, () => loadTrainingData(name, options), message);
      }
      const recipes: [string, RegExp][] = [
        ["--sigma data", /--sigma is of dx = σ\^t dw: it needs --sde sigma-power/],
        ["--sde sigma-power --sigma 1", /--sigma must be above 1, or data, got "1"/],
        ["--size 0", /--size must be a whole number from 1 to 1024, got "0"/],
      ];
      const usage = { name: "train", purpose: "", flags: recipeFlags };
      for (const [flags, message] of recipes) {
        await check.throws(flags, () => checkRecipe(parseFlags(usage, flags.split(" ")), false), message);
      }
      const resumed = () => checkRecipe(parseFlags(usage, ["--flip"]), true);
      await check.throws("--flip beside --resume", resumed, /leave out --flip/);
      const tasks: [string, string, number, RegExp][] = [
        [
          "train",
          "--checkpoint-every 0epochs",
          2,
          /--checkpoint-every must be a number of steps from 1 up, or of epochs/,
        ],
        ["sample", "--sigma 9", 2, /--sigma is of dx = σ\^t dw: it needs --sde sigma-power, got ve/],
        [
          "select",
          `--checkpoints ${folder}/empty`,
          1,
          /no model-STEP\.safetensors in .*--keep-models leaves them/,
        ],
      ];
      for (const [task, flags, code, message] of tasks) {
        const result = await run(task, ...flags.split(" "));
        check.equal(
          `${task} ${flags.replace(folder, "…")}: exit code`,
          result.code,
          code,
          "2 bad usage, 1 failure",
        );
        const sentence = /^error: [^\n]+\n$/.test(result.stderr) && message.test(result.stderr);
        check.holds(result.stderr.trim().replace(folder, "…"), sentence, "one sentence");
      }
    }),
);

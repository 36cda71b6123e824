/** Claims about the images that posterior tasks begin with and the pictures that they write. @module */
import { checkOutputName, writeGallery } from "../../../scripts/posterior/gallery.ts";
import { checkInputFlags, inputFlag, readInputs } from "../../../scripts/posterior/inputs.ts";
import { task as colorize } from "../../../scripts/colorize.ts";
import { task as inpaint } from "../../../scripts/inpaint.ts";
import { task as restore } from "../../../scripts/restore.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { currentEngine } from "../../../src/compute/engine.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { colourDigits, digitColours } from "../../../src/data/coloured_digits.ts";
import { modelToBytes, toModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { textWidth } from "../../../src/images/text.ts";
import { decodePng, encodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { inFolder, inputs as strokes } from "../../instruments/posterior_task.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

claim(
  "--input names a source with one number, a range or none, or a picture by its ending",
  async (check) => {
    const read = (text: string) => inputFlag.parse(text, "--input");
    const digits = (kind: string, from: number, to: number) => ({ kind, from, to });
    const cases: readonly (readonly [string, object])[] = [
      ["samples", digits("samples", 0, 9)],
      ["mnist:7", digits("mnist", 7, 7)],
      ["digits:3-12", digits("digits", 3, 12)],
      ["digits:0-9999", digits("digits", 0, 9999)],
      ["samples:9999", digits("samples", 9999, 9999)],
      ["mnist:2147483647", digits("mnist", 2147483647, 2147483647)],
      ["a.png", { kind: "picture", path: "a.png" }],
      ["mnist.JPG", { kind: "picture", path: "mnist.JPG" }],
    ];
    for (const [text, expected] of cases) check.equal(text, read(text), expected, "--help");
    for (
      const [text, message] of [
        ["digits:0-10000", /^--input must name 1 to 10000 images, FROM up to TO, got "digits:0-10000"$/],
        ["digits:5-4", /^--input must name 1 to 10000 images/],
        ["mnist:2147483648", /^--input must name 1 to 10000 images/],
        [
          "samples:9999-10000",
          /^--input must name samples below 10000, for all before them are drawn too, got "samples:9999-10000"$/,
        ],
        [
          "digits:",
          /^--input must be samples, digits or mnist, with :INDEX or :FROM-TO if wanted, or end in/,
        ],
        ["digits:1-", /^--input must be samples/],
        ["Samples", /^--input must be samples/],
      ] as const
    ) await check.throws(text, () => read(text), message);
    const flags = (text: string, more: object) => ({
      input: read(text),
      resize: false,
      data: undefined,
      ...more,
    });
    for (
      const [text, more] of [["a.png", { resize: true }], ["mnist", { data: "d" }], ["digits", {}]] as const
    ) {
      check.equal(
        `${text} ${JSON.stringify(more)}`,
        checkInputFlags(flags(text, more)),
        undefined,
        "it has an effect",
      );
    }
    await check.throws(
      "--resize",
      () => checkInputFlags(flags("digits", { resize: true })),
      /^--resize is for a picture as --input, got --input digits$/,
    );
    await check.throws(
      "--data",
      () => checkInputFlags(flags("a.png", { data: "d" })),
      /^--data is for --input mnist, got --input picture$/,
    );
    await check.throws(
      "--label 10",
      () => parseFlags(inpaint.usage, ["--label", "10"]),
      /^--label must be one of none, own, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, got "10"$/,
    );
    for (const name of ["a.png", "a.npy"]) {
      check.equal(name, checkOutputName(name), undefined, "--help");
    }
    await check.throws(
      "a.gif",
      () => checkOutputName("a.gif"),
      /^--output must end in \.png or \.npy, got "a\.gif"$/,
    );
  },
);

claim("inputs are the digits of their numbers, with their classes, in the model's colours and size", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    const options = { resize: false, data: folder, seed: 5, engine: currentEngine()! };
    const read = async (text: string, shape: number[], more: object = {}) => {
      const { count, images, labels } = await readInputs(inputFlag.parse(text, "--input"), {
        ...options,
        shape,
        ...more,
      });
      return { count, images: [...modelToBytes(images)], labels: labels && [...labels] };
    };
    const whole = (set: { count: number; images: Uint8Array; labels: Uint8Array }) => ({
      count: set.count,
      images: [...set.images],
      labels: [...set.labels],
    });
    const own = strokes(3, 4);
    check.equal(
      "digits:4-6",
      await read("digits:4-6", [28, 28, 1]),
      whole(own),
      "drawn by strokes from the seed",
    );
    const colours = digitColours(3, createRng(5).fork("inputs").startingAt(4));
    check.equal(
      "in colours",
      await read("digits:4-6", [28, 28, 3]),
      whole(colourDigits(own, colours)),
      "colours of their own, by the seed",
    );
    await writeMnist(folder, smallMnist({ train: 2, test: 8 }));
    const { test } = smallMnist({ train: 2, test: 8 });
    const part = { count: 3, images: test.images.slice(5 * 784), labels: test.labels.slice(5) };
    check.equal("mnist:5-7", await read("mnist:5-7", [28, 28, 1]), whole(part), "the test images");
    await check.throws("mnist:5-8", () =>
      read("mnist:5-8", [28, 28, 1]), /^MNIST's test images are 0 to 7, got --input mnist with 8$/);
    for (const shape of [[32, 28, 1], [28, 32, 1]]) {
      const message = new RegExp(
        `^the digits of --input have 28×28 pixels, but the model takes ${shape[1]}×${shape[0]}$`,
      );
      await check.throws(`${shape}`, () =>
        read("digits:0", shape), message);
    }
    // Two pixels beside each other, the left one black: enlarged to four, and in the model's size as they are.
    const [width, height] = [2, 1];
    const data = Uint8Array.of(0, 0, 0, 255, 200, 100, 50, 255);
    const path = `${folder}/two.png`;
    await Deno.writeFile(path, encodePng({ width, height, data }));
    check.equal("a picture", (await read(path, [1, 2, 3])).images, [0, 0, 0, 200, 100, 50], "as it is");
    check.equal("turned", (await read(path, [2, 4, 1], { resize: true })).images.length, 8, "--resize");
    for (const shape of [[1, 3, 1], [2, 2, 1]]) {
      const message = new RegExp(
        `^".*two\\.png" has 2×1 pixels, but the model takes ${shape[1]}×${shape[0]}: pass --resize$`,
      );
      await check.throws(`a picture for ${shape}`, () =>
        read(path, shape), message);
    }
  }));

claim("the shipped network's samples are those that runEvaluation draws, from the first on", {
  engines: ["wasm"],
}, async (check) => {
  const options = { shape: [28, 28, 1], resize: false, data: null, seed: 3, engine: currentEngine()! };
  const one = await readInputs({ kind: "samples", from: 1, to: 1 }, options);
  const two = await readInputs({ kind: "samples", from: 0, to: 1 }, options);
  check.equal(
    "count and class",
    [one.count, [...one.labels!], [...two.labels!]],
    [1, [1], [0, 1]],
    "every class in turn",
  );
  const apart = one.images.filter((value, at) => Math.abs(value - two.images[784 + at]) > 3 / 255).length;
  check.atMost("pixels that differ from the second of two", apart, 0, "rounding to bytes");
  check.atLeast("ink", one.images.filter((value) => value > 0).length, 20, "a digit");
});

claim("a picture shows at most twenty images and eight samples of each, an array all of them", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    const [inputs, samples] = [21, 9];
    const level = (at: number) => (at % 200) / 100 - 1;
    const gallery = {
      shape: [1, 1, 1],
      inputs,
      samples,
      originals: Float32Array.from({ length: inputs }, (_, at) => level(at)),
      seen: Float32Array.from({ length: inputs }, (_, at) => level(50 + at)),
      values: Float32Array.from({ length: inputs * samples }, (_, at) => level(at)),
    };
    const columnNames = Array.from({ length: inputs }, (_, at) => String(at % 10));
    const names = { title: "", seen: "seen", columnNames };
    await writeGallery(`${folder}/a.npy`, gallery, names);
    const array = readNpy(await Deno.readFile(`${folder}/a.npy`));
    check.equal("array", [array.shape, array.values.length], [[21, 9, 1, 1, 1], 189], "all of them");
    await writeGallery(`${folder}/a.png`, gallery, names);
    const { width, height, data } = await decodePng(await Deno.readFile(`${folder}/a.png`));
    const [left, top] = [width - 20 * 86, height - 12 * 86];
    check.equal(
      "picture",
      [left, top],
      [textWidth("sample 8") + 12, 2 + 17],
      "20 columns; 2 + 8 + 2 rows; names",
    );
    const shown = (row: number, column: number) => data[4 * ((top + 86 * row) * width + left + 86 * column)];
    const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));
    const sample = (input: number, at: number) => level(9 * input + at);
    let most = 0;
    for (let input = 0; input < 20; input++) {
      const own = Array.from({ length: 9 }, (_, at) => sample(input, at));
      const mean = own.reduce((sum, value) => sum + value, 0) / 9;
      const std = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8);
      const column = [level(input), level(50 + input), ...own.slice(0, 8), mean].map((value) =>
        (value + 1) / 2
      );
      for (const [row, value] of [...column, std].entries()) {
        most = Math.max(most, Math.abs(shown(row, input) - byte(value)));
      }
    }
    check.atMost(
      "largest difference of a byte",
      most,
      1,
      "originals, measurements, eight samples, mean of nine and twice their deviation",
    );
  }));

claim("posterior tasks refuse classes that are not there, and draw with their own network unasked", {
  engines: ["wasm"],
}, (check) =>
  inFolder(async (folder) => {
    const black = encodePng({ width: 28, height: 28, data: new Uint8Array(28 * 28 * 4) });
    await Deno.writeFile(`${folder}/black.png`, black);
    const tasks = { inpaint, colorize, restore } as const;
    const carryOut = async (name: keyof typeof tasks, line: string) => {
      const task = tasks[name] as typeof inpaint;
      const words = `${line} --engine wasm --steps 1 --count 1 --output ${folder}/a.npy`.split(" ");
      return await task.carryOut(await task.request(parseFlags(task.usage, words)));
    };
    const model = `--checkpoint ${folder}/model.safetensors`;
    await check.throws(
      "own class of a picture",
      () => carryOut("inpaint", `${model} --label own --input ${folder}/black.png`),
      /^--label own needs inputs whose class is known: digits, samples or mnist$/,
    );
    const refused = `--checkpoint ${folder}/coloured.safetensors --label`;
    for (const label of ["own", "3"]) {
      const message = new RegExp(`^--label is for networks with labels, got ${label} for one without$`);
      await check.throws(`label ${label}`, () =>
        carryOut("colorize", `${refused} ${label} --input digits:0`), message);
    }
    for (const [name, channels] of [["inpaint", 1], ["colorize", 3], ["restore", 1]] as const) {
      const method = name === "restore" ? "pigdm --iterations 1" : "replacement";
      const { shape, engine, values } = await carryOut(name, `--input digits:0 --method ${method}`);
      check.equal(`${name}: the network unasked`, [shape, engine, values.length], [
        [28, 28, channels],
        "wasm",
        784 * channels,
      ], "its own");
    }
  }));

claim(
  "the measurement's picture is a mask of the model's size",
  { engines: ["wasm"] },
  (check) =>
    inFolder(async (folder) => {
      const data = new Uint8Array(28 * 28 * 4).map((_, at) =>
        at % 4 === 3 || Math.floor(at / 4) % 28 < 20 ? 255 : 0
      );
      await Deno.writeFile(`${folder}/mask.png`, encodePng({ width: 28, height: 28, data }));
      const line =
        `--mask ${folder}/mask.png --checkpoint ${folder}/model.safetensors --engine wasm --steps 1 --count 1 ` +
        `--input digits:0-1 --output ${folder}/a.npy`;
      const request = await inpaint.request(parseFlags(inpaint.usage, line.split(" ")));
      const { hidden, originals } = await inpaint.carryOut(request);
      check.within("hidden", hidden!.hidden, 8 / 28, 1e-9, "where it is dark");
      check.equal("originals", [...originals], [
        ...toModel(proceduralDigits(2, createRng(0).fork("inputs")).images),
      ], "the digits");
    }),
);

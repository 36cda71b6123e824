/** Claims about `deno task colorize` and `deno task restore`. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { colourDigits, digitColours } from "../../../src/data/coloured_digits.ts";
import { fromModel, toModel } from "../../../src/data/dataset.ts";
import { textWidth } from "../../../src/images/text.ts";
import { decodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { drawn, inFolder, inputs, quick } from "../../instruments/posterior_task.ts";

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
      // Three screen pixels to a pixel and two between: original, seen, two samples, mean and deviation.
      const [left, top] = [textWidth("measurement") + 12, height - 6 * 86];
      check.equal(
        "rows and columns",
        [width, top],
        [240, 2 + 4 * 17],
        "three lines of a title, the class, one image, six rows",
      );
      const at = (row: number, y: number, x: number) =>
        data[4 * ((top + row * 86 + 3 * y) * width + left + 3 * x)] / 255;
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

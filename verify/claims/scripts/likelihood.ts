/** Claims about `deno task likelihood` and `deno task interpolate`. @module */
import { doubts } from "../../../scripts/likelihood.ts";
import { trainedNoise } from "../../../scripts/sampling/sigma_flag.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { NETWORK_PRESETS } from "../../../src/networks/registry.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { decodePng } from "../../../src/images/png.ts";
import { mnistFiles } from "../../reference/mnist_files.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { writeIdx } from "../../instruments/file_writers.ts";

const count = 3;

/** Writes a small network, one for other images, and three drawn digits in MNIST's place into a folder. */
async function writeDigits(folder: string): Promise<void> {
  const { images, labels } = proceduralDigits(count, createRng(3));
  await Deno.writeFile(
    `${folder}/${mnistFiles.test.images}`,
    writeIdx({ shape: [count, 28, 28], values: images }),
  );
  await Deno.writeFile(
    `${folder}/${mnistFiles.test.labels}`,
    writeIdx({ shape: [count], values: labels }),
  );
  const { config, weights } = smallModel();
  await Deno.writeFile(`${folder}/model.safetensors`, writeModel({ config, weights }));
  const small = smallModel({
    ...config.network,
    ...NETWORK_PRESETS.digits,
    height: 16,
    widths: [8],
    blocks: 1,
  });
  await Deno.writeFile(`${folder}/other.safetensors`, writeModel(small));
}

claim(
  "deno task likelihood gives the same bits however images are batched, by the flow and by the bound",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder);
      const common = [
        "--data",
        folder,
        "--checkpoint",
        `${folder}/model.safetensors`,
        "--engine",
        "wasm",
        "--json",
      ];
      const measure = async (...flags: string[]) => {
        const { code, stdout, stderr } = await run("likelihood", ...common, ...flags);
        if (code !== 0) throw new Error(stderr);
        return JSON.parse(stdout);
      };
      for (
        const method of [["--method", "rk4", "--steps", "2", "--probes", "2"], [
          "--method",
          "elbo",
          "--draws",
          "3",
        ]]
      ) {
        const [whole, split] = await Promise.all([
          measure(...method, "--limit", "3"),
          measure(...method, "--limit", "3", "--batch", "2"),
        ]);
        const name = method[1];
        check.within(
          `${name}: bits per dimension in batches of 2 and 1 over those in one of 3`,
          split.bitsPerDimension / whole.bitsPerDimension,
          1,
          1e-5,
          "every image has its own noise, whatever its batch; float32's rounding",
          { detectable: "an image that has another's noise" },
        );
        check.equal(`${name}: images`, [whole.count, split.count], [3, 3], "--limit 3");
        check.holds(
          `${name}: ${whole.bitsPerDimension} ± ${whole.standardError}`,
          whole.bitsPerDimension > 1 && whole.standardError > 0,
          "an untrained network compresses nothing",
        );
        if (name === "rk4") {
          check.equal("evaluations", whole.evaluations, 8, "two steps of Runge–Kutta 4");
          check.holds(`error of the trace ${whole.probeError}`, whole.probeError > 0, "two probes");
          const one = await measure(...method, "--limit", "1", "--dequantization", "uniform");
          check.equal("a single image has no spread", one.standardError, null, "n − 1 = 0");
          check.holds(
            "uniform noise gives other bits",
            one.bitsPerDimension !== whole.bitsPerDimension,
            "other noise",
          );
        }
      }
    }),
);

claim(
  "deno task likelihood refuses invalid inputs in one sentence",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder);
      const other = ["--data", folder, "--checkpoint", `${folder}/other.safetensors`, "--engine", "wasm"];
      const model = ["--data", folder, "--checkpoint", `${folder}/model.safetensors`, "--engine", "wasm"];
      const bad: [number, string[], RegExp][] = [
        [2, ["--limit", "0"], /^error: --limit must be a whole number from 1 to 60000, got "0"\n$/],
        [
          2,
          ["--method", "dopri5", "--tolerance", "0"],
          /^error: --tolerance must be a number from 1e-9 to 1, got "0"\n$/,
        ],
        [2, ["--tolerance", "1e-4"], /^error: --tolerance is for --method dopri5, got --method rk4\n$/],
        [
          2,
          ["--method", "elbo", "--probes", "2"],
          /^error: --probes is for --method rk4 or dopri5, got --method elbo\n$/,
        ],
        [2, ["--draws", "4"], /^error: --draws is for --method elbo, got --method rk4\n$/],
        [
          2,
          ["--min-noise", "-1"],
          /^error: --min-noise must be a number from 0.000001 to 1, got "-1"\n$/,
        ],
        [1, other, /^error: the checkpoint is for samples of shape \[16,28,1\], MNIST's have \[28,28,1\]\n$/],
        [
          1,
          [...model, "--data", `${folder}/nowhere`],
          /^error: no t10k-images-idx3-ubyte.gz or .* in .*nowhere.*\n$/,
        ],
      ];
      const runs = await Promise.all(bad.map(([, flags]) => run("likelihood", ...flags)));
      for (const [i, [code, flags, sentence]] of bad.entries()) {
        const last = runs[i].stderr.split(/(?<=\n)/).filter((line) => line.startsWith("error")).join("");
        check.equal(
          `${flags.join(" ").replaceAll(folder, "FOLDER")}: exit code`,
          runs[i].code,
          code,
          "2 bad usage, 1 failure",
        );
        check.holds(
          `says: ${last.trim().replaceAll(folder, "FOLDER")}`,
          sentence.test(last),
          "names the value and what is allowed",
        );
      }
    }),
);

claim(
  "deno task train refuses times outside an SDE's range and a missing file of weights",
  { engines: ["wasm"] },
  async (check) => {
    const bad: [number, string[], RegExp][] = [
      [
        2,
        ["--times", "importance"],
        /^error: --times is for an SDE's times: it needs --sde, or --weighting variance, likelihood or velocity\n$/,
      ],
      [
        2,
        ["--min-noise", "0.01"],
        /^error: --min-noise is for an SDE's times: it needs --sde, .*\n$/,
      ],
      [1, ["--from", "nowhere.safetensors"], /^error: cannot begin with nowhere.safetensors: .*\n$/],
    ];
    const runs = await Promise.all(bad.map(([, flags]) => run("train", ...flags)));
    for (const [i, [code, flags, sentence]] of bad.entries()) {
      check.equal(`${flags.join(" ")}: exit code`, runs[i].code, code, "2 bad usage, 1 failure");
      check.holds(`says: ${runs[i].stderr.trim()}`, sentence.test(runs[i].stderr), "names what is wrong");
    }
  },
);

claim(
  "deno task interpolate draws a row for each pair, and refuses invalid pairs",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder);
      const output = `${folder}/walk.png`;
      const common = [
        "--data",
        folder,
        "--checkpoint",
        `${folder}/model.safetensors`,
        "--engine",
        "wasm",
        "--output",
      ];
      const { code, stdout, stderr } = await run(
        "interpolate",
        ...common,
        output,
        "--json",
        "--images",
        "0,2,1",
        "--between",
        "2",
        "--tolerance",
        "0.01",
        "--min-noise",
        "0.3",
      );
      check.equal("exit code and stderr", [code, stderr], [0, ""], "the flags in the claim");
      const picture = await decodePng(await Deno.readFile(output));
      check.holds(
        `${picture.width}×${picture.height} pixels`,
        picture.width > 4 * 84 && picture.width < 4 * 86 + 120 && picture.height > 2 * 84 &&
          picture.height < 2 * 86 + 60,
        "4 columns and 2 rows of 84 pixels, beside their names",
      );
      const { largestError, rootMeanSquareError, file } = JSON.parse(stdout);
      check.equal("file", file, output, "--output");
      check.holds(
        `errors ${largestError} and ${rootMeanSquareError}`,
        largestError >= rootMeanSquareError && rootMeanSquareError > 0,
        "the largest is no smaller than the mean",
      );
      const bad: [number, string[], RegExp][] = [
        [2, ["--images", "4"], /^error: --images needs at least two indices, got 1\n$/],
        [2, ["--images", "4,4"], /^error: --images must differ, got 4,4\n$/],
        [2, ["--tolerance", "0"], /^error: --tolerance must be a number from 1e-9 to 1, got "0"\n$/],
        [2, ["--output", "walk.jpg"], /^error: --output must end in .png, got "walk.jpg"\n$/],
        [
          2,
          [...common, output, "--images", "0,3"],
          /^error: --images must be below 3, the number of images, got 3\n$/,
        ],
      ];
      const runs = await Promise.all(bad.map(([, flags]) => run("interpolate", ...flags)));
      for (const [i, [code, flags, sentence]] of bad.entries()) {
        const said = runs[i].stderr;
        check.equal(
          `${flags.join(" ").replaceAll(folder, "FOLDER")}: exit code`,
          runs[i].code,
          code,
          "bad usage",
        );
        check.holds(`says: ${said.trim()}`, sentence.test(said), "names the value and what is allowed");
      }
    }),
);

claim(
  "implausible bits come with a warning: noise below the training's, and numbers below zero",
  async (check) => {
    check.within(
      "mnist's smallest noise",
      await trainedNoise("mnist") ?? NaN,
      Math.exp(-1 - 4 * 1.2),
      1e-12,
      "ln ν ~ N(−1, 1.2²), four deviations",
    );
    check.within(
      "mnist-likelihood's",
      await trainedNoise("mnist-likelihood") ?? NaN,
      0.0013,
      1e-12,
      "its model card",
    );
    check.equal("the default of each", [doubts(1.1, 0.0013, 0.0013), doubts(1.7, 0.005, Math.exp(-5.8))], [
      [],
      [],
    ], "trained there");
    const below = doubts(2.93, 0.0013, Math.exp(-5.8));
    check.holds(
      `below: ${below.join()}`,
      below.length === 1 &&
        below[0].startsWith(
          "the network was not trained on noise ratios below 0.00303, but --min-noise is 0.0013",
        ),
      "2.93 bits where 1.75 is right",
    );
    const negative = doubts(-0.42, 0.0013, 0.0013);
    check.holds(
      `negative: ${negative.join()}`,
      negative.length === 1 && negative[0].startsWith("bits per dimension of bytes cannot be -0.420"),
      "one step of the flow",
    );
  },
);

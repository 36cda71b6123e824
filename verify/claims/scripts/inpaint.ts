/** Claims about `deno task inpaint`. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { fromModel, toModel } from "../../../src/data/dataset.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { encodePng } from "../../../src/images/png.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { claim } from "../../suite/claim.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { drawn, inFolder, inputs } from "../../instruments/posterior_task.ts";

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
      const grid = { kind: "karras", rho: 5, steps: 2 } as const;
      // In a batch of one, as the task draws it.
      const shape = [1, 28, 28, 1];
      const x = await drawSamples(
        scoreModel(noisePredictor, veSde({ sigmaMin: 0.005, sigmaMax: 40 })),
        dpmSolver2M(),
        {
          shape,
          grid,
          rng: createRng(5),
        },
      );
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

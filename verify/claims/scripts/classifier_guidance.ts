/** Claims about `deno task sample` with classifier guidance. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { classifierGuided } from "../../../src/conditioning/guidance.ts";
import { fromModel } from "../../../src/data/dataset.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { loadNoisyClassifier } from "../../../src/classifiers/noisy_classifier.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { claim } from "../../suite/claim.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { drawn, inFolder } from "../../instruments/posterior_task.ts";

claim("sample is guided by a classifier as the library does it, alone or beside the network's labels", {
  engines: ["wasm"],
}, (check) =>
  inFolder(async (folder) => {
    const { config, weights } = smallModel();
    const noisePredictor = networkPredictor(config, weights);
    const classifier = await loadNoisyClassifier();
    const rng = createRng(5);
    // ⌊10 u⌋ of the samples' uniform numbers .72, .88, .27 and .24.
    const labels = [7, 8, 2, 2];
    const grid = { kind: "karras", rho: 5, steps: 2 } as const;
    const library = async (conditioned: typeof noisePredictor, scale: number) => {
      const model = classifierGuided(
        scoreModel(conditioned, veSde({ sigmaMin: 0.005, sigmaMax: 40 })),
        classifier,
        labels,
        scale,
      );
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
      await library(noisePredictor.withLabels(labels, { scale: 2, from: 0.6, to: 6 }), 3),
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

/**
 * Sample grids that `deno task train` draws on its way: by which sampler, and what a broken one does to the run.
 * @module
 */
import { chainRatios } from "../../../scripts/sampling/ddpm_chains.ts";
import { type NoisePlanFile, PLAN_FORMAT } from "../../../scripts/sampling/noise_plan_file.ts";
import { planPreview, previewPng } from "../../../scripts/training/preview.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { fromModel } from "../../../src/data/dataset.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { decodePng } from "../../../src/images/png.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { consistencyDefaults } from "../../../src/objectives/consistency.ts";
import { samplerByName, samplerInfo } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import type { Network } from "../../../src/networks/network.ts";
import type { ObjectiveConfig } from "../../../src/objectives/denoising.ts";
import { noiseRatio, veSde } from "../../../src/diffusion/sde.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { initialState } from "../../../src/training/train.ts";
import { mnistFiles } from "../../reference/mnist_files.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { writeIdx } from "../../instruments/file_writers.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import type { SamplingConfig } from "../../../src/runs/sampling.ts";

function checkpoint(objective: ObjectiveConfig, plan?: NoisePlanFile): Checkpoint {
  const { config: model } = smallModel();
  return {
    config: {
      model,
      objective,
      optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 3 },
      steps: 2,
      batch: 2,
      labelDropout: 0.1,
      seed: 4,
    },
    state: initialState(networkFromConfig(model.network) as Network, 4),
    data: "mnist",
    ...plan && { plan: { ...plan } },
  };
}

/** The noise ratios at the times of a sampling. */
function ratiosOf({ sde: config, grid }: SamplingConfig): number[] {
  const sde = sdeFromConfig(config);
  return [...timeGrid(sde, grid)].map((t) => noiseRatio(sde, t));
}

claim("sample grids of a run on a noise plan or a list of β visit its noise levels and no others", {
  engines: ["wasm"],
}, (check) => {
  const plan: NoisePlanFile = {
    format: PLAN_FORMAT,
    data: "mnist",
    kind: "ncsnv2",
    largest: 8,
    smallest: 0.5,
    levels: 5,
    moves: 3,
    epsilon: 1e-3,
  };
  const onPlan = checkpoint({ kind: "levels", ratios: [16, 8, 4, 2, 1] }, plan);
  const kept = readCheckpoint(writeCheckpoint(onPlan));
  const langevin = planPreview(kept);
  check.equal("the sampler on a plan", langevin.sampler.name, "annealed-langevin", "Song & Ermon 2019");
  const levels = ratiosOf(langevin).slice(1);
  // σ_1 … σ_L of a plan from 8 to .5 in five levels halve; models see pixels from −1 to 1, twice the plan's units.
  for (const [i, level] of [16, 8, 4, 2, 1].entries()) {
    check.within(`level ${i + 1}`, levels[i] / level, 1, 1e-9, "levels that halve, by hand, in float64");
  }
  check.equal("levels", levels.length, 5, "the plan's");

  // Nichol & Dhariwal 2021, eq. 17: ᾱ(n) = cos²((n/1000 + .008)/1.008 · π/2) over its start, β at most .999.
  const signal = (n: number) => Math.cos((n / 1000 + 0.008) / 1.008 * Math.PI / 2) ** 2;
  let product = 1;
  const ratios = Array.from({ length: 1000 }, (_, n) => {
    product *= 1 - Math.min(0.999, 1 - signal(n + 1) / signal(n));
    return Math.sqrt((1 - product) / product);
  });
  const onChain = planPreview(checkpoint({ kind: "levels", ratios: chainRatios("ddpm-cosine") }));
  check.equal("the sampler with a list of β", onChain.sampler.name, "ddim", "Song et al. 2021, DDIM");
  const visited = ratiosOf(onChain);
  const furthest = Math.max(
    ...visited.map((ratio) => Math.min(...ratios.map((known) => Math.abs(ratio / known - 1)))),
  );
  check.atMost(
    "visited levels that are not the DDPM's, relative",
    furthest,
    1e-9,
    "the times n/1000, up to their rounding",
  );
  check.equal(
    "first and last",
    [visited[0], visited.at(-1)!].map((r) => ratios.some((k) => Math.abs(r / k - 1) < 1e-9)),
    [true, true],
    "both are the DDPM's",
  );
  check.atLeast("levels visited", visited.length, 20, "a picture, not a guess");
  const edm = planPreview(checkpoint({ kind: "edm", mean: -1, std: 1.2, sigmaData: 0.6 }));
  check.equal("otherwise", edm.sampler.name, "dpm++2m", "the sampler that scripts use unasked");
});

claim("a sample grid has five rows, with a column for each class, or as many as fit into ten", {
  engines: ["wasm"],
}, async (check) => {
  for (const [classes, columns] of [[0, 10], [3, 9], [5, 10], [6, 6], [10, 10], [12, 12]]) {
    const { config, weights } = smallModel({ ...smallModel().config.network, classes } as NetworkConfig);
    const network = networkFromConfig(config.network);
    const objective = { ...consistencyDefaults(784, null) };
    const begun = checkpoint({ kind: "edm", mean: -1, std: 1.2, sigmaData: 0.6 });
    const model = { ...config, consistency: true } as const;
    const state = initialState(network, 4, weights);
    const run: Checkpoint = { ...begun, config: { ...begun.config, model, objective }, state };
    const png = await previewPng(run, () => false);
    const picture = await decodePng(png as Uint8Array);
    const lines = classes === 0 ? 1 : 2;
    const size = [2 + 86 * columns, 2 + 86 * 5 + 17 * lines];
    check.equal(
      `${classes} classes: size`,
      [picture.width, picture.height],
      size,
      "28·3 pixels and gaps of 2, a title, the classes",
    );
    const labels = Array.from(
      { length: 5 * columns },
      (_, i) => classes === 0 ? null : i % columns % classes,
    );
    const noisePredictor = networkPredictor(model, weights);
    const x = await drawSamples(
      scoreModel(noisePredictor.withLabels(labels), veSde({ sigmaMin: 0.005, sigmaMax: 40 })),
      samplerByName("consistency"),
      {
        shape: [5 * columns, 28, 28, 1],
        grid: samplerInfo("consistency").grid,
        rng: createRng(4).fork("snapshot"),
      },
    );
    const grid = imageGrid(fromModel(await x.data<"float32">()), [5 * columns, 28, 28, 1], {
      columns,
      title: "step 0: consistency, 3 steps",
      columnNames: classes === 0 ? [] : labels.slice(0, columns).map((label) => `class ${label}`),
    });
    x.dispose();
    noisePredictor.dispose();
    check.equal(
      `${classes} classes: picture`,
      [...picture.data],
      [...grid.data],
      "samples of the moving average, class by column",
    );
    if (classes === 3) {
      check.equal(
        "stopped",
        await previewPng(run, () => true),
        null,
        "a run that ends waits for none",
      );
    }
  }
});

claim(
  "a sample grid that cannot be written is a warning, and weights beyond half precision keep the last checkpoint",
  {
    engines: ["wasm"],
  },
  (check) =>
    withFolder(async (folder) => {
      const { images, labels } = mnistFiles.train;
      const values = new Uint8Array(4 * 784).fill(9);
      await Deno.writeFile(`${folder}/${images}`, writeIdx({ shape: [4, 28, 28], values }));
      await Deno.writeFile(
        `${folder}/${labels}`,
        writeIdx({ shape: [4], values: new Uint8Array([0, 1, 2, 3]) }),
      );
      const begin = checkpoint({ kind: "edm", mean: -1, std: 1.2, sigmaData: 0.6 });
      const good = { ...begin, data: folder };
      const out = `${folder}/run`;
      const own = `${out}/checkpoint.safetensors`;
      await Deno.mkdir(`${out}/samples-000002.png`, { recursive: true });
      await Deno.writeFile(own, writeCheckpoint(good));
      const flags = ["--resume", own, "--engine", "wasm", "--log-every", "1"];
      const first = await run("train", ...flags);
      const remark = /step 2: loss [\d.]+, no sample grid: could not write/;
      check.holds(
        first.stderr.trim().slice(-250),
        remark.test(first.stderr),
        "a folder is in the picture's place",
      );
      const { state } = readCheckpoint(await Deno.readFile(own));
      check.equal("exit code and step", [first.code, state.step], [0, 2], "the training itself is well");

      // An average of 1e30, of which two steps leave more than half precision's 65504.
      const bytes = writeCheckpoint({
        ...good,
        state: { ...good.state, ema: good.state.ema.map(() => 1e30) },
      });
      await Deno.writeFile(`${out}/other.safetensors`, bytes);
      const before = await Deno.readFile(own);
      const second = await run("train", "--resume", `${out}/other.safetensors`, ...flags.slice(2));
      check.equal("exit code", second.code, 1, "such a model is no model");
      check.holds(second.stderr.trim().slice(-250), /which F16 cannot/.test(second.stderr), "it says why");
      check.equal("the checkpoint", await Deno.readFile(own), before, "the one from before");
    }),
);

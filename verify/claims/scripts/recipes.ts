/** Claims about the recipes that train's flags stand for, written out. @module */
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { newConfig, recipeChanges, recipeFlags, resumedConfig } from "../../../scripts/training/recipe.ts";
import type { NoisePlanFile } from "../../../scripts/sampling/noise_plan_file.ts";
import type { ImageDataset } from "../../../src/data/dataset.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import type { Checkpoint } from "../../../src/training/checkpoint.ts";
import { initialState } from "../../../src/training/train.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { claim } from "../../suite/claim.ts";

const usage = { name: "train", purpose: "", flags: recipeFlags };
const read = (line: string) => parseFlags(usage, line.split(" ").filter((word) => word !== ""));

/** Two images, half black and half white. */
function images(size: number, channels = 1): ImageDataset {
  const count = 2 * size * size * channels;
  return {
    name: "halves",
    count: 2,
    shape: [size, size, channels],
    classes: 3,
    images: Uint8Array.from({ length: count }, (_, i) => i < count / 2 ? 0 : 255),
    labels: Uint8Array.of(0, 1),
  };
}

const plan: NoisePlanFile = {
  format: "score-sde noise plan 2",
  data: "mnist",
  kind: "ncsnv2",
  largest: 4,
  smallest: 1,
  levels: 3,
  moves: 2,
  epsilon: 1e-3,
};

const flow = { kind: "flow", tMin: 1e-3, tMax: 0.999 } as const;
const vp = { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 1e-3, tMax: 1 } as const;
const optimizer = {
  rate: 2e-3,
  warmup: 200,
  decay: "cosine",
  betas: [0.9, 0.99],
  epsilon: 1e-8,
  clip: 1,
  ema: 0.999,
} as const;
const numbers = { steps: 15_000, batch: 64, labelDropout: 0.15, seed: 0 };

claim("the recipe of a run is the one that its flags name, with the defaults that --help states", {
  engines: ["wasm"],
}, async (check) => {
  const config = async (line: string, data = images(28), steps?: number, own?: NoisePlanFile) => {
    const { model, ...recipe } = await newConfig({ ...read(line), steps }, data, own);
    return { model, recipe };
  };
  const usual = { ...numbers, optimizer };
  const sde = (more: object) => ({
    ...usual,
    objective: { kind: "sde", sde: vp, weighting: "variance", ...more },
  });
  // Values −1 and 1 have mean 0 and standard deviation 1.
  const edm = { kind: "edm", mean: -1, std: 1.2, sigmaData: 1 };
  const cases: readonly (readonly [string, object])[] = [
    ["", { ...usual, objective: edm }],
    ["--weighting edm", { ...usual, objective: edm }],
    ["--weighting variance", sde({})],
    ["--weighting likelihood", sde({ weighting: "likelihood" })],
    ["--sde vp", sde({})],
    [
      "--sde vp --times importance --weighting likelihood",
      sde({ weighting: "likelihood", times: "importance" }),
    ],
    ["--weighting velocity", sde({ sde: flow, weighting: "velocity" })],
    ["--sde vp --times logit-normal", sde({ times: "logit-normal", logit: { mean: 0, std: 1 } })],
    [
      "--sde flow --weighting velocity --times logit-normal --logit-mean -0.5 --logit-std 2",
      sde({ sde: flow, weighting: "velocity", times: "logit-normal", logit: { mean: -0.5, std: 2 } }),
    ],
    ["--sde ve", sde({ sde: { kind: "ve", sigmaMin: 0.005, sigmaMax: 40, tMin: 1e-5, tMax: 1 } })],
    ["--sde subvp", sde({ sde: { ...vp, kind: "subvp" } })],
    ["--flip", { ...usual, objective: edm, flip: true }],
    ["--batch 7 --rate 0.1 --warmup 3 --decay constant --label-dropout 0.5 --seed 9", {
      ...{ steps: 15_000, batch: 7, labelDropout: 0.5, seed: 9, objective: edm },
      optimizer: { ...optimizer, rate: 0.1, warmup: 3, decay: "constant" },
    }],
  ];
  for (const [line, expected] of cases) {
    check.equal(line, (await config(line)).recipe, expected, "written out");
  }
  check.equal("steps", (await config("", images(28), 8)).recipe.steps, 8, "as given");
  const colours = (await config("", images(28, 3))).recipe.objective;
  check.equal("colours", colours, { kind: "edm", mean: 0, std: 1.6, sigmaData: 1 }, "the recipe of colours");
  const power = (await config("--sde sigma-power --sigma 9")).recipe.objective;
  check.equal(
    "σ",
    power.kind === "sde" && power.sde.kind === "sigma-power" && power.sde.sigma,
    9,
    "as given",
  );
  const unasked = (await config("--sde sigma-power")).recipe.objective;
  check.equal(
    "σ unasked",
    unasked.kind === "sde" && unasked.sde.kind === "sigma-power" && unasked.sde.sigma,
    25,
    "--help",
  );
  const { error } = console;
  let said = "";
  console.error = (line) => said = line;
  const farthest = (await config("--sde sigma-power --sigma data").finally(() =>
    console.error = error
  )).recipe.objective;
  check.equal(
    "σ of the data",
    farthest.kind === "sde" && farthest.sde.kind === "sigma-power" && farthest.sde.sigma,
    56,
    "√(28²) · 2, black against white",
  );
  check.holds(
    said,
    /^σ = 56, the largest distance between two images \([01] and [01]\): noise of 19\.7 at t = 1, where pixels are from −1 to 1$/
      .test(said),
    "σ/√(2 ln σ) is 19.7",
  );
  const least = (await config("--sde ve --min-noise 0.1")).recipe.objective;
  check.equal(
    "least noise",
    least.kind === "sde" && least.sde.kind === "ve" && [least.sde.sigmaMin, least.sde.sigmaMax],
    [0.1, 40],
    "as given",
  );

  const { model } = await config("");
  check.equal("preconditioning", model.preconditioning, { sigmaData: 1, centre: 0 }, "the data's moments");
  check.equal("classes", model.network.kind === "unet" && model.network.classes, 3, "the data's");
  const tutorial = await config("--network tutorial");
  check.equal("the tutorial's network", [tutorial.model.network.kind, tutorial.model.preconditioning], [
    "tutorial",
    null,
  ], "none");
  const objective = tutorial.recipe.objective;
  check.equal("the tutorial's SDE", objective.kind === "sde" && [objective.sde.kind, objective.weighting], [
    "sigma-power",
    "variance",
  ], "--help");
  const waves = (await config("--network digits-waves")).model.network;
  check.equal(
    "a preset by name",
    waves.kind === "unet" && waves.noiseFeatures !== 32 || waves !== model.network,
    true,
    "another than by the data",
  );

  const one = (await config("--label-dropout 0.2", { ...images(28), classes: 1 })).recipe.labelDropout;
  check.equal("dropout of one class", one, 0.2, "as given");

  const levels = { kind: "levels", ratios: [8, 4, 2].map((x) => x) };
  const onPlan = await config("", images(28), undefined, plan);
  check.equal(
    "on a plan",
    onPlan.recipe,
    { ...usual, objective: levels },
    "σ doubled, for pixels from −1 to 1",
  );
  check.equal(
    "NCSNv2's network",
    [
      onPlan.model.preconditioning,
      onPlan.model.network.kind === "unet" && onPlan.model.network.noiseConditional,
    ],
    [null, false],
    "technique 3",
  );
  const ncsn = await config("", images(28), undefined, { ...plan, kind: "ncsn" });
  check.equal("NCSN's network", ncsn.model, model, "told the noise level");
  const chain = (await config("--betas ddpm-linear")).recipe.objective;
  const first = Math.sqrt(1 / (1 - 1e-4) - 1);
  check.within(
    "a chain's least ratio",
    chain.kind === "levels" ? chain.ratios.at(-1)! / first : 0,
    1,
    1e-9,
    "β_1 = 1e-4",
  );
  check.equal("a chain's levels", chain.kind === "levels" && chain.ratios.length, 1000, "Ho et al. 2020");
});

claim("the recipe of a consistency function is its own, with the teacher's network and guidance", {
  engines: ["wasm"],
}, async (check) => {
  const from = smallModel();
  const config = (line: string, model?: typeof from) => newConfig(read(line), images(28), undefined, model);
  const distilled = await config("--objective consistency --from m", from);
  check.equal("model", distilled.model, { ...from.config, consistency: true }, "that of --from");
  const { objective, model: _, ...recipe } = distilled;
  check.equal(
    "recipe",
    recipe,
    { ...numbers, labelDropout: 0.05, optimizer: { ...optimizer, rate: 6e-4 } },
    "--help",
  );
  check.equal("objective", objective, {
    ...{ kind: "consistency", mean: -0.6, std: 1.6, range: [0.005, 40], highShare: 0.125, highFrom: 4 },
    ...{ gap: { first: 1.2, last: 0.12, settled: 0.75 }, huber: 0.00054 * 28 },
    teacher: { scale: 1.3, from: 0.6, to: 6 },
  }, "Song & Dhariwal 2024: c = 0.00054 √d");
  const scaled = await config("--objective consistency --from m --guidance 2", from);
  check.equal(
    "guidance",
    scaled.objective.kind === "consistency" && scaled.objective.teacher?.scale,
    2,
    "as given",
  );
  const line =
    "--objective consistency-training --batch 7 --rate 0.1 --warmup 3 --decay constant --label-dropout 0.5 --seed 9 --flip";
  const alone = await newConfig({ ...read(line), steps: 8 }, images(28), undefined);
  check.equal(
    "without a teacher",
    alone.objective.kind === "consistency" && alone.objective.teacher,
    null,
    "none",
  );
  const { steps, batch, labelDropout, seed, flip } = alone;
  check.equal("numbers", { steps, batch, labelDropout, seed, flip }, {
    steps: 8,
    batch: 7,
    labelDropout: 0.5,
    seed: 9,
    flip: true,
  }, "the flags");
  check.equal(
    "optimizer",
    alone.optimizer,
    { ...optimizer, rate: 0.1, warmup: 3, decay: "constant" },
    "the flags",
  );
  const usual = await newConfig(read(""), images(28), undefined);
  check.equal("its network", alone.model, { ...usual.model, consistency: true }, "by the data");
  for (
    const [changed, message] of [
      [
        { preconditioning: null },
        /^a consistency function needs a preconditioned network, and that of --from has none$/,
      ],
      [
        { consistency: true },
        /^--from is a consistency function already: a teacher must be a score network$/,
      ],
    ] as const
  ) {
    const model = { ...from, config: { ...from.config, ...changed } };
    await check.throws(
      JSON.stringify(changed),
      () => config("--objective consistency --from m", model),
      message,
    );
  }
  const again = await config("--objective consistency-training --from m", {
    ...from,
    config: { ...from.config, consistency: true },
  });
  check.equal(
    "trained on without a teacher",
    again.model.consistency,
    true,
    "a consistency function may begin with one",
  );
});

claim("a resumed run keeps its recipe but for what flags give, and notes what has changed", {
  engines: ["wasm"],
}, (check) => {
  const { config: model } = smallModel();
  const objective = { kind: "edm", mean: -1, std: 1.2, sigmaData: 1 } as const;
  const config = { model, objective, optimizer, ...numbers };
  const state = { ...initialState(networkFromConfig(model.network), 1), step: 7 };
  const checkpoint: Checkpoint = { config, state, data: "mnist" };
  check.equal("no flags", resumedConfig(checkpoint, read("")), config, "the checkpoint's");
  const changed = resumedConfig(checkpoint, {
    ...read("--rate 0.1 --warmup 3 --decay constant --seed 9"),
    steps: 8,
  });
  const expected = {
    ...config,
    steps: 8,
    seed: 9,
    optimizer: { ...optimizer, rate: 0.1, warmup: 3, decay: "constant" },
  };
  check.equal("all of them", changed, expected, "the flags");
  check.equal("no change", recipeChanges(checkpoint, config), [], "nothing to note");
  const noted = {
    step: 7,
    values: {
      steps: [15_000, 8],
      seed: [0, 9],
      rate: [2e-3, 0.1],
      warmup: [200, 3],
      decay: ["cosine", "constant"],
    },
  };
  check.equal(
    "changes",
    recipeChanges(checkpoint, changed),
    [noted],
    "old and new, at the checkpoint's step",
  );
  const earlier = { ...checkpoint, changes: [{ step: 2, values: { seed: [1, 0] } }] } as Checkpoint;
  check.equal("earlier ones stay", recipeChanges(earlier, changed), [...earlier.changes!, noted], "in order");
  check.equal("earlier ones alone", recipeChanges(earlier, config), earlier.changes, "nothing more");
});

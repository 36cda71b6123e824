/**
 * The recipe of a new training run: what its flags say, and what its data say where flags are silent.
 * @module
 */
import { pixelMoments } from "../../src/data/dataset.ts";
import type { Dataset } from "../../src/data/held_out.ts";
import { describeSamples } from "../../src/data/identity.ts";
import { largestDistance } from "../../src/data/largest_distance.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../src/networks/registry.ts";
import { paddedSize } from "../../src/networks/unet.ts";
import type { Model } from "../../src/networks/model_file.ts";
import type { ModelConfig } from "../../src/networks/noise_prediction.ts";
import { consistencyDefaults } from "../../src/objectives/consistency.ts";
import { type ObjectiveConfig, sdeTimes, sdeWeightings } from "../../src/objectives/denoising.ts";
import { type Sde, sigmaPowerSde } from "../../src/diffusion/sde.ts";
import { withMinimumNoise } from "../../src/diffusion/sde_registry.ts";
import { sizeOf } from "../../src/math/shape.ts";
import { OPTIMIZER_DEFAULTS } from "../../src/training/optimizer.ts";
import type { Checkpoint, RecipeChange } from "../../src/training/checkpoint.ts";
import type { TrainingConfig } from "../../src/training/train.ts";
import { chainNames, chainRatios } from "../sampling/ddpm_chains.ts";
import { sdes } from "../sampling/sampling.ts";
import { DEFAULT_GUIDANCE } from "../../src/runs/defaults.ts";
import {
  choice,
  deciding,
  type Flag,
  flagName,
  type FlagValues,
  integer,
  number,
  text,
  toggle,
  UsageError,
} from "../cli/flags.ts";
import { type NoisePlanFile, planRatios } from "../sampling/noise_plan_file.ts";
import { trainingDataFlags } from "../datasets/training_data.ts";
import { sdeNames } from "../../src/diffusion/sde_registry.ts";

const presets = [
  "digits",
  "digits-waves",
  "coloured-digits",
  "coloured-digits-attention",
  "colour-32",
  "colour-64",
  "tutorial",
  "mlp",
] as const;

/** Learning rate of consistency functions. */
const CONSISTENCY_RATE = 6e-4;

/** Labels withheld from consistency functions: guidance is distilled into them, so that few do for drawing without a label. */
const CONSISTENCY_LABEL_DROPOUT = 0.05;

/** A flag such as 25, or `data` for what the data say. */
const sigma: Flag<number | "data" | undefined> = {
  help:
    "σ of sigma-power: a number above 1, or data for the largest distance between two images (default 25)",
  placeholder: "X|data",
  domain: { kind: "own", examples: ["20", "data"] },
  fallback: undefined,
  parse(text, flag) {
    if (text === "data") return text;
    const value = number({ help: "" }).parse(text, flag)!;
    if (!(value > 1)) throw new UsageError(`${flag} must be above 1, or data, got "${text}"`);
    return value;
  },
};

/** Flags that shape the run; a resumed run keeps what its checkpoint says, but for {@linkcode resumedConfig}'s. */
export const recipeFlags = {
  ...trainingDataFlags,
  data: deciding(
    ["data", "config.model.preconditioning", "config.objective"],
    text({
      help:
        `${
          trainingDataFlags.data.help.replace(" (default mnist)", "")
        }, or a file: .npy of points [N, D] or images ` +
        "[N, height, width] or [N, height, width, channels], .csv of points (default mnist)",
    }),
  ),
  size: deciding(["size", "config.model", "config.objective"], trainingDataFlags.size),
  labels: deciding(
    ["labels", "config.model"],
    text({
      help: "classes: the column of a .csv, by name or by number from 1, or a .npy file beside a .npy",
      placeholder: "COLUMN|FILE",
    }),
  ),
  holdout: deciding(
    ["heldOut"],
    number({
      help:
        "share of the data that is not trained on, for deno task evaluate and likelihood (default 0.1 for .npy and .csv, else 0)",
      min: 0,
      max: 0.9,
    }),
  ),
  flip: deciding(
    ["config.flip"],
    toggle({ help: "show every image left-right reversed half of the time; not for digits" }),
  ),
  network: deciding(
    ["config.model", "config.objective"],
    choice(presets, {
      help:
        "network preset, made to fit the data's pixels and classes; digits-waves is for likelihoods, coloured-digits-attention for strokes of one colour, mlp for points (default: by the data)",
    }),
  ),
  from: text({
    help: "model whose weights to begin with; what the network has beyond them begins as ever",
    placeholder: "FILE",
  }),
  objective: deciding(
    ["config.model.consistency", "config.objective", "config.optimizer.rate", "config.labelDropout"],
    choice(["denoising", "consistency", "consistency-training"], {
      help:
        "what is learned: a score by denoising, or a consistency function, distilled from the model of --from or without a teacher (default denoising)",
    }),
  ),
  guidance: deciding(
    ["config.objective.teacher.scale"],
    number({
      help:
        `how strongly the teacher of a consistency function follows its labels (default ${DEFAULT_GUIDANCE.scale})`,
    }),
  ),
  weighting: deciding(
    ["config.objective"],
    choice(["edm", ...sdeWeightings], {
      help:
        "loss: EDM's log-normal noise levels, or over an SDE's times λ=σ², λ=g², or the error of the flow's velocity (default edm; variance with --sde)",
    }),
  ),
  sde: deciding(
    ["config.objective"],
    choice(sdeNames, {
      help:
        "SDE whose times are drawn (default vp; flow for velocities; sigma-power for the tutorial network)",
    }),
  ),
  sigma: deciding(["config.objective.sde.sigma"], sigma),
  plan: deciding(
    ["plan", "config.model", "config.objective"],
    text({
      help: "train on the levels of this noise plan, of deno task ncsn:plan (NCSN and NCSNv2)",
      placeholder: "FILE",
    }),
  ),
  betas: deciding(
    ["config.objective"],
    choice(chainNames, { help: "train on the 1000 noise levels of DDPM, all alike: L_simple" }),
  ),
  times: deciding(
    ["config.objective.times"],
    choice(sdeTimes, {
      help:
        "how times are drawn: evenly, by importance for the likelihood, with less variance, or with a normal logit (default uniform)",
    }),
  ),
  logitMean: deciding(
    ["config.objective.logit.mean"],
    number({ help: "mean of the logit of --times logit-normal (default 0)", min: -20, max: 20 }),
  ),
  logitStd: deciding(
    ["config.objective.logit.std"],
    number({
      help: "standard deviation of the logit of --times logit-normal (default 1)",
      min: 1e-3,
      max: 20,
    }),
  ),
  minNoise: deciding(
    ["config.objective.sde"],
    number({
      help: "noise ratio at the first time (default the SDE's own)",
      min: 1e-6,
      max: 10,
    }),
  ),
  batch: deciding(
    ["config.batch"],
    integer({ help: "images in a step (default 64; of points 256)", min: 1, max: 65_536 }),
  ),
  rate: deciding(
    ["config.optimizer.rate"],
    number({
      help:
        `learning rate (default ${OPTIMIZER_DEFAULTS.rate}, for consistency ${CONSISTENCY_RATE}); it, warmup, decay and seed may be changed on --resume`,
      min: 1e-9,
    }),
  ),
  warmup: deciding(
    ["config.optimizer.warmup"],
    integer({
      help: `steps from the first in which the rate rises (default ${OPTIMIZER_DEFAULTS.warmup})`,
      min: 0,
    }),
  ),
  decay: deciding(
    ["config.optimizer.decay"],
    choice(["cosine", "constant"], {
      help: `how the rate goes on (default ${OPTIMIZER_DEFAULTS.decay})`,
    }),
  ),
  labelDropout: deciding(
    ["config.labelDropout"],
    number({
      help: `probability of hiding a label (default 0.15, for consistency ${CONSISTENCY_LABEL_DROPOUT})`,
      min: 0,
      max: 1,
    }),
  ),
  seed: deciding(["config.seed"], integer({ help: "seed of everything random (default 0)", min: 0 })),
};

/** What {@linkcode recipeFlags} were called in the version before. */
export const renamedRecipe = { chain: "betas", smallestNoise: "minNoise" };

/** Values of {@linkcode recipeFlags}. */
type RecipeValues = FlagValues<typeof recipeFlags>;

/** Flags of the recipe that a resumed run may have: where data are, and {@linkcode resumedConfig}'s. */
const onResume: readonly string[] = [
  ...Object.keys(trainingDataFlags),
  ...["labels", "rate", "warmup", "decay", "seed"],
];

/**
 * Throws a UsageError for flags that contradict each other.
 * @param resumed Whether the run goes on from a checkpoint, which says all of the recipe.
 */
export function checkRecipe(flags: RecipeValues, resumed: boolean): void {
  if (flags.weighting === "edm" && flags.sde !== undefined) {
    throw new UsageError(
      "--sde needs --weighting variance, likelihood or velocity: EDM's noise levels belong to no SDE",
    );
  }
  for (const name of ["times", "minNoise"] as const) {
    if (flags[name] !== undefined && flags.sde === undefined && (flags.weighting ?? "edm") === "edm") {
      throw new UsageError(
        `${
          flagName(name)
        } is for an SDE's times: it needs --sde, or --weighting variance, likelihood or velocity`,
      );
    }
  }
  if (flags.sigma !== undefined && flags.sde !== "sigma-power") {
    throw new UsageError(`--sigma is of dx = σ^t dw: it needs --sde sigma-power, got ${flags.sde ?? "none"}`);
  }
  const consistent = flags.objective !== undefined && flags.objective !== "denoising";
  if (consistent) {
    for (const name of ["plan", "betas", "weighting", "sde", "times", "minNoise"] as const) {
      if (flags[name] === undefined) continue;
      throw new UsageError(
        `--objective ${flags.objective} draws its own noise levels: leave out ${flagName(name)}`,
      );
    }
    if (flags.objective === "consistency" && flags.from === undefined) {
      throw new UsageError("--objective consistency needs --from with the model to distil");
    }
    if (flags.network !== undefined && flags.from !== undefined) {
      throw new UsageError(`--objective ${flags.objective} keeps the network of --from: leave out --network`);
    }
    if (flags.network === "tutorial") {
      throw new UsageError("--network tutorial has no preconditioning, which a consistency function needs");
    }
  }
  for (const name of ["logitMean", "logitStd"] as const) {
    if (flags[name] !== undefined && flags.times !== "logit-normal") {
      throw new UsageError(
        `${flagName(name)} is of normal logits: it needs --times logit-normal, got ${flags.times ?? "none"}`,
      );
    }
  }
  if (flags.guidance !== undefined && flags.objective !== "consistency") {
    throw new UsageError("--guidance is the teacher's: it needs --objective consistency");
  }
  const listed = (["plan", "betas"] as const).filter((name) => flags[name] !== undefined);
  const drawn = (["plan", "betas", "weighting", "sde", "times", "minNoise"] as const)
    .filter((name) => flags[name] !== undefined);
  if (listed.length > 0 && drawn.length > 1) {
    throw new UsageError(
      `${flagName(listed[0])} gives all noise levels: leave out ${
        drawn.filter((name) => name !== listed[0]).map(flagName).join(", ")
      }`,
    );
  }
  if (flags.network === "tutorial" && listed.length > 0) {
    throw new UsageError(`${flagName(listed[0])} is for the U-Nets, got --network tutorial`);
  }
  if (flags.network === "tutorial" && flags.weighting === "edm") {
    throw new UsageError(
      "--network tutorial needs --weighting variance, likelihood or velocity: it has no preconditioning",
    );
  }
  if (!resumed) {
    if (flags.network === "tutorial" && flags.labelDropout !== undefined) {
      throw withoutLabels(flags.labelDropout);
    }
    return;
  }
  for (const name of Object.keys(recipeFlags) as (keyof typeof recipeFlags)[]) {
    if (!onResume.includes(name) && flags[name] !== undefined && flags[name] !== false) {
      throw new UsageError(
        `--resume keeps the recipe of its checkpoint, but for --rate, --warmup, --decay and --seed: leave out ${
          flagName(name)
        }`,
      );
    }
  }
}

function withoutLabels(dropout: number): UsageError {
  return new UsageError(`--label-dropout is for a network with labels, got ${dropout} for one without`);
}

/**
 * The config of a new run.
 * @throws {RangeError} when the network cannot be made to fit the data
 */
export async function newConfig(
  flags: RecipeValues & { readonly steps?: number },
  dataset: Dataset,
  plan: NoisePlanFile | undefined,
  from?: Model,
): Promise<TrainingConfig> {
  const moments = pixelMoments(dataset);
  if (moments.std < 5e-5) {
    throw new Error(`all images of ${dataset.name} are of one value: there is nothing to learn`);
  }
  const preconditioning = { sigmaData: round(moments.std), centre: round(moments.mean) };
  const network = fitPreset(dataset, flags.network, flags.data);
  if (flags.labelDropout !== undefined && !("classes" in network && network.classes > 0)) {
    throw withoutLabels(flags.labelDropout);
  }
  const tutorial = network.kind === "tutorial";
  if (flags.flip && dataset.shape.length !== 3) {
    throw new UsageError(`--flip is for images, ${dataset.name} has ${describeSamples(dataset.shape)}`);
  }
  const units = dataset.units && { units: dataset.units };
  const model: ModelConfig = plan?.kind === "ncsnv2" && network.kind === "unet"
    // s(x, σ) = s(x)/σ: the noise is what the network says, whatever the level (Song & Ermon 2020, technique 3).
    ? { network: { ...network, noiseConditional: false }, preconditioning: null, ...units }
    : { network, preconditioning: tutorial ? null : preconditioning, ...units };
  if (flags.objective !== undefined && flags.objective !== "denoising") {
    if (from !== undefined && JSON.stringify(from.config.units) !== JSON.stringify(dataset.units)) {
      throw new Error(`the model of --from was trained on data in other units than those of ${dataset.name}`);
    }
    return consistencyConfig(flags, from?.config ?? model);
  }
  return {
    model,
    objective: levelsObjective(flags, plan) ??
      await continuousObjective(flags, dataset, tutorial, preconditioning.sigmaData),
    optimizer: {
      ...OPTIMIZER_DEFAULTS,
      rate: flags.rate ?? OPTIMIZER_DEFAULTS.rate,
      warmup: flags.warmup ?? OPTIMIZER_DEFAULTS.warmup,
      decay: flags.decay ?? OPTIMIZER_DEFAULTS.decay,
    },
    steps: flags.steps ?? 15_000,
    batch: flags.batch ?? (network.kind === "mlp" ? 256 : 64),
    labelDropout: flags.labelDropout ?? 0.15,
    seed: flags.seed ?? 0,
    ...flags.flip && { flip: true },
  };
}

/** The config of a run that learns a consistency function with a network, from a teacher or from data alone. */
function consistencyConfig(
  flags: RecipeValues & { readonly steps?: number },
  model: ModelConfig,
): TrainingConfig {
  const distilled = flags.objective === "consistency";
  if (model.preconditioning === null) {
    throw new UsageError(
      "a consistency function needs a preconditioned network, and that of --from has none",
    );
  }
  if (distilled && model.consistency) {
    throw new UsageError("--from is a consistency function already: a teacher must be a score network");
  }
  const size = sizeOf(networkFromConfig(model.network).sampleShape);
  const teacher = distilled ? { ...DEFAULT_GUIDANCE, scale: flags.guidance ?? DEFAULT_GUIDANCE.scale } : null;
  return {
    model: { ...model, consistency: true },
    objective: consistencyDefaults(size, teacher),
    optimizer: {
      ...OPTIMIZER_DEFAULTS,
      rate: flags.rate ?? CONSISTENCY_RATE,
      warmup: flags.warmup ?? OPTIMIZER_DEFAULTS.warmup,
      decay: flags.decay ?? OPTIMIZER_DEFAULTS.decay,
    },
    steps: flags.steps ?? 15_000,
    batch: flags.batch ?? 64,
    labelDropout: flags.labelDropout ?? CONSISTENCY_LABEL_DROPOUT,
    seed: flags.seed ?? 0,
    ...flags.flip && { flip: true },
  };
}

/** The config of a resumed run: its checkpoint's, but for the steps, the learning rate and the seed that flags give. */
export function resumedConfig(
  { config }: Checkpoint,
  flags: RecipeValues & { readonly steps?: number },
): TrainingConfig {
  const { rate, warmup, decay } = { ...config.optimizer, ...givenFlags(flags, ["rate", "warmup", "decay"]) };
  return {
    ...config,
    ...givenFlags(flags, ["steps", "seed"]),
    optimizer: { ...config.optimizer, rate, warmup, decay },
  };
}

/** All changes of a run's recipe so far, with those of a config that it goes on with. */
export function recipeChanges(
  { config, state, changes = [] }: Checkpoint,
  changed: TrainingConfig,
): readonly RecipeChange[] {
  const [before, after] = [config, changed].map(({ steps, seed, optimizer: { rate, warmup, decay } }) =>
    Object.entries({ steps, seed, rate, warmup, decay })
  );
  const values = before.flatMap(([name, old], i) => old === after[i][1] ? [] : [[name, [old, after[i][1]]]]);
  if (values.length === 0) return changes;
  return [...changes, { step: state.step, values: Object.fromEntries(values) }];
}

/** The named flags that were given. */
function givenFlags<F, K extends keyof F>(flags: F, names: readonly K[]): Partial<Pick<F, K>> {
  const pairs = names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]);
  return Object.fromEntries(pairs);
}

/** The preset of `--network`, by default the one for images of this size, with the data's height, width, channels and classes. */
function fitPreset(
  { name: data, shape, classes: named, units }: Dataset,
  name: typeof presets[number] | undefined,
  given: string | undefined,
): NetworkConfig {
  // Arrays without labels are of one class, which says nothing.
  const classes = units !== undefined && named === 1 ? 0 : named;
  if (shape.length === 3 ? name === "mlp" : (name ?? "mlp") !== "mlp") {
    const fitting = shape.length === 3 ? "a U-Net" : "mlp";
    throw new UsageError(
      `--network ${name} is not for ${describeSamples(shape)}, as ${data} has: take ${fitting}`,
    );
  }
  if (shape.length !== 3) return { ...NETWORK_PRESETS.mlp, dimensions: shape[0], classes };
  const [height, width, channels] = shape;
  const digits = channels === 3 ? "coloured-digits" : "digits";
  const preset = NETWORK_PRESETS[name ?? (height > 48 ? "colour-64" : height > 28 ? "colour-32" : digits)];
  if (preset.kind !== "unet") return preset;
  const [padded] = paddedSize({ ...preset, height, width });
  // Attention is on the same levels as in the preset, whatever the height.
  const attention = preset.attention.map((attended) => attended * padded / preset.height);
  // The network for digits in colours has no labels; pictures of one's own have theirs, of whatever size.
  const unlabelled = preset.classes === 0 && (name !== undefined || given === "coloured-digits");
  return { ...preset, height, width, channels, attention, classes: unlabelled ? 0 : classes };
}

function levelsObjective({ betas }: RecipeValues, plan: NoisePlanFile | undefined): ObjectiveConfig | null {
  if (plan !== undefined) return { kind: "levels", ratios: planRatios(plan) };
  return betas === undefined ? null : { kind: "levels", ratios: chainRatios(betas) };
}

async function continuousObjective(
  flags: RecipeValues,
  dataset: Dataset,
  tutorial: boolean,
  sigmaData: number,
): Promise<ObjectiveConfig> {
  if (flags.sde === undefined && !tutorial && (flags.weighting ?? "edm") === "edm") {
    // The colour of a whole ground shows through much more noise than a stroke does.
    return {
      kind: "edm",
      ...dataset.shape[2] === 3 ? { mean: 0, std: 1.6 } : { mean: -1, std: 1.2 },
      sigmaData,
    };
  }
  const whole = await trainingSde(flags, dataset, tutorial);
  const sde = flags.minNoise === undefined ? whole : withMinimumNoise(whole, flags.minNoise);
  const weighting = flags.weighting === undefined || flags.weighting === "edm" ? "variance" : flags.weighting;
  const { logitMean: mean = 0, logitStd: std = 1, times } = flags;
  return {
    kind: "sde",
    sde: sde.config,
    weighting,
    ...times && { times },
    ...times === "logit-normal" && { logit: { mean, std } },
  };
}

async function trainingSde(
  { sde, sigma, weighting }: RecipeValues,
  dataset: Dataset,
  tutorial: boolean,
): Promise<Sde> {
  if (sigma === undefined) {
    return sdes[sde ?? (tutorial ? "sigma-power" : weighting === "velocity" ? "flow" : "vp")]();
  }
  if (sigma !== "data") return sigmaPowerSde({ sigma });
  if ("values" in dataset) {
    throw new UsageError(`--sigma data is for pictures, give a number for the arrays of ${dataset.name}`);
  }
  const { distance, pair } = await largestDistance(dataset);
  // Distances are of pixels from 0 to 1, models see them from −1 to 1.
  const chosen = Number((2 * distance).toPrecision(4));
  const whole = sigmaPowerSde({ sigma: chosen });
  console.error(
    `σ = ${chosen}, the largest distance between two images (${pair.join(" and ")}): noise of ${
      whole.priorStd.toFixed(1)
    } ` + `at t = 1, where pixels are from −1 to 1`,
  );
  return whole;
}

/** Four digits after the point: what a model card can quote. */
function round(value: number): number {
  // JSON has no −0.
  return Math.round(value * 1e4) / 1e4 + 0;
}

/**
 * Small trainings that differ in all that a recipe may say, for claims that PyTorch's are the same.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import { arrayDataset } from "../../src/data/array_dataset.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import type { Dataset } from "../../src/data/held_out.ts";
import { datasetIdentity } from "../../src/data/identity.ts";
import { sdeByName, type SdeName } from "../../src/diffusion/sde_registry.ts";
import { sizeOf } from "../../src/math/shape.ts";
import type { MlpConfig } from "../../src/networks/mlp.ts";
import { flatten, type Network } from "../../src/networks/network.ts";
import { DIGITS, type NetworkConfig, networkFromConfig } from "../../src/networks/registry.ts";
import { TUTORIAL } from "../../src/networks/tutorial.ts";
import type { UNetConfig } from "../../src/networks/unet.ts";
import { consistencyDefaults } from "../../src/objectives/consistency.ts";
import type { ObjectiveConfig } from "../../src/objectives/denoising.ts";
import type { Checkpoint } from "../../src/training/checkpoint.ts";
import { OPTIMIZER_DEFAULTS } from "../../src/training/optimizer.ts";
import { initialState, type TrainingConfig } from "../../src/training/train.ts";

/** A training and what it is trained on. */
export interface PyTorchCase {
  /** What it begins with. */
  readonly begin: Checkpoint;
  /** Its data. */
  readonly dataset: Dataset;
}

/** A U-Net with labels for grey images of 8×8. */
const unet: UNetConfig = {
  ...DIGITS,
  height: 8,
  width: 8,
  widths: [8, 16],
  blocks: 1,
  middleBlocks: 1,
  groups: 4,
  embedding: 16,
  noiseFeatures: 8,
  classes: 3,
};

const perceptron: MlpConfig = {
  kind: "mlp",
  dimensions: 2,
  hidden: 16,
  layers: 2,
  noiseFeatures: 8,
  classes: 3,
};

const edm: ObjectiveConfig = { kind: "edm", mean: -0.5, std: 1.2, sigmaData: 0.6 };

function ofSde(
  name: SdeName,
  more: Partial<Extract<ObjectiveConfig, { kind: "sde" }>> = {},
): ObjectiveConfig {
  return { kind: "sde", sde: sdeByName(name).config, weighting: "variance", ...more };
}

/** Images of random bytes, of three classes. */
function imagesOf(shape: readonly [number, number, number]): ImageDataset {
  const count = 10;
  const rng = createRng(5);
  const images = Uint8Array.from(
    rng.fork("pixels").uniformValues([1, count * sizeOf(shape)]),
    (u) => Math.floor(256 * u),
  );
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  return { name: "bytes", count, shape, classes: 3, images, labels };
}

/** Points of three classes, in units of their own. */
const points = arrayDataset({
  shape: [12, 2],
  values: Float64Array.from(createRng(6).normalValues([12, 2]), (z, i) => i % 2 === 0 ? 3 + z : 1e-7 * z),
}, { labels: Array.from({ length: 12 }, (_, i) => i % 3) });

/** A training on images or points that fit its network. */
async function training(
  network: NetworkConfig,
  objective: TrainingConfig["objective"],
  more: Partial<TrainingConfig> = {},
  model: Partial<TrainingConfig["model"]> = {},
): Promise<PyTorchCase> {
  const { sampleShape, parameters } = networkFromConfig(network) as Network;
  const dataset = sampleShape.length === 1 ? points : imagesOf(sampleShape as [number, number, number]);
  const config: TrainingConfig = {
    model: {
      network,
      preconditioning: { sigmaData: 0.6, centre: -0.3 },
      ..."units" in dataset && { units: dataset.units },
      ...objective.kind === "consistency" && { consistency: true },
      ...model,
    },
    objective,
    optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 5 },
    steps: 20,
    batch: 6,
    labelDropout: 0.3,
    seed: 2 ** 40 + 3,
    ...more,
  };
  // Layers that begin with zeros would hide those before them.
  const busy = (purpose: string) =>
    new Map(parameters.map(({ name, shape, mean, std }) => {
      const values = createRng(9).fork(purpose).fork(name).normalValues([1, sizeOf(shape)]);
      return [name, values.map((z) => mean + (std === 0 ? 0.2 : std) * z)];
    }));
  const state = initialState(networkFromConfig(network) as Network, config.seed, busy("student"));
  const average = flatten(parameters, busy("average"));
  const taught = objective.kind === "consistency" && objective.teacher !== null;
  return {
    begin: {
      config,
      state: { ...state, ema: average },
      data: "made up",
      dataset: await datasetIdentity(dataset),
      ...taught && { teacher: flatten(parameters, busy("teacher")) },
    },
    dataset,
  };
}

/** Trainings by what is new in each; together they have every kind of network, objective, weighting and SDE. */
export async function pyTorchCases(): Promise<Readonly<Record<string, PyTorchCase>>> {
  const uncoloured = { ...unet, classes: 0 };
  return {
    "labels, dropout, flips": await training(unet, edm, { flip: true }),
    "waves, attention, colours": await training(
      { ...unet, channels: 3, wavePeriods: [0.7, 2.5], attention: [4] },
      ofSde("vp", { weighting: "likelihood" }),
    ),
    "a border, no labels": await training(
      { ...uncoloured, height: 7, width: 9, unshuffle: 1, widths: [8, 8, 16] },
      ofSde("ve", { times: "importance", weighting: "likelihood" }),
    ),
    "the tutorial's network": await training(
      { ...TUTORIAL, widths: [32, 32, 32, 32], embedding: 8 },
      ofSde("sigma-power"),
      { batch: 2 },
      { preconditioning: null },
    ),
    "the tutorial's pixels from 0 to 1": await training(
      { ...TUTORIAL, widths: [32, 32, 32, 32], embedding: 4, unitRange: true, frequencies: [0.3, -1.2] },
      ofSde("edm"),
      { batch: 2 },
      { preconditioning: null },
    ),
    "points, sub-VP, logit-normal times": await training(
      perceptron,
      ofSde("subvp", { times: "logit-normal", logit: { mean: 0.4, std: 1.3 }, weighting: "likelihood" }),
    ),
    "points, sub-VP, importance": await training(
      perceptron,
      ofSde("subvp", { times: "importance", weighting: "likelihood" }),
    ),
    "points, VP, importance": await training(
      perceptron,
      ofSde("vp", { times: "importance", weighting: "likelihood" }),
    ),
    "points, the flow's velocity": await training(perceptron, ofSde("flow", { weighting: "velocity" })),
    "points, the flow, importance": await training(perceptron, ofSde("flow", { times: "importance" })),
    "points, EDM's SDE": await training(
      { ...perceptron, classes: 0 },
      ofSde("edm", { times: "importance", weighting: "likelihood" }),
    ),
    "points, sigma-power, importance": await training(
      perceptron,
      ofSde("sigma-power", { times: "importance", weighting: "likelihood" }),
    ),
    "levels, a network without noise level": await training(
      { ...uncoloured, noiseConditional: false },
      { kind: "levels", ratios: [0.1, 0.4, 2, 9] },
      {},
      { preconditioning: null },
    ),
    "consistency training": await training(perceptron, consistencyDefaults(2, null)),
    "consistency distillation, labels": await training(
      unet,
      consistencyDefaults(64, { scale: 1.7, from: 0.3, to: 6 }),
    ),
    "consistency distillation, no labels": await training(
      { ...perceptron, classes: 0 },
      consistencyDefaults(2, { scale: 1 }),
    ),
  };
}

/** A training of twenty steps with labels on images, from the weights that its seed draws. */
export async function pyTorchRun(): Promise<PyTorchCase> {
  const { begin, dataset } = await training(unet, edm, { flip: true });
  const state = initialState(networkFromConfig(unet) as Network, begin.config.seed);
  return { begin: { ...begin, state }, dataset };
}

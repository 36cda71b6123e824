/**
 * Runs that take long with real networks and data, each made small: with what they tell of their progress, and how they are ended.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { proceduralDigits } from "../../src/data/digits.ts";
import { imageFolderDataset } from "../../src/data/image_folder.ts";
import { encodePng } from "../../src/images/png.ts";
import { CLASSIFIER_TRAINING } from "../../src/classifiers/training.ts";
import { learnFields } from "../../src/experiments/learned_fields.ts";
import { runClassifierTraining } from "../../src/runs/classifier_training.ts";
import { type ComparisonParts, runComparison } from "../../src/runs/comparison.ts";
import { runElbo } from "../../src/runs/elbo.ts";
import { drawDigits } from "../../src/runs/evaluation.ts";
import { runInterpolation } from "../../src/runs/interpolation.ts";
import { type LikelihoodMethod, runLikelihood } from "../../src/runs/likelihood.ts";
import { runNcsnSchedule } from "../../src/runs/ncsn_schedule.ts";
import { type PlaneExperimentRequest, runPlaneExperiment } from "../../src/runs/plane_experiment.ts";
import { runPosterior } from "../../src/runs/posterior.ts";
import type { PosteriorMethod } from "../../src/runs/posterior_method.ts";
import { runSampling } from "../../src/runs/sampling.ts";
import { runSelection } from "../../src/runs/selection.ts";
import { runTuning } from "../../src/runs/tuning.ts";
import { exactPredictor } from "../instruments/exact_predictor.ts";

/** How a run tells of its progress, and how it is ended. */
export interface Watch {
  readonly onProgress: () => void;
  readonly signal?: AbortSignal;
}

/** A run by its name. */
export interface LongRun {
  readonly name: string;
  /** False where the run cannot come to its end with what it is given here. */
  readonly whole?: boolean;
  run(watch: Watch): Promise<unknown>;
}

const shape = [2, 2, 1];
const sde = { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 } as const;
const sampling = {
  sde,
  sampler: { name: "ode-heun", options: {} },
  grid: { kind: "uniform", steps: 3 },
} as const;
const drawn = { guidance: { scale: 1 }, classifierScale: 0, count: 5, batch: 2, seed: 5 };
const predictor = (classes = 0) =>
  exactPredictor(shape, { classes, preconditioning: { sigmaData: 0.6, centre: -0.7 } }).noisePredictor;

/** Square images of a few pixels, all different. */
function images(count: number, side = 2): ImageDataset {
  const values = createRng(3).uniformValues([count, side ** 2]);
  return {
    ...{ name: "images", count, shape: [side, side, 1], classes: 1, labels: new Uint8Array(count) },
    images: Uint8Array.from(values, (value) => Math.floor(256 * value)),
  };
}

const likelihood = (method: LikelihoodMethod) => ({ onProgress, signal }: Watch) =>
  runLikelihood({ sde, minNoise: 0.05, method, limit: 4, batch: 2, seed: 6 }, {
    ...{ noisePredictor: predictor(), images: images(4), onBatch: onProgress, signal },
  });

const posterior = (method: PosteriorMethod, noise: number) => ({ onProgress, signal }: Watch) =>
  runPosterior({
    ...{ ...sampling, measurement: { kind: "mask", mask: "left" }, noise, method },
    ...{ label: "none", count: 3, batch: 4, seed: 5 },
  }, {
    noisePredictor: predictor(),
    inputs: { count: 2, images: Float32Array.of(-1, -0.5, 0, 0.5, 1, 0.25, -0.25, 0.75), labels: null },
    ...{ onStep: onProgress, signal },
  });

const plane = (request: PlaneExperimentRequest) => ({ onProgress, signal }: Watch) =>
  runPlaneExperiment(request, { onStep: onProgress, signal });

const reference = {
  classifier: new Map(),
  reference: { floor: {} },
} as unknown as ComparisonParts["reference"];
const picture = encodePng({ width: 2, height: 2, data: new Uint8Array(16).fill(200) });
const mixture = GaussianMixture.from({
  weights: [0.5, 0.5],
  means: [[-1, 0], [1, 0]],
  covariances: [[[0.1, 0], [0, 0.1]], [[0.1, 0], [0, 0.1]]],
});

/** All of them. */
export const longRuns: readonly LongRun[] = [
  {
    name: "sampling",
    run: ({ onProgress, signal }) =>
      Array.fromAsync(runSampling({
        ...{ ...sampling, ...drawn, label: "none", denoise: true, frames: true },
        shard: { index: 1, shards: 1 },
      }, { noisePredictor: predictor(), onStep: onProgress, signal })),
  },
  {
    name: "digits of every class",
    run: ({ onProgress, signal }) =>
      drawDigits({ ...sampling, ...drawn }, { noisePredictor: predictor(3), onStep: onProgress, signal }),
  },
  { name: "replacement", run: posterior({ name: "replacement" }, 0) },
  { name: "posterior scores", run: posterior({ name: "pigdm", iterations: 2 }, 0.1) },
  {
    name: "the variational bound",
    run: ({ onProgress, signal }) =>
      runElbo({ betas: [0.1, 0.2, 0.3, 0.4], variances: "learned", limit: 4, batch: 2, seed: 1 }, {
        ...{ noisePredictor: predictor(), images: images(4), training: images(2) },
        ...{ onStep: onProgress, signal },
      }),
  },
  {
    name: "interpolation",
    run: ({ onProgress, signal }) =>
      runInterpolation({ images: [0, 1, 2], between: 2, sde, minNoise: 0.05, tolerance: 1e-2 }, {
        ...{ noisePredictor: predictor(), images: images(4), onStep: onProgress, signal },
      }),
  },
  {
    name: "likelihood by Runge–Kutta",
    run: likelihood({ kind: "rk4", steps: 4, probes: 2, dequantization: "uniform" }),
  },
  {
    name: "likelihood by Dormand–Prince",
    run: likelihood({ kind: "dopri5", tolerance: 1e-2, probes: 1, dequantization: "truncated-normal" }),
  },
  { name: "the continuous bound", run: likelihood({ kind: "elbo", draws: 3 }) },
  {
    name: "selection",
    run: ({ onProgress, signal }) =>
      runSelection({
        ...{
          models: [{ name: "a", sde }, { name: "b", sde }],
          sampler: sampling.sampler,
          grid: sampling.grid,
        },
        ...{ count: 4, batch: 2, seed: 1 },
      }, {
        dataset: images(8, 4),
        load: () => Promise.resolve(exactPredictor([4, 4, 1]).noisePredictor),
        ...{ onStep: onProgress, signal },
      }),
  },
  {
    name: "comparison",
    whole: false,
    run: ({ onProgress, signal }) =>
      runComparison({
        ...{
          sdes: { vp: sde },
          samplers: ["ode-heun"],
          nfe: [],
          steps: [3, 4],
          grid: "uniform",
          options: {},
        },
        ...{ baseline: null, guidance: { scale: 1 }, count: 10, batch: 5, seed: 4, show: 3 },
      }, {
        network: { name: "n", noisePredictor: predictor(10) },
        ...{ reference, onStep: onProgress, signal },
      }),
  },
  {
    name: "tuning",
    whole: false,
    run: ({ onProgress, signal }) =>
      runTuning({
        ...{ ...sampling, grid: { kind: "uniform" }, steps: [3], snr: [], gamma: [], metric: "frechet" },
        ...{ repeats: 1, guidance: { scale: 1 }, count: 10, batch: 5, seed: 4 },
      }, { noisePredictor: predictor(10), reference, onStep: onProgress, signal }),
  },
  {
    name: "training of a classifier",
    run: ({ onProgress, signal }) =>
      runClassifierTraining({ ...CLASSIFIER_TRAINING, noisy: false, steps: 3, batch: 2 }, {
        ...{ train: proceduralDigits(4, createRng(2)), test: proceduralDigits(4, createRng(3)) },
        ...{ onStep: onProgress, signal },
      }),
  },
  {
    name: "NCSN's levels",
    run: ({ onProgress, signal }) =>
      runNcsnSchedule({ kind: "ncsnv2", limit: null, smallest: 0.01, overlap: 0.5, stepsPerLevel: 5 }, {
        images: images(2100, 16),
        ...{ onProgress, signal },
      }),
  },
  {
    name: "a folder of images",
    run: ({ onProgress, signal }) => {
      const files = ["a/1.png", "a/2.png", "b/1.png"].map((path) => ({ path, bytes: picture }));
      return imageFolderDataset(files, { onProgress, signal });
    },
  },
  {
    name: "Langevin dynamics",
    run: plane({ experiment: "langevin", data: "mixture", count: 8, steps: 6, stepSize: 0.01, seed: 1 }),
  },
  {
    name: "score matchings",
    run: ({ onProgress, signal }) =>
      learnFields(mixture, {
        ...{
          sigma: 0.3,
          steps: 200,
          batch: 4,
          hidden: 4,
          seed: 1,
          methods: ["denoising", "noise-conditional"],
        },
        ...{ onStep: onProgress, signal },
      }).then((fields) => fields.forEach((field) => field.dispose())),
  },
  {
    name: "separated modes",
    run: plane({ experiment: "modes", count: 8, steps: 8, separation: 6, weight: 0.8, seed: 1 }),
  },
  {
    name: "densities",
    run: plane({ experiment: "densities", data: "mixture", count: 8, moments: 3, seed: 1 }),
  },
];

/**
 * Draws batches of digits from a trained network: what `sample` and `evaluate` share.
 * @module
 */
import type { Engine } from "../../src/compute/engine.ts";
import type { Rng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { classifierGuided } from "../../src/conditioning/guidance.ts";
import { fromModel } from "../../src/data/dataset.ts";
import { type NoisePredictor, type ScoreModel, scoreModel } from "../../src/diffusion/noise_predictor.ts";
import { noiseRatio } from "../../src/diffusion/sde.ts";
import { checkedGuidance, type Guidance } from "../../src/networks/guidance_interval.ts";
import type { NetworkPredictor } from "../../src/networks/network_predictor.ts";
import {
  loadNoisyClassifier,
  NOISY_CLASSIFIER_SHAPE,
  type NoisyDigitClassifier,
} from "../../src/classifiers/noisy_classifier.ts";
import type { SampleStep } from "../../src/samplers/sample.ts";
import { UsageError } from "../cli/flags.ts";
import { type Batch, type BatchOptions, type Part, runBatches } from "./run_batches.ts";
import type { Sampling } from "./sampling.ts";

/** The most frames of an animation. */
const mostFrames = 60;

/**
 * The labels of a batch: one for all, "none", "random" for classes drawn at random, "cycle" for one class after the other. A
 * sample's own class does not depend on its batch.
 */
export function drawLabels(label: string, classes: number, rng: Rng, rows: number): number | null | number[] {
  if (label === "none" || (classes === 0 && (label === "random" || label === "cycle"))) return null;
  if (label === "cycle") return Array.from({ length: rows }, (_, row) => (rng.firstSample + row) % classes);
  if (label !== "random") return Number(label);
  const uniforms = rng.fork("labels").uniformValues([rows, 1]);
  return Array.from(uniforms, (u) => Math.floor(u * classes));
}

/**
 * Refuses a class that a network does not have, before anything is drawn.
 * @param label A class by its number, "random" for one drawn for each sample, or "none".
 * @throws UsageError naming the label and the network's labels
 */
export function checkLabel(label: string, { network: { classes } }: NetworkPredictor): void {
  if (label === "none" || (classes > 0 && (label === "random" || Number(label) < classes))) return;
  const has = classes === 0 ? "the network has no labels" : `the network's labels are 0 to ${classes - 1}`;
  throw new UsageError(`--label ${label}: ${has}`);
}

/** A classifier of noisy digits, and how strongly its gradient is followed. */
export interface ClassifierGuide {
  readonly classifier: NoisyDigitClassifier;
  readonly scale: number;
}

/**
 * The classifier that comes with the project, to be disposed; null for scale 0.
 * @throws UsageError when the network's samples have another shape than the classifier's digits
 */
export async function openClassifierGuide(
  { network }: NetworkPredictor,
  scale = 0,
): Promise<ClassifierGuide | null> {
  if (scale === 0) return null;
  if (String(network.sampleShape) !== String(NOISY_CLASSIFIER_SHAPE)) {
    throw new UsageError(
      `--classifier-scale is for digits of shape [${NOISY_CLASSIFIER_SHAPE}], the checkpoint has [${network.sampleShape}]`,
    );
  }
  return { classifier: await loadNoisyClassifier(), scale };
}

/** What to draw. */
export interface DrawOptions extends Sampling, BatchOptions {
  /** See {@linkcode drawLabels}. */
  readonly label: string;
  /** How the network follows its labels; scale 0 for a network without them. */
  readonly guidance: number | Guidance;
  /** A classifier whose gradient leads to the label, too; default none. */
  readonly guide?: ClassifierGuide | null;
  readonly denoise: boolean;
  /** Whether states on the way are wanted. */
  readonly frames: boolean;
}

/** A finished batch; values are in [0, 1], and evaluations are network calls: one with guidance is two. */
export interface DrawnBatch extends Batch {
  /** As many values a frame; empty unless they are wanted. */
  readonly frames: readonly Float32Array[];
}

/** Draws the batches of a part, one after the other. */
export async function* drawBatches(
  noisePredictor: NetworkPredictor,
  engine: Engine,
  part: Part,
  options: DrawOptions,
): AsyncGenerator<DrawnBatch, void, void> {
  const { sde, sampler, grid, rows, denoise, guidance, guide = null } = options;
  const { sampleShape, classes } = noisePredictor.network;
  const stride = Math.ceil(grid.steps / (mostFrames - 1));
  let evaluations = 0;
  let frames: Float32Array[] = [];
  const batches = runBatches(engine, sampleShape, part, options, async (first, rng) => {
    evaluations = 0;
    frames = [];
    const labels = drawLabels(options.label, guide?.classifier.classes ?? classes, rng, rows);
    const conditioned = classes === 0 || checkedGuidance(guidance).scale === 0
      ? noisePredictor
      : noisePredictor.withLabels(labels, guidance);
    if (first === part.first * rows) {
      await conditioned.prepare(rows);
      await guide?.classifier.prepare(rows);
    }
    const counted: NoisePredictor = {
      ...conditioned.consistency && { consistency: conditioned.consistency },
      predictNoise(y, noiseRatio) {
        evaluations += conditioned.calls(noiseRatio);
        return conditioned.predictNoise(y, noiseRatio);
      },
    };
    const unguided = scoreModel(counted, sde);
    const model = guide === null || labels === null
      ? unguided
      : classifierGuided(unguided, guide.classifier, labels, guide.scale);
    const watch = async ({ step, x, time }: SampleStep) => {
      if (!options.frames || step % stride !== 0) return;
      const state = rescaleNoise(noisePredictor, model, x, time);
      frames.push(fromModel(await state.data<"float32">()));
      state.dispose();
    };
    return { model, sampler, denoise, watch };
  });
  for await (const { first, samples, values: drawn } of batches) {
    const values = fromModel(drawn);
    const kept = frames.map((frame) => frame.subarray(0, values.length));
    yield { first, samples, values, evaluations, frames: options.frames ? [...kept, values] : [] };
  }
}

/** A state on the way, with its noise scaled down so that the whole has the spread of the data. */
function rescaleNoise(
  noisePredictor: NetworkPredictor,
  { sde }: ScoreModel,
  x: tf.Tensor,
  time: number,
): tf.Tensor {
  const { sigmaData, centre } = noisePredictor.config.preconditioning ?? { sigmaData: 0.5, centre: 0 };
  const spread = sigmaData / Math.hypot(sigmaData, noiseRatio(sde, time));
  return tf.tidy(() => tf.add(tf.mul(tf.sub(tf.div(x, sde.alpha(time)), centre), spread), centre));
}

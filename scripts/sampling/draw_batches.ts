/**
 * Draws batches of digits from a trained network: what `sample` and `evaluate` share.
 * @module
 */
import type { Engine } from "../../src/compute/engine.ts";
import { createRng, type Rng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { classifierGuided } from "../../src/conditioning/guidance.ts";
import { fromModel } from "../../src/data/dataset.ts";
import { type NoisePredictor, type ScoreModel, scoreModel } from "../../src/diffusion/noise_predictor.ts";
import { readModel } from "../../src/networks/model_file.ts";
import { checkedGuidance, type Guidance } from "../../src/networks/guidance_interval.ts";
import { type NetworkPredictor, networkPredictor } from "../../src/networks/network_predictor.ts";
import {
  loadNoisyClassifier,
  NOISY_CLASSIFIER_SHAPE,
  type NoisyDigitClassifier,
} from "../../src/classifiers/noisy_classifier.ts";
import { loadPretrained, type PretrainedName, pretrainedNames } from "../../src/pretrained.ts";
import { sample } from "../../src/samplers/sample.ts";
import type { Sampler } from "../../src/samplers/sampler.ts";
import { noiseRatio, type Sde, veSde } from "../../src/diffusion/sde.ts";
import { sdeByName, type SdeName, sdeNames } from "../../src/diffusion/sde_registry.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";
import { sizeOf } from "../../src/math/shape.ts";
import { chains } from "./ddpm_chains.ts";
import { readWhole } from "../cli/files.ts";
import { UsageError } from "../cli/flags.ts";

/** The most frames of an animation. */
const mostFrames = 60;

/** VE between the noise ratios that training saw; the others as their papers have them; DDPM's chains in discrete time. */
export const sdes = {
  ...Object.fromEntries(sdeNames.map((name) => [name, () => sdeByName(name)])) as Record<SdeName, () => Sde>,
  ve: () => veSde({ sigmaMin: 0.005, sigmaMax: 40 }),
  ...chains,
};

/** The sampler that scripts use unasked. */
export const DEFAULT_SAMPLER = "dpm++2m";

/** The guidance of the shipped network: the best of those measured in docs/engines.md. A scale of 1 would be no guidance. */
export const DEFAULT_GUIDANCE = { scale: 1.3, from: 0.6, to: 6 } as const satisfies Guidance;

/**
 * The network in a checkpoint, or one that comes with the project: the one of this name unless the checkpoint names another.
 * @param kind What the task can use: a score network, or a consistency function as well.
 * @throws UsageError for a consistency function where a score is needed
 */
export async function loadCheckpoint(
  checkpoint: string | undefined,
  name: PretrainedName = "mnist",
  kind: "score" | "either" = "score",
): Promise<NetworkPredictor> {
  const noisePredictor = await loadAny(checkpoint, name);
  if (kind === "either" || !noisePredictor.consistency) return noisePredictor;
  noisePredictor.dispose();
  throw new UsageError(
    `"${checkpoint}" is a consistency function, which has no score: deno task sample and deno task evaluate draw from it`,
  );
}

async function loadAny(checkpoint: string | undefined, name: PretrainedName): Promise<NetworkPredictor> {
  if (checkpoint === undefined) return await loadPretrained(name);
  const shipped = pretrainedNames.find((name) => name === checkpoint);
  if (shipped !== undefined) return await loadPretrained(shipped);
  const bytes = await readWhole(checkpoint);
  try {
    const { config, weights } = readModel(bytes);
    return networkPredictor(config, weights);
  } catch (error) {
    throw new Error(`"${checkpoint}" cannot be used: ${error instanceof Error ? error.message : error}`);
  }
}

/** SHA-256 of a network's config and weights, in hexadecimal digits. */
export async function fingerprint({ config, parameters }: NetworkPredictor): Promise<string> {
  const pieces: Uint8Array<ArrayBuffer>[] = [new TextEncoder().encode(JSON.stringify(config))];
  for (const tensor of Object.values(parameters)) {
    pieces.push(new Uint8Array(Float32Array.from(await tensor.data<"float32">()).buffer));
  }
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

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
 * @throws UsageError when the network's samples are nothing that it knows
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

/** The batches with index `first` up to `end` (excluded) of a run that draws `count` samples. */
export interface Part {
  readonly first: number;
  readonly end: number;
}

/**
 * The i-th of n contiguous parts of a run, i from 1. Parts meet at borders between batches, so that every sample is
 * computed in the same batch whether the run is split or not, and its bytes are the same on one engine.
 */
export function shardBatches(index: number, shards: number, count: number, rows: number): Part {
  const batches = Math.ceil(count / rows);
  return {
    first: Math.floor((index - 1) * batches / shards),
    end: Math.floor(index * batches / shards),
  };
}

/** What to draw. */
export interface DrawOptions {
  readonly sde: Sde;
  readonly sampler: Sampler;
  readonly grid: GridConfig;
  readonly seed: number;
  /** See {@linkcode drawLabels}. */
  readonly label: string;
  /** How the network follows its labels; scale 0 for a network without them. */
  readonly guidance: number | Guidance;
  /** What leads to the label beside the network itself; default nothing. */
  readonly guide?: ClassifierGuide | null;
  readonly denoise: boolean;
  /** Samples of the whole run. */
  readonly count: number;
  /** Samples in a batch: every batch has as many, the last one too, and what is too many is dropped. */
  readonly rows: number;
  /** Whether states on the way are wanted. */
  readonly frames: boolean;
  /** Told after every step how many were taken, all batches together. */
  readonly onStep: (steps: number) => void;
}

/** A finished batch; values are in [0, 1]. */
export interface DrawnBatch {
  /** Index of its first sample. */
  readonly first: number;
  readonly samples: number;
  /** [samples, …sampleShape]. */
  readonly values: Float32Array;
  /** As many values a frame; empty unless they are wanted. */
  readonly frames: readonly Float32Array[];
  /** Calls of the network for the batch: guidance asks it twice, in one batch of both. */
  readonly evaluations: number;
}

/** Draws the batches of a part, one after the other. */
export async function* drawBatches(
  noisePredictor: NetworkPredictor,
  engine: Engine,
  part: Part,
  options: DrawOptions,
): AsyncGenerator<DrawnBatch, void, void> {
  const { sde, sampler, grid, rows, denoise, guide = null } = options;
  const { sampleShape, classes } = noisePredictor.network;
  const stride = Math.ceil(grid.steps / (mostFrames - 1));
  for (let index = part.first; index < part.end; index++) {
    const first = index * rows;
    const samples = Math.min(rows, options.count - first);
    const rng = createRng(options.seed).startingAt(first);
    const labels = drawLabels(options.label, guide?.classifier.classes ?? classes, rng, rows);
    const { scale } = checkedGuidance(options.guidance);
    const conditioned = classes === 0 || scale === 0
      ? noisePredictor
      : noisePredictor.withLabels(labels, options.guidance);
    if (index === part.first) {
      await conditioned.prepare(rows);
      await guide?.classifier.prepare(rows);
    }
    let evaluations = 0;
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
    const frames: Float32Array[] = [];
    const kept = async (x: tf.Tensor) =>
      fromModel(await x.data<"float32">()).slice(0, samples * sizeOf(sampleShape));
    for await (const look of sample(model, sampler, { shape: [rows, ...sampleShape], grid, rng, denoise })) {
      if (options.frames && !look.done && look.step % stride === 0) {
        const state = rescaleNoise(noisePredictor, model, look.x, look.time);
        frames.push(await kept(state));
        state.dispose();
      }
      options.onStep((index - part.first) * grid.steps + look.step);
      if (!look.done) continue;
      const values = await kept(look.x);
      look.x.dispose();
      if (options.frames) frames.push(values);
      engine.check();
      yield { first, samples, values, frames, evaluations };
    }
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

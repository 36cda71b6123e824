/**
 * Choosing among the models of one training run as one call: images of each, and their Fréchet distances to the data.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import { createRng } from "../compute/rng.ts";
import { shuffledBatches } from "../data/batches.ts";
import { type ImageDataset, imageSize, modelToBytes } from "../data/dataset.ts";
import type { SdeConfig } from "../diffusion/sde.ts";
import {
  requireArray,
  requireFunction,
  requireOptions,
  requireText,
  requireWhole,
} from "../input/require.ts";
import {
  requireDataset,
  requireNetworkPredictor,
  requireSignal,
  requireSome,
} from "../input/require_parts.ts";
import { type FeatureMoments, featureMoments, frechetDistance } from "../metrics/frechet.ts";
import { patchStatistics } from "../metrics/pooled_features.ts";
import type { NetworkPredictor } from "../networks/network_predictor.ts";
import { drawDigits } from "./evaluation.ts";
import { openSampling, type SamplingConfig } from "./sampling.ts";

/** A model to choose from. */
export interface CandidateModel {
  /** What the model is called, as {@linkcode SelectionParts.load} is. */
  readonly name: string;
  /** The SDE that is reversed: models of one run differ where each was trained with a σ of its own. */
  readonly sde: SdeConfig;
}

/** A choice to make, as plain data. */
export interface SelectionRequest extends Pick<SamplingConfig, "sampler" | "grid"> {
  /** The models, at least one; of equally good ones the first is chosen. */
  readonly models: readonly CandidateModel[];
  /** Images of each model, from 2 to 1000000. */
  readonly count: number;
  /** Images drawn at once, from 1 on. */
  readonly batch: number;
  /** The seed of all that is random, the same for all models. */
  readonly seed: number;
}

/** What a choice needs beside the request. */
export interface SelectionParts {
  /** The images that the models were trained on, 2 or more. */
  readonly dataset: ImageDataset;
  /** Opens the model of a name; it is disposed when its images are drawn. */
  readonly load: (name: string) => NetworkPredictor | Promise<NetworkPredictor>;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** Called after every step with the number of steps so far, all models together. */
  readonly onStep?: (steps: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What was measured. */
export interface SelectionResult {
  /** Each model's Fréchet distance to the data, on the features of {@linkcode patchStatistics}, in the order of the request. */
  readonly models: readonly { readonly name: string; readonly frechet: number }[];
  /** The name of the model with the smallest distance. */
  readonly best: string;
  /** The distance of as many images of the data, drawn at random without repetition; 0 where there are no more. */
  readonly floor: number;
}

/**
 * Draws images of each model and measures their distances to the data.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, or a model's samples have another shape
 * than the images.
 */
export async function runSelection(
  request: SelectionRequest,
  parts: SelectionParts,
): Promise<SelectionResult> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  const { models, sampler, grid, count, batch, seed } = request;
  const { dataset, load, engine, onStep = () => {}, signal } = parts;
  requireArray("models", models);
  requireSome("models", models);
  for (const model of models) {
    requireOptions("a model", model);
    requireText("the name of a model", model.name);
    openSampling({ sde: model.sde, sampler, grid });
  }
  requireWhole("count", count, 2, 1_000_000);
  requireWhole("batch", batch, 1);
  requireWhole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  requireDataset("dataset", dataset);
  requireFunction("load", load);
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  const known = moments(dataset);
  const steps = Math.ceil(count / batch) * grid.steps;
  const measured: { name: string; frechet: number }[] = [];
  for (const [at, { name, sde }] of models.entries()) {
    const noisePredictor = await load(name);
    requireNetworkPredictor("the model", noisePredictor);
    try {
      const { sampleShape } = noisePredictor.network;
      if (String(sampleShape) !== String(dataset.shape)) {
        throw new RangeError(
          `${name} is for images of shape [${sampleShape}], the data have [${dataset.shape}]`,
        );
      }
      const { images } = await drawDigits({
        ...{ sde, sampler, grid, count, batch, seed },
        guidance: { scale: 1 },
        classifierScale: 0,
      }, { noisePredictor, engine, signal, onStep: (taken) => onStep(at * steps + taken) });
      const drawn = { ...dataset, count, images: modelToBytes(images) };
      measured.push({ name, frechet: frechetDistance(moments(drawn), known) });
    } finally {
      noisePredictor.dispose();
    }
  }
  const best = measured.reduce((least, each) => each.frechet < least.frechet ? each : least);
  return {
    models: measured,
    best: best.name,
    floor: frechetDistance(moments(some(dataset, count)), known),
  };
}

function moments(images: ImageDataset): FeatureMoments {
  const { features, dimension } = patchStatistics(images);
  return featureMoments(features, dimension);
}

/** So many images, drawn at random without repetition, since files are in an order of their own; all when there are no more. */
function some(dataset: ImageDataset, count: number): ImageDataset {
  if (count >= dataset.count) return dataset;
  const size = imageSize(dataset);
  const images = new Uint8Array(count * size);
  const { indices } = shuffledBatches(dataset, count, createRng(0))(0);
  indices.forEach((from, to) =>
    images.set(dataset.images.subarray(from * size, (from + 1) * size), to * size)
  );
  return { ...dataset, count, images };
}

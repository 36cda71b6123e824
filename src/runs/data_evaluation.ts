/**
 * Measuring samples of any data against data as one call: distances of points, or a Fréchet distance of images.
 * @module
 */
import { createRng } from "../compute/rng.ts";
import { type ImageDataset, modelToBytes } from "../data/dataset.ts";
import { type Dataset, someOf } from "../data/held_out.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { requireNetworkPredictor, requireSamples } from "../input/require_parts.ts";
import { energyDistance } from "../metrics/energy_distance.ts";
import { featureMoments, frechetDistance } from "../metrics/frechet.ts";
import { patchStatistics } from "../metrics/pooled_features.ts";
import { slicedWasserstein } from "../metrics/sliced_wasserstein.ts";
import { type DigitsParts, drawDigits, type DrawingRequest } from "./evaluation.ts";

/** The most points on each side of a distance: the energy distance compares every one with every other. */
const MOST_POINTS = 2000;
/** Directions of the sliced Wasserstein distance. */
const DIRECTIONS = 256;
/** Parts of an image in a row and in a column. */
const CELLS = 4;

/** What drawing and measuring needs beside the request. */
export interface DataEvaluationParts extends DigitsParts {
  /** What samples are measured against, such as data that were held out; in the units of the network. */
  readonly reference: Dataset;
  /** Further data, of which as many as samples are measured in the same way. */
  readonly others: Dataset;
}

/** Distances to the reference; those that are for other data are null. */
export interface DataDistances {
  /** Sliced Wasserstein distance of points, in standard deviations of the training data's coordinates. */
  readonly slicedWasserstein: number | null;
  /** Energy distance of points, in the same; around 0, also below it, where the distributions are equal. */
  readonly energy: number | null;
  /** Fréchet distance of images on means and deviations of 4×4 parts. */
  readonly frechet: number | null;
}

/** What was measured. */
export interface DataEvaluationResult {
  /** Distances of the samples. */
  readonly distances: DataDistances;
  /** Distances of as many of the others. */
  readonly floor: DataDistances;
  /** How many of the reference were compared with. */
  readonly referenceCount: number;
  /** How many of the others; fewer than samples where there are no more. */
  readonly floorCount: number;
  /** Network evaluations that each sample took. */
  readonly evaluations: number;
  /** What drawing took. */
  readonly seconds: number;
}

/**
 * Draws samples and measures them against data, beside other data.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, or the data have another shape than the
 * network's samples.
 */
export async function runDataEvaluation(
  request: DrawingRequest,
  parts: DataEvaluationParts,
): Promise<DataEvaluationResult> {
  requireOptions("a request", request);
  requireOptions("parts", parts);
  const { noisePredictor, reference, others } = parts;
  requireNetworkPredictor("noisePredictor", noisePredictor);
  const { sampleShape } = noisePredictor.network;
  for (const [name, data] of Object.entries({ reference, others })) {
    requireSamples(name, data);
    if (String(data.shape) === String(sampleShape) && data.count >= 2) continue;
    throw new RangeError(
      `${name} must hold two or more samples of shape [${sampleShape}], got ${data.count} of [${data.shape}]`,
    );
  }
  requireWhole("count", request.count, 2, 1_000_000);
  const known = someOf(reference, sampleShape.length === 1 ? MOST_POINTS : Infinity);
  const some = someOf(others, request.count);
  const { images, evaluations, seconds } = await drawDigits(request, parts);
  const measure = distancesTo(known);
  return {
    distances: measure(images),
    floor: measure(modelValues(some)),
    referenceCount: known.count,
    floorCount: some.count,
    evaluations,
    seconds,
  };
}

/** The distances of model values [N, …] to data. */
function distancesTo(data: Dataset): (values: Float32Array) => DataDistances {
  const { shape } = data;
  if (shape.length !== 1) {
    const known = moments(modelValues(data), shape);
    return (values) => ({
      slicedWasserstein: null,
      energy: null,
      frechet: frechetDistance(moments(values, shape), known),
    });
  }
  const [dimension] = shape;
  // A standard deviation is ½ in model units.
  const inDeviations = (values: Float32Array) => values.map((value) => 2 * value);
  const known = inDeviations(modelValues(data));
  return (values) => {
    const own = inDeviations(values);
    return {
      slicedWasserstein: slicedWasserstein(own, known, dimension, DIRECTIONS, createRng(0)),
      energy: energyDistance(own.subarray(0, MOST_POINTS * dimension), known, dimension),
      frechet: null,
    };
  };
}

function modelValues(data: Dataset): Float32Array {
  return "values" in data ? data.values : Float32Array.from(data.images, (byte) => byte / 127.5 - 1);
}

function moments(values: Float32Array, shape: readonly number[]) {
  const [height, width, channels] = shape;
  const count = values.length / (height * width * channels);
  const images: ImageDataset = {
    ...{ name: "images", count, shape: [height, width, channels], classes: 1 },
    images: modelToBytes(values),
    labels: new Uint8Array(count),
  };
  const { features, dimension } = patchStatistics(images, Math.min(CELLS, height, width));
  return featureMoments(features, dimension);
}

/**
 * Drawing what images could have been, given measurements of them, as one call.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import * as tf from "../compute/tf.ts";
import { CLASSIFIER_SHAPE } from "../classifiers/digit_classifier.ts";
import { linearObservation } from "../conditioning/observation.ts";
import { scoreModel } from "../diffusion/noise_predictor.ts";
import type { Picture } from "../images/png.ts";
import { quoted } from "../input/quoted.ts";
import { requireFloats, requireFunction, requireOptions, requireWhole } from "../input/require.ts";
import { requireNetworkPredictor, requireSignal } from "../input/require_parts.ts";
import { sizeOf } from "../math/shape.ts";
import { type ClassPreservation, classPreservation } from "../metrics/class_preservation.ts";
import { type ColourErrors, colourErrors } from "../metrics/colorization_error.ts";
import type { Weights } from "../networks/network.ts";
import { runBatches, shardBatches } from "./batches.ts";
import {
  measureImages,
  type Measurement,
  type MeasurementModel,
  openMeasurement,
  showMeasurements,
} from "./measurement.ts";
import {
  type HiddenErrors,
  hiddenErrors,
  type PosteriorImages,
  type RestorationErrors,
  restorationErrors,
} from "./posterior_errors.ts";
import { checkMethod, conditioned, type PosteriorMethod, posteriorMethods } from "./posterior_method.ts";
import { openSampling, type Sampling, type SamplingConfig } from "./sampling.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/** Samples to draw for measurements of images, as plain data. */
export interface PosteriorRequest extends SamplingConfig {
  /** What is seen of the images. */
  readonly measurement: Measurement;
  /** Standard deviation of the noise on what is seen, in units of a pixel's range, from 0 to 100. */
  readonly noise: number;
  /** How samples are conditioned on it. replacement and repaint take masks and grey, without noise. */
  readonly method: PosteriorMethod;
  /** The samples' class: none, "own" for that of each image, or a number. */
  readonly label: number | "own" | "none";
  /** Samples of each image, 1 to 10000. */
  readonly count: number;
  /** Samples drawn at once, from 1; no more than there are to draw. */
  readonly batch: number;
  /** The seed of all that is random. */
  readonly seed: number;
}

/** The images that are measured. */
export interface PosteriorInputs {
  /** How many. */
  readonly count: number;
  /** [count, …sampleShape] in [−1, 1]. */
  readonly images: Float32Array;
  /** Their classes; null where nobody knows them. */
  readonly labels: Uint8Array | null;
}

/** What a run needs beside its request. */
export interface PosteriorParts {
  /** The network. */
  readonly noisePredictor: SampledNetwork;
  /** The images. */
  readonly inputs: PosteriorInputs;
  /** The picture of a measurement of the kind `picture-mask`. */
  readonly picture?: Picture;
  /** The digit classifier that says which samples have their image's class; without it nobody does. */
  readonly classifier?: Weights;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
  /** Called after every step with the number of steps so far, all batches together. */
  readonly onStep?: (steps: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a run drew, and how it compares with the images. */
export interface PosteriorResult extends PosteriorImages {
  /** The measurements as images in model units, [inputs, …shape]. */
  readonly seen: Float32Array;
  /** Where the measurement is a mask: how known and hidden pixels differ. */
  readonly hidden: HiddenErrors | null;
  /** Where it is grey: how right the colours are. */
  readonly colours: ColourErrors | null;
  /** Where it is another: distances from the images and their measurements. */
  readonly errors: RestorationErrors | null;
  /** How often samples have their image's class; null unless the images are grey digits with classes, and a classifier is given. */
  readonly classes: ClassPreservation | null;
  /** Evaluations of the conditioned score in a batch, each of them several calls of the network. */
  readonly evaluations: number;
  /** What drawing took. */
  readonly seconds: number;
}

/**
 * Draws samples of what measured images could have been, as many for each; sample j of image i is the run's sample
 * i · (samples of each) + j, the same for any batch up to rounding.
 *
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is drawn.
 */
export async function runPosterior(
  request: PosteriorRequest,
  parts: PosteriorParts,
): Promise<PosteriorResult> {
  requireOptions("parts", parts);
  const { noisePredictor, inputs, picture, classifier, engine, onStep = () => {}, signal } = parts;
  requireNetworkPredictor("noisePredictor", noisePredictor);
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  requireOptions("a posterior request", request);
  const shape = noisePredictor.network.sampleShape;
  requireInputs(inputs, shape);
  const { measurement, noise, seed, count: samples } = request;
  const model = openMeasurement(measurement, { shape, noise, seed, picture });
  checkPosteriorRequest(request, model);
  const sampling = openSampling(request);
  const classes = classesOf(request.label, inputs, noisePredictor.network.classes);
  const { count, images: originals, labels } = inputs;
  const measured = measureImages(originals, count, model, seed);
  try {
    const conditions = { ...sampling, noisePredictor, inputs, model, measured, classes };
    const drawn = await drawPosterior(request, conditions, { engine, onStep, signal });
    const all = { shape, inputs: count, samples, originals, values: drawn.values };
    const mask = model.known?.basis === undefined ? model.known?.mask : undefined;
    const compared = classifier !== undefined && labels !== null &&
      String(shape) === String(CLASSIFIER_SHAPE);
    return {
      ...all,
      seen: await showMeasurements(originals, measured, model),
      hidden: mask === undefined ? null : hiddenErrors(all, mask),
      colours: measurement.kind === "grey" ? colourErrors(originals, drawn.values, count, samples) : null,
      errors: model.known === null ? await restorationErrors(all, model.operator, measured) : null,
      classes: compared ? await classPreservation(classifier, drawn.values, labels) : null,
      evaluations: drawn.evaluations,
      seconds: drawn.seconds,
    };
  } finally {
    measured.dispose();
  }
}

/** Refuses numbers out of their range and methods that a measurement cannot have. */
function checkPosteriorRequest(request: PosteriorRequest, model: MeasurementModel): void {
  const { method, count, batch, sampler } = request;
  requireWhole("count", count, 1, 10_000);
  requireWhole("batch", batch, 1);
  requireOptions("sampler", sampler);
  checkMethod({ method, count, batch, sampler: sampler.name }, model);
}

function requireInputs(inputs: PosteriorInputs, shape: readonly number[]): void {
  requireOptions("inputs", inputs);
  const { count, images, labels } = inputs;
  requireWhole("inputs.count", count, 1, 10_000);
  requireFloats("inputs.images", images);
  if (images.length !== count * sizeOf(shape)) {
    throw new RangeError(
      `inputs.images must hold ${count} images of shape [${shape}], got ${images.length} values`,
    );
  }
  if (labels !== null && !(labels instanceof Uint8Array && labels.length === count)) {
    throw new TypeError(
      `inputs.labels must be null or ${count} classes in a Uint8Array, got ${quoted(labels)}`,
    );
  }
}

/** The class that each image's samples are drawn for; null for none. */
function classesOf(
  label: PosteriorRequest["label"],
  { labels, count }: PosteriorInputs,
  classes: number,
): number[] | null {
  if (label === "none") return null;
  if (classes === 0) {
    throw new RangeError(`label is for networks with labels, got ${quoted(label)} for one without`);
  }
  if (label === "own") {
    if (labels === null) throw new RangeError(`label "own" needs inputs whose class is known`);
    return Array.from(labels);
  }
  if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
    throw new RangeError(
      `label must be a class from 0 to ${classes - 1}, "own" or "none", got ${quoted(label)}`,
    );
  }
  return new Array(count).fill(label);
}

/** What samples are drawn with, and for. */
interface Conditions extends Sampling, Pick<PosteriorParts, "noisePredictor" | "inputs"> {
  readonly model: MeasurementModel;
  /** [inputs, …model.operator.outputShape]. */
  readonly measured: tf.Tensor;
  /** [inputs]; null for none. */
  readonly classes: readonly number[] | null;
}

/** The samples in model units, not clipped. */
async function drawPosterior(
  request: PosteriorRequest,
  { sde, sampler, grid, noisePredictor, inputs, model: measurement, measured, classes }: Conditions,
  { engine, onStep, signal }: Pick<PosteriorParts, "engine" | "signal"> & { onStep(steps: number): void },
): Promise<Pick<PosteriorResult, "values" | "evaluations" | "seconds">> {
  const { method, count: wanted, seed } = request;
  const each = method.name === "twisted" ? method.particles : wanted;
  const count = inputs.count * each;
  // Whole populations are drawn at once.
  const whole = method.name === "twisted" ? each : 1;
  const rows = Math.floor(Math.min(request.batch, count) / whole) * whole;
  const { operator, noiseStd, known } = measurement;
  const { sampleShape } = noisePredictor.network;
  const dataStd = noisePredictor.config.preconditioning?.sigmaData;
  const values = new Float32Array(count * sizeOf(sampleShape));
  await noisePredictor.prepare(rows, { gradients: posteriorMethods[method.name].gradients });
  const started = performance.now();
  let evaluations = 0;
  const part = shardBatches({ count, batch: rows, shard: { index: 1, shards: 1 } });
  const options = { grid, seed, count, rows, onStep, signal };
  const batches = runBatches(engine, sampleShape, part, options, async (first) => {
    const inputOf = (row: number) => Math.floor(Math.min(count - 1, first + row) / each);
    const places = Int32Array.from({ length: rows }, (_, row) => inputOf(row));
    const [images, y] = tf.tidy(() => {
      const at = tf.tensor1d(places, "int32");
      const all = tf.tensor(inputs.images, [inputs.count, ...sampleShape]);
      // Where nothing is seen, what is gathered has lost its shape.
      const measuredOfRows = tf.reshape(tf.gather(measured, at), [rows, ...operator.outputShape]);
      return [tf.gather(all, at), measuredOfRows];
    });
    const observation = await linearObservation(operator, y, noiseStd);
    const labels = classes === null ? null : Array.from(places, (place) => classes[place]);
    const model = scoreModel(noisePredictor.withLabels(labels), sde);
    const part = known === null ? null : { ...known, known: images };
    const condition = { observation, part, noiseStd, dataStd };
    return { ...conditioned(model, sampler, method, condition), dispose: () => tf.dispose([images, y]) };
  });
  for await (const batch of batches) {
    values.set(batch.values, batch.first * sizeOf(sampleShape));
    evaluations = batch.evaluations;
  }
  const kept = wanted === each ? values : firstOfEach(values, { inputs: inputs.count, each, wanted });
  return { values: kept, evaluations, seconds: (performance.now() - started) / 1000 };
}

/** The first `wanted` of the `each` samples of every image. */
function firstOfEach(
  values: Float32Array,
  { inputs, each, wanted }: { readonly inputs: number; readonly each: number; readonly wanted: number },
): Float32Array {
  const size = values.length / (inputs * each);
  const kept = new Float32Array(inputs * wanted * size);
  for (let input = 0; input < inputs; input++) {
    const start = input * each * size;
    kept.set(values.subarray(start, start + wanted * size), input * wanted * size);
  }
  return kept;
}

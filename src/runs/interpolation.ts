/**
 * Walks between images along their latent codes as one call.
 * @module
 */
import type { Engine } from "../compute/engine.ts";
import * as tf from "../compute/tf.ts";
import { fromModel, type ImageDataset, imageSize, toModel } from "../data/dataset.ts";
import { scoreModel } from "../diffusion/noise_predictor.ts";
import type { SdeConfig } from "../diffusion/sde.ts";
import { sdeFromConfig, withMinimumNoise } from "../diffusion/sde_registry.ts";
import { requireArray, requireBetween, requireOptions, requireWhole } from "../input/require.ts";
import { decodeLatent, encodeLatent, interpolateLatents } from "../likelihood/latents.ts";
import type { FlowMethod } from "../likelihood/probability_flow.ts";
import type { NetworkPredictor } from "../networks/network_predictor.ts";
import { requireSampleShape } from "./sample_shape.ts";

/** Images to walk between, as plain data. */
export interface InterpolationRequest {
  /** Places of images in the data set, from 0 on, two or more, each once: there is a walk from each to the next. */
  readonly images: readonly number[];
  /** Pictures between two images, from 1 to 64. */
  readonly between: number;
  /** The SDE whose flow is followed; no chain in discrete time. */
  readonly sde: SdeConfig;
  /** Noise ratio at which codes begin, above 0 and below the SDE's at tMax: it takes the place of the SDE's own start. */
  readonly minNoise: number;
  /** Relative and absolute tolerance of Dormand–Prince's steps, from 1e-9 to 1. */
  readonly tolerance: number;
}

/** What walking needs beside the request. */
export interface InterpolationParts {
  /** The network. */
  readonly noisePredictor: NetworkPredictor;
  /** The images, of the shape of the network's samples. */
  readonly images: ImageDataset;
  /** The engine, whose errors end the run. */
  readonly engine?: Engine;
}

/** Walks, and how well decoding undoes encoding. */
export interface InterpolationResult {
  /**
   * [walks, between + 2, …sampleShape] in [0, 1]: one walk after the other, each the first image, what lies between and the second
   * image.
   */
  readonly values: Float32Array;
  /** Labels of the images, in the request's order. */
  readonly labels: readonly number[];
  /** The largest difference of a pixel of an image that was encoded and decoded again, as a part of a pixel's range. */
  readonly largestError: number;
  /** The root of the mean square of these differences. */
  readonly rootMeanSquareError: number;
}

/**
 * Encodes images by the probability flow, goes from each to the next on the sphere between their codes, and decodes what lies there.
 * @throws {RangeError | TypeError} When the request is not one that can be carried out, before anything is computed.
 * @throws {Error} Where the flow's state stops being finite, or Dormand–Prince does not arrive in its attempts.
 */
export async function runInterpolation(
  request: InterpolationRequest,
  parts: InterpolationParts,
): Promise<InterpolationResult> {
  requireOptions("parts", parts);
  const { noisePredictor, images: data, engine } = parts;
  requireSampleShape(noisePredictor, data);
  checkRequest(request, data);
  const { images, between, tolerance } = request;
  const { shape: sampleShape } = data;
  const size = imageSize(data);
  const model = scoreModel(noisePredictor, withMinimumNoise(sdeFromConfig(request.sde), request.minNoise));
  const method: FlowMethod = { kind: "dopri5", rtol: tolerance, atol: tolerance };
  const pixels = images.map((i) => toModel(data.images.subarray(i * size, (i + 1) * size)));

  const originals = tf.tensor(joined(pixels), [images.length, ...sampleShape]);
  await noisePredictor.prepare(images.length);
  const codes = await encodeLatent(model, originals, method);
  const returned = await decodeLatent(model, codes, method);
  const errors = tf.tidy(() => {
    const difference = returned.sub(originals).div(2); // pictures are half as wide as the models' [−1, 1]
    return tf.stack([difference.abs().max(), difference.square().mean()]);
  });
  const [largestError, meanSquare] = await errors.data();
  tf.dispose([originals, returned, errors]);

  const weights = Array.from({ length: between }, (_, i) => (i + 1) / (between + 1));
  await noisePredictor.prepare(between);
  const values: Float32Array[] = [];
  for (let pair = 0; pair + 1 < images.length; pair++) {
    const [first, second] = [pair, pair + 1].map((i) => codes.slice([i, 0, 0, 0], [1, ...sampleShape]));
    const walk = await interpolateLatents(first, second, weights);
    const noisy = await decodeLatent(model, walk, method);
    const clean = tf.tidy(() => model.denoised(noisy, model.sde.tMin));
    values.push(pixels[pair], await clean.data<"float32">(), pixels[pair + 1]);
    tf.dispose([first, second, walk, noisy, clean]);
    engine?.check();
  }
  codes.dispose();
  return {
    values: fromModel(joined(values)),
    labels: images.map((i) => data.labels[i]),
    largestError,
    rootMeanSquareError: Math.sqrt(meanSquare),
  };
}

/** @throws {RangeError | TypeError} for a request that cannot be carried out on these images. */
function checkRequest(request: InterpolationRequest, { count }: ImageDataset): void {
  requireOptions("a request", request);
  const { images, between, tolerance } = request;
  requireArray("images", images);
  if (images.length < 2) throw new RangeError(`images must hold at least two places, got ${images.length}`);
  for (const image of images) requireWhole("a place in images", image, 0, count - 1);
  if (new Set(images).size < images.length) throw new RangeError(`images must differ, got ${images}`);
  requireWhole("between", between, 1, 64);
  requireBetween("tolerance", tolerance, 1e-9, 1);
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let start = 0;
  for (const piece of pieces) {
    whole.set(piece, start);
    start += piece.length;
  }
  return whole;
}

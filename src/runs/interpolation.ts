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
import {
  requireArray,
  requireBetween,
  requireFunction,
  requireOptions,
  requireWhole,
} from "../input/require.ts";
import { decodeLatent, encodeLatent, interpolateLatents } from "../likelihood/latents.ts";
import type { FlowMethod } from "../likelihood/probability_flow.ts";
import type { NetworkPredictor } from "../networks/network_predictor.ts";
import { requireSampleShape } from "./sample_shape.ts";
import { requireSignal } from "../input/require_parts.ts";

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
  /**
   * Called after the images are encoded, after they are decoded again and after every walk, with the number of these stages so
   * far: as many as there are images, and one.
   */
  readonly onStep?: (stages: number) => void;
  /** Ends the run once it is aborted, at the next evaluation of the model: with the signal's reason. */
  readonly signal?: AbortSignal;
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
  const { noisePredictor, images: data, engine, onStep = () => {}, signal } = parts;
  requireFunction("onStep", onStep);
  requireSignal("signal", signal);
  requireSampleShape(noisePredictor, data);
  checkRequest(request, data);
  const { images, between, tolerance } = request;
  const { shape: sampleShape } = data;
  const size = imageSize(data);
  const model = scoreModel(noisePredictor, withMinimumNoise(sdeFromConfig(request.sde), request.minNoise));
  const method: FlowMethod = { kind: "dopri5", rtol: tolerance, atol: tolerance };
  const pixels = images.map((i) => toModel(data.images.subarray(i * size, (i + 1) * size)));

  const weights = Array.from({ length: between }, (_, i) => (i + 1) / (between + 1));
  const values: Float32Array[] = [];
  const held: tf.Tensor[] = [];
  const hold = (tensor: tf.Tensor) => {
    held.push(tensor);
    return tensor;
  };
  let differences: Differences;
  try {
    const originals = hold(tf.tensor(joined(pixels), [images.length, ...sampleShape]));
    await noisePredictor.prepare(images.length);
    const codes = hold(await encodeLatent(model, originals, method, { signal }));
    onStep(1);
    const returned = hold(await decodeLatent(model, codes, method, { signal }));
    differences = await differencesOf(returned, originals);
    onStep(2);
    await noisePredictor.prepare(between);
    for (let pair = 0; pair + 1 < images.length; pair++) {
      const [first, second] = [pair, pair + 1].map((i) =>
        hold(codes.slice([i, 0, 0, 0], [1, ...sampleShape]))
      );
      const walk = hold(await interpolateLatents(first, second, weights));
      const noisy = hold(await decodeLatent(model, walk, method, { signal }));
      const clean = hold(tf.tidy(() => model.denoised(noisy, model.sde.tMin)));
      values.push(pixels[pair], await clean.data<"float32">(), pixels[pair + 1]);
      tf.dispose(held.splice(held.indexOf(first)));
      engine?.check();
      onStep(3 + pair);
    }
  } finally {
    tf.dispose(held);
  }
  return {
    values: fromModel(joined(values)),
    labels: images.map((i) => data.labels[i]),
    ...differences,
  };
}

/** How far images that were encoded and decoded again are from themselves. */
type Differences = Pick<InterpolationResult, "largestError" | "rootMeanSquareError">;

async function differencesOf(returned: tf.Tensor, originals: tf.Tensor): Promise<Differences> {
  const errors = tf.tidy(() => {
    const difference = returned.sub(originals).div(2); // pictures are half as wide as the models' [−1, 1]
    return tf.stack([difference.abs().max(), difference.square().mean()]);
  });
  const [largestError, meanSquare] = await errors.data();
  errors.dispose();
  return { largestError, rootMeanSquareError: Math.sqrt(meanSquare) };
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

/**
 * That a network is one of the images that it is measured on.
 * @module
 */
import type { ImageDataset } from "../data/dataset.ts";
import { requireDataset, requireNetworkPredictor } from "../input/require_parts.ts";
import type { SampledNetwork } from "./sampled_network.ts";

/**
 * Throws unless there is an image, and the network's samples have the images' shape.
 * @throws {RangeError | TypeError} In one sentence with the value and what is allowed.
 */
export function requireSampleShape(noisePredictor: SampledNetwork, images: ImageDataset): void {
  requireNetworkPredictor("noisePredictor", noisePredictor);
  requireDataset("images", images);
  const { sampleShape } = noisePredictor.network;
  if (String(sampleShape) !== String(images.shape)) {
    throw new RangeError(
      `the network is for samples of shape [${sampleShape}], the images have [${images.shape}]`,
    );
  }
  if (images.count === 0) throw new RangeError("images must hold at least one image, got none");
}

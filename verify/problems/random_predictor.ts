/** A noise predictor with random weights, in which every layer has an effect. @module */
import { createRng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { DIGITS, networkFromConfig } from "../../src/networks/registry.ts";
import { type NetworkPredictor, networkPredictor } from "../../src/networks/network_predictor.ts";
import type { ModelConfig } from "../../src/networks/noise_prediction.ts";
import { firstOf } from "../instruments/tensor_scope.ts";

/** A small U-Net with three classes. */
export const model: ModelConfig = {
  network: {
    ...DIGITS,
    height: 8,
    width: 8,
    widths: [8, 16],
    blocks: 1,
    middleBlocks: 1,
    embedding: 16,
    classes: 3,
  },
  preconditioning: { sigmaData: 0.5, centre: -0.7 },
};

/** A noise predictor whose weights are all drawn, also those that training starts at zero. */
export function randomPredictor(seed: number): NetworkPredictor {
  const network = networkFromConfig(model.network);
  const rng = createRng(seed).fork("denoiser");
  const weights = new Map(network.parameters.map(({ name, shape, mean, std }) => {
    const normals = rng.fork(name).normalValues([1, shape.reduce((a, b) => a * b, 1)]);
    return [name, normals.map((z) => mean + (std === 0 ? 0.2 : std) * z)];
  }));
  return networkPredictor(model, weights);
}

/** The largest absolute difference of two tensors. */
export async function largestDifference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))));
  const value = await firstOf(difference);
  difference.dispose();
  return value;
}

/** Why two ways to compute the same may differ. */
export const ROUNDING = "the same float32 operations, perhaps in another order, on numbers of order 1";

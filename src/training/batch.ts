/**
 * The batch of a training step: its data, labels and noise, all drawn from a fork of the seed's generator named after
 * the step.
 * @module
 */
import { createRng, type Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { flipRows } from "../data/flips.ts";
import type { Network } from "../networks/network.ts";
import type { TrainingBatch, TrainingConfig } from "./train.ts";
import { requireFloats, requireOptions } from "../input/require.ts";
import { sizeOf } from "../math/shape.ts";

/** A batch with its noise. */
interface NoisedBatch {
  /** x_0, [B, …sampleShape], mirrored at random if the config says so. */
  readonly data: tf.Tensor;
  /** ε, [B, …sampleShape]. */
  readonly noise: tf.Tensor;
  /** [B], `network.classes` for "no label"; empty for a network without labels. */
  readonly labels: readonly number[];
  /** The generator of the step, for its noise levels. */
  readonly rng: Rng;
}

/**
 * The batch of step `done` + 1.
 * @throws {RangeError} When the images do not have the network's size.
 */
export function noisedBatch(
  config: TrainingConfig,
  network: Network,
  batch: TrainingBatch,
  done: number,
): NoisedBatch {
  requireOptions("a batch", batch);
  requireFloats("the images of a batch", batch.images);
  const rows = config.batch;
  const shape = [rows, ...network.sampleShape];
  if (batch.images.length !== sizeOf(shape)) {
    throw new RangeError(
      `a batch of shape [${shape}] has ${sizeOf(shape)} values, got ${batch.images.length}`,
    );
  }
  const rng = createRng(config.seed).fork("training").fork(`step ${done}`);
  const images = config.flip
    ? flipRows(batch.images, network.sampleShape, rng.fork("flip").uniformValues([rows]))
    : batch.images;
  const labels = network.classes === 0
    ? []
    : dropLabels(batch.labels ?? [], config.labelDropout, rng.fork("label").uniformValues([rows]), network);
  return { data: tf.tensor(images, shape), noise: rng.fork("noise").normal(shape), labels, rng };
}

/** The labels, replaced by "no label" where a uniform number is below the probability. */
function dropLabels(
  labels: ArrayLike<number>,
  probability: number,
  uniforms: Float64Array,
  network: Network,
): number[] {
  return Array.from(labels, (label, row) => uniforms[row] < probability ? network.classes : label);
}

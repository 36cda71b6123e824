/**
 * A network's predictor without a network: the exact noise of a Gaussian whose mean depends on the label, with a note of its calls.
 * @module
 */
import { column, mapPerRow, type PerRow } from "../../src/compute/rows.ts";
import * as tf from "../../src/compute/tf.ts";
import type { Guidance } from "../../src/networks/guidance_interval.ts";
import type { Labels, NetworkPredictor } from "../../src/networks/network_predictor.ts";

/** What the predictor was asked, by all that were made of it. */
export interface Calls {
  readonly prepared: [rows: number, gradients: boolean][];
  readonly labelled: [labels: Labels, guidance: number | Guidance | undefined][];
  predictions: number;
}

/** A Gaussian of variance 1/4 in every value, whose mean is −.2, and (label − 1)/5 for a class. */
export function exactPredictor(
  shape: readonly number[],
  { classes = 0, preconditioning = null }: {
    readonly classes?: number;
    readonly preconditioning?: { readonly sigmaData: number; readonly centre: number } | null;
  } = {},
): { readonly noisePredictor: NetworkPredictor; readonly calls: Calls } {
  const calls: Calls = { prepared: [], labelled: [], predictions: 0 };
  const meanOf = (label: number | null) => label === null ? -0.2 : (label - 1) / 5;
  const made = (labels: Labels, guidance?: number | Guidance): NetworkPredictor => ({
    config: { preconditioning },
    network: { sampleShape: shape, classes },
    prepare(rows: number, { gradients = false } = {}) {
      calls.prepared.push([rows, gradients]);
      return Promise.resolve();
    },
    withLabels(labels: Labels, guidance?: number | Guidance) {
      calls.labelled.push([labels, guidance]);
      return made(labels, guidance);
    },
    calls: () => typeof guidance === "object" && guidance.scale !== 1 ? 2 : 1,
    predictNoise(y: tf.Tensor, noiseRatio: PerRow) {
      calls.predictions++;
      return tf.tidy(() => {
        const means = typeof labels === "object" && labels !== null
          ? column(Float64Array.from(Array.from(labels), meanOf), y)
          : meanOf(labels);
        const gain = column(mapPerRow(noiseRatio, (ratio) => ratio / (0.25 + ratio ** 2)), y);
        return tf.mul(tf.sub(y, means), gain);
      });
    },
    dispose() {},
  } as unknown as NetworkPredictor);
  return { noisePredictor: made(null), calls };
}

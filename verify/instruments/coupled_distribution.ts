/**
 * A sampler's exact distribution on Gaussian data whose coordinates are coupled, without sampling. Its output is an affine function of
 * all the normal numbers that it draws; rows of one batch, each with a single number that is not zero, give the coefficients
 * through the real tensor code.
 * @module
 */
import * as tf from "../../src/compute/tf.ts";
import type { ScoreModel } from "../../src/diffusion/noise_predictor.ts";
import { sample, type SampleOptions } from "../../src/samplers/sample.ts";
import type { Sampler } from "../../src/samplers/sampler.ts";
import { NormalRng } from "./scripted_rng.ts";

/** Mean [d] and covariance [d][d]. */
export interface Moments {
  readonly mean: readonly number[];
  readonly covariance: readonly (readonly number[])[];
}

/** The moments of what a sampler draws from the prior, for states of d coordinates. */
export async function coupledDistribution(
  model: ScoreModel,
  sampler: Sampler,
  dimension: number,
  { grid, denoise }: Pick<SampleOptions, "grid" | "denoise">,
): Promise<Moments> {
  const run = async (rows: number, rng: ImpulseRng) => {
    for await (
      const { x, done } of sample(model, sampler, { shape: [rows, dimension], grid, denoise, rng })
    ) {
      if (!done) continue;
      const values = await x.data();
      x.dispose();
      return values;
    }
    throw new Error("the run ended without a last state");
  };
  const counter = new ImpulseRng(0);
  await run(1, counter);
  const rows = 1 + counter.numbers;
  const impulse = 64; // large against the offset, so that taking it off costs no digits
  const values = await run(rows, new ImpulseRng(impulse));
  const mean = Array.from(values.subarray(0, dimension));
  const covariance = mean.map(() => mean.map(() => 0));
  for (let row = 1; row < rows; row++) {
    const gain = mean.map((offset, i) => (values[row * dimension + i] - offset) / impulse);
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j < dimension; j++) covariance[i][j] += gain[i] * gain[j];
    }
  }
  return { mean, covariance };
}

/** All numbers are zero, but number n of a row's stream in row n + 1. */
class ImpulseRng extends NormalRng {
  /** Numbers drawn for a row so far. */
  numbers = 0;

  constructor(readonly impulse: number) {
    super();
  }

  override normal(shape: readonly number[]): tf.Tensor {
    const width = shape.slice(1).reduce((product, size) => product * size, 1);
    const values = new Float32Array(shape[0] * width);
    for (let i = 0; i < width; i++) {
      const row = 1 + this.numbers++;
      if (row < shape[0]) values[row * width + i] = this.impulse;
    }
    return tf.tensor(values, [...shape]);
  }
  /** Streams are distinguished by the order of their draws. */
  override fork(): this {
    return this;
  }
}

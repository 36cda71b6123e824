/**
 * The steps of a sampler under a Gaussian score, which are affine in the state and in the noise: their coefficients,
 * read off the tensors that the sampler really computes.
 * @module
 */
import type { Rng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import type { ScoreModel } from "../../src/diffusion/noise_predictor.ts";
import type { Sampler } from "../../src/samplers/sampler.ts";

/** x_s = offset + gain·x_t + noise·z, element by element. */
export interface AffineStep {
  readonly offset: Float64Array;
  readonly gain: Float64Array;
  readonly noise: Float64Array;
}

/**
 * Probes each step of a sampler with three rows: x = 0; x = 1; x = 0 with noise 1. For samplers whose steps remember
 * nothing and draw noise once at most.
 *
 * @param dimension elements of one state, all independent under `model`
 */
export async function affineSteps(
  model: ScoreModel,
  sampler: Sampler,
  times: Float64Array,
  dimension: number,
): Promise<AffineStep[]> {
  const rng = new LastRowRng();
  const stepper = sampler.start(model, rng);
  const probe = tf.tidy(() => tf.tensor2d([[0], [1], [0]]).tile([1, dimension]));
  const steps: AffineStep[] = [];
  for (let k = 0; k + 1 < times.length; k++) {
    rng.draws = 0;
    const moved = await stepper.step(probe, times[k], times[k + 1]);
    if (rng.draws > 1) throw new Error(`${sampler.name} drew noise ${rng.draws} times in one step`);
    const values = Float64Array.from(await moved.data());
    moved.dispose();
    const offset = values.subarray(0, dimension);
    const lessOffset = (row: number) =>
      values.slice(row * dimension, (row + 1) * dimension).map((v, i) => v - offset[i]);
    steps.push({ offset, gain: lessOffset(1), noise: lessOffset(2) });
  }
  probe.dispose();
  stepper.dispose();
  return steps;
}

/** The variance that the steps make of a starting one, element by element. */
export function propagatedVariance(steps: readonly AffineStep[], start: Float64Array): Float64Array {
  const variance = start.slice();
  for (const { gain, noise } of steps) {
    for (let i = 0; i < variance.length; i++) variance[i] = gain[i] ** 2 * variance[i] + noise[i] ** 2;
  }
  return variance;
}

/** Draws zeros, but ones in the last row; counts its draws. */
class LastRowRng implements Rng {
  readonly firstSample = 0;
  draws = 0;

  normal(shape: readonly number[]): tf.Tensor {
    return tf.tensor(this.normalValues(shape), [...shape]);
  }
  normalValues(shape: readonly number[]): Float32Array {
    this.draws++;
    const size = shape.reduce((product, length) => product * length, 1);
    return new Float32Array(size).fill(1, size - size / shape[0]);
  }
  get state(): never {
    throw new Error("a probe has no state");
  }
  uniform(): never {
    throw new Error("a probe draws normal numbers only");
  }
  rademacher(): never {
    throw new Error("a probe draws normal numbers only");
  }
  uniformValues(): never {
    throw new Error("a probe draws normal numbers only");
  }
  fork(): Rng {
    return this;
  }
  startingAt(): Rng {
    return this;
  }
}

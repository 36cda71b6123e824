/**
 * The mixture and the listed noise with which k-diffusion's and diffusers' samplers were run for fixtures/reference/other_libraries.json.
 * @module
 */
import type { Rng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import { Gaussian } from "../../src/distributions/gaussian.ts";
import { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";
import reference from "../../fixtures/reference/other_libraries.json" with { type: "json" };
import { NormalRng } from "../instruments/scripted_rng.ts";

/** The reference's draws, one after the other. */
export class ReferenceRng extends NormalRng {
  #count = 0;

  override normal(shape: readonly number[]): tf.Tensor {
    return tf.tensor(Float32Array.from(reference.draws[this.#count++]), [...shape]);
  }
  override fork(): Rng {
    return this;
  }
}

const { weights, means, deviations } = reference.mixture;

/** The data. */
export const referenceMixture: GaussianMixture = new GaussianMixture(
  weights,
  means.map((mean, k) => new Gaussian({ mean: [mean], variances: [deviations[k] ** 2] })),
);

/**
 * Short runs of every sampler in the catalogue, on data that couple their coordinates.
 * @module
 */
import type { PerRow } from "../../src/compute/rows.ts";
import * as tf from "../../src/compute/tf.ts";
import { type ScoreModel, scoreModelFromNoise } from "../../src/diffusion/noise_predictor.ts";
import { GaussianMixture } from "../../src/distributions/gaussian_mixture.ts";
import { nfePerStep, samplerInfo } from "../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../src/samplers/sampler_info.ts";
import { type Sde, vpSde } from "../../src/diffusion/sde.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";

/** Two Gaussians in three dimensions. */
export const mixture = GaussianMixture.from({
  weights: [0.4, 0.6],
  means: [[-1, 0.5, 0], [1, 0, 0.3]],
  covariances: [
    [[0.3, 0.1, 0], [0.1, 0.2, 0], [0, 0, 0.1]],
    [[0.1, 0, 0.05], [0, 0.4, 0], [0.05, 0, 0.2]],
  ],
});

/** A VP SDE for which six steps are enough for DDPM's β(t) h < 1. */
export const gentleVp: Sde = vpSde({ betaMax: 4 });

/** Of a batch. */
export const shape = [6, 3];

/** A sampler's options and grid: few steps, and few Langevin steps at a level. */
export function settings(name: string): { grid: GridConfig; options: SamplerOptions } {
  const options = samplerInfo(name).options.correctorSteps === undefined ? {} : { correctorSteps: 2 };
  const steps = nfePerStep(name, options) === null ? 3 : 6;
  return { grid: { kind: "uniform", steps }, options };
}

/** The model with a broken value in one element of its prediction at times up to `time`. */
export function failsFrom(model: ScoreModel, time: number, value: number): ScoreModel {
  return scoreModelFromNoise(model.sde, (x, t: PerRow) => {
    const bad = typeof t === "number" ? t <= time : t.some((t) => t <= time);
    const noise = model.predictedNoise(x, t);
    if (!bad) return noise;
    const mask = new Float32Array(x.size);
    mask[4] = value;
    return noise.add(tf.tensor(mask, x.shape));
  });
}

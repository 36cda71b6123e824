/** Small valid parts that rows of the matrix share. @module */
import * as m from "./exported.ts";
import * as tf from "../../../src/compute/tf.ts";
import {
  type Argument,
  between,
  list,
  number,
  optional,
  options,
  positive,
  thing,
  whole,
} from "./argument.ts";

export const rng: Argument = thing(() => m.createRng(3));
export const sde: Argument = thing(() => m.vpSde());
export const mixture = m.GaussianMixture.from({
  weights: [0.7, 0.3],
  means: [[-1, 0], [1, 0.5]],
  covariances: [[[0.3, 0], [0, 0.2]], [[0.2, 0.1], [0.1, 0.4]]],
});
export const gaussian = new m.Gaussian({ mean: [0, 1], covariance: [[1, 0.5], [0.5, 2]] });
export const distribution: Argument = thing(() => mixture);
export const model: Argument = thing(() => m.scoreModel(mixture, m.vpSde()));
export const sampler: Argument = thing(() => m.ddim());
export const digits = m.proceduralDigits(4, m.createRng(1));
export const dataset: Argument = thing(() => digits);
/** A time of the SDEs' default range. */
export const time: Argument = between(0.5, 0, 1);
export const bytes: Argument = thing(() => new Uint8Array([1, 2, 3]));

/** Grids of time: a config or the times themselves. */
export const grid: Argument = options({
  kind: { make: () => "uniform", allows: () => false },
  steps: whole(3, 1, 1e6),
});

export const network = {
  kind: "mlp",
  dimensions: 2,
  hidden: 3,
  layers: 1,
  noiseFeatures: 4,
  classes: 0,
} as const;
export const mlpWeights = () => m.mlp(network).initialise(m.createRng(1));
export const optimizer: Argument = options({
  rate: positive(1e-3),
  warmup: whole(2),
  decay: { make: () => "cosine", allows: () => false },
  betas: list(() => [0.9, 0.99], number(0.9, (v) => v >= 0 && v < 1)),
  epsilon: positive(1e-8),
  clip: { make: () => 1, allows: (v) => typeof v === "number" && v > 0 },
  ema: number(0.9, (v) => v >= 0 && v < 1),
});
export const mlpConfig: Argument = options({
  kind: { make: () => "mlp", allows: () => false },
  dimensions: whole(2, 1, 1e6),
  hidden: whole(3, 1, 1e6),
  layers: whole(1, 1, 1e4),
  noiseFeatures: number(4, (v) => Number.isInteger(v) && v > 0 && v % 2 === 0 && v < 1e6),
  classes: whole(0, 0, 1e6),
});
export const modelConfig = {
  network,
  preconditioning: { sigmaData: 0.6, centre: 0 },
} as const;
export const noisePredictor = () => m.networkPredictor(modelConfig, mlpWeights());

export const range: Argument = options({
  low: number(-1, (v) => v < 1),
  high: number(1, (v) => v > -1),
  levels: optional(whole(256, 1, 2 ** 31 - 1)),
});
export const picture = (): m.Picture => ({ width: 2, height: 2, data: new Uint8Array(16).fill(255) });
export const pictureArgument: Argument = options({
  width: whole(2, 2, 2),
  height: whole(2, 2, 2),
  data: thing(() => new Uint8Array(16).fill(255)),
});
export { tf };

/**
 * A consistency network that is linear in its input, on Gaussian data, so that losses and optima are known in closed form.
 * @module
 */
import { createRng } from "../../src/compute/rng.ts";
import * as tf from "../../src/compute/tf.ts";
import type { Network } from "../../src/networks/network.ts";
import { consistencyDefaults, type ConsistencyObjective } from "../../src/objectives/consistency.ts";
import { consistencyMethod } from "../../src/training/consistency_step.ts";
import { OPTIMIZER_DEFAULTS, scalarTensors, startState, stateTensors } from "../../src/training/optimizer.ts";
import { compileStep } from "../../src/training/step.ts";
import type { TrainingConfig } from "../../src/training/train.ts";

/** Data N(centre, sigmaData²) in three dimensions. */
export const [sigmaData, centre, dimension] = [0.5, 0.3, 3];

/** What the classes 0 and 1 and no class add to the network's output. */
export const offsets = [0.4, -0.7, 0.1];

/**
 * F(x, ν, k) = gain · g(ν) x + shift · offset_k, g = (T − s)/ν with T = √(s² + ν²). With EDM's preconditioning gain 0 is the
 * exact noise predictor of the Gaussian, gain 1 its exact consistency function.
 */
export const network: Network = {
  config: null,
  sampleShape: [dimension],
  classes: 2,
  parameters: [{ name: "gain", shape: [1], mean: 0, std: 0 }, { name: "shift", shape: [1], mean: 0, std: 0 }],
  noiseFeatureCount: 1,
  initialise: () => new Map([["gain", new Float32Array(1)], ["shift", new Float32Array(1)]]),
  noiseFeatures: (logs) => Float32Array.from(logs, (log) => slopeOf(Math.exp(log))),
  forward: (p, x, features, classes) =>
    tf.add(
      tf.mul(tf.mul(x, features), p.gain),
      tf.mul(tf.matMul(classes!, tf.tensor2d(offsets, [3, 1])), p.shift),
    ),
};

/** g(ν) = (T − s)/ν = ν/(T + s), with T = √(s² + ν²). */
export function slopeOf(ratio: number): number {
  return ratio / (Math.hypot(ratio, sigmaData) + sigmaData);
}

/** The objective: distillation with guidance between two noise ratios. */
export const objective: ConsistencyObjective = {
  ...consistencyDefaults(dimension, { scale: 1.3, from: 0.6, to: 6 }),
  mean: 0,
  std: 1,
  range: [0.05, 10],
  highFrom: 2,
  huber: 0.1,
};

/** Rows of a batch. */
export const rows = 32;

/** A short training run with an objective. */
export function configOf(objective: ConsistencyObjective, batch = rows): TrainingConfig {
  return {
    model: { network: null as never, preconditioning: { sigmaData, centre }, consistency: true },
    objective,
    optimizer: { ...OPTIMIZER_DEFAULTS, rate: 0.02, warmup: 0, clip: 1e9, ema: 0.9 },
    steps: 8,
    batch,
    labelDropout: 0.2,
    seed: 4,
  };
}

/** Gaussian data with labels, a function of the step. */
export function images(step: number, batch = rows) {
  const normals = createRng(9).fork(`data ${step}`).normalValues([batch, dimension]);
  return {
    images: Float32Array.from(normals, (z) => centre + sigmaData * z),
    labels: Array.from({ length: batch }, (_, i) => i % 2),
  };
}

/** One step of a method from given weights: its loss, its gradient, and the tensors of its batch on the host. */
export async function stepOf(
  objective: ConsistencyObjective,
  { weights, ema, teacher, done = 0 }: Record<"weights" | "ema" | "teacher", readonly number[]> & {
    readonly done?: number;
  },
) {
  const config = configOf(objective);
  const method = consistencyMethod(config, objective, network, Float32Array.from(teacher));
  const step = await compileStep(method.lossAndGradient, config.optimizer, 2, method.batchShapes);
  const batch = method.batch(images(done), done);
  const state = stateTensors({ ...startState(Float32Array.from(weights)), ema: Float32Array.from(ema) });
  const inputs = { state, scalars: scalarTensors(config.optimizer, 1, 8), batch };
  const result = step.run(inputs);
  const [loss] = await result.loss.data();
  const mean = [...await result.state.mean.data()];
  const { data, noise, far, near, atFar, guidance } = batch;
  const read = async (tensor?: tf.Tensor) => await tensor?.data() ?? [];
  const hosts = {
    data: await read(data),
    noise: await read(noise),
    far: await read(far),
    near: await read(near),
    classes: await read(atFar.classes),
    guidance: await read(guidance),
  };
  tf.dispose([result, inputs]);
  step.dispose();
  method.dispose();
  // Adam's first moment after the first step is (1 − β₁) times the gradient.
  return { loss, gradient: mean.map((m) => m / (1 - 0.9)), batch: hosts };
}

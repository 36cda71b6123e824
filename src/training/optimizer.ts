/**
 * Adam with warm-up, decay, clipping and an exponential moving average, over one flat parameter tensor.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { checkName } from "../input/option_name.ts";
import { checkNumber } from "../input/fields.ts";
import { requireArray, requireOptions, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** The options of the optimizer; plain JSON. */
export interface OptimizerConfig {
  /** Largest learning rate. */
  readonly rate: number;
  /** Steps over which the rate rises linearly from 0; 0 for no warm-up. */
  readonly warmup: number;
  /** After the warm-up the rate is constant, or falls to 0 at the last step along half a cosine. */
  readonly decay: "constant" | "cosine";
  /** Adam's β₁ and β₂ (Kingma & Ba 2015). */
  readonly betas: readonly [number, number];
  /** Adam's ε. */
  readonly epsilon: number;
  /** Largest Euclidean norm of the gradient; longer ones are scaled down to it. */
  readonly clip: number;
  /** Limit of the moving average's decay. */
  readonly ema: number;
}

/** The recipe that trains `digits`. */
export const OPTIMIZER_DEFAULTS: OptimizerConfig = {
  rate: 2e-3,
  warmup: 200,
  decay: "cosine",
  betas: [0.9, 0.99],
  epsilon: 1e-8,
  clip: 1,
  ema: 0.999,
};

/** The learning rate of step 1, 2, … `steps`. */
export function learningRate(config: OptimizerConfig, step: number, steps: number): number {
  checkOptimizer(config);
  requireWhole("step", step);
  requireWhole("steps", steps);
  const { rate, warmup, decay } = config;
  if (step < warmup) return rate * step / warmup;
  if (decay === "constant" || steps <= warmup) return rate;
  return rate * (1 + Math.cos(Math.PI * (step - warmup) / (steps - warmup))) / 2;
}

/**
 * The moving average's decay at step 1, 2, …: min(ema, (1 + step)/(10 + step)), so that early weights are forgotten.
 */
export function emaDecay(config: OptimizerConfig, step: number): number {
  checkOptimizer(config);
  requireWhole("step", step);
  const { ema } = config;
  return Math.min(ema, (1 + step) / (10 + step));
}

/** Checks an optimizer's numbers; throws a RangeError that names the first that is out of range. */
export function checkOptimizer(config: OptimizerConfig): void {
  requireOptions("an optimizer's config", config);
  requireArray("betas", config.betas);
  if (config.betas.length !== 2) {
    throw new RangeError(`betas must be two numbers, got ${config.betas.length}`);
  }
  checkName("decay", config.decay, ["cosine", "constant"]);
  const { rate, warmup, clip, epsilon, ema, betas } = config;
  checkNumber("rate", rate, { above: 0 });
  requireWhole("warmup", warmup);
  // An infinite norm means no clipping.
  if (!(typeof clip === "number" && clip > 0)) {
    throw new RangeError(`clip must be a positive number, got ${quoted(clip)}`);
  }
  checkNumber("epsilon", epsilon, { above: 0 });
  checkNumber("ema", ema, { least: 0, below: 1 });
  betas.forEach((beta, i) => checkNumber(`betas[${i}]`, beta, { least: 0, below: 1 }));
}

/** The state of the optimizer, each [P]. */
export interface OptimizerState<Values> {
  /** The parameters, with respect to which gradients are taken. */
  readonly weights: Values;
  /** Moving average of the weights, used for sampling. */
  readonly ema: Values;
  /** Adam's first moment of the gradient. */
  readonly mean: Values;
  /** Adam's second moment. */
  readonly variance: Values;
}

/** Scalars of one update, computed on the host in float64. */
export interface UpdateScalars<Value> {
  /** Rate over the first moment's bias correction, rate/(1 − β₁ᵗ). */
  readonly rate: Value;
  /** Reciprocal of the second moment's bias correction, 1/(1 − β₂ᵗ). */
  readonly varianceScale: Value;
  /** 1 − decay of the moving average. */
  readonly emaShare: Value;
}

/** The scalars of step 1, 2, …. */
export function updateScalars(config: OptimizerConfig, step: number, steps: number): UpdateScalars<number> {
  const [beta1, beta2] = config.betas;
  return {
    rate: learningRate(config, step, steps) / (1 - beta1 ** step),
    varianceScale: 1 / (1 - beta2 ** step),
    emaShare: 1 - emaDecay(config, step),
  };
}

/** The scalars of step 1, 2, … as tensors, which the caller owns. */
export function scalarTensors(
  config: OptimizerConfig,
  step: number,
  steps: number,
): UpdateScalars<tf.Scalar> {
  const { rate, varianceScale, emaShare } = updateScalars(config, step, steps);
  return {
    rate: tf.scalar(rate),
    varianceScale: tf.scalar(varianceScale),
    emaShare: tf.scalar(emaShare),
  };
}

/** The optimizer's state before the first step; the weights are not copied. */
export function startState(weights: Float32Array): OptimizerState<Float32Array> {
  return {
    weights,
    ema: weights.slice(),
    mean: new Float32Array(weights.length),
    variance: new Float32Array(weights.length),
  };
}

/** The optimizer's state as tensors, which the caller owns. */
export function stateTensors(state: OptimizerState<Float32Array>): OptimizerState<tf.Tensor1D> {
  return {
    weights: tf.tensor1d(state.weights),
    ema: tf.tensor1d(state.ema),
    mean: tf.tensor1d(state.mean),
    variance: tf.tensor1d(state.variance),
  };
}

/**
 * One update as a pure function of tensors.
 * @param gradient [P], before clipping.
 * @returns The next state and the gradient's norm before clipping.
 */
export function update(
  { betas: [beta1, beta2], epsilon, clip }: OptimizerConfig,
  state: OptimizerState<tf.Tensor1D>,
  gradient: tf.Tensor1D,
  scalars: UpdateScalars<tf.Scalar>,
): { state: OptimizerState<tf.Tensor1D>; norm: tf.Scalar } {
  const norm = euclideanNorm(gradient);
  const clipped: tf.Tensor1D = tf.mul(gradient, tf.minimum(1, tf.div(clip, tf.add(norm, 1e-12))));
  const mean: tf.Tensor1D = tf.add(tf.mul(state.mean, beta1), tf.mul(clipped, 1 - beta1));
  const variance: tf.Tensor1D = tf.add(
    tf.mul(state.variance, beta2),
    tf.mul(tf.square(clipped), 1 - beta2),
  );
  const scale = tf.add(tf.sqrt(tf.mul(variance, scalars.varianceScale)), epsilon);
  const weights: tf.Tensor1D = tf.sub(state.weights, tf.mul(tf.div(mean, scale), scalars.rate));
  const ema: tf.Tensor1D = tf.add(state.ema, tf.mul(tf.sub(weights, state.ema), scalars.emaShare));
  return { state: { weights, ema, mean, variance }, norm };
}

/** ‖g‖ in two stages: one float32 sum over a million squares loses digits on wasm. */
function euclideanNorm(gradient: tf.Tensor1D): tf.Scalar {
  const size = gradient.shape[0];
  const width = Math.ceil(Math.sqrt(size));
  const padded = tf.pad1d(tf.square(gradient), [0, width * width - size]);
  return tf.sqrt(tf.sum(tf.sum(tf.reshape(padded, [width, width]), 1)));
}

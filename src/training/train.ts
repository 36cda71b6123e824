/**
 * The training loop. Its whole state is the weights, their moments and the number of steps taken: all random numbers
 * of a step are drawn from a fork of the seed's generator named after the step, so a resumed run equals an
 * uninterrupted one.
 * @module
 */
import { createRng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { networkFromConfig } from "../networks/registry.ts";
import { flatten, type Network, parameterCount, type Weights } from "../networks/network.ts";
import type { ModelConfig } from "../networks/noise_prediction.ts";
import type { ConsistencyObjective } from "../objectives/consistency.ts";
import type { ObjectiveConfig } from "../objectives/denoising.ts";
import { checkPreconditioning } from "../diffusion/preconditioning.ts";
import { checkRecipe } from "./config_check.ts";
import { consistencyMethod } from "./consistency_step.ts";
import { denoisingMethod } from "./denoising_step.ts";
import {
  learningRate,
  type OptimizerConfig,
  type OptimizerState,
  scalarTensors,
  startState,
  stateTensors,
} from "./optimizer.ts";
import { compileStep, type StepMethod } from "./step.ts";
import {
  requireFloats,
  requireFunction,
  requireMethods,
  requireOptions,
  requireWhole,
} from "../input/require.ts";
import { requireSignal } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** Everything that determines a run, beside the data; plain JSON. */
export interface TrainingConfig {
  /** Network and preconditioning. */
  readonly model: ModelConfig;
  /** Noise levels and their weights; consistency for a model whose config says so. */
  readonly objective: ObjectiveConfig | ConsistencyObjective;
  /** The optimizer's options. */
  readonly optimizer: OptimizerConfig;
  /** Steps of the whole run, which the learning rate's decay needs. */
  readonly steps: number;
  /** Rows of a batch. */
  readonly batch: number;
  /** Probability with which a label is replaced by "no label", for classifier-free guidance. */
  readonly labelDropout: number;
  /** Seed of initial weights, noise, noise levels, label dropout and flips. */
  readonly seed: number;
  /** Whether each image of a batch is mirrored from left to right with probability ½. Default false. */
  readonly flip?: boolean;
}

/** The state of a run, on the host. */
export interface TrainingState extends OptimizerState<Float32Array> {
  /** Steps taken. */
  readonly step: number;
}

/** Data for a step; `shuffledBatches` makes such. */
export interface TrainingBatch {
  /** [batch, …sampleShape], row-major. */
  readonly images: Float32Array;
  /** [batch]; unused by networks without labels. */
  readonly labels?: ArrayLike<number>;
}

/** The report of one step. */
export interface TrainStep {
  /** Steps taken, from 1. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Learning rate of this step. */
  readonly rate: number;
  /** Mean loss since the last report; null between reports. */
  readonly loss: number | null;
  /** Mean norm of the gradient, before clipping, since the last report; null between reports. */
  readonly gradientNorm: number | null;
  /**
   * Copies the state to the host. Throws an Error once the next step has begun, and a DivergedError when a number in
   * the state is not finite.
   */
  snapshot(): Promise<TrainingState>;
}

/** Options of a run beside its config. */
export interface TrainOptions {
  /** The state to resume from; by default the initial weights. */
  readonly resume?: TrainingState;
  /**
   * For consistency distillation: the teacher's weights, concatenated as by `flatten`; the run does not change them.
   */
  readonly teacher?: Float32Array;
  /**
   * The number of steps between reports of the loss, which is then read and checked, or a function that says after
   * which steps (from 1) it is; the last step is always reported. Default 10.
   */
  readonly reportEvery?: number | ((step: number) => boolean);
  /** Ends the run once it is aborted: the next step throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/** The loss or a weight is no longer a finite number. */
export class DivergedError extends Error {
  /** The error's name. */
  override readonly name = "DivergedError";
  /**
   * Makes the error for a value that is not finite.
   * @param step The first step known to be affected.
   * @param value The value.
   * @param what The name of the value, such as "the loss".
   */
  constructor(readonly step: number, value: number, what = "the loss") {
    super(`${what} is ${value} at step ${step}: lower the learning rate, or resume from before that step`);
  }
}

/**
 * The state before the first step.
 *
 * @param known Initial weights by name; the network's other parameters are initialized at random.
 * @throws {RangeError} When a known weight is not a parameter of the network, or has another size.
 */
export function initialState(network: Network, seed: number, known: Weights = new Map()): TrainingState {
  requireMethods("network", network, ["initialise", "forward"], "a network, as networkFromConfig() makes it");
  if (!(known instanceof Map)) throw new TypeError(`known must be a Map of weights, got ${quoted(known)}`);
  const values = network.initialise(createRng(seed).fork("weights"));
  for (const [name, weight] of known) {
    if (!values.has(name)) throw new RangeError(`this network has no parameter ${name} to begin with`);
    values.set(name, weight);
  }
  const weights = flatten(network.parameters, values);
  return { step: 0, ...startState(weights) };
}

/**
 * Trains a network; each iteration is one step. Stop iterating to stop training.
 *
 * @example A perceptron that learns points on a line
 * ```ts
 * import { useEngine } from "../compute/engine.ts";
 * import { networkPredictor } from "../networks/network_predictor.ts";
 * import { networkFromConfig } from "../networks/registry.ts";
 * import { unflatten } from "../networks/network.ts";
 * import { OPTIMIZER_DEFAULTS } from "./optimizer.ts";
 * import { train, type TrainingConfig } from "./train.ts";
 * await useEngine("wasm");
 * const network = { kind: "mlp", dimensions: 2, hidden: 16, layers: 1, noiseFeatures: 8, classes: 0 } as const;
 * const config: TrainingConfig = {
 *   model: { network, preconditioning: { sigmaData: 0.5, centre: 0 } },
 *   objective: { kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 },
 *   optimizer: { ...OPTIMIZER_DEFAULTS, warmup: 5 },
 *   steps: 20,
 *   batch: 4,
 *   labelDropout: 0,
 *   seed: 1,
 * };
 * const batch = { images: new Float32Array([-1, -1, 0, 0, 0.5, 0.5, 1, 1]) };
 * for await (const { step, loss, snapshot } of train(config, () => batch)) {
 *   if (loss !== null) console.log(step, loss);
 *   if (step < config.steps) continue;
 *   const weights = unflatten(networkFromConfig(network).parameters, (await snapshot()).ema);
 *   const noisePredictor = networkPredictor(config.model, weights);
 * }
 * ```
 *
 * @param batches The data of step 0, 1, …, a function of the step alone.
 * @throws {RangeError} When the config's numbers are out of range or the data do not fit the network.
 * @throws {DivergedError} When a loss is not finite. No report of a later step was yielded before.
 */
export async function* train(
  config: TrainingConfig,
  batches: (step: number) => TrainingBatch,
  options: TrainOptions = {},
): AsyncGenerator<TrainStep, void, void> {
  checkConfig(config);
  requireFunction("batches", batches);
  requireOptions("options", options);
  if (options.reportEvery !== undefined && typeof options.reportEvery !== "function") {
    requireWhole("reportEvery", options.reportEvery, 1);
  }
  const { signal } = options;
  requireSignal("signal", signal);
  const network = networkFromConfig(config.model.network);
  if (options.resume !== undefined) requireState(options.resume, network);
  const reportEvery = options.reportEvery ?? 10;
  const start = options.resume ?? initialState(network, config.seed);
  const method = methodOf(config, network, options.teacher);
  const count = parameterCount(network);
  const step = await compileStep(method.lossAndGradient, config.optimizer, count, method.batchShapes);
  let state = stateTensors(start);
  let unread: [loss: tf.Scalar, norm: tf.Scalar][] = [];
  try {
    for (let done = start.step; done < config.steps;) {
      signal?.throwIfAborted();
      const inputs = tf.tidy(() => ({
        state,
        scalars: scalarTensors(config.optimizer, done + 1, config.steps),
        batch: method.batch(batches(done), done),
      }));
      const result = step.run(inputs);
      tf.dispose(inputs);
      state = result.state;
      unread.push([result.loss, result.norm]);
      done++;
      const report = done === config.steps ||
        (typeof reportEvery === "number" ? done % reportEvery === 0 : reportEvery(done));
      const [reached, now] = [done, state];
      const means = report ? await readMeans(unread, done) : null;
      if (report) unread = [];
      yield {
        step: done,
        steps: config.steps,
        rate: learningRate(config.optimizer, done, config.steps),
        loss: means?.loss ?? null,
        gradientNorm: means?.norm ?? null,
        snapshot: async () => {
          if (state !== now) {
            throw new Error(
              `the state after step ${reached} is gone: copy it before the next step begins`,
            );
          }
          return await toHost(now, reached);
        },
      };
    }
  } finally {
    step.dispose();
    method.dispose();
    tf.dispose([state, unread]);
  }
}

/** The training method of a run's objective. */
function methodOf(
  config: TrainingConfig,
  network: Network,
  teacher: Float32Array | undefined,
): StepMethod<object> {
  const { objective } = config;
  if ((objective.kind === "consistency") !== (config.model.consistency === true)) {
    throw new RangeError(
      `the objective ${objective.kind} cannot train a model that is ${
        config.model.consistency ? "" : "not "
      }a consistency function`,
    );
  }
  if (objective.kind === "consistency") return consistencyMethod(config, objective, network, teacher);
  return denoisingMethod(config, objective, network);
}

/** Copies a state to the host. Throws a DivergedError when a number in it is not finite. */
export async function toHost(state: OptimizerState<tf.Tensor1D>, step: number): Promise<TrainingState> {
  const read = async (tensor: tf.Tensor) => (await tensor.data<"float32">()).slice();
  const host = {
    weights: await read(state.weights),
    ema: await read(state.ema),
    mean: await read(state.mean),
    variance: await read(state.variance),
  };
  const nouns = { weights: "a weight", ema: "an averaged weight", mean: "a moment", variance: "a moment" };
  for (const name of ["weights", "ema", "mean", "variance"] as const) {
    const broken = host[name].find((value) => !Number.isFinite(value));
    if (broken !== undefined) throw new DivergedError(step, broken, nouns[name]);
  }
  return { step, ...host };
}

/** Reads losses and norms of the steps up to `done`, all at once, disposes them and takes means. */
async function readMeans(
  unread: [loss: tf.Scalar, norm: tf.Scalar][],
  done: number,
): Promise<{ loss: number; norm: number }> {
  const stacked = tf.stack(unread.flat());
  const values = await stacked.data();
  stacked.dispose();
  let [loss, norm] = [0, 0];
  for (let i = 0; i < unread.length; i++) {
    const value = values[2 * i];
    if (!Number.isFinite(value)) throw new DivergedError(done - unread.length + i + 1, value);
    loss += value / unread.length;
    if (!Number.isFinite(values[2 * i + 1])) {
      throw new DivergedError(done - unread.length + i + 1, values[2 * i + 1], "the gradient's norm");
    }
    norm += values[2 * i + 1] / unread.length;
  }
  tf.dispose(unread);
  return { loss, norm };
}

function checkConfig(config: TrainingConfig): void {
  requireOptions("config", config);
  requireOptions("model", config.model);
  const { model, ...recipe } = config;
  checkRecipe(recipe);
  if (model.preconditioning !== null) checkPreconditioning(model.preconditioning);
}

/** Throws unless the value is a training state of this network. */
function requireState(state: TrainingState, network: Network): void {
  requireOptions("resume", state);
  requireWhole("the step to resume from", state.step);
  const count = parameterCount(network);
  for (const name of ["weights", "ema", "mean", "variance"] as const) {
    requireFloats(`${name} of the state to resume from`, state[name]);
    if (state[name].length !== count) {
      throw new RangeError(`the network has ${count} parameters, the state's ${name} ${state[name].length}`);
    }
  }
}

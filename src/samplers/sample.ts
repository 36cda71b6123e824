/**
 * The loop that all samplers share.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { Rng } from "../compute/rng.ts";
import type { Awaitable } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { type GridConfig, timeGrid } from "../diffusion/time_grid.ts";
import { FiniteCheck, WatchedModel } from "./finite_check.ts";
import type { Sampler } from "./sampler.ts";
import { isList, requireBoolean } from "../input/require.ts";
import { requireModel, requireRng, requireSampler, requireSignal } from "../input/require_parts.ts";
import { requireResult, requireTensor } from "../compute/require_tensor.ts";
import { checkFields } from "../input/fields.ts";
import { quoted, quotedShape } from "../input/quoted.ts";

/** The batch's shape, the time grid and the random numbers of a run. */
export interface SampleOptions {
  /** Shape of the batch, [N, …]: N independent samples. */
  readonly shape: readonly number[];
  /** The times to visit: a config of `timeGrid`, or strictly decreasing times. */
  readonly grid: GridConfig | Float64Array;
  /** Source of the starting state and of all noise; row i is sample `rng.firstSample + i`. */
  readonly rng: Rng;
  /** Replace the last state by the mean of x_0 given it (Tweedie), which removes the noise left there; default true. */
  readonly denoise?: boolean;
  /** State at the first time, of the given shape, not disposed; default the prior N(0, priorStd²). */
  readonly initial?: tf.Tensor;
  /** Ends the run once it is aborted: the next evaluation of the model throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/** The state of a run after one step. */
export interface SampleStep {
  /** Steps taken: 0 for the starting state, then 1 … steps. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
  /** Time that x has reached. */
  readonly time: number;
  /**
   * The state [N, …] (denoised after the last step, unless switched off). It is disposed when the next state is asked
   * for: clone it to keep it. The last one (`done`) belongs to the caller.
   */
  readonly x: tf.Tensor;
  /** Network calls so far, each of the whole batch; the last denoising is one. */
  readonly evaluations: number;
  /** Whether this is the last state. */
  readonly done: boolean;
}

/**
 * Runs a sampler from the prior at the grid's first time to its last, yielding the starting state and every state
 * after.
 *
 * @example Ten samples of the standard normal distribution
 * ```ts
 * import { createRng } from "../compute/rng.ts";
 * import { scoreModelFromNoise } from "../diffusion/noise_predictor.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { dpmSolver2M } from "./dpm_solver_multistep.ts";
 * import { sample } from "./sample.ts";
 * const sde = vpSde();
 * // The data are N(0, 1), so every p_t is, and the predicted noise is σ(t) x.
 * const model = scoreModelFromNoise(sde, (x, t) => x.mul(sde.sigma(t as number)));
 * const options = { shape: [10, 1], grid: { kind: "log-snr", steps: 10 }, rng: createRng(1) } as const;
 * for await (const { done, x, evaluations } of sample(model, dpmSolver2M(), options)) {
 *   if (done) console.log(evaluations, await x.data());
 * }
 * ```
 * @throws {RangeError} When the shape or the time grid is invalid.
 * @throws {Error} When a state or a score is NaN or infinite, naming sampler, step and time; on a GPU, where a read
 * waits for all work queued before it, up to 15 steps later, but always before the last state is yielded. The signal's reason once it is aborted.
 */
export async function* sample(
  model: AnyScoreModel,
  sampler: Sampler,
  options: SampleOptions,
): AsyncGenerator<SampleStep, void, void> {
  checkRun(model, sampler, options);
  const { rng, denoise = true, signal } = options;
  signal?.throwIfAborted();
  const shape = checkedShape(options);
  const times = checkedTimes(model, options.grid);
  const steps = times.length - 1;
  const watched = new WatchedModel(model, signal);
  const stepper = sampler.start(watched.model, rng, times);
  let x = options.initial?.clone() ?? tf.tidy(() => rng.normal(shape).mul(model.sde.priorStd));
  const check = new FiniteCheck(watched);
  let handedOver = false;
  try {
    const start = `${sampler.name}: the starting state at time ${times[0]}`;
    x = replaced(x, await named(start, x, signal, () => stepper.begin?.(x, times[0]) ?? x));
    await check.add(x, start);
    for (let step = 0; step <= steps; step++) {
      const time = times[step];
      if (step > 0) {
        const where = `${sampler.name}: step ${step} of ${steps}, from time ${times[step - 1]} to ${time}`;
        const toData = step === steps && denoise ? stepper.stepToData : undefined;
        x = replaced(
          x,
          await named(
            where,
            x,
            signal,
            () => toData?.(x, times[step - 1]) ?? stepper.step(x, times[step - 1], time),
          ),
        );
        await check.add(x, where);
      }
      const done = step === steps;
      if (done && denoise && stepper.stepToData === undefined && model.sde.sigma(time) > 0) {
        const where = `${sampler.name}: denoising after step ${step} of ${steps}, at time ${time}`;
        x = replaced(x, await watched.model.denoised(x, time));
        await check.add(x, where);
      }
      if (done) {
        await check.settle();
        x = replaced(
          x,
          await named(`${sampler.name}: the end of the run`, x, signal, () => stepper.finish?.(x) ?? x),
        );
      }
      handedOver = done;
      yield { step, steps, time, x, evaluations: watched.evaluations, done };
    }
  } catch (error) {
    // The cause is an earlier number that is not finite, if there is one.
    await check.settle();
    throw error;
  } finally {
    if (!handedOver) x.dispose();
    stepper.dispose();
    check.dispose();
    watched.dispose();
  }
}

/** Runs {@linkcode sample} to its end and returns the last state [N, …], which the caller owns. */
export async function drawSamples(
  model: AnyScoreModel,
  sampler: Sampler,
  options: SampleOptions,
): Promise<tf.Tensor> {
  for await (const { done, x } of sample(model, sampler, options)) {
    if (done) return x;
  }
  throw new Error("sample() ended without a last state");
}

/** Computes the state that follows x and checks it; errors begin with `where`, but for a signal's reason. */
async function named(
  where: string,
  x: tf.Tensor,
  signal: AbortSignal | undefined,
  action: () => Awaitable<tf.Tensor>,
): Promise<tf.Tensor> {
  let next: unknown;
  try {
    next = await action();
    requireResult("the sampler's state", next, x);
    return next;
  } catch (error) {
    if (next instanceof tf.Tensor && next !== x) next.dispose();
    // The message of a DOMException, as fetch throws it, cannot be changed.
    if (error instanceof Error && !(error instanceof DOMException) && error !== signal?.reason) {
      error.message = `${where}: ${error.message}`;
    }
    throw error;
  }
}

function replaced(old: tf.Tensor, next: tf.Tensor): tf.Tensor {
  if (next !== old) old.dispose();
  return next;
}

function checkedShape({ shape, initial }: SampleOptions): number[] {
  if (!isList(shape)) throw new TypeError(`shape must be a list of sizes, got ${quoted(shape)}`);
  if (shape.length < 2 || !shape.every((size) => Number.isInteger(size) && size > 0)) {
    throw new RangeError(`shape must be [samples, …] in positive integers, got ${quoted(shape)}`);
  }
  if (initial !== undefined && String(initial.shape) !== String(shape)) {
    throw new RangeError(
      `initial has shape ${quotedShape(initial.shape)}, but shape asks for ${quoted(shape)}`,
    );
  }
  return [...shape];
}

/** Throws unless the arguments are a model, a sampler and a generator, for callers without type checks. */
function checkRun(model: AnyScoreModel, sampler: Sampler, options: SampleOptions): void {
  requireModel("model", model);
  requireSampler("sampler", sampler);
  if (sampler.needs === "consistency" && !model.consistency) {
    throw new TypeError(
      `the sampler ${sampler.name} needs a consistency function, and this model gives a score: use another sampler`,
    );
  }
  if (sampler.needs !== "consistency" && model.consistency) {
    throw new TypeError(
      `the sampler ${sampler.name} needs a score, and this model is a consistency function: use the sampler consistency`,
    );
  }
  checkFields("options", options, [], ["shape", "grid", "rng", "denoise", "initial", "signal"]);
  requireRng("rng", options.rng);
  if (options.denoise !== undefined) requireBoolean("denoise", options.denoise);
  if (options.initial !== undefined) requireTensor("initial", options.initial);
  requireSignal("signal", options.signal);
}

function checkedTimes({ sde }: AnyScoreModel, grid: GridConfig | Float64Array): Float64Array {
  if (isList(grid) && !(grid instanceof Float64Array)) {
    throw new TypeError(`times of a grid must be a Float64Array, got ${quoted(grid)}`);
  }
  const times = grid instanceof Float64Array ? grid : timeGrid(sde, grid);
  const decreasing = times.every((time, i) => time >= 0 && (i === 0 || time < times[i - 1]));
  if (times.length < 2 || !decreasing) {
    throw new RangeError(
      `a time grid needs at least two strictly decreasing points, not negative, got ${quoted(times)}`,
    );
  }
  if (times[0] > sde.tMax * (1 + 1e-9)) {
    throw new RangeError(
      `a time grid must not begin before the diffusion's end, tMax = ${sde.tMax}, got ${times[0]}`,
    );
  }
  return times;
}

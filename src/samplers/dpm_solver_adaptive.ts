/**
 * The adaptive DPM-Solver, with a step size for every sample.
 * @module
 */
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import type { Rng } from "../compute/rng.ts";
import { halfLogSnr } from "../diffusion/sde.ts";
import { requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import { addedNoise, type AddedNoiseOptions, ancestralParts } from "./added_noise.ts";
import { adaptiveSteps, type Attempt, requireTolerances, rootMeanSquare } from "./adaptive_steps.ts";
import { slopeWeight } from "./dpm_solver_singlestep.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/** Options of {@linkcode dpmSolverAdaptive}. */
export interface DpmSolverAdaptiveOptions extends AddedNoiseOptions {
  /** Error allowed in one step, relative to the state; default 0.05. */
  readonly rtol?: number;
  /** Error allowed in one step, absolute, of x/α; default 0.0078, about one level of an image in [−1, 1]. */
  readonly atol?: number;
  /** The order of the solution kept, 2 or 3, whose error is its difference from that of one order less; default 3. */
  readonly solverOrder?: number;
  /** The first step's length in λ; default 0.05. */
  readonly firstStep?: number;
  /** Attempts in one step of the grid after which the sampler throws; default 10 000. */
  readonly maxAttempts?: number;
  /** η, how much noise is added, in [0, 1]: 0 none, the probability flow, 1 as much as in ancestral sampling. Default 0. */
  readonly eta?: number;
}

/** A step is accepted if the next may be 0.81 times as long or longer: error^(−1/p) ≥ 1 + tan(0.81 − 1). */
const LEAST_FACTOR = 1 + Math.tan(0.81 - 1);

/**
 * DPM-Solver-23 or -12 (Lu et al. 2022, appendix C) on the probability flow, as k-diffusion's sample_dpm_adaptive has it
 * with its defaults. In y = x/α and λ = ln(α/σ) a step of h is taken by DPM-Solver-3 and, with the same evaluations,
 * by DPM-Solver-2 whose time in between is at a third of the way; of order p = 2 by DPM-Solver-2 and DDIM:
 *
 *   E = ‖(y_low − y_high)/max(atol, rtol max(|y_low|, |y_low,previous|))‖ / √d,   f = 1 + arctan(E^{−1/p} − 1).
 *
 * The step is accepted, with y_high, if f ≥ 0.81; the next is f times as long. Every sample has its own step sizes, kept
 * from one step of the grid to the next; in k-diffusion, a batch has. p evaluations an attempt; those of a run are those
 * of the sample with the most. A step to sigma = 0 is DDIM's.
 *
 * With η > 0 a step leads down to less noise than it is to end with, but not to less than the grid's step ends with, and
 * adds the rest, as `dpm-solver-2-ancestral` does; its error is that of the way down, and p = 3/2 in f. The noise of a
 * rejected step is not kept: whether a step is accepted does not depend on its noise.
 * @throws {RangeError} When a tolerance or the first step is not positive, `solverOrder` is neither 2 nor 3, eta is not in
 * [0, 1] or sNoise is not positive.
 */
export function dpmSolverAdaptive(options: DpmSolverAdaptiveOptions = {}): Sampler {
  requireOptions("options", options);
  const { rtol = 0.05, atol = 0.0078, solverOrder = 3, firstStep = 0.05, maxAttempts = 10_000 } = options;
  const { eta: givenEta = 0 } = options;
  requireTolerances({ rtol, atol });
  requireWhole("solverOrder", solverOrder, 2, 3);
  requirePositive("firstStep", firstStep);
  requireWhole("maxAttempts", maxAttempts, 1);
  const noise = addedNoise({ ...options, eta: givenEta });
  const settings = { rtol, atol, solverOrder, firstStep, maxAttempts, ...noise };
  return { name: "dpm-solver-adaptive", start: (model, rng) => new AdaptiveRun(model, rng, settings) };
}

class AdaptiveRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #rng: Rng;
  readonly #options: Required<DpmSolverAdaptiveOptions>;
  #calls = 0;
  /** The step length in λ that each row would take next. */
  #lengths: Float64Array | null = null;

  constructor(model: AnyScoreModel, rng: Rng, options: Required<DpmSolverAdaptiveOptions>) {
    this.#model = model;
    this.#rng = rng;
    this.#options = options;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    const { sde } = this.#model;
    return sde.sigma(s) === 0 ? tidied(this.#toData(x, t, s)) : this.#integrate(x, t, s);
  }

  dispose(): void {}

  *#toData(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    return (yield* awaited(this.#model.denoised(x, t))).mul(this.#model.sde.alpha(s));
  }

  async #integrate(x: tf.Tensor, t: number, s: number): Promise<tf.Tensor> {
    const { sde } = this.#model;
    const { firstStep, maxAttempts } = this.#options;
    // Random numbers of its own for each step of the grid, so that a row's do not depend on how many attempts others took.
    const rng = this.#rng.fork(`step ${this.#calls++}`);
    if (this.#lengths?.length !== x.shape[0]) this.#lengths = new Float64Array(x.shape[0]).fill(firstStep);
    const lengths = this.#lengths;
    const last = halfLogSnr(sde, s);
    // Rounding must not lead out of the step.
    const timeOf = (lambda: number) => Math.min(t, Math.max(s, sde.timeAtHalfLogSnr(lambda)));
    const y = x.div(sde.alpha(t));
    const arrived = await adaptiveSteps([y, y.clone()], halfLogSnr(sde, t), last, lengths, maxAttempts, {
      name: "DPM-Solver",
      attempt: ([y, previous], starts, ends) =>
        tidied(this.#attempt(y, previous, starts, ends, last, timeOf, rng)),
      nextLength: (error, row) => {
        const largest = LEAST_FACTOR / (error + 1e-8) ** (1 / this.#controlOrder);
        return lengths[row] * (1 + Math.atan(largest - 1));
      },
    });
    const [end, previous] = arrived;
    const result = tf.tidy(() => end.mul(sde.alpha(s)));
    tf.dispose([end, previous]);
    return result;
  }

  /** p in the step's factor; k-diffusion takes 3/2 for it where noise is added. */
  get #controlOrder(): number {
    return this.#options.eta > 0 ? 1.5 : this.#options.solverOrder;
  }

  /** One step of every row with its noise, and the ratio of its error to what is accepted, [B]. */
  *#attempt(
    y: tf.Tensor,
    previous: tf.Tensor,
    starts: Float64Array,
    ends: Float64Array,
    last: number,
    timeOf: (lambda: number) => number,
    rng: Rng,
  ): Pausing<Attempt> {
    const { rtol, atol, eta, sNoise } = this.#options;
    const downTo = (end: number, row: number) =>
      Math.min(last, -Math.log(ancestralParts(Math.exp(-starts[row]), Math.exp(-end), eta).kept));
    const downs = eta === 0 ? ends : ends.map(downTo);
    const [low, high] = yield* this.#down(y, starts, downs, timeOf);
    const scale = tf.maximum(low.abs(), previous.abs()).mul(rtol).maximum(atol);
    const error = rootMeanSquare(low.sub(high).div(scale)).mul(LEAST_FACTOR ** this.#controlOrder);
    if (eta === 0) return [[high, low], error];
    const fresh = ends.map((end, row) =>
      sNoise * Math.sqrt(Math.max(0, Math.exp(-2 * end) - Math.exp(-2 * downs[row])))
    );
    return [[high.add(rng.normal(y.shape).mul(column(fresh, y))), low], error];
  }

  /** Every row along the flow by the two solutions, of the lower and of the higher order. */
  *#down(
    y: tf.Tensor,
    starts: Float64Array,
    ends: Float64Array,
    timeOf: (lambda: number) => number,
  ): Pausing<[tf.Tensor, tf.Tensor]> {
    const { sde } = this.#model;
    const { solverOrder } = this.#options;
    const h = ends.map((end, row) => end - starts[row]);
    /** A number of each row's λ at a part of its step, and of its length h. */
    const weight = (f: (ratio: number, h: number) => number, part: number) =>
      column(h.map((length, row) => f(Math.exp(-(starts[row] + part * length)), part * length)), y);
    const noise = (y: tf.Tensor, part: number) => {
      const times = h.map((length, row) => timeOf(starts[row] + part * length));
      return this.#model.predictedNoise(y.mul(column(times.map(sde.alpha), y)), times);
    };
    const start = yield* awaited(noise(y, 0));
    const ddim = (part: number) => y.sub(start.mul(weight((ratio, h) => ratio * Math.expm1(h), part)));
    const whole = (f: (ratio: number, h: number) => number) => weight(f, 1);
    const part = solverOrder === 2 ? 1 / 2 : 1 / 3;
    const change = (yield* awaited(noise(ddim(part), part))).sub(start);
    const second = ddim(1).sub(change.mul(whole((ratio, h) => ratio * Math.expm1(h) / (2 * part))));
    if (solverOrder === 2) return [ddim(1), second];
    const near = ddim(2 / 3).sub(change.mul(weight((ratio, h) => 2 * ratio * slopeWeight(h), 2 / 3)));
    const farther = (yield* awaited(noise(near, 2 / 3))).sub(start);
    return [second, ddim(1).sub(farther.mul(whole((ratio, h) => 1.5 * ratio * slopeWeight(h))))];
  }
}

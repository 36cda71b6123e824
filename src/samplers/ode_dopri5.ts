/**
 * The adaptive Runge–Kutta pair of Dormand & Prince, with a step size for every row of the batch.
 * @module
 */
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import {
  type AdaptiveMethod,
  adaptiveSteps,
  type Attempt,
  readAndDispose,
  requireTolerances,
  rootMeanSquare,
} from "./adaptive_steps.ts";
import type { Sampler } from "./sampler.ts";

/** Tolerances of the solution, and a limit on attempts. */
export interface ToleranceOptions {
  /**
   * Error allowed in one step, relative to the state; default 1e-5. Below 1e-7 the rounding of float32 states
   * dominates.
   */
  readonly rtol?: number;
  /** Error allowed in one step, absolute; default 1e-5. */
  readonly atol?: number;
  /** Attempts after which the solver throws; default 10 000. */
  readonly maxAttempts?: number;
}

/** dx/dt at x [B, …], row b at time t[b]; the caller owns the result. */
type Derivative = (x: tf.Tensor, t: Float64Array) => Awaitable<tf.Tensor>;

// Dormand & Prince 1980, Table 2: the pair RK5(4)7M.
const NODES = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
const STAGES = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
/** Weights of the fifth-order solution minus those of the fourth-order one. */
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/**
 * The probability-flow ODE dx/dt = f x − ½ g² ∇log p_t(x) (Song et al. 2021, eq. 13) by Dormand–Prince 5(4). Every
 * sample has step sizes of its own, kept from one step of the grid to the next. The evaluations are those of the
 * sample with the most steps.
 * @throws {RangeError} When a tolerance is not positive.
 */
export function odeDormandPrince(options: ToleranceOptions = {}): Sampler {
  requireTolerances(options);
  return {
    name: "ode-dopri5",
    start: (model) => {
      const solver = new DormandPrince(options);
      return { step: (x, t, s) => solver.integrate(model.odeDrift, x, t, s), dispose: () => {} };
    },
  };
}

/**
 * Solves dx/dt = derivative(x, t) in either direction (Hairer, Nørsett & Wanner 1993, II.4–II.5): a step is accepted if
 * the root mean square over a row of error/(atol + rtol·max(|x|, |x'|)) is at most 1; the next is 0.9·error^(−1/5)
 * times as long, between a fifth and ten times. Rows have their own step sizes; one that has arrived stays unchanged.
 */
export class DormandPrince {
  readonly #rtol: number;
  readonly #atol: number;
  readonly #maxAttempts: number;
  /** The step length that each row would take next. */
  #lengths: Float64Array | null = null;

  /** @throws {RangeError} When a tolerance is not positive. */
  constructor(options: ToleranceOptions = {}) {
    requireTolerances(options);
    this.#rtol = options.rtol ?? 1e-5;
    this.#atol = options.atol ?? 1e-5;
    this.#maxAttempts = options.maxAttempts ?? 10_000;
  }

  /**
   * The state [B, …] at time `to` of the solution that is x at time `from`; x is not disposed, the caller owns the
   * result. The step lengths are kept for a next call that continues from there.
   * @throws {Error} When the derivative is not finite or `to` is not reached, naming time and error.
   */
  async integrate(derivative: Derivative, x: tf.Tensor, from: number, to: number): Promise<tf.Tensor> {
    const rows = x.shape[0];
    const direction = Math.sign(to - from);
    const slope = await tidied((function* () {
      return yield* awaited(derivative(x, new Float64Array(rows).fill(from)));
    })());
    if (this.#lengths?.length !== rows) {
      try {
        this.#lengths = await this.#firstLengths(derivative, x, slope, from, to);
      } catch (error) {
        slope.dispose();
        throw error;
      }
    }
    const lengths = this.#lengths;
    const taken = (row: number, time: number) => Math.min(lengths[row], Math.abs(to - time));
    const afterRejection = new Uint8Array(rows);
    const method: AdaptiveMethod = {
      name: "Dormand–Prince",
      attempt: ([state, slope], times) => {
        const steps = times.map((time, row) => direction * taken(row, time));
        return tidied(this.#attempt(derivative, state, slope, times, steps));
      },
      nextLength: (error, row, time) => {
        const factor = 0.9 * error ** -0.2;
        const isAccepted = error <= 1;
        const largest = afterRejection[row] ? 1 : 10;
        afterRejection[row] = isAccepted ? 0 : 1;
        return taken(row, time) * (isAccepted ? Math.min(largest, factor) : Math.max(0.2, factor));
      },
    };
    const arrived = await adaptiveSteps([x.clone(), slope], from, to, lengths, this.#maxAttempts, method);
    arrived[1].dispose();
    return arrived[0];
  }

  /** One step of every row: the fifth-order solution, its slope (the next step's first), and the scaled error [B]. */
  *#attempt(
    derivative: Derivative,
    x: tf.Tensor,
    slope: tf.Tensor,
    times: Float64Array,
    steps: Float64Array,
  ): Pausing<Attempt> {
    const h = column(steps, x);
    const slopes = [slope];
    let next = x;
    for (let stage = 1; stage < NODES.length; stage++) {
      next = x.add(combination(STAGES[stage], slopes).mul(h));
      const at = times.map((time, row) => time + NODES[stage] * steps[row]);
      slopes.push(yield* awaited(derivative(next, at)));
    }
    const scale = tf.maximum(x.abs(), next.abs()).mul(this.#rtol).add(this.#atol);
    return [[next, slopes[6]], rootMeanSquare(combination(ERROR, slopes).mul(h).div(scale))];
  }

  /** Step lengths to begin with, from the sizes of the state, its slope and its curvature (Hairer et al., II.4). */
  async #firstLengths(
    derivative: Derivative,
    x: tf.Tensor,
    slope: tf.Tensor,
    from: number,
    to: number,
  ): Promise<Float64Array> {
    const inTolerances = (value: tf.Tensor) =>
      tf.tidy(() => rootMeanSquare(value.div(x.abs().mul(this.#rtol).add(this.#atol))));
    const size = await readAndDispose(inTolerances(x));
    const speed = await readAndDispose(inTolerances(slope));
    const trial = Float64Array.from(
      size,
      (value, row) =>
        Math.min(value < 1e-5 || speed[row] < 1e-5 ? 1e-6 : 0.01 * value / speed[row], Math.abs(to - from)),
    );
    const bend = await readAndDispose(
      await tidied((function* () {
        const steps = trial.map((length) => Math.sign(to - from) * length);
        const at = steps.map((step) => from + step);
        const further = yield* awaited(derivative(x.add(slope.mul(column(steps, x))), at));
        return inTolerances(further.sub(slope));
      })()),
    );
    return trial.map((length, row) => {
      const change = Math.max(speed[row], bend[row] / length);
      return Math.min(100 * length, change <= 1e-15 ? Math.max(1e-6, 1e-3 * length) : (0.01 / change) ** 0.2);
    });
  }
}

/** Σ weights[j]·tensors[j], leaving out zero weights. */
function combination(weights: readonly number[], tensors: readonly tf.Tensor[]): tf.Tensor {
  return tf.addN(weights.flatMap((weight, j) => weight === 0 ? [] : [tensors[j].mul(weight)]));
}

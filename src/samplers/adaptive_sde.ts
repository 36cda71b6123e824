/**
 * The adaptive solver of the reverse-time SDE, with a step size for every sample.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import { column } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { BrownianPaths } from "./brownian_paths.ts";
import { adaptiveSteps, type Attempt, requireTolerances, rootMeanSquare } from "./adaptive_steps.ts";
import type { Sampler, Stepper } from "./sampler.ts";
import { requireOptions, requirePositive, requireWhole } from "../input/require.ts";

/** Options of {@linkcode adaptiveSde}. */
export interface AdaptiveSdeOptions {
  /** ε_rel, relative to the state; default 0.05. */
  readonly rtol?: number;
  /** ε_abs; default 2/256, one level of an image in [−1, 1]. */
  readonly atol?: number;
  /** The first step's length; default 0.01. */
  readonly firstStep?: number;
  /** Attempts in one step of the grid after which the sampler throws; default 10 000. */
  readonly maxAttempts?: number;
}

/**
 * The adaptive solver of Jolicoeur-Martineau et al. 2021 (Alg. 1) for dx = [f x − g² ∇log p_t(x)] dt + g dw̄, with
 * b(x, t) = f x − g² ∇log p_t(x) and s = t − h:
 *
 *   x' = x − h b(x, t) + g(t) Δw,   x̃ = x − h b(x', s) + g(s) Δw,   x'' = (x' + x̃)/2,
 *   E = ‖(x' − x'')/max(ε_abs, ε_rel max(|x'|, |x'_previous|))‖ / √d.
 *
 * A step with E ≤ 1 is accepted with the result x''; the next is 0.9 E^{−0.9} times as long. A rejected step keeps
 * its noise for the shorter steps that follow, where the paper draws it anew, which biases the distribution in few
 * dimensions. Every sample has its own step sizes, with noise that does not depend on the others. With constant steps
 * the weak order is 2. Two evaluations an attempt.
 * @throws {RangeError} When a tolerance or the first step is not positive.
 */
export function adaptiveSde(options: AdaptiveSdeOptions = {}): Sampler {
  requireOptions("options", options);
  const { rtol = 0.05, atol = 2 / 256, firstStep = 0.01, maxAttempts = 10_000 } = options;
  requireTolerances({ rtol, atol });
  requirePositive("firstStep", firstStep);
  requireWhole("maxAttempts", maxAttempts, 1);
  return {
    name: "adaptive-sde",
    start: (model, rng) => new AdaptiveRun(model, rng, { rtol, atol, firstStep, maxAttempts }),
  };
}

class AdaptiveRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #rng: Rng;
  readonly #options: Required<AdaptiveSdeOptions>;
  #calls = 0;
  /** The step length that each row would take next. */
  #lengths: Float64Array | null = null;
  /** x'_previous of each row. */
  #previous: tf.Tensor | null = null;

  constructor(model: AnyScoreModel, rng: Rng, options: Required<AdaptiveSdeOptions>) {
    this.#model = model;
    this.#rng = rng;
    this.#options = options;
  }

  async step(x: tf.Tensor, t: number, s: number): Promise<tf.Tensor> {
    const { firstStep, maxAttempts } = this.#options;
    if (this.#model.sde.sigma(s) === 0) {
      throw new RangeError(
        `adaptive-sde needs a score at the end of its steps, but sigma is zero at time ${s}`,
      );
    }
    // A random stream of its own for each step of the grid, so that its noise does not depend on the attempts of
    // earlier ones.
    const paths = new BrownianPaths(this.#rng.fork(`step ${this.#calls++}`), x.shape);
    const lengths = this.#lengths ??= new Float64Array(x.shape[0]).fill(firstStep);
    const previous = this.#previous ?? x.clone();
    this.#previous = null;
    const arrived = await adaptiveSteps([x.clone(), previous], t, s, lengths, maxAttempts, {
      name: "the adaptive solver",
      attempt: ([state, previous], times, ends) => tidied(this.#attempt(state, previous, times, ends, paths)),
      nextLength: (error, row, time, end) => {
        if (error > 1) paths.takeBack(row);
        return (time - end) * 0.9 * error ** -0.9;
      },
    });
    this.#previous = arrived[1];
    return arrived[0];
  }

  dispose(): void {
    this.#previous?.dispose();
    this.#previous = null;
  }

  /** x'', x' and E [B] of one step of every row. */
  *#attempt(
    x: tf.Tensor,
    previous: tf.Tensor,
    times: Float64Array,
    ends: Float64Array,
    paths: BrownianPaths,
  ): Pausing<Attempt> {
    const { rtol, atol } = this.#options;
    const { sde, score } = this.#model;
    const h = times.map((from, row) => from - ends[row]);
    const increment = paths.next(h);
    /** The step from x with drift and diffusion evaluated at the given state and time. */
    function* moved(at: tf.Tensor, time: Float64Array): Pausing<tf.Tensor> {
      const per = (f: (time: number, h: number) => number) => column(time.map((t, row) => f(t, h[row])), x);
      const scoreThere = yield* awaited(score(at, time));
      return x
        .sub(at.mul(per((t, h) => h * sde.driftCoefficient(t))))
        .add(scoreThere.mul(per((t, h) => h * sde.diffusionCoefficient(t) ** 2)))
        .add(increment.mul(per((t) => sde.diffusionCoefficient(t))));
    }
    const near = yield* moved(x, times);
    const next = near.add(yield* moved(near, ends)).div(2);
    const size = tf.maximum(near.abs(), previous.abs());
    return [[next, near], rootMeanSquare(near.sub(next).div(tf.maximum(size.mul(rtol), atol)))];
  }
}

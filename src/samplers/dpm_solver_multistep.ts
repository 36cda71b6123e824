/**
 * DPM-Solver++(2M), the multistep solver in the log-SNR.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { halfLogSnr } from "../diffusion/sde.ts";
import { endsByDdim, type LastStepOptions } from "./last_step.ts";
import type { Sampler, Stepper } from "./sampler.ts";
import { meanPosition, type SolverTypeOptions, usesIntegral } from "./solver_type.ts";

/**
 * DPM-Solver++(2M) (Lu et al. 2022b, Alg. 2) on the probability flow. With λ = ln(α/σ), h = λ_s − λ_t, r =
 * h_previous/h:
 *
 *   D = (1 + 1/(2r)) D_t − 1/(2r) D_previous,   x_s = (σ_s/σ_t) x_t − α_s (e^{−h} − 1) D.
 *
 * The first step, a step that does not continue the last one, and a step to sigma = 0 use D = D_t, which is DDIM; so does the
 * last step of a run with `lastStep: "ddim"`. Order 2 in the spacing of λ, on any grid. One evaluation a step.
 *
 * That D is the line through the two at the middle of the step; `solverType: "heun"` takes the line's exact integral,
 * with 1/(1 − e^{−h}) − 1/h in the place of each 1/2.
 * @throws {TypeError | RangeError} When `lastStep` or `solverType` is no name of a way to take it.
 */
export function dpmSolver2M(options: LastStepOptions & SolverTypeOptions = {}): Sampler {
  const ends = endsByDdim(options);
  const integrates = usesIntegral(options);
  return {
    name: "dpm++2m",
    start: (model, _, times) => new MultistepRun(model, ends(model.sde, times), integrates),
  };
}

class MultistepRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #history = new DataHistory();

  constructor(
    model: AnyScoreModel,
    readonly ends: (s: number) => boolean,
    readonly integrates: boolean,
  ) {
    this.#model = model;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { sde } = this.#model;
    const h = halfLogSnr(sde, s) - halfLogSnr(sde, t);
    const data = yield* awaited(this.#model.denoised(x, t));
    const part = this.integrates ? meanPosition(h) : 1 / 2;
    const used = this.ends(s) ? data : this.#history.extrapolated(data, t, h, part);
    const next = x.mul(sde.sigma(s) / sde.sigma(t)).sub(used.mul(sde.alpha(s) * Math.expm1(-h)));
    this.#history.remember(data, h, s);
    return next;
  }

  dispose(): void {
    this.#history.dispose();
  }
}

/** A multistep solver's history: the data prediction at the start of the last step, its length in λ and its end. */
export class DataHistory {
  #last: { readonly data: tf.Tensor; readonly h: number; readonly end: number } | null = null;

  /**
   * The prediction extrapolated linearly by a part of a step of h in λ from time t; without history unchanged.
   */
  extrapolated(data: tf.Tensor, t: number, h: number, part: number): tf.Tensor {
    const last = this.#last;
    if (last === null || last.end !== t || !Number.isFinite(h)) return data;
    const weight = part * h / last.h; // 1/(2r) for the middle
    return data.mul(1 + weight).sub(last.data.mul(weight));
  }

  /** Stores the prediction at the start of a step of h in λ that ends at time `end`, and owns it. */
  remember(data: tf.Tensor, h: number, end: number): void {
    this.dispose();
    this.#last = { data: tf.keep(data), h, end };
  }

  /** Disposes the history. */
  dispose(): void {
    this.#last?.data.dispose();
    this.#last = null;
  }
}

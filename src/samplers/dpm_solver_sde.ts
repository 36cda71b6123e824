/**
 * SDE-DPM-Solver++(2M), the multistep solver for the reverse-time SDE.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import type * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { halfLogSnr } from "../diffusion/sde.ts";
import { DataHistory } from "./dpm_solver_multistep.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/**
 * SDE-DPM-Solver++(2M) (Lu et al. 2022b) on the reverse-time SDE. With λ = ln(α/σ), h = λ_s − λ_t, r = h_previous/h:
 *
 *   D = (1 + 1/(2r)) D_t − 1/(2r) D_previous,
 *   x_s = (σ_s/σ_t) e^{−h} x_t + α_s (1 − e^{−2h}) D + σ_s √(1 − e^{−2h}) z,   z ~ N(0, I).
 *
 * The first step, a step that does not continue the last one, and a step to sigma = 0 use D = D_t, which is ancestral
 * sampling. Weak order 2: D_previous does not depend on the last step's noise, but to this order its covariance with
 * the state is the same over the steps. One evaluation a step.
 */
export function sdeDpmSolver2M(): Sampler {
  return { name: "sde-dpm++2m", start: (model, rng) => new StochasticMultistepRun(model, rng) };
}

class StochasticMultistepRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #rng: Rng;
  readonly #history = new DataHistory();

  constructor(model: AnyScoreModel, rng: Rng) {
    this.#model = model;
    this.#rng = rng;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { sde } = this.#model;
    const h = halfLogSnr(sde, s) - halfLogSnr(sde, t);
    const share = -Math.expm1(-2 * h);
    const data = yield* awaited(this.#model.denoised(x, t));
    const next = x.mul(sde.sigma(s) / sde.sigma(t) * Math.exp(-h))
      .add(this.#history.extrapolated(data, t, h).mul(sde.alpha(s) * share))
      .add(this.#rng.normal(x.shape).mul(sde.sigma(s) * Math.sqrt(share)));
    this.#history.remember(data, h, s);
    return next;
  }

  dispose(): void {
    this.#history.dispose();
  }
}

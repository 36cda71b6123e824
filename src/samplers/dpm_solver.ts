/**
 * DPM-Solver++(2M), the multistep solver in the log-SNR.
 * @module
 */
import * as tf from "../compute/tf.ts";
import type { ScoreModel } from "../denoiser.ts";
import { logSnr } from "../sde.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/**
 * DPM-Solver++(2M) (Lu et al. 2022b, Alg. 2) on the probability flow. With λ = ln(α/σ), h = λ_s − λ_t, r = h_previous/h:
 *
 *   D = (1 + 1/(2r)) D_t − 1/(2r) D_previous,   x_s = (σ_s/σ_t) x_t − α_s (e^{−h} − 1) D.
 *
 * The first step, a step that does not continue the last one, and a step to sigma = 0 use D = D_t, which is DDIM.
 * Order 2 in the spacing of λ, on any grid. One evaluation a step.
 */
export function dpmSolver2M(): Sampler {
  return { name: "dpm++2m", start: (model) => new MultistepRun(model) };
}

/** The last step taken: the data prediction at its start and its ends. */
interface History {
  readonly data: tf.Tensor;
  readonly h: number;
  readonly end: number;
}

class MultistepRun implements Stepper {
  readonly #model: ScoreModel;
  #history: History | null = null;

  constructor(model: ScoreModel) {
    this.#model = model;
  }

  step(x: tf.Tensor, t: number, s: number): tf.Tensor {
    const { sde } = this.#model;
    const h = logSnr(sde, s) - logSnr(sde, t);
    const data = tf.tidy(() => this.#model.data(x, t));
    const next = tf.tidy(() =>
      x.mul(sde.sigma(s) / sde.sigma(t)).sub(
        this.#extrapolated(data, t, h).mul(sde.alpha(s) * Math.expm1(-h)),
      )
    );
    this.dispose();
    this.#history = { data: tf.keep(data), h, end: s };
    return next;
  }

  dispose(): void {
    this.#history?.data.dispose();
    this.#history = null;
  }

  #extrapolated(data: tf.Tensor, t: number, h: number): tf.Tensor {
    const last = this.#history;
    if (last === null || last.end !== t || !Number.isFinite(h)) return data;
    const weight = h / (2 * last.h); // 1/(2r)
    return data.mul(1 + weight).sub(last.data.mul(weight));
  }
}

/**
 * UniPC, the multistep solver that corrects each step with the evaluation at its end.
 * @module
 */
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { halfLogSnr } from "../diffusion/sde.ts";
import { integrate } from "../math/gauss_legendre.ts";
import { endsByDdim, type LastStepOptions } from "./last_step.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/**
 * UniPC-2 (Zhao et al. 2023, Alg. 1, with the coefficients of their UniPC_v) on the probability flow, which in y =
 * x/α is dy = ε̂ dν. Between two times ε̂ is approximated by a polynomial in λ = ln(α/σ), whose integral is exact:
 *
 *   y_s = y_t + Σ_j ε̂_j ∫ ℓ_j(λ) dν,   ν = e^{−λ},   ℓ_j Lagrange's polynomials of the λ_j.
 *
 * A step's polynomial interpolates the values at its start and at the last step's start. When the value at its end is
 * known, as the next step begins, the step is corrected with that value as a third; only the difference is added, so
 * that the state may be changed in between. A first step, or one that does not continue the last, begins without
 * history; a step to sigma = 0 is DDIM's, and the step to tMin with `lastStep: "ddim"`, from the corrected state.
 *
 * Order 3 in the spacing of λ, on any grid. One evaluation a step.
 * @throws {TypeError | RangeError} When `lastStep` is no name of a way to take it.
 */
export function unipc(options: LastStepOptions = {}): Sampler {
  const ends = endsByDdim(options);
  return { name: "unipc", start: (model) => new UnipcRun(model, ends) };
}

/** A predicted noise and the log-SNR it belongs to. */
interface Prediction {
  readonly noise: tf.Tensor;
  readonly lambda: number;
}

class UnipcRun implements Stepper {
  readonly #model: AnyScoreModel;
  /** The values at the starts of the last steps, the latest first; at most two. */
  #past: Prediction[] = [];
  #end = NaN;

  constructor(model: AnyScoreModel, readonly ends: ReturnType<typeof endsByDdim>) {
    this.#model = model;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { sde } = this.#model;
    if (t !== this.#end) this.dispose();
    const noise = yield* awaited(this.#model.predictedNoise(x, t));
    const now = { noise, lambda: halfLogSnr(sde, t) };
    const corrected = this.#past.length === 0
      ? x
      : x.add(this.#correction(now, this.#past).mul(sde.alpha(t)));
    const nodes = this.ends(sde, s) ? [now] : [now, ...this.#past.slice(0, 1)];
    const increment = integral(nodes, now.lambda, halfLogSnr(sde, s));
    const next = corrected.mul(sde.alpha(s) / sde.alpha(t)).add(increment.mul(sde.alpha(s)));
    tf.keep(noise);
    this.#past.unshift(now);
    this.#past.splice(2).forEach(({ noise }) => noise.dispose());
    this.#end = s;
    return next;
  }

  dispose(): void {
    this.#past.splice(0).forEach(({ noise }) => noise.dispose());
  }

  /** The last step's correction: its integral with the value at its end, minus the one without. */
  #correction(now: Prediction, past: Prediction[]): tf.Tensor {
    const from = past[0].lambda;
    return integral([now, ...past], from, now.lambda).sub(integral(past, from, now.lambda));
  }
}

/** Σ_j ε̂_j ∫ ℓ_j dν over λ from one value to another; Infinity is λ where σ = 0. */
function integral(nodes: readonly Prediction[], from: number, to: number): tf.Tensor {
  if (to === Infinity) return nodes[0].noise.mul(-Math.exp(-from));
  const terms = nodes.map(({ noise, lambda: own }) => {
    const others = nodes.filter(({ lambda }) => lambda !== own);
    return noise.mul(
      integrate(
        from,
        to,
        (lambda) =>
          others.reduce(
            (product, other) => product * (lambda - other.lambda) / (own - other.lambda),
            -Math.exp(-lambda),
          ),
      ),
    );
  });
  return tf.addN(terms);
}

/**
 * SA-Solver, the stochastic Adams method with a predictor and a corrector.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { halfLogSnr, noiseRatio } from "../diffusion/sde.ts";
import { requireBetween, requireOptions, requireWhole } from "../input/require.ts";
import { integrate } from "../math/gauss_legendre.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/** Options of {@linkcode saSolver}. */
export interface SaSolverOptions {
  /** How many data predictions a step extrapolates, 1 to 4; default 3. */
  readonly predictorOrder?: number;
  /** How many data predictions correct it, the one at its end among them: 0, no correction, to 4. Default 4. */
  readonly correctorOrder?: number;
  /**
   * τ, how much noise is added, not negative: 0 none, the probability flow, 1 as much as the reverse SDE; or a function
   * of the time at which a step begins. Default 1.
   */
  readonly tau?: number | ((t: number) => number);
}

/**
 * SA-Solver (Xue et al. 2023, Alg. 1) on the SDE of noise τ(t) whose marginals are those of the diffusion. In y = x/α,
 * with λ = ln(α/σ) and D = E[x_0|x], that SDE is:
 *
 *   dy = (1 + τ²) (D − y) dλ + √2 τ ν dw.
 *
 * In a step of h in λ τ is constant, and D a polynomial in λ, whose integral is exact:
 *
 *   y_s = e^{−(1 + τ²) h} y_t + Σ_j D_j ∫ (1 + τ²) e^{−(1 + τ²) (λ_s − λ)} ℓ_j(λ) dλ + ν_s √(1 − e^{−2τ²h}) z,
 *
 * ℓ_j Lagrange's polynomials of the λ_j. A step's polynomial interpolates the values at its start and at the starts of
 * the steps before. When the value at its end is known, as the next step begins, the step is corrected: taken again
 * with the same noise and a polynomial through that value, too. Only the difference is added, so that the state may be
 * changed in between. Steps have fewer values as long as there are no more; a step that does not continue the last
 * one begins anew, and a step to sigma = 0 leads to D.
 *
 * Weak order 2 where either polynomial is a line or more. Without noise the order of the state is that of the
 * predictor, and with the correction the smaller of `predictorOrder` + 1 and `correctorOrder`. One evaluation a step.
 * @throws {TypeError | RangeError} When an order is no whole number in its range, or tau negative.
 */
export function saSolver(options: SaSolverOptions = {}): Sampler {
  requireOptions("options", options);
  const { predictorOrder = 3, correctorOrder = 4, tau = 1 } = options;
  requireWhole("predictorOrder", predictorOrder, 1, 4);
  requireWhole("correctorOrder", correctorOrder, 0, 4);
  if (typeof tau !== "function") requireBetween("tau", tau, 0);
  const tauAt = typeof tau === "function" ? tau : () => tau;
  return {
    name: "sa-solver",
    start: (model, rng) => new StochasticAdamsRun(model, rng, { predictorOrder, correctorOrder, tauAt }),
  };
}

/** A data prediction and the log-SNR it belongs to. */
interface Prediction {
  readonly data: tf.Tensor;
  readonly lambda: number;
}

class StochasticAdamsRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #rng: Rng;
  /** The values at the starts of the last steps, the latest first. */
  #past: Prediction[] = [];
  #end = NaN;
  /** 1 + τ² of the last step. */
  #rate = NaN;

  constructor(
    model: AnyScoreModel,
    rng: Rng,
    readonly rule: {
      readonly predictorOrder: number;
      readonly correctorOrder: number;
      readonly tauAt: (t: number) => number;
    },
  ) {
    this.#model = model;
    this.#rng = rng;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { predictorOrder, correctorOrder, tauAt } = this.rule;
    const { sde } = this.#model;
    if (t !== this.#end) this.dispose();
    const tau = tauAt(t);
    requireBetween("tau(t)", tau, 0);
    const data = yield* awaited(this.#model.denoised(x, t));
    const now = { data, lambda: halfLogSnr(sde, t) };
    const corrected = this.#past.length === 0 || correctorOrder === 0
      ? x
      : x.add(this.#correction(now).mul(sde.alpha(t)));
    const end = halfLogSnr(sde, s);
    const values = [now, ...this.#past].slice(0, predictorOrder);
    const increment = integral(values, now.lambda, end, 1 + tau ** 2);
    // A power of the noise ratio is e^{−τ²h}, and a number where h is infinite and τ = 0.
    const kept = (noiseRatio(sde, s) / noiseRatio(sde, t)) ** tau ** 2;
    const moved = corrected.mul(sde.sigma(s) / sde.sigma(t) * kept).add(increment.mul(sde.alpha(s)));
    const std = sde.sigma(s) * Math.sqrt((1 - kept) * (1 + kept));
    const next = tau === 0 ? moved : moved.add(this.#rng.normal(x.shape).mul(std));
    tf.keep(data);
    this.#past.unshift(now);
    this.#past.splice(Math.max(predictorOrder, correctorOrder - 1)).forEach(({ data }) => data.dispose());
    this.#end = s;
    this.#rate = 1 + tau ** 2;
    return next;
  }

  dispose(): void {
    this.#past.splice(0).forEach(({ data }) => data.dispose());
  }

  /** The last step's correction: its integral with the value at its end, minus the one by which it was predicted. */
  #correction(now: Prediction): tf.Tensor {
    const from = this.#past[0].lambda;
    const corrector = [now, ...this.#past].slice(0, this.rule.correctorOrder);
    const predictor = this.#past.slice(0, this.rule.predictorOrder);
    return integral(corrector, from, now.lambda, this.#rate)
      .sub(integral(predictor, from, now.lambda, this.#rate));
  }
}

/** Σ_j D_j ∫ r e^{−r (λ_to − λ)} ℓ_j dλ over λ from one value to another; Infinity is λ where σ = 0. */
function integral(nodes: readonly Prediction[], from: number, to: number, rate: number): tf.Tensor {
  if (to === Infinity) return nodes[0].data.clone();
  // What is more than 40/r away from the end has a weight below rounding; in pieces of 4/r the rule is exact to rounding.
  const start = Math.max(from, to - 40 / rate);
  const pieces = Math.ceil((to - start) * rate / 4);
  const border = (piece: number) => start + (to - start) * piece / pieces;
  const terms = nodes.map(({ data, lambda: own }) => {
    const others = nodes.filter(({ lambda }) => lambda !== own);
    const weighted = (lambda: number) =>
      others.reduce(
        (product, other) => product * (lambda - other.lambda) / (own - other.lambda),
        rate * Math.exp(-rate * (to - lambda)),
      );
    let weight = 0;
    for (let k = 0; k < pieces; k++) weight += integrate(border(k), border(k + 1), weighted);
    return data.mul(weight);
  });
  return tf.addN(terms);
}

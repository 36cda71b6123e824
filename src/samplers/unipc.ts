/**
 * UniPC, the multistep solver that corrects each step with the evaluation at its end.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { halfLogSnr } from "../diffusion/sde.ts";
import { checkName } from "../input/option_name.ts";
import { requireWhole } from "../input/require.ts";
import { lagrangeWeights } from "../math/lagrange.ts";
import { endsByDdim, type LastStepOptions } from "./last_step.ts";
import { type PastPrediction, PredictionHistory, weightedSum } from "./prediction_history.ts";
import type { Sampler, Stepper } from "./sampler.ts";

/** How a line through two predictions is integrated: exactly, or with B(h) = h or B(h) = e^h − 1. */
export type BFunction = "varying" | "bh1" | "bh2";

/** The names of {@linkcode BFunction}. */
export const bFunctions: readonly BFunction[] = ["varying", "bh1", "bh2"];

/** Of what a solver makes polynomials: of the noise ε̂ or of the data x̂_0. */
export type SolverPrediction = "noise" | "data";

/** The names of {@linkcode SolverPrediction}. */
export const solverPredictions: readonly SolverPrediction[] = ["noise", "data"];

/** Options of {@linkcode unipc}. */
export interface UnipcOptions extends LastStepOptions {
  /** p of UniPC-p: how many predictions a step goes by, before the one at its end corrects it; 1 to 3. Default 2. */
  readonly solverOrder?: number;
  /** How a line through two predictions is integrated, diffusers' `solver_type`. Default `varying`. */
  readonly bFunction?: BFunction;
  /** Of what polynomials are made; `data` is diffusers' `predict_x0`. Default `noise`. */
  readonly solverPrediction?: SolverPrediction;
}

/**
 * UniPC-p (Zhao et al. 2023, Alg. 1) on the probability flow. In λ = ln(α/σ) its solution is, by
 * `solverPrediction`,
 *
 *   x_s = (α_s/α_t) x_t − σ_s ∫ e^{λ_s − λ} ε̂ dλ,   or   x_s = (σ_s/σ_t) x_t + α_s ∫ e^{λ − λ_s} x̂_0 dλ,
 *
 * Between two times ε̂ or x̂_0 is approximated by a polynomial in λ, whose integral is exact, as with the
 * coefficients of their UniPC_v. A step's polynomial interpolates the values at the starts of it and of the p − 1 steps before.
 * When the value at its end is known, as the next step begins, the step is corrected with that value as one more; only the
 * difference is added, so that the state may be changed in between. With `bFunction` bh1 or bh2 a line, where only two values are
 * interpolated, gets half of B(h) = h or e^h − 1 as the weight of its slope (h < 0 where data is predicted), which is
 * B's only effect: with more values it cancels out of their coefficients.
 *
 * A first step, or one that does not continue the last, begins without history; a step to sigma = 0 is DDIM's, and the last
 * step of a run with `lastStep: "ddim"`, from the corrected state.
 *
 * Order p + 1 in the spacing of λ, on any grid: the first steps, of lower order, are at noise where the predictions hardly change.
 * One evaluation a step.
 * @throws {TypeError | RangeError} When an option is none of its values.
 */
export function unipc(options: UnipcOptions = {}): Sampler {
  const ends = endsByDdim(options);
  const { solverOrder = 2, bFunction = "varying", solverPrediction = "noise" } = options;
  requireWhole("solverOrder", solverOrder, 1, 3);
  checkName("bFunction", bFunction, bFunctions);
  checkName("solverPrediction", solverPrediction, solverPredictions);
  const rule = { solverOrder, bFunction, ofData: solverPrediction === "data" };
  return {
    name: "unipc",
    start: (model, _, times) => new UnipcRun(model, { ...rule, ends: ends(model.sde, times) }),
  };
}

/** What the options of a run say. */
interface Rule {
  readonly ends: (s: number) => boolean;
  readonly solverOrder: number;
  readonly bFunction: BFunction;
  readonly ofData: boolean;
}

class UnipcRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #history: PredictionHistory;

  constructor(model: AnyScoreModel, readonly rule: Rule) {
    this.#model = model;
    this.#history = new PredictionHistory(rule.solverOrder);
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { sde } = this.#model;
    const { ends, solverOrder, ofData } = this.rule;
    const value = yield* awaited(ofData ? this.#model.denoised(x, t) : this.#model.predictedNoise(x, t));
    const now = { value, time: t };
    const past = this.#history.before(t);
    const corrected = past.length === 0 ? x : x.add(this.#correction(now, past));
    const first = ends(s) || sde.sigma(s) === 0;
    const used = first ? [now] : [now, ...past.slice(0, solverOrder - 1)];
    const kept = ofData ? sde.sigma(s) / sde.sigma(t) : sde.alpha(s) / sde.alpha(t);
    const next = corrected.mul(kept).add(weightedSum(used, this.#weights(used, t, s)));
    this.#history.remember(now, s);
    return next;
  }

  dispose(): void {
    this.#history.dispose();
  }

  /** The last step's correction: its integral with the value at its end, minus the one without. */
  #correction(now: PastPrediction, past: readonly PastPrediction[]): tf.Tensor {
    const [start, ...older] = past;
    const known = [start, now, ...older];
    const without = this.#weights(past, start.time, now.time);
    const [first, own, ...others] = this.#weights(known, start.time, now.time);
    const change = [first - without[0], own, ...others.map((weight, j) => weight - without[j + 1])];
    return weightedSum(known, change);
  }

  /** The weights of predictions in the state at time s, of which the first was made at time t. */
  #weights(predictions: readonly PastPrediction[], t: number, s: number): number[] {
    const { sde } = this.#model;
    const lambdas = predictions.map(({ time }) => halfLogSnr(sde, time));
    const scale = this.rule.ofData ? sde.alpha(s) : -sde.alpha(s);
    return integrals(lambdas, halfLogSnr(sde, t), halfLogSnr(sde, s), this.rule).map((weight) =>
      scale * weight
    );
  }
}

/** ∫ ℓ_j e^{−λ} dλ, or ∫ ℓ_j e^{λ − λ_s} dλ for data, over λ from one value to another; Infinity is λ where σ = 0. */
function integrals(
  lambdas: readonly number[],
  from: number,
  to: number,
  { ofData, bFunction }: Rule,
): number[] {
  const density = (lambda: number) => Math.exp(ofData ? lambda - to : -lambda);
  const whole = ofData ? -Math.expm1(from - to) : Math.exp(-from) - Math.exp(-to);
  if (lambdas.length === 1) return [whole];
  if (lambdas.length > 2 || bFunction === "varying") return lagrangeWeights(lambdas, from, to, density);
  const b = bFunction === "bh1" ? (to - from) * density(to) : whole;
  const slope = b / 2 * (to - from) / (lambdas[1] - from); // ½ B(h)/r
  return [whole - slope, slope];
}

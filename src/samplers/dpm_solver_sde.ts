/**
 * SDE-DPM-Solver++(2M) and (3M), the multistep solvers for the reverse-time SDE.
 * @module
 */
import type { Rng } from "../compute/rng.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { halfLogSnr, noiseRatio } from "../diffusion/sde.ts";
import { addedNoise, type AddedNoiseOptions } from "./added_noise.ts";
import { DataHistory } from "./dpm_solver_multistep.ts";
import type { Sampler, Stepper } from "./sampler.ts";
import { meanPosition, type SolverTypeOptions, usesIntegral } from "./solver_type.ts";

/** Options of {@linkcode sdeDpmSolver2M}. */
export interface SdeDpmSolver2MOptions extends AddedNoiseOptions, SolverTypeOptions {}

/**
 * SDE-DPM-Solver++(2M) (Lu et al. 2022b) on the reverse-time SDE, with k-diffusion's η and S_noise. With λ = ln(α/σ),
 * h = λ_s − λ_t, H = (1 + η) h, r = h_previous/h:
 *
 *   D = D_t + (c/r) (D_t − D_previous),   c = 1/2 (`midpoint`) or 1/(1 − e^{−H}) − 1/H (`heun`),
 *   x_s = (σ_s/σ_t) e^{−ηh} x_t + α_s (1 − e^{−H}) D + S_noise σ_s √(1 − e^{−2ηh}) z,   z ~ N(0, I).
 *
 * These are steps of dy = (1 + η) (D − y) dλ + √(2η) ν dw in y = x/α, whose marginals are those of the diffusion for
 * any η ≥ 0: η = 1 is the reverse SDE, η = 0 the probability flow and with `midpoint` DPM-Solver++(2M).
 *
 * The first step, a step that does not continue the last one, and a step to sigma = 0 use D = D_t, which for η = 1 is
 * ancestral sampling. Weak order 2: D_previous does not depend on the last step's noise, but to this order its
 * covariance with the state is the same over the steps. One evaluation a step.
 * @throws {RangeError} When eta is not in [0, 1], sNoise is not positive, or `solverType` no name of a way to use the
 * line.
 */
export function sdeDpmSolver2M(options: SdeDpmSolver2MOptions = {}): Sampler {
  const noise = addedNoise(options);
  const integrates = usesIntegral(options);
  return { name: "sde-dpm++2m", start: (model, rng) => new LineRun(model, rng, noise, integrates) };
}

/**
 * DPM-Solver++(3M) for the reverse-time SDE, as k-diffusion's sample_dpmpp_3m_sde has it, with its η and S_noise. With
 * the names of {@linkcode sdeDpmSolver2M}, φ_2 = 1 − (1 − e^{−H})/H and φ_3 = φ_2/H − 1/2:
 *
 *   x_s = (σ_s/σ_t) e^{−ηh} x_t + α_s [(1 − e^{−H}) D_t + φ_2 h D' − φ_3 h² D''/2] + S_noise σ_s √(1 − e^{−2ηh}) z,
 *
 * with D' and D'' the derivatives at λ_t of the parabola in λ through the last three data predictions. Its exact
 * integral has −φ_3 h² D''; with half of it, as there and in DPM-Solver's own code, the weak order is 2, which it is
 * with all of it, too, once noise is added.
 *
 * The second step uses the line of `heun`, the first D_t, as does a step to sigma = 0; a step that does not continue
 * the last one is a first step. One evaluation a step.
 * @throws {RangeError} When eta is not in [0, 1] or sNoise is not positive.
 */
export function sdeDpmSolver3M(options: AddedNoiseOptions = {}): Sampler {
  const noise = addedNoise(options);
  return { name: "sde-dpm++3m", start: (model, rng) => new ParabolaRun(model, rng, noise) };
}

/** What a step makes of a constant data prediction: x_s = scale·x_t + dataWeight·D + noiseStd·z. */
interface LinearStep {
  readonly h: number;
  /** H = (1 + η) h. */
  readonly decay: number;
  readonly scale: number;
  readonly dataWeight: number;
  readonly noiseStd: number;
}

function linearStep(
  { sde }: AnyScoreModel,
  { eta, sNoise }: Required<AddedNoiseOptions>,
  t: number,
  s: number,
): LinearStep {
  const h = halfLogSnr(sde, s) - halfLogSnr(sde, t);
  const decay = (1 + eta) * h;
  // Powers of the noise ratio are e^{−ηh} and e^{−2ηh}, and numbers where h is infinite and η = 0.
  const ratio = noiseRatio(sde, s) / noiseRatio(sde, t);
  return {
    h,
    decay,
    scale: sde.sigma(s) / sde.sigma(t) * ratio ** eta,
    dataWeight: sde.alpha(s) * -Math.expm1(-decay),
    noiseStd: eta === 0 ? 0 : sNoise * sde.sigma(s) * Math.sqrt(-Math.expm1(-2 * eta * h)),
  };
}

function withNoise(x: tf.Tensor, std: number, rng: Rng): tf.Tensor {
  return std === 0 ? x : x.add(rng.normal(x.shape).mul(std));
}

class LineRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #rng: Rng;
  readonly #history = new DataHistory();

  constructor(
    model: AnyScoreModel,
    rng: Rng,
    readonly noise: Required<AddedNoiseOptions>,
    readonly integrates: boolean,
  ) {
    this.#model = model;
    this.#rng = rng;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    const { h, decay, scale, dataWeight, noiseStd } = linearStep(this.#model, this.noise, t, s);
    const data = yield* awaited(this.#model.denoised(x, t));
    const part = this.integrates ? meanPosition(decay) : 1 / 2;
    const used = this.#history.extrapolated(data, t, h, part);
    const next = withNoise(x.mul(scale).add(used.mul(dataWeight)), noiseStd, this.#rng);
    this.#history.remember(data, h, s);
    return next;
  }

  dispose(): void {
    this.#history.dispose();
  }
}

class ParabolaRun implements Stepper {
  readonly #model: AnyScoreModel;
  readonly #rng: Rng;
  /** The data predictions at the starts of the last steps and the steps' lengths in λ, the latest first; at most two. */
  #past: { readonly data: tf.Tensor; readonly h: number }[] = [];
  #end = NaN;

  constructor(model: AnyScoreModel, rng: Rng, readonly noise: Required<AddedNoiseOptions>) {
    this.#model = model;
    this.#rng = rng;
  }

  step(x: tf.Tensor, t: number, s: number): Awaitable<tf.Tensor> {
    return tidied(this.#step(x, t, s));
  }

  *#step(x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> {
    if (t !== this.#end) this.dispose();
    const { sde } = this.#model;
    const { h, decay, scale, dataWeight, noiseStd } = linearStep(this.#model, this.noise, t, s);
    const data = yield* awaited(this.#model.denoised(x, t));
    const terms = [x.mul(scale), data.mul(dataWeight)];
    const [last, beforeLast] = this.#past;
    if (last !== undefined && Number.isFinite(h)) {
      const phi2 = 1 + Math.expm1(-decay) / decay;
      const slope = data.sub(last.data).div(last.h);
      if (beforeLast === undefined) {
        terms.push(slope.mul(sde.alpha(s) * phi2 * h));
      } else {
        const before = last.data.sub(beforeLast.data).div(beforeLast.h);
        const half = slope.sub(before).div(last.h + beforeLast.h); // D''/2
        const phi3 = phi2 / decay - 1 / 2;
        terms.push(slope.add(half.mul(last.h)).mul(sde.alpha(s) * phi2 * h));
        terms.push(half.mul(-sde.alpha(s) * phi3 * h * h));
      }
    }
    const next = withNoise(tf.addN(terms), noiseStd, this.#rng);
    this.#past.unshift({ data: tf.keep(data), h });
    this.#past.splice(2).forEach(({ data }) => data.dispose());
    this.#end = s;
    return next;
  }

  dispose(): void {
    this.#past.splice(0).forEach(({ data }) => data.dispose());
  }
}

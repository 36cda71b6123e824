/**
 * The singlestep DPM-Solvers, which predict the noise at times between those of the grid.
 * @module
 */
import { awaited, type Pausing } from "../compute/tidied.ts";
import type * as tf from "../compute/tf.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { halfLogSnr, type Sde } from "../diffusion/sde.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";
import { meanPosition, type SolverTypeOptions, usesIntegral } from "./solver_type.ts";

/**
 * DPM-Solver-2 (Lu et al. 2022, Alg. 1) on the probability flow. With λ = ln(α/σ), h = λ_s − λ_t and m the time in
 * the middle, λ_m = λ_t + h/2:
 *
 *   u = (α_m/α_t) x_t − σ_m (e^{h/2} − 1) ε̂(x_t, t),   x_s = (α_s/α_t) x_t − σ_s (e^h − 1) ε̂(u, m).
 *
 * With `solverType: "heun"` the step is the exact integral of the line in λ through both: ε̂_t + c (ε̂(u, m) − ε̂_t) in
 * the place of ε̂(u, m), c = 2/h − 2/(e^h − 1).
 *
 * Order 2 in the spacing of λ, on any grid. Two evaluations a step; a step to sigma = 0 is DDIM's.
 * @throws {TypeError | RangeError} When `solverType` is no name of a way to use the line.
 */
export function dpmSolver2(options: SolverTypeOptions = {}): Sampler {
  const integrates = usesIntegral(options);
  return {
    name: "dpm-solver-2",
    start: (model) => statelessStepper((x, t, s) => dpmSolver2Step(model, x, t, s, integrates)),
  };
}

/** The step of {@linkcode dpmSolver2}, with the line's integral or its middle. */
export function* dpmSolver2Step(
  model: AnyScoreModel,
  x: tf.Tensor,
  t: number,
  s: number,
  integrates: boolean,
): Pausing<tf.Tensor> {
  const { sde } = model;
  const noise = yield* awaited(model.predictedNoise(x, t));
  const h = halfLogSnr(sde, s) - halfLogSnr(sde, t);
  if (!Number.isFinite(h)) return moved(sde, x, t, s, noise);
  const middle = timeAfter(sde, t, h / 2);
  const noiseBetween = yield* awaited(model.predictedNoise(moved(sde, x, t, middle, noise), middle));
  return moved(sde, x, t, s, integrates ? along(noise, noiseBetween, -h) : noiseBetween);
}

/**
 * DPM-Solver-3 (Lu et al. 2022, Alg. 2) on the probability flow, with times in between at thirds of the way, λ_1 =
 * λ_t + h/3 and λ_2 = λ_t + 2h/3, and φ(h) = (e^h − 1)/h − 1:
 *
 *   u_1 = (α_1/α_t) x_t − σ_1 (e^{h/3} − 1) ε̂_t,                          D_1 = ε̂(u_1, t_1) − ε̂_t,
 *   u_2 = (α_2/α_t) x_t − σ_2 (e^{2h/3} − 1) ε̂_t − 2 σ_2 φ(2h/3) D_1,     D_2 = ε̂(u_2, t_2) − ε̂_t,
 *   x_s = (α_s/α_t) x_t − σ_s (e^h − 1) ε̂_t − (3/2) σ_s φ(h) D_2.
 *
 * With `solverType: "heun"` the step is the exact integral of the parabola in λ through all three: with φ_3(h) =
 * φ(h)/h − 1/2, σ_s φ(h) (6 D_1 − (3/2) D_2) + σ_s φ_3(h) (9 D_2 − 18 D_1) in the place of (3/2) σ_s φ(h) D_2.
 *
 * Order 3 in the spacing of λ, on any grid. Three evaluations a step; a step to sigma = 0 is DDIM's.
 * @throws {TypeError | RangeError} When `solverType` is no name of a way to use the parabola.
 */
export function dpmSolver3(options: SolverTypeOptions = {}): Sampler {
  const integrates = usesIntegral(options);
  return {
    name: "dpm-solver-3",
    start: (model) => statelessStepper((x, t, s) => dpmSolver3Step(model, x, t, s, integrates)),
  };
}

/** The step of {@linkcode dpmSolver3}, with the parabola's integral or without. */
export function* dpmSolver3Step(
  model: AnyScoreModel,
  x: tf.Tensor,
  t: number,
  s: number,
  integrates: boolean,
): Pausing<tf.Tensor> {
  const { sde } = model;
  const noise = yield* awaited(model.predictedNoise(x, t));
  const h = halfLogSnr(sde, s) - halfLogSnr(sde, t);
  if (!Number.isFinite(h)) return moved(sde, x, t, s, noise);
  const [first, second] = [timeAfter(sde, t, h / 3), timeAfter(sde, t, 2 * h / 3)];
  const noise1 = yield* awaited(model.predictedNoise(moved(sde, x, t, first, noise), first));
  const change1 = noise1.sub(noise);
  const near = moved(sde, x, t, second, noise)
    .sub(change1.mul(2 * sde.sigma(second) * slopeWeight(2 * h / 3)));
  const noise2 = yield* awaited(model.predictedNoise(near, second));
  const change2 = noise2.sub(noise);
  const phi = slopeWeight(h);
  const rest = integrates
    ? change1.mul(6 * phi - 18 * bendWeight(h)).add(change2.mul(9 * bendWeight(h) - 1.5 * phi))
    : change2.mul(1.5 * phi);
  return moved(sde, x, t, s, noise).sub(rest.mul(sde.sigma(s)));
}

/**
 * DPM-Solver++(2S) (Lu et al. 2022b, Alg. 1) on the probability flow: with D = E[x_0|x] instead of the noise, which
 * stays in the range of the data under strong guidance, and λ_m = λ_t + h/2:
 *
 *   u = (σ_m/σ_t) x_t − α_m (e^{−h/2} − 1) D(x_t, t),   x_s = (σ_s/σ_t) x_t − α_s (e^{−h} − 1) D(u, m).
 *
 * With `solverType: "heun"` the step is the exact integral of the line in λ through both: D_t + c (D(u, m) − D_t) in the
 * place of D(u, m), c = 2/(1 − e^{−h}) − 2/h.
 *
 * Order 2 in the spacing of λ, on any grid. Two evaluations a step; a step to sigma = 0 is DDIM's.
 * @throws {TypeError | RangeError} When `solverType` is no name of a way to use the line.
 */
export function dpmSolver2S(options: SolverTypeOptions = {}): Sampler {
  const integrates = usesIntegral(options);
  return {
    name: "dpm++2s",
    start: (model) =>
      statelessStepper(function* (x, t, s) {
        const { sde } = model;
        const to = (time: number, data: tf.Tensor) => {
          const h = halfLogSnr(sde, time) - halfLogSnr(sde, t);
          return x.mul(sde.sigma(time) / sde.sigma(t)).sub(data.mul(sde.alpha(time) * Math.expm1(-h)));
        };
        const data = yield* awaited(model.denoised(x, t));
        const h = halfLogSnr(sde, s) - halfLogSnr(sde, t);
        if (!Number.isFinite(h)) return to(s, data);
        const middle = timeAfter(sde, t, h / 2);
        const dataBetween = yield* awaited(model.denoised(to(middle, data), middle));
        return to(s, integrates ? along(data, dataBetween, h) : dataBetween);
      }),
  };
}

/** The mean of the line through a prediction at a step's start and one at its middle, under weights that grow by e^growth. */
function along(start: tf.Tensor, middle: tf.Tensor, growth: number): tf.Tensor {
  return start.add(middle.sub(start).mul(2 * meanPosition(growth)));
}

/** The solution from t to s for a constant predicted noise: DDIM. */
function moved(sde: Sde, x: tf.Tensor, t: number, s: number, noise: tf.Tensor): tf.Tensor {
  const ratios = sde.sigma(s) / sde.alpha(s) - sde.sigma(t) / sde.alpha(t);
  return x.mul(sde.alpha(s) / sde.alpha(t)).add(noise.mul(sde.alpha(s) * ratios));
}

/** The time at which λ is larger by h than at t. */
function timeAfter(sde: Sde, t: number, h: number): number {
  return sde.timeAtHalfLogSnr(halfLogSnr(sde, t) + h);
}

/** φ(h) = (e^h − 1)/h − 1, from its series where the difference would have no digits left. */
export function slopeWeight(h: number): number {
  return h < 1e-3 ? h / 2 + h * h / 6 + h ** 3 / 24 : Math.expm1(h) / h - 1;
}

/** φ_3(h) = φ(h)/h − 1/2, from its series likewise. */
function bendWeight(h: number): number {
  return h < 1e-3 ? h / 6 + h * h / 24 : slopeWeight(h) / h - 1 / 2;
}

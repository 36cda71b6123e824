/**
 * The singlestep DPM-Solvers, which predict the noise at times between those of the grid.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import type * as tf from "../compute/tf.ts";
import { halfLogSnr, type Sde } from "../diffusion/sde.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * DPM-Solver-2 (Lu et al. 2022, Alg. 1) on the probability flow. With λ = ln(α/σ), h = λ_s − λ_t and m the time in
 * the middle, λ_m = λ_t + h/2:
 *
 *   u = (α_m/α_t) x_t − σ_m (e^{h/2} − 1) ε̂(x_t, t),   x_s = (α_s/α_t) x_t − σ_s (e^h − 1) ε̂(u, m).
 *
 * Order 2 in the spacing of λ, on any grid. Two evaluations a step; a step to sigma = 0 is DDIM's.
 */
export function dpmSolver2(): Sampler {
  return {
    name: "dpm-solver-2",
    start: (model) =>
      statelessStepper(function* (x, t, s) {
        const noise = yield* awaited(model.predictedNoise(x, t));
        const h = halfLogSnr(model.sde, s) - halfLogSnr(model.sde, t);
        if (!Number.isFinite(h)) return moved(model.sde, x, t, s, noise);
        const middle = timeAfter(model.sde, t, h / 2);
        const between = moved(model.sde, x, t, middle, noise);
        return moved(model.sde, x, t, s, yield* awaited(model.predictedNoise(between, middle)));
      }),
  };
}

/**
 * DPM-Solver-3 (Lu et al. 2022, Alg. 2) on the probability flow, with times in between at thirds of the way, λ_1 =
 * λ_t + h/3 and λ_2 = λ_t + 2h/3, and φ(h) = (e^h − 1)/h − 1:
 *
 *   u_1 = (α_1/α_t) x_t − σ_1 (e^{h/3} − 1) ε̂_t,                          D_1 = ε̂(u_1, t_1) − ε̂_t,
 *   u_2 = (α_2/α_t) x_t − σ_2 (e^{2h/3} − 1) ε̂_t − 2 σ_2 φ(2h/3) D_1,     D_2 = ε̂(u_2, t_2) − ε̂_t,
 *   x_s = (α_s/α_t) x_t − σ_s (e^h − 1) ε̂_t − (3/2) σ_s φ(h) D_2.
 *
 * Order 3 in the spacing of λ, on any grid. Three evaluations a step; a step to sigma = 0 is DDIM's.
 */
export function dpmSolver3(): Sampler {
  return {
    name: "dpm-solver-3",
    start: (model) =>
      statelessStepper(function* (x, t, s) {
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
        return moved(sde, x, t, s, noise).sub(change2.mul(1.5 * sde.sigma(s) * slopeWeight(h)));
      }),
  };
}

/**
 * DPM-Solver++(2S) (Lu et al. 2022b, Alg. 1) on the probability flow: with D = E[x_0|x] instead of the noise, which
 * stays in the range of the data under strong guidance, and λ_m = λ_t + h/2:
 *
 *   u = (σ_m/σ_t) x_t − α_m (e^{−h/2} − 1) D(x_t, t),   x_s = (σ_s/σ_t) x_t − α_s (e^{−h} − 1) D(u, m).
 *
 * Order 2 in the spacing of λ, on any grid. Two evaluations a step; a step to sigma = 0 is DDIM's.
 */
export function dpmSolver2S(): Sampler {
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
        return to(s, yield* awaited(model.denoised(to(middle, data), middle)));
      }),
  };
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
function slopeWeight(h: number): number {
  return h < 1e-3 ? h / 2 + h * h / 6 + h ** 3 / 24 : Math.expm1(h) / h - 1;
}

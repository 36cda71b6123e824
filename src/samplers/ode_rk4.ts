/**
 * The classical fourth-order Runge–Kutta method on the probability-flow ODE.
 * @module
 */
import type * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing } from "../compute/tidied.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Runge–Kutta 4 for dx/dt = f x − ½ g² ∇log p_t(x) (Song et al. 2021, eq. 13), with h = s − t:
 *
 *   x_s = x_t + h/6 (k1 + 2 k2 + 2 k3 + k4).
 *
 * Order 4. Four evaluations a step, the last at s, so the grid must end where sigma > 0.
 */
export function odeRk4(): Sampler {
  return {
    name: "ode-rk4",
    start: (model) => statelessStepper((x, t, s) => rungeKutta4(model.odeDrift, x, t, s)),
  };
}

/** One classical Runge–Kutta step of dx/dt = derivative(x, t), from time t to time s. */
export function* rungeKutta4(
  derivative: (x: tf.Tensor, t: number) => Awaitable<tf.Tensor>,
  x: tf.Tensor,
  t: number,
  s: number,
): Pausing<tf.Tensor> {
  const h = s - t;
  const middle = t + h / 2;
  const k1 = yield* awaited(derivative(x, t));
  const k2 = yield* awaited(derivative(x.add(k1.mul(h / 2)), middle));
  const k3 = yield* awaited(derivative(x.add(k2.mul(h / 2)), middle));
  const k4 = yield* awaited(derivative(x.add(k3.mul(h)), s));
  return x.add(k1.add(k2.add(k3).mul(2)).add(k4).mul(h / 6));
}

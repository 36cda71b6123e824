/**
 * The classical fourth-order Runge–Kutta method on the probability-flow ODE.
 * @module
 */
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
    start: (model) =>
      statelessStepper((x, t, s) => {
        const h = s - t;
        const middle = t + h / 2;
        const k1 = model.velocity(x, t);
        const k2 = model.velocity(x.add(k1.mul(h / 2)), middle);
        const k3 = model.velocity(x.add(k2.mul(h / 2)), middle);
        const k4 = model.velocity(x.add(k3.mul(h)), s);
        return x.add(k1.add(k2.add(k3).mul(2)).add(k4).mul(h / 6));
      }),
  };
}

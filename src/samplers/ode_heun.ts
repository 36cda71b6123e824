/**
 * Heun's method on the probability-flow ODE, in the SDE's own time.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Heun's method (the explicit trapezoidal rule) for dx/dt = f x − ½ g² ∇log p_t(x) (Song et al. 2021, eq. 13):
 *
 *   x' = x_t + (s − t) v(x_t, t),   x_s = x_t + ½ (s − t) [v(x_t, t) + v(x', s)],   v the ODE's drift.
 *
 * Order 2. Two evaluations a step; a step that ends where sigma is zero, where the score does not exist, is Euler's.
 */
export function odeHeun(): Sampler {
  return {
    name: "ode-heun",
    start: (model) =>
      statelessStepper(function* (x, t, s) {
        const slope = yield* awaited(model.odeDrift(x, t));
        const euler = x.add(slope.mul(s - t));
        if (model.sde.sigma(s) === 0) return euler;
        const slopeAtEnd = yield* awaited(model.odeDrift(euler, s));
        return x.add(slope.add(slopeAtEnd).mul((s - t) / 2));
      }),
  };
}

/**
 * Euler's method on the probability-flow ODE.
 * @module
 */
import { awaited } from "../compute/tidied.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/**
 * Euler for dx/dt = f x − ½ g² ∇log p_t(x) (Song et al. 2021, eq. 13), from t to s:  x_s = x_t + (s − t)
 * odeDrift(x_t, t). Order 1. One evaluation a step.
 */
export function odeEuler(): Sampler {
  return {
    name: "ode-euler",
    start: (model) =>
      statelessStepper(function* (x, t, s) {
        const slope = yield* awaited(model.odeDrift(x, t));
        return x.add(slope.mul(s - t));
      }),
  };
}

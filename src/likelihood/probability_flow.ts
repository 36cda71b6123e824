/**
 * Solves the probability flow ODE between tMin and tMax.
 * @module
 */
import type { PerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, tidied } from "../compute/tidied.ts";
import { checkName } from "../input/option_name.ts";
import { DormandPrince, type ToleranceOptions } from "../samplers/ode_dopri5.ts";
import { rungeKutta4 } from "../samplers/ode_rk4.ts";
import type { Sde } from "../diffusion/sde.ts";
import { type GridConfig, timeGrid } from "../diffusion/time_grid.ts";
import { requireOptions } from "../input/require.ts";

/**
 * The solver of the probability flow: Dormand–Prince 5(4) with adaptive steps for each sample, or Runge–Kutta 4 with
 * the steps of a grid, for which `log-snr` is best.
 */
export type FlowMethod =
  | { readonly kind: "dopri5" } & ToleranceOptions
  | { readonly kind: "rk4"; readonly grid: GridConfig };

/** Between the data at tMin and the prior at tMax. */
type FlowDirection = "to prior" | "to data";

/**
 * Solves dx/dt = derivative(x, t) between sde.tMin and sde.tMax for x [B, …], which is not disposed; the caller owns
 * the result.
 *
 * @throws {RangeError} When a tolerance is not positive, or the grid is invalid.
 * @throws {Error} When the state becomes NaN or infinite, or Dormand–Prince does not reach the end in its attempts.
 */
export async function solveFlow(
  sde: Sde,
  derivative: (x: tf.Tensor, t: PerRow) => Awaitable<tf.Tensor>,
  x: tf.Tensor,
  direction: FlowDirection,
  method: FlowMethod = { kind: "dopri5" },
  signal?: AbortSignal,
): Promise<tf.Tensor> {
  requireOptions("method", method);
  checkName("the kind of a flow's method", method.kind, ["dopri5", "rk4"]);
  const slope = (x: tf.Tensor, t: PerRow) => {
    signal?.throwIfAborted();
    return derivative(x, t);
  };
  if (method.kind === "dopri5") {
    const [from, to] = direction === "to prior" ? [sde.tMin, sde.tMax] : [sde.tMax, sde.tMin];
    return await new DormandPrince(method).integrate(slope, x, from, to);
  }
  const times = timeGrid(sde, method.grid);
  if (direction === "to prior") times.reverse();
  let state = x.clone();
  try {
    for (let k = 0; k + 1 < times.length; k++) {
      const next = await tidied(rungeKutta4(slope, state, times[k], times[k + 1]));
      state.dispose();
      state = next;
      const total = tf.tidy(() => next.sum());
      const [sum] = await total.data();
      total.dispose();
      if (!Number.isFinite(sum)) {
        throw new Error(`the state is NaN or infinite after the step from ${times[k]} to ${times[k + 1]}`);
      }
    }
  } catch (error) {
    state.dispose();
    throw error;
  }
  return state;
}

/**
 * The straight paths of flow matching and rectified flow, as one of the linear SDEs.
 * @module
 */
import { requireFinite, requireOptions, requirePositive } from "../input/require.ts";
import { requireOrder, type Sde, withinTimes } from "./sde.ts";

/** Options of {@linkcode flowSde}. */
export interface FlowOptions {
  /** Default 1e-3; positive. */
  readonly tMin?: number;
  /** Default 0.999, which is the largest: at t = 1 there is no signal. */
  readonly tMax?: number;
}

/** The largest time: ν is 999 there, and at the thousandth beyond that is allowed there is signal, too. */
const LAST_TIME = 0.999;

/**
 * The SDE with the marginals of flow matching's straight paths, x_t = (1 − t) x_0 + t ε: α = 1 − t, σ = t, f = −1/(1 − t),
 * g² = 2t/(1 − t) (Lipman et al. 2023, eq. 22 with σ_min = 0 and time reversed; Liu et al. 2023, "Flow Straight and Fast").
 *
 * Its probability flow is the flow itself, dx/dt = E[ε − x_0 | x_t]: `odeEuler` and `odeHeun` are the published samplers, and
 * models of other SDEs can be drawn from along it, as ν = t/(1 − t) tells the noise predictor all.
 *
 * Times end before 1, where α = 0: there f and g are infinite, and x/α, which noise predictors are given, does not exist. At
 * the default tMax the data's share of the variance is 10⁻⁶ of the data's own, and drawing starts from N(0, tMax²).
 *
 * @throws {RangeError} Unless 0 < tMin < tMax ≤ 0.999.
 * @example The velocity at a half is a difference of noise and data
 * ```ts
 * import { flowSde } from "./flow_sde.ts";
 * const sde = flowSde();
 * console.assert(sde.alpha(0.25) === 0.75 && sde.sigma(0.25) === 0.25);
 * console.assert(sde.driftCoefficient(0.5) === -2 && sde.diffusionCoefficient(0.5) === Math.SQRT2);
 * ```
 */
export function flowSde(options: FlowOptions = {}): Sde {
  requireOptions("options", options);
  const { tMin = 1e-3, tMax = LAST_TIME } = options;
  requirePositive("tMin", tMin);
  requireFinite("tMax", tMax);
  if (tMax > LAST_TIME) {
    throw new RangeError(`tMax must be at most ${LAST_TIME}, as no signal is left at t = 1, got ${tMax}`);
  }
  requireOrder(tMin, tMax);
  return withinTimes({
    config: { kind: "flow", tMin, tMax },
    tMin,
    tMax,
    priorStd: tMax,
    alpha: (t) => 1 - t,
    sigma: (t) => t,
    driftCoefficient: (t) => -1 / (1 - t),
    diffusionCoefficient: (t) => Math.sqrt(2 * t / (1 - t)),
    // ν = t/(1 − t), so t = 1/(1 + e^λ).
    timeAtHalfLogSnr: (lambda) => 1 / (1 + Math.exp(lambda)),
  });
}

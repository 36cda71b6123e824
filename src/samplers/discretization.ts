/**
 * One step of the forward SDE, by the rule that the discrete-time models SMLD and DDPM use.
 * @module
 */
import type { Sde } from "../sde.ts";

/** x_t = x_s + drift·x_s + diffusion·z, the coefficients of one discrete step. */
export interface DiscreteStep {
  readonly drift: number;
  readonly diffusion: number;
}

/**
 * The step from s to t > s as Song et al. 2021 discretize it, coefficients at t (App. E and F):
 * SMLD's x + √(σ_t² − σ_s²) z where α = 1 (`ve`, `sigma-power`), DDPM's √(1 − β) x + √β z with β = β(t)(t − s) for `vp`,
 * and Euler's for `subvp`.
 * @throws RangeError if a step of `vp` has β ≥ 1
 */
export function discretize(sde: Sde, s: number, t: number): DiscreteStep {
  const h = t - s;
  switch (sde.config.kind) {
    case "ve":
    case "sigma-power": {
      const [before, after] = [sde.sigma(s), sde.sigma(t)];
      return { drift: 0, diffusion: Math.sqrt((after - before) * (after + before)) };
    }
    case "vp": {
      const beta = sde.diffusion(t) ** 2 * h;
      if (!(beta < 1)) {
        throw new RangeError(
          `DDPM's discretization needs β(t)(t − s) < 1, got ${beta} at t = ${t}; take more steps`,
        );
      }
      return { drift: Math.sqrt(1 - beta) - 1, diffusion: Math.sqrt(beta) };
    }
    case "subvp":
      return { drift: sde.drift(t) * h, diffusion: sde.diffusion(t) * Math.sqrt(h) };
  }
}

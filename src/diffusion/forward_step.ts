/**
 * The forward step that each SDE was born from; the reverse-diffusion sampler inverts it.
 * @module
 */
import { type Sde, transition } from "./sde.ts";
import { requireFinite } from "../input/require.ts";
import { requireSde } from "../input/require_parts.ts";

/**
 * One forward step x_t = scale·x_s + std·z from s to t in the discretization of the SDE's own paper (Song et al.
 * 2021, Appendix B and E): DDPM's rule for VP, scale = √(1 − β(t)h), std = √(β(t)h); SMLD's for VE and σ^t,
 * std² = σ(t)² − σ(s)²; Euler's for sub-VP, scale = 1 + f(t)h, std = g(t)√h; with h = t − s. A chain in discrete time has
 * its own step, √(1 − β_n) and √β_n.
 *
 * @throws {RangeError} if s exceeds t, or a VP step is so long that β(t)·h exceeds 1
 */
export function forwardStep(sde: Sde, s: number, t: number): { scale: number; std: number } {
  requireSde("sde", sde);
  requireFinite("s", s);
  requireFinite("t", t);
  const h = t - s;
  if (!(h >= 0)) throw new RangeError(`a forward step runs from s to t ≥ s; got s = ${s}, t = ${t}`);
  switch (sde.config.kind) {
    case "vp": {
      const beta = -2 * sde.driftCoefficient(t) * h;
      if (beta > 1) {
        throw new RangeError(
          `DDPM's rule needs β(t)·h ≤ 1, got ${beta} for the step from ${s} to ${t}: use more steps`,
        );
      }
      return { scale: Math.sqrt(1 - beta), std: Math.sqrt(beta) };
    }
    case "subvp":
      return { scale: 1 + sde.driftCoefficient(t) * h, std: sde.diffusionCoefficient(t) * Math.sqrt(h) };
    default:
      return transition(sde, s, t);
  }
}

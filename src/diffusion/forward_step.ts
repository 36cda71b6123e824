/**
 * The forward step of the discrete model that each SDE is the limit of; the reverse-diffusion sampler inverts it.
 * @module
 */
import type { Sde } from "./sde.ts";
import { type GaussianStep, sdeInfo } from "./sde_registry.ts";

/**
 * One forward step x_t = scale·x_s + std·z from s to t in the discretization of the SDE's own paper (Song et al.
 * 2021, Appendix B and E): DDPM's rule for VP, scale = √(1 − β(t)h), std = √(β(t)h); SMLD's for VE and σ^t,
 * std² = σ(t)² − σ(s)²; Euler's for sub-VP, scale = 1 + f(t)h, std = g(t)√h; with h = t − s. A discrete-time DDPM has
 * its own step, √(1 − β_n) and √β_n.
 *
 * @throws {RangeError} When s exceeds t, or a VP step is so long that β(t)·h exceeds 1.
 */
export function forwardStep(sde: Sde, s: number, t: number): GaussianStep {
  if (!(t >= s)) throw new RangeError(`a forward step runs from s to t ≥ s; got s = ${s}, t = ${t}`);
  return sdeInfo(sde.config.kind).forwardStep(sde, s, t);
}

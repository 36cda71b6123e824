/**
 * DDPM's chains in discrete time, by name.
 * @module
 */
import {
  cosineBetas,
  linearBetas,
  scaledLinearBetas,
  sigmoidBetas,
} from "../../src/diffusion/beta_schedule.ts";
import { discreteDdpm, noiseRatio, type Sde } from "../../src/diffusion/sde.ts";
import { timeGrid } from "../../src/diffusion/time_grid.ts";

/** The names, as `--betas` and `--sde` have them. */
export const chainNames = ["ddpm-linear", "ddpm-cosine", "ddpm-scaled-linear", "ddpm-sigmoid"] as const;

/**
 * The chains of 1000 steps: with a linear schedule (Ho et al. 2020), a cosine's (Nichol & Dhariwal 2021), Stable Diffusion's and
 * GeoDiff's.
 */
export const chains: Record<typeof chainNames[number], () => Sde> = {
  "ddpm-linear": () => discreteDdpm(linearBetas()),
  "ddpm-cosine": () => discreteDdpm(cosineBetas()),
  "ddpm-scaled-linear": () => discreteDdpm(scaledLinearBetas()),
  "ddpm-sigmoid": () => discreteDdpm(sigmoidBetas()),
};

/** The times n/N of a chain, from 1 down to 1/N. */
function chainTimes(chain: Sde): Float64Array {
  return timeGrid(chain, { kind: "uniform", steps: Math.round(1 / chain.tMin) - 1 });
}

/** The chain's noise ratios √(1 − ᾱ_n)/√ᾱ_n. */
export function chainRatios(name: typeof chainNames[number]): number[] {
  const chain = chains[name]();
  return Array.from(chainTimes(chain), (t) => noiseRatio(chain, t));
}

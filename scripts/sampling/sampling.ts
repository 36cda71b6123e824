/**
 * Samplings by name: an SDE, a sampler and its time grid, with the defaults of all tasks.
 * @module
 */
import { edmSde, type Sde, type SdeConfig, veSde } from "../../src/diffusion/sde.ts";
import { sdeByName, type SdeName, sdeNames } from "../../src/diffusion/sde_registry.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";
import { DEFAULT_VE } from "../../src/runs/defaults.ts";
import { openSampling, type SamplingConfig } from "../../src/runs/sampling.ts";
import { samplerInfo } from "../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../src/samplers/sampler_info.ts";
import { chains } from "./ddpm_chains.ts";

/** VE between the noise ratios that training saw; the others as their papers have them; DDPM's chains in discrete time. */
export const sdes = {
  ...Object.fromEntries(sdeNames.map((name) => [name, () => sdeByName(name)])) as Record<SdeName, () => Sde>,
  ve: () => veSde(DEFAULT_VE),
  edm: () => edmSde({ tMin: DEFAULT_VE.sigmaMin, tMax: DEFAULT_VE.sigmaMax }),
  ...chains,
};

/**
 * A sampling by the names of its parts; the kind of the grid and its steps are the sampler's own unless given.
 * @throws {RangeError} for an option that the sampler does not accept, or a value that it cannot have
 */
export function createSampling(
  { sde, sampler, options = {}, grid: kind, steps, shift }: {
    readonly sde: keyof typeof sdes;
    readonly sampler: string;
    readonly options?: SamplerOptions;
    readonly grid?: GridConfig["kind"];
    readonly steps?: number;
    readonly shift?: number;
  },
): SamplingConfig {
  const { grid } = samplerInfo(sampler);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const sampling: SamplingConfig = {
    sde: sdes[sde]().config,
    sampler: { name: sampler, options: given },
    // What else a sampler's grid has, as ρ, is of its own kind.
    grid: {
      ...kind === undefined || kind === grid.kind ? grid : { kind },
      steps: steps ?? grid.steps,
      ...shift !== undefined && { shift },
    },
  };
  openSampling(sampling);
  return sampling;
}

/** The name of an SDE with these numbers, as `--sde` has it; of one with numbers of its own, its kind. */
export function sdeNameOf(config: SdeConfig): string {
  return sdeNamed(config) ?? config.kind;
}

/** The name of the SDE that has exactly these numbers. */
export function sdeNamed(config: SdeConfig): string | undefined {
  const text = JSON.stringify(config);
  return Object.entries(sdes).find(([, make]) => JSON.stringify(make().config) === text)?.[0];
}

/** A kind of grid with its article. */
export function gridWords(kind: string): string {
  return `${kind === "indices" ? "an" : "a"} ${kind} grid`;
}

/**
 * What is claimed of each sampler in the catalogue. A new sampler needs a row here and gets every law claim with it.
 * @module
 */
import { annealedLangevin } from "../src/samplers/annealed_langevin.ts";
import { samplerByName, samplerEntry, samplerNames } from "../src/samplers/catalogue.ts";
import { langevin } from "../src/samplers/langevin.ts";
import { predictorCorrector } from "../src/samplers/predictor_corrector.ts";
import { reverseDiffusion } from "../src/samplers/reverse_diffusion.ts";
import type { Sampler } from "../src/samplers/sampler.ts";
import { type Sde, sigmaPowerSde, subVpSde, veSde, vpSde } from "../src/sde.ts";
import type { GridConfig } from "../src/time_grid.ts";

/** Which continuous process a sampler's path converges to; "none" where only its marginals, or not even they, do. */
export type Path = "reverse SDE" | "probability flow" | "none";

/** What is claimed of one sampler. */
export interface SamplerFacts {
  readonly name: string;
  /** The order at which its law reaches p_t in the number of steps; null if it does not, or adapts its steps. */
  readonly order: number | null;
  readonly path: Path;
  /** The kind of grid on which it has that order. */
  readonly grid: GridConfig["kind"];
  readonly stochastic: boolean;
  /** The sampler for a run of N steps, its step size a function of time alone. */
  sampler(sde: Sde, steps: number): Sampler;
  /** Samplers of one draw a step at most that do the same one after the other. */
  stages(sde: Sde, steps: number): Sampler[];
}

type Row = Pick<SamplerFacts, "order" | "path"> & Partial<Pick<SamplerFacts, "grid" | "stages">>;

/** Langevin steps whose total time stays fixed as the grid is refined, so that their bias vanishes at order 1. */
const refinedLangevin = (sde: Sde, steps: number) =>
  langevin({ stepSize: (t) => sde.diffusion(t) ** 2 / (2 * steps) });

const rows: Record<string, Row> = {
  "euler-maruyama": { order: 1, path: "reverse SDE" },
  "reverse-diffusion": { order: 1, path: "reverse SDE" },
  "exponential-sde": { order: 1, path: "reverse SDE" },
  "ddpm": { order: 1, path: "reverse SDE" },
  "ancestral": { order: 1, path: "reverse SDE" },
  "predictor-corrector": {
    order: 1,
    path: "none",
    stages: (sde, steps) => [reverseDiffusion(), refinedLangevin(sde, steps)],
  },
  "annealed-langevin": { order: null, path: "none", stages: () => [annealedLangevin({ steps: 1 })] },
  "ode-euler": { order: 1, path: "probability flow" },
  "ode-heun": { order: 2, path: "probability flow" },
  "ode-rk4": { order: 4, path: "probability flow", grid: "quadratic" },
  "ode-dopri5": { order: null, path: "probability flow" },
  "edm-heun": { order: 2, path: "probability flow" },
  "ddim": { order: 1, path: "probability flow" },
  "dpm++2m": { order: 2, path: "probability flow" },
};

/** The samplers of the catalogue about which nothing is claimed yet. */
export const unclaimed: readonly string[] = samplerNames.filter((name) => !Object.hasOwn(rows, name));

/** The facts of every sampler. */
export const samplerFacts: readonly SamplerFacts[] = Object.entries(rows).map(([name, row]) => {
  const { grid, stochastic } = samplerEntry(name);
  const stages = row.stages ?? (() => [samplerByName(name)]);
  return {
    name,
    grid: grid.kind,
    stochastic,
    ...row,
    stages,
    sampler: (sde, steps) => {
      const [first, second] = stages(sde, steps);
      return second === undefined ? first : predictorCorrector({ predictor: first, corrector: second });
    },
  };
});

/** The four SDEs at their defaults. */
export const sdes: readonly Sde[] = [vpSde(), subVpSde(), veSde(), sigmaPowerSde()];

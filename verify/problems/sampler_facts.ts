/**
 * What is claimed of each sampler in the catalogue. A new sampler needs a row here and gets every distribution claim with it.
 * @module
 */
import { adaptiveSde } from "../../src/samplers/adaptive_sde.ts";
import { annealedLangevin } from "../../src/samplers/annealed_langevin.ts";
import { samplerByName, samplerEntry, scoreSamplerNames } from "../../src/samplers/registry.ts";
import { edmHeun } from "../../src/samplers/edm_heun.ts";
import { churned, churnedTime, edmStochastic } from "../../src/samplers/edm_stochastic.ts";
import { langevin } from "../../src/samplers/langevin.ts";
import { predictorCorrector } from "../../src/samplers/predictor_corrector.ts";
import { reverseDiffusion } from "../../src/samplers/reverse_diffusion.ts";
import { type Sampler, statelessStepper } from "../../src/samplers/sampler.ts";
import { type Sde, sigmaPowerSde, subVpSde, veSde, vpSde } from "../../src/diffusion/sde.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";

/** Which continuous process a sampler's path converges to; "none" where only its marginals, or not even they, do. */
export type Path = "reverse SDE" | "probability flow" | "none";

/** What is claimed of one sampler. */
export interface SamplerFacts {
  readonly name: string;
  /** The order at which its distribution reaches p_t in the number of steps; null if it does not, or adapts its steps. */
  readonly order: number | null;
  readonly path: Path;
  /** The kind of grid on which it has that order. */
  readonly grid: GridConfig["kind"];
  readonly stochastic: boolean;
  /** Steps of three runs, the last two of which show the order. */
  readonly counts: readonly number[];
  /** Steps of runs with real draws: few, so that its distribution is not the data's; enough for steps that keep the order of states. */
  readonly drawSteps: number;
  /** How many particles carry its distribution: more where its steps' noise is small beside a valley in which few of them lie. */
  readonly particles: number;
  /**
   * Whether its distribution can be carried through steps of the stages one by one; not where noise is remembered, or enters a step
   * more than as a term. Such samplers are held to their distribution on Gaussian data.
   */
  readonly carried: boolean;
  /** The sampler for a run of N steps, its step size a function of time alone. */
  sampler(sde: Sde, steps: number): Sampler;
  /** Samplers of one draw a step at most that do the same one after the other. */
  stages(sde: Sde, steps: number): Sampler[];
}

type Row = Pick<SamplerFacts, "order" | "path"> & Partial<SamplerFacts>;

/** A part of the noise ratio that all steps together keep adding, so that steps shrink with the grid's. */
const churnOf = (steps: number) => 3 / steps;

/** The stages of `edmStochastic`: it cannot be told from a churn that is followed by Heun's step from there. */
function churnStages(steps: number): Sampler[] {
  const churn = churnOf(steps);
  return [
    {
      name: "churn",
      start: (model, rng) =>
        statelessStepper((x, t) => churned(model.sde, rng, x, t, churnedTime(model.sde, t, churn))),
    },
    {
      name: "heun after churn",
      start: (model, rng) => {
        const heun = edmHeun().start(model, rng);
        return { ...heun, step: (x, t, s) => heun.step(x, churnedTime(model.sde, t, churn), s) };
      },
    },
  ];
}

/** Langevin steps whose total time stays fixed as the grid is refined, so that their bias vanishes at order 1. */
const refinedLangevin = (sde: Sde, steps: number) =>
  langevin({ stepSize: (t) => sde.diffusionCoefficient(t) ** 2 / (2 * steps) });

const rows: Record<string, Row> = {
  "euler-maruyama": { order: 1, path: "reverse SDE" },
  // DDPM's rule needs β(t) h ≤ 1.
  "reverse-diffusion": { order: 1, path: "reverse SDE", drawSteps: 24 },
  "exponential-sde": { order: 1, path: "reverse SDE" },
  "ddpm": { order: 1, path: "reverse SDE", drawSteps: 24 },
  "ancestral": { order: 1, path: "reverse SDE" },
  "predictor-corrector": {
    order: 1,
    path: "none",
    drawSteps: 24,
    stages: (sde, steps) => [reverseDiffusion(), refinedLangevin(sde, steps)],
  },
  "annealed-langevin": {
    order: null,
    path: "none",
    stages: () => [annealedLangevin({ steps: 1 })],
    particles: 960,
  },
  "ode-euler": { order: 1, path: "probability flow", drawSteps: 16 },
  "ode-heun": { order: 2, path: "probability flow", drawSteps: 16 },
  "ode-rk4": { order: 4, path: "probability flow", grid: "quadratic" },
  "ode-dopri5": { order: null, path: "probability flow" },
  "edm-heun": { order: 2, path: "probability flow" },
  "ddim": { order: 1, path: "probability flow" },
  "dpm++2m": { order: 2, path: "probability flow" },
  "edm-stochastic": {
    order: 2,
    path: "none",
    stages: (_, steps) => churnStages(steps),
    sampler: (_, steps) => edmStochastic({ churn: churnOf(steps) }),
  },
  // Tolerances that any step meets: then it takes the grid's.
  "adaptive-sde": {
    order: 2,
    path: "reverse SDE",
    carried: false,
    sampler: () => adaptiveSde({ rtol: 1e9, firstStep: 10 }),
  },
  "sde-dpm++2m": { order: 2, path: "reverse SDE", carried: false },
  "dpm-solver-2": { order: 2, path: "probability flow", drawSteps: 16 },
  "dpm-solver-3": { order: 3, path: "probability flow", drawSteps: 16 },
  "dpm++2s": { order: 2, path: "probability flow", drawSteps: 16 },
  // Three values span much of the way at first.
  "unipc": { order: 3, path: "probability flow", grid: "log-snr", counts: [32, 64, 128], drawSteps: 16 },
};

/** The samplers of the catalogue about which nothing is claimed yet. */
export const unclaimed: readonly string[] = scoreSamplerNames.filter((name) => !Object.hasOwn(rows, name));

/** The facts of every sampler. */
export const samplerFacts: readonly SamplerFacts[] = Object.entries(rows).map(([name, row]) => {
  const { grid, stochastic } = samplerEntry(name);
  const stages = row.stages ?? (() => [samplerByName(name)]);
  return {
    name,
    grid: grid.kind,
    stochastic,
    counts: row.order !== null && row.order > 1 ? [16, 32, 64] : [32, 64, 128],
    drawSteps: stochastic ? 16 : 8,
    // Without noise the particles stay where the prior has them, so that it takes more to fill the valleys.
    particles: stochastic ? 240 : 2000,
    carried: true,
    stages,
    sampler: (sde, steps) => {
      const [first, second] = stages(sde, steps);
      return second === undefined ? first : predictorCorrector({ predictor: first, corrector: second });
    },
    ...row,
  };
});

/** The four SDEs at their defaults. */
export const sdes: readonly Sde[] = [vpSde(), subVpSde(), veSde(), sigmaPowerSde()];

/**
 * The samplers by name, for command lines and reports.
 * @module
 */
import type { GridConfig } from "../diffusion/time_grid.ts";
import { adaptiveSde } from "./adaptive_sde.ts";
import { annealedLangevin } from "./annealed_langevin.ts";
import { consistency } from "./consistency.ts";
import { ddim } from "./ddim.ts";
import { ddpm } from "./ddpm.ts";
import { odeDormandPrince } from "./ode_dopri5.ts";
import { dpmSolver2M } from "./dpm_solver_multistep.ts";
import { dpmSolver2, dpmSolver2S, dpmSolver3 } from "./dpm_solver_singlestep.ts";
import { edmHeun } from "./edm_heun.ts";
import { edmStochastic } from "./edm_stochastic.ts";
import { eulerMaruyama } from "./euler_maruyama.ts";
import { exponentialSde } from "./exponential_sde.ts";
import { langevin, type LangevinRule } from "./langevin.ts";
import { odeEuler } from "./ode_euler.ts";
import { odeHeun } from "./ode_heun.ts";
import { odeRk4 } from "./ode_rk4.ts";
import { predictorCorrector } from "./predictor_corrector.ts";
import { reverseDiffusion } from "./reverse_diffusion.ts";
import type { Sampler } from "./sampler.ts";
import { sdeDpmSolver2M } from "./dpm_solver_sde.ts";
import { unipc } from "./unipc.ts";
import { requireOptions } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/** Options that a sampler may take; each entry says which it accepts. */
export interface SamplerOptions {
  /** Target signal-to-noise ratio of the Langevin corrector. */
  readonly snr?: number;
  /** Langevin moves at each noise level. */
  readonly correctorSteps?: number;
  /** How the Langevin corrector's step size follows from `snr`; by default by the dimension. */
  readonly correctorRule?: LangevinRule;
  /** Relative tolerance of an adaptive solver. */
  readonly rtol?: number;
  /** Absolute tolerance of an adaptive solver. */
  readonly atol?: number;
  /** The part by which EDM's stochastic sampler raises the noise before each step. */
  readonly churn?: number;
  /** The fraction of the posterior's noise that DDIM adds, in [0, 1]. */
  readonly eta?: number;
  /** Name of the one-step sampler that predicts in predictor-corrector; default reverse-diffusion. */
  readonly predictor?: string;
}

/**
 * How a sampler moves: `one-step` from a state and two times alone; `multistep` with what it saw at earlier states;
 * `adaptive` in steps of its own between two times; `corrector` by moves at a noise level; `consistency` from the end of a
 * trajectory.
 */
export type SamplerKind = "one-step" | "multistep" | "adaptive" | "corrector" | "consistency";

/** A sampler's entry in the catalogue. */
export interface SamplerEntry {
  /** How it moves, which says whether it can be a predictor. */
  readonly kind: SamplerKind;
  /** Makes the sampler. */
  readonly create: (options: SamplerOptions) => Sampler;
  /** The options that it accepts. */
  readonly accepts: readonly (keyof SamplerOptions)[];
  /** The grid that suits it, with a step count that gives good samples. */
  readonly grid: GridConfig;
  /** Network calls in one step; null if the solver decides. */
  readonly evaluationsPerStep: (options: SamplerOptions) => number | null;
  /** Whether it adds noise on the way, unasked. */
  readonly stochastic: boolean;
}

const catalogue: Record<string, SamplerEntry> = {
  "euler-maruyama": entry(eulerMaruyama, { kind: "uniform", steps: 1000 }, 1, true),
  "reverse-diffusion": entry(reverseDiffusion, { kind: "uniform", steps: 1000 }, 1, true),
  "predictor-corrector": {
    kind: "corrector",
    create: ({ snr, correctorSteps, correctorRule, predictor }) =>
      predictorCorrector({
        predictor: predictorEntry(predictor).create({}),
        corrector: langevin({ snr, steps: correctorSteps, rule: correctorRule }),
      }),
    accepts: ["snr", "correctorSteps", "correctorRule", "predictor"],
    grid: { kind: "uniform", steps: 1000 },
    evaluationsPerStep: ({ correctorSteps = 1, predictor }) =>
      predictorEntry(predictor).evaluationsPerStep({})! + correctorSteps,
    stochastic: true,
  },
  "annealed-langevin": {
    kind: "corrector",
    create: ({ correctorSteps }) => annealedLangevin({ steps: correctorSteps }),
    accepts: ["correctorSteps"],
    grid: { kind: "log-snr", steps: 10 },
    evaluationsPerStep: ({ correctorSteps = 100 }) => correctorSteps,
    stochastic: true,
  },
  "exponential-sde": entry(exponentialSde, { kind: "uniform", steps: 1000 }, 1, true),
  "ddpm": entry(ddpm, { kind: "uniform", steps: 1000 }, 1, true),
  "ancestral": entry(() => ddim({ eta: 1 }), { kind: "karras", steps: 250 }, 1, true),
  "ode-euler": entry(odeEuler, { kind: "uniform", steps: 250 }, 1, false),
  "ode-heun": entry(odeHeun, { kind: "uniform", steps: 100 }, 2, false),
  "ode-rk4": entry(odeRk4, { kind: "uniform", steps: 50 }, 4, false),
  "ode-dopri5": {
    kind: "adaptive",
    create: odeDormandPrince,
    accepts: ["rtol", "atol"],
    grid: { kind: "uniform", steps: 1 },
    evaluationsPerStep: () => null,
    stochastic: false,
  },
  "edm-heun": entry(edmHeun, { kind: "karras", steps: 18 }, 2, false),
  "ddim": {
    ...entry(() => ddim(), { kind: "log-snr", steps: 50 }, 1, false),
    create: ({ eta }) => ddim({ eta }),
    accepts: ["eta"],
  },
  "edm-stochastic": {
    kind: "one-step",
    create: ({ churn }) => edmStochastic({ churn }),
    accepts: ["churn"],
    grid: { kind: "karras", steps: 32 },
    evaluationsPerStep: () => 2,
    stochastic: true,
  },
  "adaptive-sde": {
    kind: "adaptive",
    create: adaptiveSde,
    accepts: ["rtol", "atol"],
    grid: { kind: "uniform", steps: 1 },
    evaluationsPerStep: () => null,
    stochastic: true,
  },
  "sde-dpm++2m": entry(sdeDpmSolver2M, { kind: "karras", steps: 40 }, 1, true, "multistep"),
  "dpm-solver-2": entry(dpmSolver2, { kind: "log-snr", steps: 12 }, 2, false),
  "dpm-solver-3": entry(dpmSolver3, { kind: "log-snr", steps: 10 }, 3, false),
  "dpm++2s": entry(dpmSolver2S, { kind: "karras", steps: 12 }, 2, false),
  "unipc": entry(unipc, { kind: "karras", steps: 12 }, 1, false, "multistep"),
  "dpm++2m": entry(dpmSolver2M, { kind: "karras", steps: 10, rho: 5 }, 1, false, "multistep"),
  "consistency": entry(consistency, { kind: "levels", steps: 2 }, 1, true, "consistency"),
};

/** The names that {@linkcode samplerByName} knows. */
export const samplerNames: readonly string[] = Object.keys(catalogue);

/** The names of the samplers that need a score, which a consistency function does not give. */
export const scoreSamplerNames: readonly string[] = samplerNames.filter((name) =>
  catalogue[name].kind !== "consistency"
);

/** The names of the one-step samplers, each of which can predict in predictor-corrector. */
export const predictorNames: readonly string[] = samplerNames.filter((name) =>
  catalogue[name].kind === "one-step"
);

/**
 * The catalogue's entry for a name.
 * @throws RangeError for a name that is not there
 */
export function samplerEntry(name: string): SamplerEntry {
  if (!Object.hasOwn(catalogue, name)) {
    throw new RangeError(`sampler must be one of ${samplerNames.join(", ")}, got ${quoted(name)}`);
  }
  return catalogue[name];
}

/**
 * A sampler by its name in the catalogue.
 * @throws RangeError for a name that is not there, an option that this sampler does not accept, or a bad value
 */
export function samplerByName(name: string, options: SamplerOptions = {}): Sampler {
  const { create, accepts } = samplerEntry(name);
  requireOptions("options", options);
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined && !accepts.some((option) => option === key)) {
      throw new RangeError(`${name} has no option ${key}; it has ${accepts.join(", ") || "none"}`);
    }
  }
  return create(options);
}

/** Why the others cannot predict. */
const unfit: Record<Exclude<SamplerKind, "one-step">, string> = {
  multistep: "goes by its earlier states, which the corrector moves",
  adaptive: "chooses its own steps, so that a corrector would seldom run",
  corrector: "corrects already",
  consistency: "needs a consistency function, which gives a corrector no score",
};

/** The entry of a one-step sampler. */
function predictorEntry(name = "reverse-diffusion"): SamplerEntry {
  const found = samplerEntry(name);
  if (found.kind === "one-step") return found;
  throw new RangeError(
    `${name} cannot be a predictor: it ${unfit[found.kind]}; use one of ${predictorNames.join(", ")}`,
  );
}

function entry(
  create: () => Sampler,
  grid: GridConfig,
  evaluations: number,
  stochastic: boolean,
  kind: SamplerKind = "one-step",
): SamplerEntry {
  return { kind, create, accepts: [], grid, evaluationsPerStep: () => evaluations, stochastic };
}

/**
 * The properties of a sampler, and the options of all samplers, as command lines and records name them.
 * @module
 */
import type { GridConfig } from "../diffusion/time_grid.ts";
import { type LastOrders, lastOrdersNames } from "./dpm_solver_fast.ts";
import { type LangevinRule, langevinRules } from "./langevin.ts";
import { type LastStep, lastSteps } from "./last_step.ts";
import type { Sampler } from "./sampler.ts";
import { type SolverType, solverTypes } from "./solver_type.ts";
import { type BFunction, bFunctions, type SolverPrediction, solverPredictions } from "./unipc.ts";

/** Options that a sampler may take; its row in the registry says which it accepts, and their defaults. */
export interface SamplerOptions {
  /** Target signal-to-noise ratio of the Langevin corrector. */
  readonly snr?: number;
  /** Langevin steps at each noise level. */
  readonly correctorSteps?: number;
  /** ε, the step size of annealed Langevin dynamics at the lowest noise level. */
  readonly langevinStep?: number;
  /** How the Langevin corrector's step size follows from `snr`; by default by the dimension. */
  readonly correctorRule?: LangevinRule;
  /** Name of the one-step sampler that predicts in predictor-corrector. */
  readonly predictor?: string;
  /** γ, by which EDM's stochastic sampler raises the noise ratio before a step. */
  readonly gamma?: number;
  /** S_churn of EDM's stochastic sampler: γ times the number of noise levels of the run, in the place of `gamma`. */
  readonly sChurn?: number;
  /** S_tmin, the noise ratio below which EDM's stochastic sampler adds no noise. */
  readonly sTmin?: number;
  /** S_tmax, the noise ratio above which EDM's stochastic sampler adds no noise. */
  readonly sTmax?: number;
  /** S_noise, a factor on the standard deviation of the noise that a stochastic sampler adds. */
  readonly sNoise?: number;
  /** η, how much noise is added, in [0, 1]: 0 none, 1 as much as in ancestral sampling or the reverse SDE. */
  readonly eta?: number;
  /** How many data predictions SA-Solver extrapolates. */
  readonly predictorOrder?: number;
  /** How many data predictions correct a step of SA-Solver; 0 for none. */
  readonly correctorOrder?: number;
  /** τ, how much noise SA-Solver adds: 0 none, 1 as much as the reverse SDE. */
  readonly tau?: number;
  /** How a DPM-Solver uses the line or the parabola through its predictions: by its middle, or by its integral. */
  readonly solverType?: SolverType;
  /** How a multistep solver takes the step to the last time: by its own order, or as DDIM. */
  readonly lastStep?: LastStep;
  /** The orders of the steps with which a run of DPM-Solver-fast ends. */
  readonly lastOrders?: LastOrders;
  /** How many predictions a step of a multistep solver goes by. */
  readonly solverOrder?: number;
  /** How UniPC integrates a line through two predictions: exactly, or by a function B(h). */
  readonly bFunction?: BFunction;
  /** Whether UniPC makes its polynomials of the predicted noise or of the predicted data. */
  readonly solverPrediction?: SolverPrediction;
  /** Relative tolerance of an adaptive solver. */
  readonly rtol?: number;
  /** Absolute tolerance of an adaptive solver. */
  readonly atol?: number;
}

/** An option's meaning and allowed values. */
export interface SamplerOptionInfo {
  /** Its meaning, for help texts. */
  readonly help: string;
  /** A number, a whole number, the name of a sampler, or one of some names. */
  readonly values: "number" | "integer" | "sampler" | readonly string[];
  /** The least number. */
  readonly min?: number;
  /** The largest number. */
  readonly max?: number;
  /** The option that says the same in other numbers; at most one of the two is given. */
  readonly insteadOf?: keyof SamplerOptions;
}

/** Every option. */
export const samplerOptionInfos: Readonly<Record<keyof SamplerOptions, SamplerOptionInfo>> = {
  snr: { help: "signal-to-noise ratio of Langevin corrections", values: "number", min: 0 },
  correctorSteps: { help: "Langevin corrections at each noise level", values: "integer", min: 1 },
  langevinStep: {
    help: "ε, the step size of annealed Langevin dynamics at the lowest noise level",
    values: "number",
    min: 0,
  },
  correctorRule: {
    help: "Langevin's step size from the norms of score and noise, or from the noise level alone",
    values: langevinRules,
  },
  predictor: { help: "what predicts in predictor-corrector", values: "sampler" },
  gamma: {
    help: "γ, the part by which the noise ratio is raised before a step",
    values: "number",
    min: 0,
    max: 0.4142,
  },
  sChurn: {
    help: "S_churn in the place of γ: γ is S_churn/N, at most √2 − 1, for N = steps + 1 noise levels",
    values: "number",
    min: 0,
    insteadOf: "gamma",
  },
  sTmin: { help: "S_tmin, the noise ratio below which no noise is added", values: "number", min: 0 },
  sTmax: { help: "S_tmax, the noise ratio above which no noise is added", values: "number", min: 0 },
  sNoise: { help: "S_noise, a factor on the noise that is added", values: "number", min: 0 },
  eta: {
    help: "η, how much noise is added: 0 none, the probability flow, 1 as much as the reverse SDE",
    values: "number",
    min: 0,
    max: 1,
  },
  predictorOrder: {
    help: "how many data predictions a step of SA-Solver extrapolates",
    values: "integer",
    min: 1,
    max: 4,
  },
  correctorOrder: {
    help: "how many data predictions correct it, with the one at its end; 0 for no correction",
    values: "integer",
    min: 0,
    max: 4,
  },
  tau: {
    help: "τ, how much noise is added: 0 none, the probability flow, 1 as much as the reverse SDE",
    values: "number",
    min: 0,
  },
  solverType: {
    help: "a DPM-Solver's line through predictions by its value at the step's middle, or by its integral",
    values: solverTypes,
  },
  lastStep: {
    help: "the step to the last time by the method's own order, or by DDIM, of order 1 (lower_order_final)",
    values: lastSteps,
  },
  lastOrders: {
    help: "the orders of DPM-Solver-fast's last steps, after steps of order 3",
    values: lastOrdersNames,
  },
  solverOrder: {
    help: "how many predictions of the model a step goes by, once there are so many",
    values: "integer",
    min: 1,
    max: 4,
  },
  bFunction: {
    help: "the weight of a slope through two predictions: exact, or by B(h) = h or e^h − 1 (solver_type)",
    values: bFunctions,
  },
  solverPrediction: {
    help: "polynomials through predicted noise, or through predicted data (predict_x0)",
    values: solverPredictions,
  },
  rtol: { help: "relative tolerance of an adaptive solver", values: "number", min: 0 },
  atol: { help: "absolute tolerance of an adaptive solver", values: "number", min: 0 },
};

/** The names of the options. */
export const samplerOptionNames: readonly (keyof SamplerOptions)[] = Object.keys(
  samplerOptionInfos,
) as (keyof SamplerOptions)[];

/** An option's default and its source. */
export interface SamplerDefault {
  /** A value of the option, or words for a default that depends on the run. */
  readonly default: number | string;
  /** The paper or the code that the default is from. */
  readonly source: string;
}

/**
 * What a step depends on: `one-step` on a state and two times alone; `multistep` on earlier states, too; `adaptive`
 * on an error estimate, by which it chooses steps between two times; `scheduled` on its place in the run; `corrector`
 * on one noise level; `consistency` on the end of a trajectory.
 */
export type SamplerKind = "one-step" | "multistep" | "adaptive" | "scheduled" | "corrector" | "consistency";

/** A sampler's row in the registry. */
export interface SamplerInfo {
  /** What a step depends on, which decides whether the sampler can be a predictor. */
  readonly kind: SamplerKind;
  /** Makes the sampler. */
  readonly create: (options: SamplerOptions) => Sampler;
  /** The paper, and its equation or algorithm. */
  readonly source: string;
  /** The options that it accepts, with their defaults. */
  readonly options: Readonly<Partial<Record<keyof SamplerOptions, SamplerDefault>>>;
  /**
   * The order in the number of steps: of the error of the distribution for a sampler that adds noise (weak order), of
   * the state's for the others; null where refining the grid alone does not converge to the data.
   */
  readonly order: number | null;
  /** The process that its states follow as the grid is refined; "none" where at most their distributions do. */
  readonly path: "reverse SDE" | "probability flow" | "none";
  /** Whether it adds noise with its default options. */
  readonly stochastic: boolean;
  /**
   * Network evaluations (NFE) of a step, a function of the options if it depends on them; null where the solver
   * decides.
   */
  readonly nfePerStep: number | null | ((options: SamplerOptions) => number);
  /** Evaluations that the first steps of a run take beside that, one number for each such step. */
  readonly nfeOfStart: readonly number[];
  /** Evaluations of the last steps of a run, from its end, in the place of `nfePerStep`. */
  readonly nfeOfEnd: (options: SamplerOptions) => readonly number[];
  /** Whether a step asks for the score at its end, so that no grid may end where σ is zero. */
  readonly needsScoreAtEnd: boolean;
  /** The grid that suits it, with a step count that gives good samples. */
  readonly grid: GridConfig;
}

/**
 * How each sampler of the registry is examined, and what is expected of it beside what its row in the registry states. A sampler
 * with a row here gets every claim on orders, paths, distributions, last steps and options.
 * @module
 */
import { awaited } from "../../src/compute/tidied.ts";
import { adaptiveSde } from "../../src/samplers/adaptive_sde.ts";
import { annealedLangevin } from "../../src/samplers/annealed_langevin.ts";
import { samplerByName, samplerInfo, scoreSamplerNames } from "../../src/samplers/registry.ts";
import type { SamplerInfo, SamplerOptions } from "../../src/samplers/sampler_info.ts";
import { ddim } from "../../src/samplers/ddim.ts";
import { dpmSolverAdaptive } from "../../src/samplers/dpm_solver_adaptive.ts";
import { dpmSolverFast } from "../../src/samplers/dpm_solver_fast.ts";
import { dpmSolver2Ancestral, dpmSolver2SAncestral } from "../../src/samplers/dpm_solver_ancestral.ts";
import { sdeDpmSolver2M, sdeDpmSolver3M } from "../../src/samplers/dpm_solver_sde.ts";
import { sdeDpmSolver2S } from "../../src/samplers/dpm_solver_sde_singlestep.ts";
import { dpmSolver2, dpmSolver2S, dpmSolver3 } from "../../src/samplers/dpm_solver_singlestep.ts";
import { dpmSolver2M } from "../../src/samplers/dpm_solver_multistep.ts";
import { deis } from "../../src/samplers/deis.ts";
import { ipndm } from "../../src/samplers/ipndm.ts";
import { lms } from "../../src/samplers/lms.ts";
import { unipc } from "../../src/samplers/unipc.ts";
import { edmHeun } from "../../src/samplers/edm_heun.ts";
import { edmStochastic, raised, raisedTime } from "../../src/samplers/edm_stochastic.ts";
import { langevin } from "../../src/samplers/langevin.ts";
import { odeDormandPrince } from "../../src/samplers/ode_dopri5.ts";
import { odeEuler } from "../../src/samplers/ode_euler.ts";
import { saSolver } from "../../src/samplers/sa_solver.ts";
import { predictorCorrector } from "../../src/samplers/predictor_corrector.ts";
import { reverseDiffusion } from "../../src/samplers/reverse_diffusion.ts";
import { type Sampler, statelessStepper } from "../../src/samplers/sampler.ts";
import type { Sde } from "../../src/diffusion/sde.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";

/** How one sampler is examined. */
export interface SamplerFacts {
  readonly name: string;
  /** The order that its row in the registry claims, to be measured; null where claims of its own do that, as it adapts its steps or begins with lower orders. */
  readonly order: number | null;
  /** The process that its row in the registry claims, to be measured. */
  readonly path: SamplerInfo["path"];
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
  /**
   * Whether random draws of it are looked at: not of a sampler whose only random numbers are normal tensors of the
   * state's shape, as the others' are, so that its impulse response says all of its distribution.
   */
  readonly drawn: boolean;
  /** The order of the covariances of two times of its path; that of its distribution but where each step splits flow and noise. */
  readonly pathOrder: number | null;
  /**
   * Where a step to σ = 0 leads. A sampler that is exact for a constant prediction ends on the data prediction, or, of the noises
   * that it remembers, on one extrapolated from them, and shifts with the data; Heun's rule takes Euler's step, as no slope exists at the end; the others' rules give some state without noise.
   */
  readonly lastStep: "data prediction" | "extrapolated" | "Euler" | "own rule";
  /** Whether a step to σ = 0 begins by correcting the state, by the noise predicted for the uncorrected one, and so keeps the difference. */
  readonly corrects: boolean;
  /** Whether its rule is defined only for short steps: DDPM's √(1 − β(t) h). */
  readonly shortSteps: boolean;
  /** The sampler's own function with the options of {@linkcode otherValues}; absent for a sampler without options. */
  readonly direct?: () => Sampler;
  /** The sampler for a run of N steps, its step size a function of time alone. */
  sampler(sde: Sde, steps: number): Sampler;
  /** Samplers of one draw a step at most that do the same one after the other. */
  stages(sde: Sde, steps: number): Sampler[];
}

type Row = Pick<SamplerFacts, "lastStep"> & Partial<SamplerFacts>;

/** For each option a value that is no sampler's default. */
export const otherValues: Required<SamplerOptions> = {
  snr: 0.3,
  correctorSteps: 2,
  langevinStep: 1e-5,
  correctorRule: "langevin",
  predictor: "ode-euler",
  gamma: 0.3,
  sChurn: 2,
  sTmin: 0.5,
  sTmax: 0.7,
  sNoise: 1.01,
  eta: 0.5,
  predictorOrder: 2,
  correctorOrder: 1,
  tau: 0.7,
  solverType: "heun",
  lastStep: "ddim",
  lastOrders: "1",
  solverOrder: 1,
  bFunction: "bh1",
  solverPrediction: "data",
  rtol: 0.3,
  atol: 0.2,
};

/** S_churn/N for S_churn = 3, so that what noise is added shrinks with the grid's steps. */
const gammaOf = (steps: number) => 3 / steps;

/** The stages of `edmStochastic`: it cannot be told from added noise that is followed by Heun's step from there. */
function churnStages(steps: number): Sampler[] {
  const gamma = gammaOf(steps);
  return [
    {
      name: "churn",
      start: (model, rng) =>
        statelessStepper((x, t) => awaited(raised(model.sde, rng, x, t, raisedTime(model.sde, t, gamma)))),
    },
    {
      name: "heun after churn",
      start: (model, rng) => {
        const heun = edmHeun().start(model, rng);
        return { ...heun, step: (x, t, s) => heun.step(x, raisedTime(model.sde, t, gamma), s) };
      },
    },
  ];
}

/** Langevin steps whose total time stays fixed as the grid is refined, so that their bias vanishes at order 1. */
const refinedLangevin = (sde: Sde, steps: number) =>
  langevin({ stepSize: (t) => sde.diffusionCoefficient(t) ** 2 / (2 * steps) });

const rows: Record<string, Row> = {
  "euler-maruyama": { lastStep: "own rule" },
  "reverse-diffusion": { lastStep: "own rule", shortSteps: true, drawSteps: 24 },
  "exponential-sde": { lastStep: "own rule" },
  "ddpm": { lastStep: "own rule", shortSteps: true, drawSteps: 24 },
  "ancestral": { lastStep: "data prediction" },
  "predictor-corrector": {
    lastStep: "own rule",
    shortSteps: true,
    drawSteps: 24,
    stages: (sde, steps) => [reverseDiffusion(), refinedLangevin(sde, steps)],
    direct: () =>
      predictorCorrector({
        predictor: odeEuler(),
        corrector: langevin({ snr: 0.3, steps: 2, rule: "langevin" }),
      }),
  },
  "annealed-langevin": {
    lastStep: "own rule",
    stages: () => [annealedLangevin({ steps: 1 })],
    particles: 3840,
    direct: () => annealedLangevin({ steps: 2, langevinStep: 1e-5 }),
  },
  "ode-euler": { lastStep: "own rule", drawSteps: 16 },
  "ode-heun": { lastStep: "Euler", drawSteps: 16 },
  "ode-rk4": { lastStep: "own rule", grid: "quadratic" },
  "ode-dopri5": {
    order: null,
    lastStep: "own rule",
    direct: () => odeDormandPrince({ rtol: 0.3, atol: 0.2, maxAttempts: 500 }),
  },
  "edm-heun": { lastStep: "data prediction" },
  "ddim": { lastStep: "data prediction", direct: () => ddim({ eta: 0.5 }) },
  "dpm++2m": {
    lastStep: "data prediction",
    direct: () => dpmSolver2M({ lastStep: "ddim", solverType: "heun" }),
  },
  "edm-stochastic": {
    lastStep: "own rule",
    stages: (_, steps) => churnStages(steps),
    sampler: (_, steps) => edmStochastic({ gamma: gammaOf(steps) }),
    direct: () => edmStochastic({ gamma: 0.3, sTmin: 0.5, sTmax: 0.7, sNoise: 1.01 }),
  },
  "adaptive-sde": {
    lastStep: "own rule",
    carried: false,
    // Tolerances that any step meets: then it takes the grid's, at the first attempt.
    sampler: () => adaptiveSde({ rtol: 1e9, firstStep: 10, maxAttempts: 2 }),
    direct: () => adaptiveSde({ rtol: 0.3, atol: 0.2, maxAttempts: 500 }),
  },
  "sde-dpm++2m": {
    lastStep: "data prediction",
    carried: false,
    direct: () => sdeDpmSolver2M({ solverType: "heun", eta: 0.5, sNoise: 1.01 }),
  },
  "sde-dpm++3m": {
    lastStep: "data prediction",
    carried: false,
    drawn: false,
    direct: () => sdeDpmSolver3M({ eta: 0.5, sNoise: 1.01 }),
  },
  "sde-dpm++2s": {
    lastStep: "data prediction",
    carried: false,
    drawn: false,
    direct: () => sdeDpmSolver2S({ eta: 0.5, sNoise: 1.01 }),
  },
  "dpm++2s-ancestral": {
    lastStep: "data prediction",
    drawn: false,
    pathOrder: 1,
    direct: () => dpmSolver2SAncestral({ eta: 0.5, sNoise: 1.01 }),
  },
  "dpm-solver-2-ancestral": {
    lastStep: "data prediction",
    drawn: false,
    pathOrder: 1,
    direct: () => dpmSolver2Ancestral({ eta: 0.5, sNoise: 1.01 }),
  },
  "sa-solver": {
    lastStep: "data prediction",
    carried: false,
    drawn: false,
    direct: () => saSolver({ predictorOrder: 2, correctorOrder: 1, tau: 0.7 }),
  },
  "dpm-solver-adaptive": {
    order: null,
    lastStep: "data prediction",
    drawn: false,
    direct: () => dpmSolverAdaptive({ rtol: 0.3, atol: 0.2, eta: 0.5, sNoise: 1.01, maxAttempts: 500 }),
  },
  "dpm-solver-fast": {
    lastStep: "data prediction",
    drawSteps: 16,
    direct: () => dpmSolverFast({ lastOrders: "1", eta: 0.5, sNoise: 1.01 }),
  },
  "dpm-solver-2": {
    lastStep: "data prediction",
    drawSteps: 16,
    direct: () => dpmSolver2({ solverType: "heun" }),
  },
  "dpm-solver-3": {
    lastStep: "data prediction",
    drawSteps: 16,
    direct: () => dpmSolver3({ solverType: "heun" }),
  },
  "dpm++2s": {
    lastStep: "data prediction",
    drawSteps: 16,
    direct: () => dpmSolver2S({ solverType: "heun" }),
  },
  "lms": { lastStep: "extrapolated", order: null, direct: () => lms({ solverOrder: 1 }) },
  "deis": {
    lastStep: "data prediction",
    grid: "log-snr",
    counts: [32, 64, 128],
    // Where a run begins at little noise its first steps, of lower order, show in the covariances.
    pathOrder: null,
    direct: () => deis({ solverOrder: 1 }),
  },
  "ipndm": {
    lastStep: "extrapolated",
    grid: "quadratic",
    counts: [32, 64, 128],
    // With fewer steps its map, and those of pndm and plms, do not keep the order of states, by which distributions are carried.
    drawSteps: 32,
    direct: () => ipndm({ solverOrder: 1 }),
  },
  "pndm": { lastStep: "extrapolated", grid: "quadratic", counts: [32, 64, 128], drawSteps: 32 },
  "plms": { lastStep: "extrapolated", grid: "quadratic", counts: [32, 64, 128], drawSteps: 32 },
  "unipc": {
    lastStep: "data prediction",
    corrects: true,
    // Three values span much of the way at first.
    grid: "log-snr",
    counts: [32, 64, 128],
    drawSteps: 16,
    direct: () => unipc({ lastStep: "ddim", solverOrder: 1, bFunction: "bh1", solverPrediction: "data" }),
  },
};

/** The options with which a sampler adds no noise; none of one that never adds any. */
export function optionsWithoutNoise(name: string): SamplerOptions {
  const { options } = samplerInfo(name);
  return "eta" in options ? { eta: 0 } : "tau" in options ? { tau: 0 } : {};
}

/** The samplers of the registry about which nothing is claimed yet. */
export const unclaimed: readonly string[] = scoreSamplerNames.filter((name) => !Object.hasOwn(rows, name));

/** The facts of every sampler. */
export const samplerFacts: readonly SamplerFacts[] = Object.entries(rows).map(([name, row]) => {
  const { grid, stochastic, path, order: claimed } = samplerInfo(name);
  const { order = claimed, stages = () => [samplerByName(name)] } = row;
  return {
    name,
    path,
    grid: grid.kind,
    stochastic,
    counts: order !== null && order > 1 ? [16, 32, 64] : [32, 64, 128],
    drawSteps: stochastic ? 16 : 8,
    // Without noise the particles stay where the prior has them, so that it takes more to fill the valleys.
    particles: stochastic ? 240 : 2000,
    carried: true,
    drawn: true,
    pathOrder: order,
    corrects: false,
    shortSteps: false,
    sampler: (sde, steps) => {
      const [first, second] = stages(sde, steps);
      return second === undefined ? first : predictorCorrector({ predictor: first, corrector: second });
    },
    ...row,
    order,
    stages,
  };
});

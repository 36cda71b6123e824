/**
 * The registry of samplers: one row for each, with its source, order, options and cost. Command lines, help texts,
 * documents and claims are derived from the rows.
 * @module
 */
import { adaptiveSde } from "./adaptive_sde.ts";
import { annealedLangevin } from "./annealed_langevin.ts";
import { consistency } from "./consistency.ts";
import { ddim } from "./ddim.ts";
import { deis } from "./deis.ts";
import { ddpm } from "./ddpm.ts";
import { odeDormandPrince } from "./ode_dopri5.ts";
import { dpmSolver2M } from "./dpm_solver_multistep.ts";
import { dpmSolver2, dpmSolver2S, dpmSolver3 } from "./dpm_solver_singlestep.ts";
import { edmHeun } from "./edm_heun.ts";
import { edmStochastic } from "./edm_stochastic.ts";
import { eulerMaruyama } from "./euler_maruyama.ts";
import { exponentialSde } from "./exponential_sde.ts";
import { ipndm } from "./ipndm.ts";
import { langevin } from "./langevin.ts";
import { lms } from "./lms.ts";
import { odeEuler } from "./ode_euler.ts";
import { odeHeun } from "./ode_heun.ts";
import { odeRk4 } from "./ode_rk4.ts";
import { plms, pndm } from "./pndm.ts";
import { predictorCorrector } from "./predictor_corrector.ts";
import { reverseDiffusion } from "./reverse_diffusion.ts";
import type { Sampler } from "./sampler.ts";
import type { SamplerInfo, SamplerKind, SamplerOptions } from "./sampler_info.ts";
import { saSolver } from "./sa_solver.ts";
import { dpmSolverAdaptive } from "./dpm_solver_adaptive.ts";
import { dpmSolverFast, ordersFromEnd } from "./dpm_solver_fast.ts";
import { dpmSolver2Ancestral, dpmSolver2SAncestral } from "./dpm_solver_ancestral.ts";
import { sdeDpmSolver2M, sdeDpmSolver3M } from "./dpm_solver_sde.ts";
import { sdeDpmSolver2S } from "./dpm_solver_sde_singlestep.ts";
import { unipc } from "./unipc.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";

/**
 * A row's own fields; the others default to a one-step sampler without options, which adds noise unless it solves the
 * probability flow.
 */
type Row =
  & Pick<SamplerInfo, "create" | "source" | "order" | "path" | "nfePerStep" | "grid">
  & Partial<SamplerInfo>;

/** k-diffusion's options of the noise that is added. */
const addedNoise = {
  eta: { default: 1, source: "k-diffusion" },
  sNoise: { default: 1, source: "k-diffusion" },
} as const;

const rows: Readonly<Record<string, Row>> = {
  "euler-maruyama": {
    create: eulerMaruyama,
    source: "Song et al. 2021, eq. 6",
    order: 1,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "uniform", steps: 1000 },
  },
  "reverse-diffusion": {
    create: reverseDiffusion,
    source: "Song et al. 2021, eq. 46",
    order: 1,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "uniform", steps: 1000 },
  },
  "predictor-corrector": {
    kind: "corrector",
    create: ({ snr, correctorSteps, correctorRule, predictor }) =>
      predictorCorrector({
        predictor: predictorInfo(predictor).create({}),
        corrector: langevin({ snr, steps: correctorSteps, rule: correctorRule }),
      }),
    source: "Song et al. 2021, Alg. 1",
    options: {
      snr: { default: 0.16, source: "Song et al. 2021, for VE" },
      correctorSteps: { default: 1, source: "Song et al. 2021" },
      correctorRule: { default: "langevin from 64 dimensions on, else ald", source: "the rules' range" },
      predictor: { default: "reverse-diffusion", source: "Song et al. 2021" },
    },
    order: 1,
    path: "none",
    nfePerStep: ({ correctorSteps = 1, predictor }) =>
      nfeWith(predictorInfo(predictor), {})! + correctorSteps,
    grid: { kind: "uniform", steps: 1000 },
  },
  "annealed-langevin": {
    kind: "corrector",
    create: ({ correctorSteps, langevinStep }) => annealedLangevin({ steps: correctorSteps, langevinStep }),
    source: "Song & Ermon 2020, Alg. 1",
    options: {
      correctorSteps: { default: 100, source: "Song & Ermon 2019" },
      langevinStep: { default: "0.1 σ_L²", source: "Song & Ermon 2019: 2e-5 at σ_L = 0.01, halved" },
    },
    order: null,
    path: "none",
    nfePerStep: ({ correctorSteps = 100 }) => correctorSteps,
    grid: { kind: "log-snr", steps: 10 },
  },
  "exponential-sde": {
    create: exponentialSde,
    source: "Zhang & Chen 2023; Pierret & Galerne 2025",
    order: 1,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "uniform", steps: 1000 },
  },
  "ddpm": {
    create: ddpm,
    source: "Ho et al. 2020, Alg. 2",
    order: 1,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "uniform", steps: 1000 },
  },
  "ancestral": {
    create: () => ddim({ eta: 1 }),
    source: "Ho et al. 2020, eq. 6 and 7",
    order: 1,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 250 },
  },
  "ode-euler": {
    create: odeEuler,
    source: "Song et al. 2021, eq. 13",
    order: 1,
    path: "probability flow",
    nfePerStep: 1,
    grid: { kind: "uniform", steps: 250 },
  },
  "ode-heun": {
    create: odeHeun,
    source: "Song et al. 2021, eq. 13",
    order: 2,
    path: "probability flow",
    nfePerStep: 2,
    grid: { kind: "uniform", steps: 100 },
  },
  "ode-rk4": {
    create: odeRk4,
    source: "Song et al. 2021, eq. 13",
    order: 4,
    path: "probability flow",
    nfePerStep: 4,
    grid: { kind: "uniform", steps: 50 },
    needsScoreAtEnd: true,
  },
  "ode-dopri5": {
    create: odeDormandPrince,
    source: "Dormand & Prince 1980, RK5(4)7M",
    order: 5,
    path: "probability flow",
    nfePerStep: null,
    grid: { kind: "uniform", steps: 1 },
    kind: "adaptive",
    needsScoreAtEnd: true,
    options: {
      rtol: { default: 1e-5, source: "Song et al. 2021" },
      atol: { default: 1e-5, source: "Song et al. 2021" },
    },
  },
  "edm-heun": {
    create: edmHeun,
    source: "Karras et al. 2022, Alg. 1",
    order: 2,
    path: "probability flow",
    nfePerStep: 2,
    grid: { kind: "karras", steps: 18 },
  },
  "ddim": {
    create: ddim,
    source: "Song, Meng & Ermon 2021, eq. 12",
    order: 1,
    path: "probability flow",
    nfePerStep: 1,
    grid: { kind: "log-snr", steps: 50 },
    options: { eta: { default: 0, source: "Song, Meng & Ermon 2021" } },
  },
  "edm-stochastic": {
    create: edmStochastic,
    source: "Karras et al. 2022, Alg. 2",
    order: 2,
    path: "none",
    nfePerStep: 2,
    grid: { kind: "karras", steps: 32 },
    options: {
      gamma: {
        default: 0.15,
        source: "this project; Karras et al. 2022 have S_churn/N = 40/256 on ImageNet",
      },
      sChurn: { default: "γ (steps + 1)", source: "Karras et al. 2022, the code: γ = S_churn/N" },
      sTmin: { default: 0, source: "Karras et al. 2022, the code" },
      sTmax: { default: Infinity, source: "Karras et al. 2022, the code" },
      sNoise: { default: 1, source: "Karras et al. 2022, the code" },
    },
  },
  "adaptive-sde": {
    create: adaptiveSde,
    source: "Jolicoeur-Martineau et al. 2021, Alg. 1",
    order: 2,
    path: "reverse SDE",
    nfePerStep: null,
    grid: { kind: "uniform", steps: 1 },
    kind: "adaptive",
    needsScoreAtEnd: true,
    options: {
      rtol: { default: 0.05, source: "Jolicoeur-Martineau et al. 2021" },
      atol: { default: 2 / 256, source: "Jolicoeur-Martineau et al. 2021: one level of an image in [−1, 1]" },
    },
  },
  "sde-dpm++2m": {
    create: sdeDpmSolver2M,
    options: { solverType: { default: "midpoint", source: "k-diffusion" }, ...addedNoise },
    source: "Lu et al. 2022b",
    order: 2,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 40 },
    kind: "multistep",
  },
  "sde-dpm++3m": {
    create: sdeDpmSolver3M,
    options: addedNoise,
    source: "k-diffusion, sample_dpmpp_3m_sde",
    order: 2,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 40 },
    kind: "multistep",
  },
  "sde-dpm++2s": {
    create: sdeDpmSolver2S,
    options: addedNoise,
    source: "k-diffusion, sample_dpmpp_sde",
    order: 2,
    path: "reverse SDE",
    nfePerStep: 2,
    grid: { kind: "karras", steps: 20 },
  },
  "dpm++2s-ancestral": {
    create: dpmSolver2SAncestral,
    options: addedNoise,
    source: "k-diffusion, sample_dpmpp_2s_ancestral",
    order: 2,
    path: "reverse SDE",
    nfePerStep: 2,
    grid: { kind: "karras", steps: 20 },
  },
  "dpm-solver-2-ancestral": {
    create: dpmSolver2Ancestral,
    options: addedNoise,
    source: "k-diffusion, sample_dpm_2_ancestral",
    order: 2,
    path: "reverse SDE",
    nfePerStep: 2,
    grid: { kind: "karras", steps: 20 },
  },
  "sa-solver": {
    create: saSolver,
    options: {
      predictorOrder: { default: 3, source: "Xue et al. 2023, the code" },
      correctorOrder: { default: 4, source: "Xue et al. 2023, the code" },
      tau: { default: 1, source: "Xue et al. 2023, the code" },
    },
    source: "Xue et al. 2023, Alg. 1",
    order: 2,
    path: "reverse SDE",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 40 },
    kind: "multistep",
  },
  "dpm-solver-adaptive": {
    create: dpmSolverAdaptive,
    options: {
      rtol: { default: 0.05, source: "k-diffusion" },
      atol: { default: 0.0078, source: "k-diffusion" },
      eta: { default: 0, source: "k-diffusion" },
      sNoise: { default: 1, source: "k-diffusion" },
    },
    source: "Lu et al. 2022, appendix C",
    order: 3,
    path: "probability flow",
    nfePerStep: null,
    grid: { kind: "uniform", steps: 1 },
    kind: "adaptive",
  },
  "dpm-solver-fast": {
    create: dpmSolverFast,
    options: {
      lastOrders: { default: "2", source: "Lu et al. 2022, the code" },
      eta: { default: 0, source: "k-diffusion" },
      sNoise: { default: 1, source: "k-diffusion" },
    },
    source: "Lu et al. 2022, the code; k-diffusion, sample_dpm_fast",
    order: 3,
    path: "probability flow",
    nfePerStep: 3,
    nfeOfEnd: ordersFromEnd,
    grid: { kind: "log-snr", steps: 7 },
    kind: "scheduled",
  },
  "dpm-solver-2": {
    create: dpmSolver2,
    options: { solverType: { default: "midpoint", source: "Lu et al. 2022, the code" } },
    source: "Lu et al. 2022, Alg. 1",
    order: 2,
    path: "probability flow",
    nfePerStep: 2,
    grid: { kind: "log-snr", steps: 12 },
  },
  "dpm-solver-3": {
    create: dpmSolver3,
    options: { solverType: { default: "midpoint", source: "Lu et al. 2022, the code" } },
    source: "Lu et al. 2022, Alg. 2",
    order: 3,
    path: "probability flow",
    nfePerStep: 3,
    grid: { kind: "log-snr", steps: 10 },
  },
  "dpm++2s": {
    create: dpmSolver2S,
    options: { solverType: { default: "midpoint", source: "Lu et al. 2022b, Alg. 1" } },
    source: "Lu et al. 2022b, Alg. 1",
    order: 2,
    path: "probability flow",
    nfePerStep: 2,
    grid: { kind: "karras", steps: 12 },
  },
  "unipc": {
    create: unipc,
    options: {
      lastStep: { default: "own", source: "Zhao et al. 2023" },
      solverOrder: { default: 2, source: "diffusers" },
      bFunction: { default: "varying", source: "Zhao et al. 2023, UniPC_v" },
      solverPrediction: { default: "noise", source: "Zhao et al. 2023, Alg. 1" },
    },
    source: "Zhao et al. 2023, Alg. 1",
    order: 3,
    path: "probability flow",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 12 },
    kind: "multistep",
  },
  "lms": {
    create: lms,
    options: { solverOrder: { default: 4, source: "k-diffusion" } },
    source: "k-diffusion, sample_lms; Zhang & Chen 2023, ρAB",
    order: 4,
    path: "probability flow",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 20 },
    kind: "multistep",
  },
  "deis": {
    create: deis,
    options: { solverOrder: { default: 3, source: "Zhang & Chen 2023" } },
    source: "Zhang & Chen 2023, tAB in ln ρ",
    order: 3,
    path: "probability flow",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 12 },
    kind: "multistep",
  },
  "ipndm": {
    create: ipndm,
    options: { solverOrder: { default: 4, source: "Zhang & Chen 2023" } },
    source: "Zhang & Chen 2023, iPNDM",
    order: 2,
    path: "probability flow",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 12 },
    kind: "multistep",
  },
  "pndm": {
    create: pndm,
    source: "Liu et al. 2022, F-PNDM",
    order: 2,
    path: "probability flow",
    nfePerStep: 1,
    nfeOfStart: [3, 3, 3],
    grid: { kind: "uniform", steps: 50 },
    kind: "multistep",
  },
  "plms": {
    create: plms,
    source: "Liu et al. 2022; Crowson's PLMSSampler",
    order: 2,
    path: "probability flow",
    nfePerStep: 1,
    nfeOfStart: [1],
    grid: { kind: "karras", steps: 12 },
    kind: "multistep",
  },
  "dpm++2m": {
    create: dpmSolver2M,
    options: {
      lastStep: { default: "own", source: "Lu et al. 2022b, Alg. 2" },
      solverType: { default: "midpoint", source: "Lu et al. 2022b, Alg. 2" },
    },
    source: "Lu et al. 2022b, Alg. 2",
    order: 2,
    path: "probability flow",
    nfePerStep: 1,
    grid: { kind: "karras", steps: 10, rho: 5 },
    kind: "multistep",
  },
  "consistency": {
    create: consistency,
    source: "Song et al. 2023, Alg. 1",
    order: null,
    path: "none",
    nfePerStep: 1,
    grid: { kind: "levels", steps: 3 },
    kind: "consistency",
  },
};

const registry: Readonly<Record<string, SamplerInfo>> = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => {
    const stochastic = row.path !== "probability flow";
    return [name, {
      kind: "one-step",
      options: {},
      nfeOfStart: [],
      nfeOfEnd: () => [],
      needsScoreAtEnd: false,
      stochastic,
      ...row,
    }];
  }),
);

/** The names that {@linkcode samplerByName} knows. */
export const samplerNames: readonly string[] = Object.keys(registry);

/** The names of the samplers that need a score, which a consistency function does not give. */
export const scoreSamplerNames: readonly string[] = samplerNames.filter((name) =>
  registry[name].kind !== "consistency"
);

/** The names of the one-step samplers, each of which can predict in predictor-corrector. */
export const predictorNames: readonly string[] = samplerNames.filter((name) =>
  registry[name].kind === "one-step"
);

/**
 * The registry's row for a sampler.
 * @throws {RangeError} When the name is not in the registry.
 */
export function samplerInfo(name: string): SamplerInfo {
  if (!Object.hasOwn(registry, name)) {
    throw new RangeError(`sampler must be one of ${samplerNames.join(", ")}, got ${quoted(name)}`);
  }
  return registry[name];
}

/**
 * The network evaluations of a sampler's step with the given options; null where the solver decides.
 * @throws {RangeError} When the name is not in the registry, or the number of corrector steps is invalid.
 */
export function nfePerStep(name: string, options: SamplerOptions = {}): number | null {
  requireOptions("options", options);
  if (options.correctorSteps !== undefined) requireWhole("correctorSteps", options.correctorSteps, 1);
  return nfeWith(samplerInfo(name), options);
}

/**
 * The network evaluations of a run of so many steps, without the last denoising; null where the solver decides.
 * @throws {RangeError} When the name is not in the registry, or a number is no positive integer.
 */
export function nfeOfSteps(name: string, steps: number, options: SamplerOptions = {}): number | null {
  requireWhole("steps", steps, 1);
  const perStep = nfePerStep(name, options);
  if (perStep === null) return null;
  const { nfeOfStart, nfeOfEnd } = samplerInfo(name);
  const atEnd = nfeOfEnd(options).slice(0, steps);
  const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
  return (steps - atEnd.length) * perStep + total(atEnd) + total(nfeOfStart.slice(0, steps));
}

/**
 * A sampler by its name in the registry.
 * @throws {RangeError} When the name is unknown, the sampler does not accept an option, or a value is invalid.
 */
export function samplerByName(name: string, options: SamplerOptions = {}): Sampler {
  const { create, options: accepted } = samplerInfo(name);
  requireOptions("options", options);
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined && !Object.hasOwn(accepted, key)) {
      const others = Object.keys(accepted).join(", ") || "none";
      throw new RangeError(`${name} has no option ${key}; it has ${others}`);
    }
  }
  return create(options);
}

/** Why samplers of the other kinds cannot be predictors, for error messages. */
const unfit: Readonly<Record<Exclude<SamplerKind, "one-step">, string>> = {
  multistep: "goes by its earlier states, which the corrector changes",
  adaptive: "chooses its own steps, so that a corrector would seldom run",
  scheduled:
    "takes its last steps by lower orders, while every step of a predictor takes the same evaluations",
  corrector: "corrects already",
  consistency: "needs a consistency function, which gives a corrector no score",
};

/** The registry's row for a one-step sampler. */
function predictorInfo(name = "reverse-diffusion"): SamplerInfo {
  const found = samplerInfo(name);
  if (found.kind === "one-step") return found;
  throw new RangeError(
    `${name} cannot be a predictor: it ${unfit[found.kind]}; use one of ${predictorNames.join(", ")}`,
  );
}

function nfeWith({ nfePerStep: nfe }: SamplerInfo, options: SamplerOptions): number | null {
  return typeof nfe === "function" ? nfe(options) : nfe;
}

/**
 * What samplers are called elsewhere: in the web interfaces, in k-diffusion, diffusers, azula, EDM's code and score_sde.
 * @module
 */
import type { SamplerOptions } from "./sampler_info.ts";
import type { GridKind } from "../diffusion/time_grid.ts";

/** One sampler by its names elsewhere. */
interface OtherName {
  /** Its name in the web interfaces, without that of a grid. */
  readonly name: string;
  /** Its function in k-diffusion; absent where it has none. */
  readonly kDiffusion?: string;
  /** Its class in diffusers, perhaps with arguments; absent where it has none. */
  readonly diffusers?: string;
  /** The sampler here; null where there is none. */
  readonly sampler: string | null;
  /** Options that make it the same. */
  readonly options?: SamplerOptions;
  /** The SDE along which it is that. */
  readonly sde?: "flow";
  /** The grid that belongs to it. */
  readonly grid?: GridKind;
  /** What differs, or what comes nearest. */
  readonly note: string;
}

/** The names, each once. */
export const otherNames: readonly OtherName[] = [
  {
    name: "Euler",
    kDiffusion: "sample_euler",
    diffusers: "EulerDiscreteScheduler",
    sampler: "ddim",
    note:
      "Euler's method in ν, which is DDIM with η = 0; `ode-euler` steps in t. With s_churn it has no counterpart",
  },
  {
    name: "Euler a",
    kDiffusion: "sample_euler_ancestral",
    diffusers: "EulerAncestralDiscreteScheduler",
    sampler: "ancestral",
    note: "DDIM with η = 1",
  },
  {
    name: "Heun",
    kDiffusion: "sample_heun",
    diffusers: "HeunDiscreteScheduler",
    sampler: "edm-heun",
    note: "with s_churn `edm-stochastic`, whose `sChurn` is s_churn",
  },
  {
    name: "DPM2",
    kDiffusion: "sample_dpm_2",
    diffusers: "KDPM2DiscreteScheduler",
    sampler: "dpm-solver-2",
    note: "the middle of a step in ln ν",
  },
  {
    name: "DPM++ 2M",
    kDiffusion: "sample_dpmpp_2m",
    diffusers: "DPMSolverMultistepScheduler",
    sampler: "dpm++2m",
    note:
      "diffusers ends by DDIM with fewer than 15 steps: `--last-step ddim`; solver_type is `--solver-type`",
  },
  {
    name: "DPM++ 2M SDE",
    kDiffusion: "sample_dpmpp_2m_sde",
    diffusers: 'DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++")',
    sampler: "sde-dpm++2m",
    note: "k-diffusion's solver_type and eta are `--solver-type` and `--eta`",
  },
  {
    name: "DPM++ 2S",
    diffusers: "DPMSolverSinglestepScheduler",
    sampler: "dpm++2s",
    note:
      "diffusers shares its evaluations between steps of order 1 and 2; here every step has two. solver_type is `--solver-type`",
  },
  {
    name: "UniPC",
    diffusers: "UniPCMultistepScheduler",
    sampler: "unipc",
    options: { bFunction: "bh2", solverPrediction: "data" },
    note:
      "`unipc` alone has the paper's varying coefficients and noise prediction; lower_order_final with final_sigmas_type sigma_min is `--last-step ddim`, but with solver_order 3 also lowers the step before the last",
  },
  {
    name: "UniPC bh1",
    sampler: "unipc",
    options: { bFunction: "bh1", solverPrediction: "data" },
    note: "diffusers' solver_type bh1, which some web interfaces take for UniPC",
  },
  {
    name: "UniPC bh2",
    sampler: "unipc",
    options: { bFunction: "bh2", solverPrediction: "data" },
    note: "diffusers' solver_type bh2, its default",
  },
  {
    name: "DDIM",
    diffusers: "DDIMScheduler",
    sampler: "ddim",
    note: "`--eta` is diffusers' eta; its `linspace` and `leading` timesteps are grids of `indices`",
  },
  {
    name: "Flow Euler",
    diffusers: "FlowMatchEulerDiscreteScheduler",
    sampler: "ode-euler",
    sde: "flow",
    grid: "shifted",
    note: "`--shift` is its shift; times begin at .999 here, at 1 there",
  },
  {
    name: "Flow Heun",
    diffusers: "FlowMatchHeunDiscreteScheduler",
    sampler: "ode-heun",
    sde: "flow",
    grid: "shifted",
    note: "`--shift` is its shift; times begin at .999 here, at 1 there; with s_churn it has no counterpart",
  },
  {
    name: "DPM2 a",
    kDiffusion: "sample_dpm_2_ancestral",
    diffusers: "KDPM2AncestralDiscreteScheduler",
    sampler: "dpm-solver-2-ancestral",
    note: "DPM2 to less noise than the step ends with, and noise",
  },
  {
    name: "DPM++ 2S a",
    kDiffusion: "sample_dpmpp_2s_ancestral",
    sampler: "dpm++2s-ancestral",
    note: "DPM++ 2S to less noise than the step ends with, and noise",
  },
  {
    name: "DPM++ SDE",
    kDiffusion: "sample_dpmpp_sde",
    diffusers: "DPMSolverSDEScheduler",
    sampler: "sde-dpm++2s",
    note: "r = 1/2; the two noises of a step are of one Brownian motion, as there",
  },
  {
    name: "DPM++ 3M SDE",
    kDiffusion: "sample_dpmpp_3m_sde",
    sampler: "sde-dpm++3m",
    note: "of weak order 2, there and here",
  },
  {
    name: "SA-Solver",
    diffusers: "SASolverScheduler",
    sampler: "sa-solver",
    options: { predictorOrder: 2, correctorOrder: 2 },
    note:
      "diffusers weighs the slope of two values by h²/2, here by its exact integral; its tau_func is 0 at both ends",
  },
  {
    name: "DPM fast",
    kDiffusion: "sample_dpm_fast",
    sampler: "dpm-solver-fast",
    note:
      "its n evaluations are `--steps` ⌊n/3⌋ + 1 with `--last-orders` 2+1, 1 or 2 for a remainder of 0, 1 or 2, and no denoising after them; the web interfaces give it their eta, 1 by default: `--eta 1`",
  },
  {
    name: "DPM adaptive",
    kDiffusion: "sample_dpm_adaptive",
    sampler: "dpm-solver-adaptive",
    note:
      "each sample has its own steps, there a batch has; without the other coefficients of its PID control; the web interfaces give it their eta, 1 by default: `--eta 1`",
  },
  {
    name: "LMS",
    kDiffusion: "sample_lms",
    diffusers: "LMSDiscreteScheduler",
    sampler: "lms",
    note: "theirs take the step to data by four noises, too; here the last denoising goes by one",
  },
  {
    name: "DEIS",
    diffusers: "DEISMultistepScheduler",
    sampler: "deis",
    options: { solverOrder: 2 },
    note:
      "diffusers' default is order 2; its lower_order_final also makes the last step of order 1 and the one before of at most 2, with fewer than 15 steps",
  },
  {
    name: "iPNDM",
    diffusers: "IPNDMScheduler",
    sampler: "ipndm",
    note: "the scheduler's own grid has no counterpart",
  },
  {
    name: "PLMS",
    diffusers: "PNDMScheduler(skip_prk_steps=True)",
    sampler: "plms",
    note: "diffusers' step to data goes by four noises, too; here the last denoising goes by one",
  },
  {
    name: "PNDM",
    diffusers: "PNDMScheduler",
    sampler: "pndm",
    note:
      "its Runge–Kutta steps are half-way in time, at whole steps of the chain there; the same for the step to data",
  },
];

/** A sampler by its name in a library whose samplers the web interfaces do not have. */
interface LibraryName extends Pick<OtherName, "name" | "sampler" | "options" | "sde" | "grid" | "note"> {
  /** The library. */
  readonly library: "azula" | "EDM" | "score_sde";
}

/** The names in azula, in EDM's code and in score_sde, each once. */
export const libraryNames: readonly LibraryName[] = [
  {
    library: "azula",
    name: "DDPMSampler",
    sampler: "ancestral",
    note: "DDPM with the posterior's variance; `ddpm` has the variance β",
  },
  {
    library: "azula",
    name: "DDIMSampler",
    sampler: "ddim",
    note:
      "its eta is the square of `--eta`: a fraction of the noise's variance there, of its standard deviation here",
  },
  {
    library: "azula",
    name: "EulerSampler",
    sampler: "ddim",
    note: "Euler's method in ν, which is DDIM with η = 0",
  },
  { library: "azula", name: "HeunSampler", sampler: "edm-heun", note: "Heun's method in ν" },
  {
    library: "azula",
    name: "ItoSampler",
    sampler: null,
    note: "nearest: `exponential-sde`, in whose step the score is constant, where there the noise is",
  },
  { library: "azula", name: "PCSampler", sampler: null, note: "nearest: `predictor-corrector`" },
  {
    library: "azula",
    name: "zABSampler",
    sampler: "lms",
    options: { solverOrder: 2 },
    note: "its default order is 2; its order is `--solver-order`",
  },
  { library: "azula", name: "vABSampler", sampler: null, note: "nearest: `lms`" },
  {
    library: "azula",
    name: "zEABSampler",
    sampler: "deis",
    options: { solverOrder: 2 },
    note: "its default order is 2; its order is `--solver-order`",
  },
  {
    library: "azula",
    name: "xEABSampler",
    sampler: "dpm++2m",
    options: { solverType: "heun" },
    note: "its default order is 2; higher ones have no counterpart",
  },
  { library: "azula", name: "REABSampler", sampler: null, note: "nearest: `unipc`" },
  {
    library: "EDM",
    name: "edm_sampler",
    sampler: "edm-heun",
    note:
      "with S_churn `edm-stochastic`, whose `sChurn` is S_churn; its num_steps are the steps here plus one",
  },
  {
    library: "score_sde",
    name: "euler_maruyama",
    sampler: "euler-maruyama",
    note: "with probability_flow `ode-euler`",
  },
  {
    library: "score_sde",
    name: "reverse_diffusion",
    sampler: "reverse-diffusion",
    note: "its steps are 1/N long at N levels that are (1 − ε)/(N − 1) apart",
  },
  {
    library: "score_sde",
    name: "ancestral_sampling",
    sampler: null,
    note: "it is `ddpm` under VP and `ancestral` under VE",
  },
  {
    library: "score_sde",
    name: "langevin",
    sampler: "predictor-corrector",
    options: { correctorRule: "langevin" },
    note: "a corrector; its norms are means over the batch, here each sample's own",
  },
  {
    library: "score_sde",
    name: "ald",
    sampler: "predictor-corrector",
    options: { correctorRule: "ald" },
    note: "a corrector; `--snr` is its snr",
  },
  {
    library: "score_sde",
    name: "get_pc_sampler",
    sampler: "predictor-corrector",
    note: "n_steps is `--corrector-steps`",
  },
  {
    library: "score_sde",
    name: "get_ode_sampler",
    sampler: "ode-dopri5",
    note:
      "scipy's RK45 with rtol = atol = 1e-5, whose error estimate is of the whole batch, here of each sample",
  },
];

/** The ends of names that say which grid, as the web interfaces write them. */
const gridSuffixes: Readonly<Record<string, GridKind>> = {
  normal: "uniform",
  simple: "simple",
  "sgm uniform": "sgm-uniform",
  sgm_uniform: "sgm-uniform",
  karras: "karras",
  exponential: "log-snr",
  polyexponential: "polyexponential",
  beta: "beta",
  ays: "align-your-steps",
  "align your steps": "align-your-steps",
};

/**
 * What a name from elsewhere stands for, such as "DPM++ 2M Karras", "euler a", "sample_heun" or "UniPCMultistepScheduler" or "EulerSampler"; ComfyUI has k-diffusion's names without "sample_". Its grid is
 * null where it says none, and the name undefined where nobody has it. Capitals do not count.
 *
 * @example
 * ```ts
 * import { otherNameOf } from "./other_names.ts";
 * const found = otherNameOf("DPM++ 2M Karras");
 * console.assert(found?.row.sampler === "dpm++2m" && found.grid === "karras");
 * ```
 */
export function otherNameOf(
  text: string,
): { row: Omit<LibraryName, "library">; grid: GridKind | null } | undefined {
  const words = text.trim().toLowerCase().split(/\s+/).join(" ");
  const suffix = Object.keys(gridSuffixes).find((end) => words.endsWith(` ${end}`)) ?? null;
  const name = suffix === null ? words : words.slice(0, -suffix.length - 1);
  const row =
    otherNames.find(({ name: own, kDiffusion, diffusers }) =>
      [own, kDiffusion, kDiffusion?.replace("sample_", ""), diffusers].some((candidate) =>
        candidate?.toLowerCase() === name
      )
    ) ?? libraryNames.find((row) => row.name.toLowerCase() === name);
  if (row === undefined) return undefined;
  return { row, grid: suffix === null ? row.grid ?? null : gridSuffixes[suffix] };
}

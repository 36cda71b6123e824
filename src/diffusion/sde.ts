/**
 * The linear SDEs with scalar coefficients, dx = drift(t)·x dt + diffusion(t) dw, and their Gaussian kernels
 * p(x_t | x_0) = N(alpha(t)·x_0, sigma(t)²·I). Everything is a float64 number on the host.
 *
 * The schedules are those of Song et al. 2021, "Score-Based Generative Modeling through SDEs" (Sections 3.4 and
 * Appendix B, C); `sigma-power` is dx = σ^t dw of Song's score tutorial; `ddpm` is DDPM in discrete time;
 * `flow` has the straight paths of flow matching.
 *
 * Notation of this folder, with x_0 a datum and ε standard normal:
 *
 *     x = α x_0 + σ ε        the state at time t
 *     y = x/α = x_0 + ν ε    what the noise predictor is given
 *     ν = σ/α                the noise ratio
 *     λ = ln(α/σ) = −ln ν    half the logarithm of the signal-to-noise ratio
 *     ε̂ = (y − E[x_0|y])/ν  the predicted noise; the score is −ε̂/σ, the denoised state (x − σ ε̂)/α
 *
 *                      α              σ               ν              λ             ε̂
 *     Song 2021, VE    1              σ(t)            σ(t)           –             −σ s_θ
 *     Song 2021, VP    e^{−½∫β}       √(1 − e^{−∫β})  –              –             −σ s_θ
 *     Ho 2020          √ᾱ_t           √(1 − ᾱ_t)      –              –             ε_θ
 *     Karras 2022      s(t)           s(t) σ(t)       σ(t)           −ln σ         (x − D(x; σ))/σ
 *     Lu 2022          α_t            σ_t             e^{−λ_t}       λ_t           ε_θ
 *     Kingma 2021      α_t            σ_t             SNR(t)^{−½}    −γ(t)/2       ε̂_θ
 *     diffusers        alpha_t        sigma_t         sigmas[i]      lambda_t      the model's output, "epsilon"
 *     flow matching    1 − t          t               t/(1 − t)      –             x + (1 − t) u, velocity u = ε − x_0
 *     k-diffusion      1              sigma           sigma          t (DPMSolver) to_d(x, sigma, denoised)
 *
 * A σ alone is therefore the kernel's standard deviation in Ho, Lu and Kingma, and the ratio ν in Karras and
 * k-diffusion. docs/notation.md has more quantities.
 * @module
 */
import { type BetaSchedule, linearBeta, piecewiseConstantBeta, requireBetas } from "./beta_schedule.ts";
import { quoted } from "../input/quoted.ts";
import { requireFinite, requireOptions, requirePositive } from "../input/require.ts";
import { requireSde } from "../input/require_parts.ts";

/**
 * A plain, serializable description of an SDE. Times default to [1e-5, 1] for `ve` and [1e-3, 1] otherwise; those of
 * `ddpm` are [1/N, 1], and those of `edm` are noise ratios, [0.002, 80].
 */
export type SdeConfig =
  | {
    readonly kind: "ve";
    readonly sigmaMin: number;
    readonly sigmaMax: number;
    readonly tMin?: number;
    readonly tMax?: number;
  }
  | {
    readonly kind: "vp" | "subvp";
    readonly betaMin: number;
    readonly betaMax: number;
    readonly tMin?: number;
    readonly tMax?: number;
  }
  | {
    readonly kind: "sigma-power";
    readonly sigma: number;
    readonly tMin?: number;
    readonly tMax?: number;
  }
  | {
    /** The straight paths of flow matching; times default to [1e-3, 0.999]. */
    readonly kind: "flow";
    readonly tMin?: number;
    readonly tMax?: number;
  }
  | {
    readonly kind: "edm";
    readonly tMin?: number;
    readonly tMax?: number;
  }
  | {
    readonly kind: "ddpm";
    /** β_1 … β_N. */
    readonly betas: readonly number[];
  }
  | {
    /** An SDE of `customSde`, whose functions are no data: only its own config is known, and no copy. */
    readonly kind: "custom";
    readonly tMin: number;
    readonly tMax: number;
  };

/**
 * dx = drift(t)·x dt + diffusion(t) dw, with kernel p(x_t | x_0) = N(alpha(t)·x_0, sigma(t)²·I), for t ≥ 0.
 * Samplers, grids and losses stay within [tMin, tMax].
 */
export interface Sde {
  /** The config from which `sdeFromConfig` rebuilds this SDE, with all defaults filled in. */
  readonly config: SdeConfig;
  /** The time at which sampling ends; one denoising removes the noise that is left there. */
  readonly tMin: number;
  /** The time at which sampling starts, from N(0, priorStd²·I). */
  readonly tMax: number;
  /** Standard deviation of the prior at tMax. */
  readonly priorStd: number;
  /** Scale α(t) of the kernel's mean; 1 at t = 0. */
  alpha(t: number): number;
  /** Standard deviation σ(t) of the kernel. */
  sigma(t: number): number;
  /** The drift's factor f(t) = (ln α)'(t). */
  driftCoefficient(t: number): number;
  /** The diffusion coefficient g(t), not squared. */
  diffusionCoefficient(t: number): number;
  /** The time at which ln(α/σ) equals `lambda`; not clamped to [tMin, tMax]. */
  timeAtHalfLogSnr(lambda: number): number;
}

/** Options of {@linkcode veSde}. */
export interface VeOptions {
  /** Noise level at t = 0, positive. Default 0.01. */
  readonly sigmaMin?: number;
  /** Noise level at t = 1, above sigmaMin. Default 50. */
  readonly sigmaMax?: number;
  /** Default 1e-5; may be 0. */
  readonly tMin?: number;
  /** Default 1. */
  readonly tMax?: number;
}

/** Options of {@linkcode vpSde} and {@linkcode subVpSde}. */
export interface BetaOptions {
  /** β(0), positive. Default 0.1. */
  readonly betaMin?: number;
  /** β(1), at least betaMin. Default 20. */
  readonly betaMax?: number;
  /** Default 1e-3; positive. */
  readonly tMin?: number;
  /** Default 1. */
  readonly tMax?: number;
}

/** Options of {@linkcode sigmaPowerSde}. */
export interface SigmaPowerOptions {
  /** The base σ of dx = σ^t dw, above 1. Default 25. */
  readonly sigma?: number;
  /** Default 1e-3; positive. */
  readonly tMin?: number;
  /** Default 1. */
  readonly tMax?: number;
}

/** Options of {@linkcode edmSde}. */
export interface EdmOptions {
  /** σ_min of EDM; default 0.002, positive. */
  readonly tMin?: number;
  /** σ_max of EDM; default 80. */
  readonly tMax?: number;
}

/**
 * The variance-exploding SDE: α = 1, σ(t) = σmin (σmax/σmin)^t, the limit of SMLD (Song et al. 2021, eq. 30).
 *
 * σ(t)² is the noise on the data, σ(0) = σmin included; the SDE started from clean data at t = 0 would only add
 * σ(t)² − σ(0)².
 *
 * @throws {RangeError} When a value is not finite or out of its range.
 * @example
 * ```ts
 * import { veSde } from "./sde.ts";
 * const sde = veSde({ sigmaMax: 80 });
 * console.assert(Math.abs(sde.sigma(1) - 80) < 1e-12);
 * ```
 */
export function veSde(options: VeOptions = {}): Sde {
  requireOptions("options", options);
  const { sigmaMin = 0.01, sigmaMax = 50, tMin = 1e-5, tMax = 1 } = options;
  requirePositive("sigmaMin", sigmaMin);
  requireFinite("sigmaMax", sigmaMax);
  if (sigmaMax <= sigmaMin) {
    throw new RangeError(`sigmaMax must exceed sigmaMin, got ${sigmaMax} ≤ ${sigmaMin}`);
  }
  requireFinite("tMin", tMin);
  if (tMin < 0) throw new RangeError(`tMin must not be negative, got ${tMin}`);
  requireOrder(tMin, tMax);
  const rate = Math.log(sigmaMax / sigmaMin);
  const sigma = (t: number) => sigmaMin * Math.exp(rate * t);
  return withinTimes({
    config: { kind: "ve", sigmaMin, sigmaMax, tMin, tMax },
    tMin,
    tMax,
    priorStd: sigma(tMax),
    alpha: () => 1,
    sigma,
    driftCoefficient: () => 0,
    diffusionCoefficient: (t) => sigma(t) * Math.sqrt(2 * rate),
    timeAtHalfLogSnr: (lambda) => (-lambda - Math.log(sigmaMin)) / rate,
  });
}

/**
 * The variance-preserving SDE, the limit of DDPM: with β(t) = βmin + t (βmax − βmin) and B(t) = ∫β,
 * α = e^{−B/2}, σ² = 1 − e^{−B}, f = −β/2, g² = β (Song et al. 2021, eq. 32).
 *
 * @throws {RangeError} When a value is not finite or out of its range.
 */
export function vpSde(options: BetaOptions = {}): Sde {
  const { config, schedule } = linearBetaOptions(options);
  return variancePreserving({ kind: "vp", ...config }, schedule, config);
}

/**
 * Discrete-time DDPM, x_n = √(1 − β_n) x_{n−1} + √β_n z, n = 1 … N, as the variance-preserving SDE that has its
 * marginals and transitions at the times n/N: every sampler, likelihood and bound works on it. Its tMin is 1/N, from
 * where the last denoising is Ho et al.'s last step. The uniform grid of N − 1 steps visits the times n/N.
 *
 * The last β may be 1, as of `zeroTerminalSnrBetas`: x_N is noise alone, without noise ratio or score, and the SDE's tMax is
 * 1 − 1/N. The step from x_N to there or further is that of `ExternalModel.fromPureNoise`.
 *
 * @param betas β_1 … β_N, as of `linearBetas`, `cosineBetas` or `zeroTerminalSnrBetas`.
 * @throws {RangeError} When there are fewer than two β, or one is not between 0 and 1 and not the last of three or more.
 */
export function discreteDdpm(betas: readonly number[]): Sde {
  const ends = Array.isArray(betas) && betas.length > 2 && hasZeroTerminalSnr({ kind: "ddpm", betas });
  requireBetas(ends ? betas.slice(0, -1) : betas);
  const steps = betas.length;
  if (steps < 2) throw new RangeError(`discreteDdpm needs at least two betas, got ${steps}`);
  // Beyond its last time such an SDE goes on as before, for the rounding of solvers.
  const rates = ends ? [...betas.slice(0, -1), betas[steps - 2]] : betas;
  return variancePreserving({ kind: "ddpm", betas }, piecewiseConstantBeta(rates), {
    tMin: 1 / steps,
    tMax: ends ? (steps - 1) / steps : 1,
  });
}

/** Whether a config is of a discrete-time DDPM whose last β is 1, so that x_N is noise alone. */
export function hasZeroTerminalSnr(config: SdeConfig): boolean {
  return config.kind === "ddpm" && Array.isArray(config.betas) && config.betas.at(-1) === 1;
}

function variancePreserving(config: SdeConfig, schedule: BetaSchedule, times: Times): Sde {
  return withinTimes({
    ...shrinkingMean(schedule, times),
    config,
    sigma: (t) => Math.sqrt(-Math.expm1(-schedule.integral(t))),
    diffusionCoefficient: (t) => Math.sqrt(schedule.beta(t)),
    // (α/σ)² = 1/(e^B − 1), so B = ln(1 + e^{−2λ}), written so that nothing overflows.
    timeAtHalfLogSnr: (lambda) =>
      schedule.timeOfIntegral(Math.max(-2 * lambda, 0) + Math.log1p(Math.exp(-2 * Math.abs(lambda)))),
  });
}

/**
 * The sub-variance-preserving SDE: α = e^{−B/2}, σ = 1 − e^{−B} (no square root), f = −β/2,
 * g² = β (1 − e^{−2B}), with β and B as in {@linkcode vpSde} (Song et al. 2021, eq. 29).
 *
 * @throws {RangeError} When a value is not finite or out of its range.
 */
export function subVpSde(options: BetaOptions = {}): Sde {
  const { config, schedule } = linearBetaOptions(options);
  return withinTimes({
    ...shrinkingMean(schedule, config),
    config: { kind: "subvp", ...config },
    sigma: (t) => -Math.expm1(-schedule.integral(t)),
    diffusionCoefficient: (t) => Math.sqrt(schedule.beta(t) * -Math.expm1(-2 * schedule.integral(t))),
    // σ/α = 2 sinh(B/2).
    timeAtHalfLogSnr: (lambda) => schedule.timeOfIntegral(2 * Math.asinh(Math.exp(-lambda) / 2)),
  });
}

/**
 * dx = σ^t dw: α = 1, σ(t)² = (σ^{2t} − 1)/(2 ln σ), g = σ^t; the SDE of Song's score tutorial.
 *
 * @throws {RangeError} When a value is not finite or out of its range.
 */
export function sigmaPowerSde(options: SigmaPowerOptions = {}): Sde {
  requireOptions("options", options);
  const { sigma: base = 25, tMin = 1e-3, tMax = 1 } = options;
  requireFinite("sigma", base);
  if (base <= 1) throw new RangeError(`sigma must exceed 1, got ${base}`);
  requirePositive("tMin", tMin);
  requireOrder(tMin, tMax);
  const rate = 2 * Math.log(base);
  const sigma = (t: number) => Math.sqrt(Math.expm1(rate * t) / rate);
  return withinTimes({
    config: { kind: "sigma-power", sigma: base, tMin, tMax },
    tMin,
    tMax,
    priorStd: sigma(tMax),
    alpha: () => 1,
    sigma,
    driftCoefficient: () => 0,
    diffusionCoefficient: (t) => Math.exp(0.5 * rate * t),
    timeAtHalfLogSnr: (lambda) => Math.log1p(rate * Math.exp(-2 * lambda)) / rate,
  });
}

/**
 * EDM's SDE, whose time is the noise level: α = 1, σ(t) = t, g = √(2t) (Karras et al. 2022, Table 1, "EDM"). Euler's and
 * Heun's rules along it are those of `edmHeun` and `ddim` under any SDE.
 *
 * @throws {RangeError} When a time is not positive and finite, or tMin is not below tMax.
 */
export function edmSde(options: EdmOptions = {}): Sde {
  requireOptions("options", options);
  const { tMin = 0.002, tMax = 80 } = options;
  requirePositive("tMin", tMin);
  requireOrder(tMin, tMax);
  return withinTimes({
    config: { kind: "edm", tMin, tMax },
    tMin,
    tMax,
    priorStd: tMax,
    alpha: () => 1,
    sigma: (t) => t,
    driftCoefficient: () => 0,
    diffusionCoefficient: (t) => Math.sqrt(2 * t),
    timeAtHalfLogSnr: (lambda) => Math.exp(-lambda),
  });
}

/** λ(t) = ln(α(t)/σ(t)), half the logarithm of the signal-to-noise ratio; decreasing in t. */
export function halfLogSnr(sde: Sde, t: number): number {
  requireSde("sde", sde);
  return Math.log(sde.alpha(t)) - Math.log(sde.sigma(t));
}

/** ν(t) = σ(t)/α(t), the noise on the data in the data's own units; increasing in t. */
export function noiseRatio(sde: Sde, t: number): number {
  requireSde("sde", sde);
  return sde.sigma(t) / sde.alpha(t);
}

/**
 * The exact forward transition p(x_t | x_s) = N(scale·x_s, std²·I) for s ≤ t:
 * scale = α(t)/α(s), std² = σ(t)² − scale²·σ(s)².
 *
 * @throws {RangeError} When s exceeds t.
 */
export function transition(sde: Sde, s: number, t: number): { scale: number; std: number } {
  if (!(s <= t)) throw new RangeError(`a transition runs forward, from s to t ≥ s; got s = ${s}, t = ${t}`);
  const before = noiseRatio(sde, s);
  const after = noiseRatio(sde, t);
  return {
    scale: sde.alpha(t) / sde.alpha(s),
    std: sde.alpha(t) * Math.sqrt((after - before) * (after + before)),
  };
}

/**
 * Log density of the prior N(0, priorStd²·I), in nats, at a point of the given squared norm and dimension.
 */
export function priorLogDensity(sde: Sde, squaredNorm: number, dimension: number): number {
  const variance = sde.priorStd ** 2;
  return -0.5 * (dimension * Math.log(2 * Math.PI * variance) + squaredNorm / variance);
}

type Times = Pick<Sde, "tMin" | "tMax">;

function linearBetaOptions(options: BetaOptions): { config: Required<BetaOptions>; schedule: BetaSchedule } {
  requireOptions("options", options);
  const { betaMin = 0.1, betaMax = 20, tMin = 1e-3, tMax = 1 } = options;
  requirePositive("betaMin", betaMin);
  requireFinite("betaMax", betaMax);
  if (betaMax < betaMin) {
    throw new RangeError(`betaMax must be at least betaMin, got ${betaMax} < ${betaMin}`);
  }
  requirePositive("tMin", tMin);
  requireOrder(tMin, tMax);
  return { config: { betaMin, betaMax, tMin, tMax }, schedule: linearBeta(betaMin, betaMax) };
}

/** What the SDEs with decreasing α share: α, its logarithmic derivative, the times and the unit prior. */
function shrinkingMean(
  schedule: BetaSchedule,
  { tMin, tMax }: Times,
): Pick<Sde, "alpha" | "driftCoefficient" | "tMin" | "tMax" | "priorStd"> {
  return {
    tMin,
    tMax,
    priorStd: 1,
    alpha: (t) => Math.exp(-0.5 * schedule.integral(t)),
    driftCoefficient: (t) => -0.5 * schedule.beta(t),
  };
}

/**
 * The SDE with functions that throw for times outside [0, tMax]. A thousandth beyond is allowed: solvers round, and
 * derivatives at tMax may be taken by differences.
 */
export function withinTimes(sde: Sde): Sde {
  requirePositive("the standard deviation of the prior", sde.priorStd);
  const last = sde.tMax * 1.001;
  const within = (f: (t: number) => number) => (t: number) => {
    if (!(typeof t === "number" && t >= 0 && t <= last)) {
      throw new RangeError(`times must be from 0 to ${sde.tMax}, got ${quoted(t)}`);
    }
    return f(t);
  };
  return {
    ...sde,
    alpha: within(sde.alpha),
    sigma: within(sde.sigma),
    driftCoefficient: within(sde.driftCoefficient),
    diffusionCoefficient: within(sde.diffusionCoefficient),
    timeAtHalfLogSnr: (lambda) => {
      requireFinite("a log signal-to-noise ratio", lambda);
      return sde.timeAtHalfLogSnr(lambda);
    },
  };
}

/** Throws unless tMax is finite and above tMin. */
export function requireOrder(tMin: number, tMax: number): void {
  requireFinite("tMax", tMax);
  if (tMax <= tMin) throw new RangeError(`tMax must exceed tMin, got ${tMax} ≤ ${tMin}`);
}

/** Throws for a time at which σ(t) = 0, where scores are infinite. */
export function requireNoise(sde: Sde, t: number): void {
  if (!(sde.sigma(t) > 0)) throw new RangeError(`there must be noise at the time, got none at ${t}`);
}

/**
 * SDEs by any α(t) and σ(t), or by any drift and diffusion.
 * @module
 */
import { checkFields, checkNumber } from "../input/fields.ts";
import { quoted } from "../input/quoted.ts";
import { requireFunction, requireOptions, requirePositive } from "../input/require.ts";
import { antiderivative, derivative } from "../math/derivative.ts";
import { integrate } from "../math/gauss_legendre.ts";
import { requireOrder, type Sde, type SdeConfig, withinTimes } from "./sde.ts";

/** A function of the time t. */
type OfTime = (t: number) => number;

/** Times and prior of a custom SDE. */
export interface CustomSdeTimes {
  /** The time at which sampling ends, positive. Default 1e-3. */
  readonly tMin?: number;
  /** The time at which sampling starts. Default 1. */
  readonly tMax?: number;
  /** Standard deviation of the prior at tMax. Default σ(tMax). */
  readonly priorStd?: number;
}

/** An SDE by its kernel N(α(t) x_0, σ(t)² I), or by dx = drift(t)·x dt + diffusion(t) dw. */
export type CustomSdeOptions =
  | CustomSdeTimes & {
    /** α(t) on (0, tMax], smooth and positive. */
    readonly alpha: (t: number) => number;
    /** σ(t) on (0, tMax], smooth and positive; σ/α increases. */
    readonly sigma: (t: number) => number;
  }
  | CustomSdeTimes & {
    /** f(t) on [0, tMax], smooth. */
    readonly drift: (t: number) => number;
    /** g(t) on [0, tMax], smooth and not 0. */
    readonly diffusion: (t: number) => number;
    /** σ(0), the noise that data have at time 0, at most 10⁶. Default 0. */
    readonly initialStd?: number;
  };

/** An SDE of one's own. */
export interface CustomSde extends Sde {
  /**
   * The largest estimated error of the drift and of g²/(2σ²), relative to the latter, at the times that were checked: of rounding
   * and of the differences by which α and σ are differentiated. 0 where drift and diffusion are given.
   */
  readonly derivativeError: number;
}

/** The largest relative error of derivatives that is taken for smoothness. */
const MOST_ERROR = 1e-6;

/** The largest share of the growth of ln σ/α that jumps may have: what its slope's quadrature may miss. */
const MOST_JUMP = 0.01;

/** The times at which functions are checked, beside tMin and tMax. */
const CHECKS = 128;

/** SDEs by their configs, and what they were made of. Functions are no data: a copy of the config is none of these. */
const made = new WeakMap<SdeConfig, { readonly sde: CustomSde; readonly options: CustomSdeOptions }>();

/**
 * The SDE of any α(t) and σ(t), for every sampler, likelihood and training: f = (ln α)' and g² = 2σ² (ln σ/α)' are computed by
 * high-order differences of the functions, the time at a noise ratio by finding the root. Or of a drift f and a diffusion g:
 * α = exp ∫f and σ² = α² (σ(0)² + ∫g²/α²) by quadrature.
 *
 * Its forward step is the exact transition. Its config is known to this process alone, as functions cannot be written down: a
 * checkpoint trained with it is read for sampling, and cannot be resumed.
 *
 * @example The straight paths of flow matching, x_t = (1 − t) x_0 + t ε
 * ```ts
 * import { customSde } from "./custom_sde.ts";
 * const sde = customSde({ alpha: (t) => 1 - t, sigma: (t) => t, tMax: 0.999 });
 * console.assert(Math.abs(sde.driftCoefficient(0.5) + 2) < 1e-9);
 * console.assert(Math.abs(sde.diffusionCoefficient(0.5) ** 2 - 2) < 1e-9);
 * console.assert(Math.abs(sde.timeAtHalfLogSnr(0) - 0.5) < 1e-12);
 * ```
 * @throws {TypeError | RangeError} In one sentence with the time, when α or σ is not finite and positive between tMin and tMax,
 * σ/α does not increase or jumps, or a derivative cannot be computed to six digits.
 */
export function customSde(options: CustomSdeOptions): CustomSde {
  requireOptions("options", options);
  const byKernel = "alpha" in options || "sigma" in options;
  const names = byKernel ? ["alpha", "sigma"] : ["drift", "diffusion"];
  const fields: unknown = options;
  checkFields("options", fields, names, ["tMin", "tMax", "priorStd", ...byKernel ? [] : ["initialStd"]]);
  for (const name of names) requireFunction(name, fields[name]);
  const { tMin = 1e-3, tMax = 1 } = options;
  requirePositive("tMin", tMin);
  requireOrder(tMin, tMax);
  const kernel = "alpha" in options ? ofKernel(options, tMin, tMax) : ofCoefficients(options, tMax);
  const { alpha, sigma } = kernel;
  const derivativeError = checked(kernel, tMin, tMax);
  const { priorStd = sigma(tMax) } = options;
  requirePositive("priorStd", priorStd);
  const config: SdeConfig = { kind: "custom", tMin, tMax };
  const timeAtHalfLogSnr = inverse((t) => Math.log(alpha(t)) - Math.log(sigma(t)), tMax);
  const sde: CustomSde = {
    ...withinTimes({
      config,
      tMin,
      tMax,
      priorStd,
      alpha,
      sigma,
      driftCoefficient: (t) => kernel.drift(t).value,
      diffusionCoefficient: (t) => Math.sqrt(kernel.squaredDiffusion(t)),
      timeAtHalfLogSnr,
    }),
    derivativeError,
  };
  made.set(config, { sde, options: { ...options } });
  return sde;
}

/**
 * The SDE that a custom SDE's own config is of.
 * @throws {TypeError} For a copy of the config, such as one from a file.
 */
export function customSdeOf(config: SdeConfig): CustomSde {
  return recorded(config).sde;
}

/** The same functions from another tMin on. */
export function customSdeFrom(config: SdeConfig, tMin: number): CustomSde {
  return customSde({ ...recorded(config).options, tMin });
}

function recorded(config: SdeConfig) {
  const found = made.get(config);
  if (found !== undefined) return found;
  throw new TypeError(
    "a custom SDE's functions are in no file: make it by customSde and give its own config",
  );
}

/** α, σ and their derivatives. */
interface Kernel {
  readonly alpha: OfTime;
  readonly sigma: OfTime;
  /** f = (ln α)', with its error. */
  drift(t: number): { readonly value: number; readonly error: number };
  /** g². */
  squaredDiffusion(t: number): number;
  /** (ln ν)' = g²/(2σ²), with its error. */
  growth(t: number): { readonly value: number; readonly error: number };
}

function ofKernel(
  { alpha, sigma }: { readonly alpha: OfTime; readonly sigma: OfTime },
  tMin: number,
  tMax: number,
): Kernel {
  const numeric = (name: string, f: OfTime): OfTime => (t) => {
    const value: unknown = f(t);
    if (typeof value === "number") return value;
    throw new TypeError(`${name} must return a number, got ${quoted(value)} at time ${t}`);
  };
  const [a, s] = [numeric("alpha", alpha), numeric("sigma", sigma)];
  const squaredRatio = (t: number) => (s(t) / a(t)) ** 2;
  const logRatio = (t: number) => Math.log(s(t)) - Math.log(a(t));
  // Below tMin the functions may end, above tMax, too.
  const slope = (f: OfTime, t: number) => derivative(f, Math.min(t, tMax), t < tMin ? 0 : tMin, tMax);
  return {
    alpha: a,
    sigma: s,
    drift: (t) => slope((t) => Math.log(a(t)), t),
    growth: (t) => slope(logRatio, t),
    // ln ν is singular where there is no noise, ν² is not.
    squaredDiffusion: (t) =>
      t < tMin
        ? Math.max(0, a(t) ** 2 * slope(squaredRatio, t).value)
        : 2 * s(t) ** 2 * slope(logRatio, t).value,
  };
}

function ofCoefficients(
  { drift, diffusion, initialStd = 0 }: Extract<CustomSdeOptions, { readonly drift: OfTime }>,
  tMax: number,
): Kernel {
  checkNumber("initialStd", initialStd, { least: 0, most: 1e6 });
  const named = (name: string, f: OfTime): OfTime => {
    try {
      return antiderivative(f, 0, tMax);
    } catch (error) {
      throw new RangeError(`${name} must be smooth and finite from 0 to tMax: ${(error as Error).message}`);
    }
  };
  const logAlpha = named("drift", drift);
  const alpha = (t: number) => Math.exp(logAlpha(t));
  const added = named("diffusion", (t) => (diffusion(t) / alpha(t)) ** 2);
  const sigma = (t: number) => alpha(t) * Math.sqrt(initialStd ** 2 + added(t));
  return {
    alpha,
    sigma,
    drift: (t) => ({ value: drift(t), error: 0 }),
    squaredDiffusion: (t) => diffusion(t) ** 2,
    growth: (t) => ({ value: (diffusion(t) / sigma(t)) ** 2 / 2, error: 0 }),
  };
}

/** Throws unless α and σ are those of an SDE from tMin to tMax; returns the largest relative error of derivatives. */
function checked(kernel: Kernel, tMin: number, tMax: number): number {
  let largest = 0;
  let before = -Infinity;
  let [change, last] = [0, tMin];
  for (let i = 0; i <= CHECKS; i++) {
    // Closer together at both ends, where schedules bend.
    const t = tMin + (tMax - tMin) * (1 - Math.cos(Math.PI * i / CHECKS)) / 2;
    for (const name of ["alpha", "sigma"] as const) {
      const value = kernel[name](t);
      if (value > 0 && value < Infinity) continue;
      const end = i === CHECKS ? ": take a smaller tMax" : i === 0 ? ": take a larger tMin" : "";
      throw new RangeError(
        `${name} must be positive and finite from tMin to tMax, got ${value} at time ${t}${end}`,
      );
    }
    const logRatio = Math.log(kernel.sigma(t)) - Math.log(kernel.alpha(t));
    if (!(logRatio > before)) {
      throw new RangeError(
        `sigma/alpha must increase from tMin to tMax, at ${t} it is ${Math.exp(logRatio)}, before ${
          Math.exp(before)
        }`,
      );
    }
    before = logRatio;
    change += integrate(last, t, (t) => kernel.growth(t).value);
    last = t;
    const growth = kernel.growth(t);
    const error = Math.max(growth.error, kernel.drift(t).error) / growth.value;
    if (!(growth.value > 0 && error <= MOST_ERROR)) {
      throw new RangeError(
        growth.value <= 0
          ? `sigma/alpha must increase from tMin to tMax, at ${t} its logarithm has the slope ${growth.value}`
          : `alpha and sigma must be smooth from tMin to tMax, at time ${t} their slope is known to ${
            error.toPrecision(2)
          } of itself only`,
      );
    }
    largest = Math.max(largest, error);
  }
  const [first, end] = [tMin, tMax].map((t) => Math.log(kernel.sigma(t)) - Math.log(kernel.alpha(t)));
  if (!(Math.abs(change - (end - first)) <= MOST_JUMP * (end - first))) {
    throw new RangeError(
      `alpha and sigma must not jump between tMin and tMax: the logarithm of sigma/alpha grows by ${
        (end - first).toPrecision(4)
      } ` +
        `and its slope by ${change.toPrecision(4)}`,
    );
  }
  return largest;
}

/**
 * The inverse of a decreasing function on (0, tMax]: by regula falsi in the variant of Illinois, within brackets that bisection
 * keeps halving.
 */
function inverse(lambda: OfTime, tMax: number): OfTime {
  const last = lambda(tMax);
  return (value) => {
    // What rounding puts beyond the end is the end.
    if (value <= last && value >= last - 1e-9 * Math.max(1, Math.abs(last))) return tMax;
    let [low, high] = [0, tMax];
    let [above, below] = [NaN, last - value];
    if (!(below < 0)) throw beyond(value, last);
    for (let i = 0; i < 400 && high - low > Number.EPSILON * high; i++) {
      // Bisection every third time, and until there is a value on both sides.
      const weight = i % 3 === 0 || !(above < Infinity) ? 0.5 : above / (above - below);
      const middle = Math.min(Math.max(low + (high - low) * weight, low), high);
      const t = middle > low && middle < high ? middle : (low + high) / 2;
      const difference = lambda(t) - value;
      if (difference === 0) return t;
      if (difference > 0) [low, above, below] = [t, difference, below / (i % 3 === 1 ? 2 : 1)];
      else [high, below, above] = [t, difference, above / (i % 3 === 1 ? 2 : 1)];
    }
    if (low === 0 && !(lambda(high) >= value - 1e-9)) throw beyond(value, lambda(high));
    return high;
  };
}

function beyond(value: number, end: number): RangeError {
  const [ratio, limit] = [Math.exp(-value), Math.exp(-end)];
  const word = ratio > limit ? "at most" : "at least";
  return new RangeError(
    `the custom SDE has noise ratios of ${word} ${limit.toPrecision(6)}, got ${ratio.toPrecision(6)}`,
  );
}

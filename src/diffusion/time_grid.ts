/**
 * Time grids: the times that a sampler visits.
 * @module
 */
import { alignedFraction, alignedLevels, type AlignedModel } from "./align_your_steps.ts";
import { halfLogSnr, hasZeroTerminalSnr, noiseRatio, type Sde } from "./sde.ts";
import { symmetricBetaQuantile } from "../math/beta_distribution.ts";
import { checkName } from "../input/option_name.ts";
import { isList, requireBetween, requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import { requireSde } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** The rule by which a grid's times follow from its number of steps. */
export type GridKind =
  | "uniform"
  | "sgm-uniform"
  | "simple"
  | "quadratic"
  | "log-snr"
  | "karras"
  | "polyexponential"
  | "beta"
  | "shifted"
  | "align-your-steps"
  | "levels"
  | "indices";

/**
 * A grid of N steps. `uniform` is equal in t. `sgm-uniform` and `simple`, as the web interfaces call them, are the first N + 1 of
 * N + 2 times equal in t, from tMax to tMin and to 0: the denoising goes as far as each step. Of a discrete-time DDPM `simple` has
 * the whole steps that come next above. `quadratic` in √t, `log-snr` in ln(α/σ) (Lu et al. 2022,
 * DPM-Solver), `karras` in ν^{1/ρ} with ν = σ/α (Karras et al. 2022, eq. 5), `polyexponential` in (ln ν − ln ν_min)^{1/ρ}
 * (k-diffusion). `beta` has the times of equal steps of the distribution function of Beta(a, a) (Lee et al. 2024, arXiv
 * 2407.12173), which are dense at both ends. `align-your-steps` has the spacing in ln ν of a published list of levels, stretched
 * to the SDE's. `shifted` is equal in ν/(ν + s): under `flowSde` its times are s t/(1 + (s − 1) t) of equal t (Esser et al. 2024,
 * eq. 23), denser where there is much noise for s > 1, and `uniform` for s = 1. `levels` visits listed noise ratios, `indices` listed steps of a discrete-time DDPM.
 */
export type GridConfig = {
  readonly kind: GridKind;
  /** Number of steps N, a positive integer. */
  readonly steps: number;
  /** ρ of `karras` (default 7) and `polyexponential` (default 1, equal steps of ln ν), positive; other grids ignore it. */
  readonly rho?: number;
  /** The shift s of a `shifted` grid, positive; other grids ignore it. Default 3, Stable Diffusion 3's. */
  readonly shift?: number;
  /** Both parameters a of `beta`, positive; other grids ignore them. Default 0.6, the paper's. */
  readonly shape?: number;
  /** The model whose list `align-your-steps` takes; other grids ignore it. Default "stable-diffusion". */
  readonly model?: AlignedModel;
  /**
   * The N − 1 noise ratios between the first time and the last, decreasing, for `levels`; other grids ignore them. By
   * default those that suit digits: 1.2 for two steps, 2 and 0.5 for three, 3, 1.2 and 0.4 for four.
   */
  readonly ratios?: readonly number[];
  /**
   * The N + 1 indices n − 1 of the steps n that `indices` visits, decreasing, from the first time to the last; other grids
   * ignore them. As in diffusers' schedulers they may begin below the last step and be no whole numbers.
   */
  readonly indices?: readonly number[];
};

/** Noise ratios that a consistency model of digits visits between the prior and the data in 1, 2, 3 and 4 steps. */
const CONSISTENCY_LEVELS: readonly (readonly number[])[] = [[], [1.2], [2, 0.5], [3, 1.2, 0.4]];

/**
 * The N + 1 times of a grid: strictly decreasing, from exactly `sde.tMax` to exactly `sde.tMin`, unless indices are listed or
 * the kind is `sgm-uniform` or `simple`.
 *
 * @throws {RangeError} When the kind is unknown, `steps` is not a positive integer, `rho` or `shift` is not positive,
 * neighbouring times are equal in float64, or `simple` has so many steps that it goes below `sde.tMin`.
 * @example
 * ```ts
 * import { vpSde } from "./sde.ts";
 * import { timeGrid } from "./time_grid.ts";
 * const times = timeGrid(vpSde(), { kind: "uniform", steps: 10 });
 * console.assert(times.length === 11 && times[0] === 1 && times[10] === 1e-3);
 * ```
 */
export function timeGrid(sde: Sde, config: GridConfig): Float64Array {
  requireSde("sde", sde);
  requireOptions("grid", config);
  const { steps } = config;
  requireWhole("steps", steps, 1, 1e7);
  if (config.kind === "indices") return listedTimes(sde, config);
  const timeAt = interpolation(sde, config);
  const times = Float64Array.from(
    { length: steps + 1 },
    (_, i) => i === 0 ? sde.tMax : i === steps && !endsAbove.has(config.kind) ? sde.tMin : timeAt(i / steps),
  );
  for (let i = 0; i < steps; i++) {
    if (!(times[i + 1] < times[i])) {
      throw new RangeError(
        `a ${config.kind} grid of ${steps} steps is too fine: step ${i} has no length in float64`,
      );
    }
  }
  return times;
}

/** The kinds that end above tMin. */
const endsAbove: ReadonlySet<GridKind> = new Set(["sgm-uniform", "simple"]);

/** The time at a fraction of the grid's steps, above 0 and, unless the kind ends above tMin, below 1. */
type TimeAt = (fraction: number) => number;

/** How each kind of grid goes from tMax to tMin. */
const rules: Readonly<Record<Exclude<GridKind, "indices">, (sde: Sde, config: GridConfig) => TimeAt>> = {
  uniform: ({ tMin, tMax }) => between(tMax, tMin),
  "sgm-uniform"({ tMin, tMax }, { steps }) {
    const time = between(tMax, tMin);
    return (fraction) => time(fraction * steps / (steps + 1));
  },
  simple({ config, tMin, tMax }, { steps }) {
    const last = config.kind === "ddpm" ? Math.round(tMax * config.betas.length) : Infinity;
    if (!(last > steps && tMax / (steps + 1) >= tMin * (1 - 1e-9))) {
      const most = Math.floor(tMax / tMin * (1 + 1e-9)) - 1;
      throw new RangeError(
        `a simple grid must not go below tMin: it has at most ${most} steps, got ${steps}`,
      );
    }
    if (config.kind !== "ddpm") return (fraction) => tMax * (1 - fraction * steps / (steps + 1));
    return (fraction) => {
      const passed = Math.floor(Math.round(fraction * steps) * last / (steps + 1));
      return (last - passed) / config.betas.length;
    };
  },
  quadratic({ tMin, tMax }) {
    const root = between(Math.sqrt(tMax), Math.sqrt(tMin));
    return (fraction) => root(fraction) ** 2;
  },
  "log-snr"(sde) {
    const lambda = between(halfLogSnr(sde, sde.tMax), halfLogSnr(sde, sde.tMin));
    return (fraction) => sde.timeAtHalfLogSnr(lambda(fraction));
  },
  karras(sde, { rho = 7 }) {
    requirePositive("rho", rho);
    const [first, last] = [sde.tMax, sde.tMin].map((t) => noiseRatio(sde, t) ** (1 / rho));
    if (!(first < Infinity && first > 0)) {
      throw new RangeError(`rho must be so large that float64 has ν^(1/rho), got ${rho}`);
    }
    const root = between(first, last);
    return (fraction) => sde.timeAtHalfLogSnr(-rho * Math.log(root(fraction)));
  },
  shifted(sde, { shift = 3 }) {
    requirePositive("shift", shift);
    const [first, last] = [sde.tMax, sde.tMin].map((t) => noiseRatio(sde, t) / (noiseRatio(sde, t) + shift));
    if (!(first > last && first < 1 && last > 0)) {
      throw new RangeError(
        `shift must be so near the noise ratios that float64 has ν/(ν + shift), got ${shift}`,
      );
    }
    const share = between(first, last);
    return (fraction) => {
      const ratio = shift * share(fraction) / (1 - share(fraction));
      return sde.timeAtHalfLogSnr(-Math.log(ratio));
    };
  },
  polyexponential(sde, { rho = 1 }) {
    requirePositive("rho", rho);
    const [first, last] = [sde.tMax, sde.tMin].map((t) => halfLogSnr(sde, t));
    return (fraction) => sde.timeAtHalfLogSnr(last + (first - last) * (1 - fraction) ** rho);
  },
  beta({ tMin, tMax }, { shape = 0.6 }) {
    requireBetween("shape", shape, 0.05, 50);
    const quantile = symmetricBetaQuantile(shape);
    return (fraction) => tMin + (tMax - tMin) * quantile(1 - fraction);
  },
  "align-your-steps"(sde, { model = "stable-diffusion" }) {
    checkName("model", model, Object.keys(alignedLevels) as AlignedModel[]);
    const levels = alignedLevels[model];
    const lambda = between(halfLogSnr(sde, sde.tMax), halfLogSnr(sde, sde.tMin));
    return (fraction) => sde.timeAtHalfLogSnr(lambda(alignedFraction(levels, fraction)));
  },
  levels(sde, config) {
    const ratios = listedRatios(sde, config);
    const times = [sde.tMax, ...ratios.map((ratio) => sde.timeAtHalfLogSnr(-Math.log(ratio))), sde.tMin];
    return (fraction) => times[Math.round(fraction * config.steps)];
  },
};

/** The kinds of grids. */
export const gridKinds: readonly GridKind[] = [...Object.keys(rules) as GridKind[], "indices"];

function interpolation(sde: Sde, config: GridConfig): TimeAt {
  if (Object.hasOwn(rules, config.kind)) return rules[config.kind as keyof typeof rules](sde, config);
  const kinds = gridKinds.map((kind) => `"${kind}"`);
  throw new RangeError(
    `unknown grid ${quoted(config.kind)}: use ${kinds.slice(0, -1).join(", ")} or ${kinds.at(-1)}`,
  );
}

/** The noise ratios that a `levels` grid visits between tMax and tMin. */
function listedRatios(
  sde: Sde,
  { steps, ratios = CONSISTENCY_LEVELS[steps - 1] }: GridConfig,
): readonly number[] {
  if (ratios === undefined) {
    throw new RangeError(
      `the levels grid has default ratios for at most ${CONSISTENCY_LEVELS.length} steps, got ${steps}: give ${
        steps - 1
      } ratios for more`,
    );
  }
  if (!isList(ratios)) throw new TypeError(`ratios must be a list of numbers, got ${quoted(ratios)}`);
  if (ratios.length !== steps - 1) {
    throw new RangeError(`a levels grid of ${steps} steps needs ${steps - 1} ratios, got ${ratios.length}`);
  }
  const [largest, smallest] = [noiseRatio(sde, sde.tMax), noiseRatio(sde, sde.tMin)];
  for (const [i, ratio] of ratios.entries()) {
    if (!(typeof ratio === "number" && ratio > smallest && ratio < (i === 0 ? largest : ratios[i - 1]))) {
      throw new RangeError(
        `the ratios of a levels grid must decrease strictly between ${largest} and ${smallest}, got ${
          ratios.join(", ")
        }`,
      );
    }
  }
  return ratios;
}

/** The times (index + 1)/N of listed indices of a DDPM's N steps. */
function listedTimes({ config }: Sde, { steps, indices }: GridConfig): Float64Array {
  if (config.kind !== "ddpm") {
    throw new RangeError(
      `an indices grid is for a discrete-time DDPM, whose steps it lists, got the SDE ${config.kind}`,
    );
  }
  if (!isList(indices)) throw new TypeError(`indices must be a list of numbers, got ${quoted(indices)}`);
  if (indices.length !== steps + 1) {
    throw new RangeError(
      `an indices grid of ${steps} steps needs ${steps + 1} indices, got ${indices.length}`,
    );
  }
  const count = config.betas.length;
  const largest = hasZeroTerminalSnr(config) ? count - 2 : count - 1;
  for (const [i, index] of indices.entries()) {
    if (typeof index === "number" && index >= 0 && (i === 0 ? index <= largest : index < indices[i - 1])) {
      continue;
    }
    throw new RangeError(
      `the indices of a grid must decrease strictly from at most ${largest} to at least 0, got ${
        quoted(indices)
      }`,
    );
  }
  return Float64Array.from(indices, (index) => (index + 1) / count);
}

function between(start: number, end: number): TimeAt {
  return (fraction) => start + fraction * (end - start);
}

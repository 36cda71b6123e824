/**
 * The registry of SDEs: one row for each kind, with its config's fields, its function and its forward step. Checks of
 * files, the names on command lines and their errors are derived from the rows.
 * @module
 */
import { customSdeFrom, customSdeOf } from "./custom_sde.ts";
import { flowSde } from "./flow_sde.ts";
import { quoted } from "../input/quoted.ts";
import { requireFinite, requireOptions } from "../input/require.ts";
import { requireSde } from "../input/require_parts.ts";
import {
  discreteDdpm,
  edmSde,
  noiseRatio,
  type Sde,
  type SdeConfig,
  sigmaPowerSde,
  subVpSde,
  transition,
  veSde,
  vpSde,
} from "./sde.ts";

/** The kind of an SDE, as its config names it. */
export type SdeKind = SdeConfig["kind"];

/** The name of an SDE that needs no config, as `--sde` has it. */
export type SdeName = Exclude<SdeKind, "ddpm" | "custom">;

/** A Gaussian step x_t = scale·x_s + std·z. */
export interface GaussianStep {
  /** The factor on the state. */
  readonly scale: number;
  /** The standard deviation of the noise that is added. */
  readonly std: number;
}

/** A row of the registry. */
export interface SdeInfo<K extends SdeKind = SdeKind> {
  /** Its name, and the paper and its equation. */
  readonly title: string;
  /** The fields that its config must have, each a number or a list of numbers; times beside them are optional. */
  readonly fields: Readonly<Record<string, "number" | "numbers">>;
  /** Whether its config may have tMin and tMax. */
  readonly times: boolean;
  /** Makes the SDE from a config that has all its fields. */
  readonly create: (config: Extract<SdeConfig, { readonly kind: K }>) => Sde;
  /** Makes the SDE with the numbers of its paper; absent for a kind without default numbers. */
  readonly byDefault?: () => Sde;
  /** One forward step from s to t ≥ s in the discretization of its own paper. */
  readonly forwardStep: (sde: Sde, s: number, t: number) => GaussianStep;
}

type Rows = { readonly [K in SdeKind]: SdeInfo<K> };

const betas = { betaMin: "number", betaMax: "number" } as const;

const rows: Rows = {
  ve: {
    title: "variance exploding (Song et al. 2021, eq. 30)",
    fields: { sigmaMin: "number", sigmaMax: "number" },
    times: true,
    create: veSde,
    byDefault: veSde,
    forwardStep: transition,
  },
  vp: {
    title: "variance preserving (Song et al. 2021, eq. 32)",
    fields: betas,
    times: true,
    create: vpSde,
    byDefault: vpSde,
    forwardStep: ddpmStep,
  },
  subvp: {
    title: "sub-variance preserving (Song et al. 2021, eq. 29)",
    fields: betas,
    times: true,
    create: subVpSde,
    byDefault: subVpSde,
    forwardStep: eulerStep,
  },
  "sigma-power": {
    title: "dx = σ^t dw (Song's score tutorial)",
    fields: { sigma: "number" },
    times: true,
    create: sigmaPowerSde,
    byDefault: sigmaPowerSde,
    forwardStep: transition,
  },
  flow: {
    title: "straight paths of flow matching (Lipman et al. 2023; Liu et al. 2023)",
    fields: {},
    times: true,
    create: flowSde,
    byDefault: flowSde,
    forwardStep: transition,
  },
  edm: {
    title: "σ(t) = t (Karras et al. 2022, Table 1)",
    fields: {},
    times: true,
    create: edmSde,
    byDefault: edmSde,
    forwardStep: transition,
  },
  ddpm: {
    title: "DDPM in discrete time (Ho et al. 2020)",
    fields: { betas: "numbers" },
    times: false,
    create: ({ betas }) => discreteDdpm(betas),
    forwardStep: transition,
  },
  custom: {
    title: "any α(t) and σ(t), by `customSde`",
    fields: {},
    times: true,
    create: customSdeOf,
    forwardStep: transition,
  },
};

/** The kinds of SDEs that a config alone makes. */
export const sdeKinds: readonly Exclude<SdeKind, "custom">[] = (Object.keys(rows) as SdeKind[]).filter((
  kind,
) => kind !== "custom");

/** The names of the SDEs that need no config. */
export const sdeNames: readonly SdeName[] = sdeKinds.filter((kind): kind is SdeName =>
  rows[kind].byDefault !== undefined
);

/**
 * The registry's row for a kind of SDE.
 * @throws {RangeError} When the kind is unknown.
 */
export function sdeInfo<K extends SdeKind>(kind: K): SdeInfo<K> {
  if (!Object.hasOwn(rows, kind)) {
    const kinds = sdeKinds.map((known) => `"${known}"`);
    throw new RangeError(
      `unknown SDE kind ${quoted(kind)}: use ${kinds.slice(0, -1).join(", ")} or ${kinds.at(-1)}`,
    );
  }
  return rows[kind];
}

/**
 * The SDE with the given name, with the numbers of its paper.
 * @throws {RangeError} When no SDE has the name, or it has no default numbers.
 */
export function sdeByName(name: SdeName): Sde {
  const { byDefault } = sdeInfo(name);
  if (byDefault === undefined) throw new RangeError(`${name} has no default: use ${sdeNames.join(", ")}`);
  return byDefault();
}

/**
 * Builds the SDE that a plain config describes; `sdeFromConfig(sde.config)` is `sde` again.
 *
 * @throws {RangeError} When the kind is unknown, or a value is missing, not finite or out of its range.
 */
export function sdeFromConfig(config: SdeConfig): Sde {
  requireOptions("an SDE's config", config);
  const { fields, create } = sdeInfo<SdeKind>(config.kind);
  for (const [name, type] of Object.entries(fields)) {
    if (type === "number") {
      requireFinite(name, (config as unknown as Record<string, unknown>)[name] as number);
    }
  }
  return create(config);
}

/** DDPM's rule: scale = √(1 − β(t)h), std = √(β(t)h). */
function ddpmStep(sde: Sde, s: number, t: number): GaussianStep {
  const beta = -2 * sde.driftCoefficient(t) * (t - s);
  if (beta > 1) {
    throw new RangeError(
      `DDPM's rule needs β(t)·h ≤ 1, got ${beta} for the step from ${s} to ${t}: use more steps`,
    );
  }
  return { scale: Math.sqrt(1 - beta), std: Math.sqrt(beta) };
}

/** Euler's rule: scale = 1 + f(t)h, std = g(t)√h. */
function eulerStep(sde: Sde, s: number, t: number): GaussianStep {
  const h = t - s;
  return { scale: 1 + sde.driftCoefficient(t) * h, std: sde.diffusionCoefficient(t) * Math.sqrt(h) };
}

/**
 * The same kind of SDE with noise ratio ν at tMin, so that its likelihoods are of data with noise of ratio ν. VE gets
 * another σmin, the others another tMin.
 *
 * @throws {RangeError} When the noise ratio is not positive or not below that at tMax, or the SDE is a discrete-time
 * DDPM.
 */
export function withMinimumNoise(sde: Sde, smallest: number): Sde {
  requireSde("sde", sde);
  const largest = noiseRatio(sde, sde.tMax);
  if (!(Number.isFinite(smallest) && smallest > 0 && smallest < largest)) {
    throw new RangeError(
      `the minimum noise ratio must be positive and below ${largest.toPrecision(3)}, got ${quoted(smallest)}`,
    );
  }
  const { config } = sde;
  if (config.kind === "ddpm") {
    throw new RangeError(
      "a discrete-time DDPM starts at its first β: its minimum noise ratio cannot be set",
    );
  }
  if (config.kind === "custom") {
    return customSdeFrom(config, sde.timeAtHalfLogSnr(-Math.log(smallest)));
  }
  return config.kind === "ve"
    ? sdeFromConfig({ ...config, sigmaMin: smallest, tMin: 0 })
    : sdeFromConfig({ ...config, tMin: sde.timeAtHalfLogSnr(-Math.log(smallest)) });
}

/**
 * The settings that a comparison measures: every sampler under every SDE, at every budget or number of steps.
 * @module
 */
import { openSampling, type SamplingConfig } from "./sampling.ts";
import type { SdeConfig } from "../diffusion/sde.ts";
import { sdeByName } from "../diffusion/sde_registry.ts";
import type { GridKind } from "../diffusion/time_grid.ts";
import { requireArray, requireNumbers, requireOptions, requireText, requireWhole } from "../input/require.ts";
import { requireSome } from "../input/require_parts.ts";
import { stepsForNfe } from "../samplers/nfe_budget.ts";
import { nfeOfSteps, nfePerStep, samplerInfo } from "../samplers/registry.ts";
import type { SamplerOptions } from "../samplers/sampler_info.ts";

/** The most steps or evaluations of one sample. */
const MOST = 1e7;

/** What to compare, as plain data. */
export interface ComparisonSettings {
  /** The SDEs to reverse, by names that rows have for them. */
  readonly sdes: Readonly<Record<string, SdeConfig>>;
  /** The samplers by name. */
  readonly samplers: readonly string[];
  /** Budgets of network evaluations (NFE) of a digit, the last denoising included; ignored where steps are given. */
  readonly nfe: readonly number[];
  /** Steps of the time grid for every sampler. */
  readonly steps: readonly number[];
  /** The kind of time grid; null for each sampler's own. */
  readonly grid: Exclude<GridKind, "levels" | "indices"> | null;
  /** Options, each for the samplers that have it. */
  readonly options: SamplerOptions;
  /** Another network, run by Euler–Maruyama under sigma-power as in the well-known tutorial; null for none. */
  readonly baseline: {
    /** Steps of its uniform time grid. */
    readonly steps: number;
  } | null;
}

/** One sampler in one setting. */
export interface Setting {
  /** The name of the network. */
  readonly network: string;
  /** The name of the SDE. */
  readonly sde: string;
  /** The name of the sampler. */
  readonly sampler: string;
  /** The kind of the time grid. */
  readonly grid: GridKind;
  /** Its steps. */
  readonly steps: number;
  /** Those of the given options that the sampler accepts, and what a budget decided. */
  readonly options: SamplerOptions;
}

/** A combination that cannot be, and why. */
export interface Refused extends Pick<Setting, "network" | "sde" | "sampler"> {
  /** What it was to be run at. */
  readonly at: string;
  /** Why it cannot be. */
  readonly reason: string;
}

/** The networks that are compared, and what an evaluation costs. */
export interface ComparedNetworks {
  /** What tells the network from others, such as a fingerprint of its weights. */
  readonly network: string;
  /** The same of the baseline; needed where there is one. */
  readonly baseline?: string | null;
  /** Network evaluations in one evaluation of the model: 2 with guidance. */
  readonly calls: number;
}

/** All settings, the cheap ones first, and the combinations that cannot be. */
export interface ComparisonPlan {
  /** What is measured, the baseline last. */
  readonly settings: readonly Setting[];
  /** What cannot be. */
  readonly refused: readonly Refused[];
}

/**
 * Crosses samplers with budgets, or numbers of steps. A sampler that chooses its own steps is run once.
 * @throws {RangeError | TypeError} For an option that none of the samplers accepts, or a value that cannot be.
 */
export function planComparison(wanted: ComparisonSettings, networks: ComparedNetworks): ComparisonPlan {
  checkSettings(wanted);
  requireOptions("networks", networks);
  const { network, baseline, calls } = networks;
  requireText("network", network);
  requireWhole("calls", calls, 1, 2);
  const settings = new Map<string, Setting>();
  const refused: Refused[] = [];
  const amounts = wanted.steps.length > 0 ? wanted.steps : wanted.nfe;
  for (const amount of amounts.toSorted((a, b) => a - b)) {
    for (const sde of Object.keys(wanted.sdes)) {
      for (const sampler of wanted.samplers) {
        const { grid } = samplerInfo(sampler);
        const options = acceptedOptions(sampler, wanted.options);
        const kind = wanted.grid ?? grid.kind;
        if (nfePerStep(sampler, options) === null) {
          // Once, and last, as its cost is not known before.
          if (amount < Math.max(...amounts)) continue;
          add(settings, { network, sde, sampler, grid: kind, steps: 1, options });
        } else if (wanted.steps.length > 0) {
          add(settings, { network, sde, sampler, grid: kind, steps: amount, options });
        } else {
          try {
            const run = stepsForNfe(sampler, Math.floor(amount / calls), options);
            add(settings, { network, sde, sampler, grid: kind, ...run });
          } catch (error) {
            if (!(error instanceof RangeError)) throw error;
            refused.push({ network, sde, sampler, at: `${amount} evaluations`, reason: error.message });
          }
        }
      }
    }
  }
  if (wanted.baseline !== null) {
    requireText("baseline", baseline);
    add(settings, {
      network: baseline,
      sde: "sigma-power",
      sampler: "euler-maruyama",
      grid: "uniform",
      steps: wanted.baseline.steps,
      options: {},
    });
  }
  return { settings: [...settings.values()], refused };
}

/** Refuses settings that cannot be, in one sentence. */
function checkSettings(wanted: ComparisonSettings): void {
  requireOptions("a comparison", wanted);
  const { sdes, samplers, nfe, steps, grid, options, baseline } = wanted;
  requireOptions("sdes", sdes);
  requireSome("sdes", Object.keys(sdes));
  requireArray("samplers", samplers);
  requireSome("samplers", samplers);
  for (const [key, values] of Object.entries({ nfe, steps })) {
    requireNumbers(
      key,
      values,
      (value) => Number.isInteger(value) && value >= 1 && value <= MOST,
      `whole numbers from 1 to ${MOST}`,
    );
  }
  requireSome("nfe or steps", steps.length > 0 ? steps : nfe);
  if (grid !== null) requireText("grid", grid);
  requireOptions("options", options);
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const known = samplers.some((name) => Object.hasOwn(samplerInfo(name).options, key));
    if (!known) throw new RangeError(`none of the samplers has an option ${key}: ${samplers}`);
  }
  for (const sde of Object.values(sdes)) {
    for (const sampler of samplers) {
      const kind = grid ?? samplerInfo(sampler).grid.kind;
      const own = { name: sampler, options: acceptedOptions(sampler, options) };
      openSampling({ sde, sampler: own, grid: { ...samplerInfo(sampler).grid, kind, steps: 1 } });
    }
  }
  if (baseline === null) return;
  requireOptions("baseline", baseline);
  requireWhole("baseline.steps", baseline.steps, 1);
}

/** The SDE, the sampler and the time grid of a setting; the baseline's SDE is sigma-power as it is published. */
export function samplingOf(
  { sde, sampler, grid, steps, options }: Setting,
  sdes: ComparisonSettings["sdes"],
): SamplingConfig {
  return {
    sde: Object.hasOwn(sdes, sde) ? sdes[sde] : sdeByName("sigma-power").config,
    sampler: { name: sampler, options },
    grid: { ...samplerInfo(sampler).grid, kind: grid, steps },
  };
}

/** Evaluations that a setting will take of a digit, or about as many where the sampler decides. */
export function expectedEvaluations(
  { sampler, steps, options }: Pick<Setting, "sampler" | "steps" | "options">,
): number {
  return nfeOfSteps(sampler, steps, options) ?? 300 * steps;
}

/** What tells a setting from others. */
export function settingKey({ network, sde, sampler, grid, steps, options }: Setting): string {
  return JSON.stringify([network, sde, sampler, grid, steps, Object.entries(options).toSorted()]);
}

function add(settings: Map<string, Setting>, setting: Setting): void {
  const key = settingKey(setting);
  if (!settings.has(key)) settings.set(key, setting);
}

function acceptedOptions(sampler: string, options: SamplerOptions): SamplerOptions {
  const { options: accepted } = samplerInfo(sampler);
  return Object.fromEntries(
    Object.entries(options).filter(([key, value]) => value !== undefined && Object.hasOwn(accepted, key)),
  );
}

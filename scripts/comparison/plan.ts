/**
 * The settings that `deno task compare` measures: every sampler under every equation, at every budget or number of steps.
 * @module
 */
import { stepsForNfe } from "../../src/samplers/nfe_budget.ts";
import { nfePerStep, samplerByName, samplerInfo } from "../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../src/samplers/sampler_info.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";
import type { SdeName } from "../../src/diffusion/sde_registry.ts";
import { asUsage } from "../sampling/flags.ts";
import { UsageError } from "../cli/flags.ts";

/** One sampler in one setting. */
export interface Setting {
  /** Which network, by the fingerprint of its weights. */
  readonly network: string;
  readonly sde: SdeName;
  readonly sampler: string;
  readonly grid: GridConfig["kind"];
  readonly steps: number;
  /** Those of the given options that the sampler accepts, and what a budget decided. */
  readonly options: SamplerOptions;
}

/** A combination that cannot be, and why. */
export interface Refused extends Pick<Setting, "network" | "sde" | "sampler"> {
  /** What it was to be run at. */
  readonly at: string;
  readonly reason: string;
}

/** What to compare. */
export interface ComparisonOptions {
  readonly network: string;
  readonly sdes: readonly SdeName[];
  readonly samplers: readonly string[];
  /** Budgets of network evaluations; ignored where steps are given. */
  readonly nfe: readonly number[];
  /** Steps of the grid for every sampler. */
  readonly steps: readonly number[];
  readonly grid: GridConfig["kind"] | undefined;
  readonly options: SamplerOptions;
  /** Network evaluations in one evaluation of the model: 2 with guidance. */
  readonly calls: number;
}

/** All settings, the cheap ones first, and the combinations that cannot be. */
export interface ComparisonPlan {
  readonly settings: readonly Setting[];
  readonly refused: readonly Refused[];
}

/**
 * Crosses samplers with budgets, or numbers of steps. A sampler that chooses its own steps is run once.
 * @throws UsageError for an option that none of the samplers accepts or that has a bad value
 */
export function planSettings(wanted: ComparisonOptions): ComparisonPlan {
  const { network } = wanted;
  for (const [key, value] of Object.entries(wanted.options)) {
    if (value === undefined) continue;
    const known = wanted.samplers.some((name) => Object.hasOwn(samplerInfo(name).options, key));
    if (!known) throw new UsageError(`none of the samplers has an option ${key}: ${wanted.samplers}`);
  }
  const settings = new Map<string, Setting>();
  const refused: Refused[] = [];
  const amounts = wanted.steps.length > 0 ? wanted.steps : wanted.nfe;
  for (const amount of amounts.toSorted((a, b) => a - b)) {
    for (const sde of wanted.sdes) {
      for (const sampler of wanted.samplers) {
        const { grid } = samplerInfo(sampler);
        const options = acceptedOptions(sampler, wanted.options);
        asUsage(() => samplerByName(sampler, options));
        const kind = wanted.grid ?? grid.kind;
        if (nfePerStep(sampler, options) === null) {
          // Once, and last, as its cost is not known before.
          if (amount < Math.max(...amounts)) continue;
          add(settings, { network, sde, sampler, grid: kind, steps: 1, options });
        } else if (wanted.steps.length > 0) {
          add(settings, { network, sde, sampler, grid: kind, steps: amount, options });
        } else {
          try {
            const run = stepsForNfe(sampler, Math.floor(amount / wanted.calls), options);
            add(settings, { network, sde, sampler, grid: kind, ...run });
          } catch (error) {
            if (!(error instanceof RangeError)) throw error;
            refused.push({ network, sde, sampler, at: `${amount} evaluations`, reason: error.message });
          }
        }
      }
    }
  }
  return { settings: [...settings.values()], refused };
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

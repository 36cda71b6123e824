/**
 * How many steps a sampler can take for a given number of network evaluations.
 * @module
 */
import { samplerEntry, type SamplerOptions } from "./registry.ts";
import { requireOptions, requireWhole } from "../input/require.ts";

/** A sampler's steps and options within a budget. */
export interface NfeBudgetRun {
  /** Steps of the time grid. */
  readonly steps: number;
  /** Those that were given, and what the budget decides beside the steps. */
  readonly options: SamplerOptions;
}

/**
 * As many steps as a number of network evaluations allows, one of which is the last denoising (of a consistency function, none). Annealed Langevin dynamics
 * keeps the noise levels of its own grid and makes fewer moves at each, unless `correctorSteps` says how many.
 *
 * @throws RangeError for a sampler that is not in the catalogue or chooses its own steps, or a budget below its one step
 */
export function stepsForNfe(name: string, evaluations: number, options: SamplerOptions = {}): NfeBudgetRun {
  const { kind, grid, evaluationsPerStep } = samplerEntry(name);
  requireWhole("evaluations", evaluations);
  requireOptions("options", options);
  if (options.correctorSteps !== undefined) requireWhole("correctorSteps", options.correctorSteps, 1);
  // A consistency function's last step gives the data, so that nothing is left to denoise.
  const denoising = kind === "consistency" ? 0 : 1;
  const available = evaluations - denoising;
  const perStep = evaluationsPerStep(options);
  if (perStep === null) throw new RangeError(`${name} chooses its own steps, whatever the budget`);
  if (name === "annealed-langevin" && options.correctorSteps === undefined && available >= 1) {
    const levels = Math.min(grid.steps, available);
    return { steps: levels, options: { ...options, correctorSteps: Math.floor(available / levels) } };
  }
  if (!(available >= perStep)) {
    throw new RangeError(
      `${name} needs at least ${perStep + denoising} evaluations, for one step${
        denoising === 1 ? " and the last denoising" : ""
      }, got ${evaluations}`,
    );
  }
  return { steps: Math.floor(available / perStep), options };
}

/**
 * The number of steps that a sampler can take for a given number of network evaluations (NFE).
 * @module
 */
import { endingForNfe } from "./dpm_solver_fast.ts";
import { nfeOfSteps, nfePerStep, samplerInfo } from "./registry.ts";
import type { SamplerOptions } from "./sampler_info.ts";
import { requireOptions, requireWhole } from "../input/require.ts";

/** A sampler's steps and options within a budget. */
export interface NfeBudgetRun {
  /** Steps of the time grid. */
  readonly steps: number;
  /** The given options, and those that the budget decides. */
  readonly options: SamplerOptions;
}

/**
 * The largest number of steps that a number of network evaluations (NFE) allows, one of which is the last denoising
 * (which a consistency function does without). Annealed Langevin dynamics keeps the noise levels of its own grid and
 * takes fewer Langevin steps at each, unless `correctorSteps` is given; DPM-Solver-fast spends the budget whole by its last steps,
 * unless `lastOrders` is given.
 *
 * @throws {RangeError} When the sampler is not in the registry or chooses its own steps, or the budget is below one
 * step.
 */
export function stepsForNfe(name: string, evaluations: number, options: SamplerOptions = {}): NfeBudgetRun {
  const { kind, grid } = samplerInfo(name);
  requireWhole("evaluations", evaluations);
  requireOptions("options", options);
  // A consistency function's last step returns the data, with no noise left to remove.
  const denoising = kind === "consistency" ? 0 : 1;
  const available = evaluations - denoising;
  const perStep = nfePerStep(name, options);
  if (perStep === null) throw new RangeError(`${name} chooses its own steps, whatever the budget`);
  const fitsSteps = name === "annealed-langevin" && options.correctorSteps === undefined;
  const fitsEnding = name === "dpm-solver-fast" && options.lastOrders === undefined;
  const least = fitsSteps || fitsEnding ? 1 : nfeOfSteps(name, 1, options)!;
  if (!(available >= least)) {
    throw new RangeError(
      `${name} needs at least ${least + denoising} evaluations, for one step${
        denoising === 1 ? " and the last denoising" : ""
      }, got ${evaluations}`,
    );
  }
  if (fitsSteps) {
    const levels = Math.min(grid.steps, available);
    return { steps: levels, options: { ...options, correctorSteps: Math.floor(available / levels) } };
  }
  if (fitsEnding) {
    const { steps, lastOrders } = endingForNfe(available);
    return { steps, options: { ...options, lastOrders } };
  }
  let steps = Math.floor(available / perStep);
  while (nfeOfSteps(name, steps, options)! > available) steps--;
  return { steps, options };
}

/**
 * How a multistep solver takes the step to the last time.
 * @module
 */
import type { Sde } from "../diffusion/sde.ts";
import { checkName } from "../input/option_name.ts";
import { requireOptions } from "../input/require.ts";

/** By its own order, or as DDIM, whose order is 1. */
export type LastStep = "own" | "ddim";

/** The names of the ways to take the last step. */
export const lastSteps: readonly LastStep[] = ["own", "ddim"];

/** Options of a multistep solver's last step. */
export interface LastStepOptions {
  /**
   * How the run's last step is taken, or the step to the SDE's tMin where a run starts without its times. `ddim` is
   * diffusers' `lower_order_final` and `euler_at_final`, which of a solver of order 2 are one: with few steps the last is so long that two values of the model foretell its middle worse than one. Default `own`.
   */
  readonly lastStep?: LastStep;
}

/** For a run along an SDE and its times, whether a step to time s is to be taken as DDIM takes it. */
type EndsByDdim = (sde: Sde, times: Float64Array | undefined) => (s: number) => boolean;

/** Which steps the options let DDIM take. Throws for an unknown `lastStep`. */
export function endsByDdim(options: LastStepOptions): EndsByDdim {
  requireOptions("options", options);
  const { lastStep = "own" } = options;
  checkName("lastStep", lastStep, lastSteps);
  if (lastStep === "own") return () => () => false;
  return (sde, times) => {
    const end = times?.at(-1) ?? sde.tMin;
    return (s) => s <= end;
  };
}

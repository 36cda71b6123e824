/**
 * How a DPM-Solver uses the polynomial through its predictions.
 * @module
 */
import { checkName } from "../input/option_name.ts";
import { requireOptions } from "../input/require.ts";

/** By its value at the middle of a step, or by its exact integral over the step. */
export type SolverType = "midpoint" | "heun";

/** The names of the ways to use it. */
export const solverTypes: readonly SolverType[] = ["midpoint", "heun"];

/** Options of a DPM-Solver's use of its predictions. */
export interface SolverTypeOptions {
  /**
   * How the polynomial in λ through the predictions is used, diffusers' and k-diffusion's solver_type: a line by its
   * value at the middle of the step (`midpoint`, "dpmsolver" in Lu et al.'s code), or by its exact integral (`heun`,
   * "taylor" there). Default `midpoint`.
   */
  readonly solverType?: SolverType;
}

/** Whether the exact integral is to be used. Throws for an unknown `solverType`. */
export function usesIntegral(options: SolverTypeOptions): boolean {
  requireOptions("options", options);
  const { solverType = "midpoint" } = options;
  checkName("solverType", solverType, solverTypes);
  return solverType === "heun";
}

/**
 * The part of a step at which a line has its mean under weights that grow by a factor of e^growth over the step,
 * 1/(1 − e^{−growth}) − 1/growth: where its value is its integral over that of the weights. 1/2 is the middle.
 */
export function meanPosition(growth: number): number {
  return -1 / Math.expm1(-growth) - 1 / growth;
}

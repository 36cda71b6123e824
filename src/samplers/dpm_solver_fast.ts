/**
 * DPM-Solver-fast, whose last steps are of lower order so that a run takes any number of evaluations.
 * @module
 */
import { awaited, type Pausing } from "../compute/tidied.ts";
import type * as tf from "../compute/tf.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { checkName } from "../input/option_name.ts";
import { requireOptions } from "../input/require.ts";
import { addedNoise, type AddedNoiseOptions, ancestralParts } from "./added_noise.ts";
import { ddim } from "./ddim.ts";
import { dpmSolver2Step, dpmSolver3Step } from "./dpm_solver_singlestep.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/** The orders of the steps with which a run of DPM-Solver-fast ends, after steps of order 3. */
export type LastOrders = "2" | "1" | "2+1";

/** The orders of each ending, from the run's end. */
const endings = { "2": [2], "1": [1], "2+1": [1, 2] } as const;

/** The names of the endings. */
export const lastOrdersNames: readonly LastOrders[] = ["2", "1", "2+1"];

/** The orders of a run's last steps, from its end, which are also the evaluations of those steps. */
export function ordersFromEnd({ lastOrders = "2" }: DpmSolverFastOptions): readonly (1 | 2)[] {
  checkName("lastOrders", lastOrders, lastOrdersNames);
  return endings[lastOrders];
}

/** The ending and the steps that spend exactly so many evaluations. */
export function endingForNfe(evaluations: number): { steps: number; lastOrders: LastOrders } {
  const lastOrders = (["2+1", "1", "2"] as const)[evaluations % 3];
  return { steps: Math.floor(evaluations / 3) + 1, lastOrders };
}

/** Options of {@linkcode dpmSolverFast}. */
export interface DpmSolverFastOptions extends AddedNoiseOptions {
  /** The orders of the last steps: one of order 2, one of order 1, or one of order 2 and then one of order 1. Default 2. */
  readonly lastOrders?: LastOrders;
  /** η, how much noise is added, in [0, 1]: 0 none, the probability flow, 1 as much as in ancestral sampling. Default 0. */
  readonly eta?: number;
}

/**
 * DPM-Solver-fast (Lu et al. 2022 and their code), k-diffusion's sample_dpm_fast: steps of DPM-Solver-3, and at the end
 * one of DPM-Solver-2, one of DDIM, or one of each. With N evaluations there are K = ⌊N/3⌋ + 1 steps:
 *
 *   N mod 3 = 0: K − 2 steps of order 3, one of order 2, one of order 1;
 *   N mod 3 = 1: K − 1 steps of order 3, one of order 1;
 *   N mod 3 = 2: K − 1 steps of order 3, one of order 2,
 *
 * which is how a budget of evaluations decides `lastOrders`. With η > 0 a step leads down to less noise than it is to end
 * with, but not to less than the run ends with, and adds the rest, as `dpm-solver-2-ancestral` does.
 *
 * On a grid of equal steps in λ = ln(α/σ), the paper's, the order is 3 with a last step of order 2, and otherwise 2. A step to
 * sigma = 0 is DDIM's. A run that starts without its times has steps of order 3 alone.
 * @throws {RangeError} When `lastOrders` names no ending, eta is not in [0, 1] or sNoise is not positive.
 */
export function dpmSolverFast(options: DpmSolverFastOptions = {}): Sampler {
  requireOptions("options", options);
  const atEnd = ordersFromEnd(options);
  const { eta: givenEta = 0 } = options;
  const { eta, sNoise } = addedNoise({ ...options, eta: givenEta });
  return {
    name: "dpm-solver-fast",
    start: (model, rng, times) => {
      const { sde } = model;
      const first = ddim().start(model, rng);
      const stepOf = (order: 1 | 2 | 3, x: tf.Tensor, t: number, s: number): Pausing<tf.Tensor> =>
        order === 1
          ? awaited(first.step(x, t, s))
          : order === 2
          ? dpmSolver2Step(model, x, t, s, false)
          : dpmSolver3Step(model, x, t, s, false);
      const leastRatio = times === undefined ? 0 : noiseRatio(sde, times[times.length - 1]);
      return statelessStepper(function* (x, t, s) {
        const fromEnd = times?.filter((time) => time < s).length;
        const order = fromEnd === undefined ? 3 : atEnd[fromEnd] ?? 3;
        const ratio = noiseRatio(sde, s);
        const kept = Math.max(leastRatio, ancestralParts(noiseRatio(sde, t), ratio, eta).kept);
        if (eta === 0 || kept >= ratio) return yield* stepOf(order, x, t, s);
        const down = sde.timeAtHalfLogSnr(-Math.log(kept));
        const y = (yield* stepOf(order, x, t, down)).div(sde.alpha(down));
        const fresh = Math.sqrt((ratio - kept) * (ratio + kept));
        return y.add(rng.normal(x.shape).mul(sNoise * fresh)).mul(sde.alpha(s));
      });
    },
  };
}

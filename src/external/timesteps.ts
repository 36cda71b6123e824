/**
 * The indices at which diffusers' schedulers evaluate a model, by `timestep_spacing`.
 * @module
 */
import { quoted } from "../input/quoted.ts";
import { requireWhole } from "../input/require.ts";

/** How S of N indices are chosen for sampling: from 0 up in equal steps, from 0 to N − 1, or from N − 1 down. */
export const timestepSpacings = ["leading", "linspace", "trailing"] as const;

/** The name of a choice of indices. */
export type TimestepSpacing = typeof timestepSpacings[number];

/** What decides indices. */
interface Choice {
  /** Whose rule: DDPM's and DDIM's; that of the solvers of Lu et al.; Euler's, which does not round. */
  readonly rule: "ddpm" | "solver" | "euler";
  readonly spacing: TimestepSpacing;
  /** N, the steps of training. */
  readonly count: number;
  /** S, the steps of sampling. */
  readonly evaluations: number;
  /** steps_offset, which `leading` adds. */
  readonly offset: number;
}

/**
 * S of the indices 0 … N − 1, decreasing, as `set_timesteps` of diffusers 0.40 has them. The solvers take the first S of S + 1
 * where the others take S, because their last step goes to no noise from further away.
 *
 * @throws {RangeError} When there are no such indices.
 */
export function timestepsOf({ rule, spacing, count, evaluations, offset }: Choice): number[] {
  if (evaluations > count) {
    throw new RangeError(
      `a scheduler of ${count} steps of training can have at most ${count} of sampling, got ${evaluations}`,
    );
  }
  const points = rule === "solver" && spacing !== "trailing" ? evaluations + 1 : evaluations;
  const ascending = (at: (i: number) => number) =>
    Array.from({ length: points }, (_, i) => at(i)).reverse().slice(0, evaluations);
  const indices = (() => {
    switch (spacing) {
      case "linspace": {
        const round = rule === "euler" ? (value: number) => value : halfToEven;
        return ascending((i) => round(i * (count - 1) / (points - 1)));
      }
      case "leading":
        return ascending((i) => i * Math.floor(count / points) + offset);
      case "trailing":
        return Array.from({ length: evaluations }, (_, i) => halfToEven(count - i * count / evaluations) - 1);
    }
  })();
  if (indices[0] > count - 1 || indices.some((index, i) => i > 0 && !(index < indices[i - 1]))) {
    throw new RangeError(
      `${evaluations} indices with ${spacing} spacing and steps_offset ${offset} are no steps of ${count}: ${
        quoted(indices)
      }`,
    );
  }
  return indices;
}

/**
 * The S indices of DDIM's quadratic spacing, decreasing: ⌊(i √(0.8 N)/(S − 1))²⌋ for i = S − 1 … 0, as in the paper's code (Song,
 * Meng & Ermon 2021, appendix D.2). They begin at 0.8 N, not at the last index, from the prior all the same. Indices that
 * coincide, as the last two of 50 of 1000 do, stand once: a step between them would change nothing.
 *
 * @param count N, the steps of training.
 * @param evaluations S, the steps of sampling.
 * @throws {RangeError} When N is no whole number from 2 on, or S none from 2 to N.
 * @example A grid of ten indices
 * ```ts
 * import { discreteDdpm, linearBetas } from "../../mod.ts";
 * import { timeGrid } from "../diffusion/time_grid.ts";
 * import { ddimQuadraticIndices } from "./timesteps.ts";
 * const indices = ddimQuadraticIndices(1000, 10);
 * console.assert(indices[0] === 800 && indices[9] === 0);
 * timeGrid(discreteDdpm(linearBetas()), { kind: "indices", steps: 9, indices });
 * ```
 */
export function ddimQuadraticIndices(count: number, evaluations: number): number[] {
  requireWhole("count", count, 2, MOST_STEPS);
  requireWhole("evaluations", evaluations, 2, count);
  const spacing = Math.sqrt(0.8 * count) / (evaluations - 1);
  const indices = Array.from(
    { length: evaluations },
    // numpy's linspace sets its last point; the others are i times the spacing.
    (_, i) => Math.floor(i === 0 ? Math.sqrt(0.8 * count) ** 2 : ((evaluations - 1 - i) * spacing) ** 2),
  );
  return indices.filter((index, i) => i === 0 || index !== indices[i - 1]);
}

/** The largest number of steps of a discrete-time DDPM. */
const MOST_STEPS = 1e7;

/** numpy's rounding. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

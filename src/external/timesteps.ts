/**
 * The indices at which diffusers' schedulers evaluate a model, by `timestep_spacing`.
 * @module
 */
import { quoted } from "../input/quoted.ts";

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

/** numpy's rounding. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The states of a run at the levels between which its steps go, and the steps' own coefficients. @module */
import type { ProductData } from "./exact_model.ts";
import type { AffineState, ImpulseResponse } from "./impulse_response.ts";

/** The state at one level of the grid. */
interface LevelState {
  /** Index in the grid; of a sampler with levels of its own, in the order of its levels. */
  readonly index: number;
  readonly state: AffineState;
  /** How many noises the state has in it. */
  readonly draws: number;
}

/**
 * The states from which steps begin: the last evaluation at each level of the grid, as a method with stages or a corrector has been
 * there before; and the end.
 */
export function levelStates({ run, evaluations, end }: ImpulseResponse, ownGrid: boolean): LevelState[] {
  const { grid, noiseAfter } = run;
  const ratios = ownGrid
    ? [...new Set(run.evaluations.map(({ ratio }) => ratio))]
    : [...grid.sigmas].map((sigma, i) => sigma / grid.alphas[i]);
  const states: LevelState[] = [];
  let from = 0;
  ratios.forEach((ratio, index) => {
    // The last level's state is the end, unless a denoising follows.
    for (let at = evaluations.length - 1; at >= from; at--) {
      if (Math.abs(evaluations[at].ratio / ratio - 1) > 1e-4) continue;
      // Noise may be asked for before the evaluation and be added after it.
      const draws = evaluations[at].noise.findLastIndex((coefficient) => coefficient.some((c) => c !== 0)) +
        1;
      states.push({ index, state: evaluations[at], draws });
      from = at + 1;
      break;
    }
  });
  const last = states.at(-1);
  // A corrector works at the last level after the last evaluation there.
  if (last !== undefined && last.state.ratio === end.ratio) states.pop();
  const index = ownGrid ? states.length : ratios.length - (end.ratio === 0 ? 0 : 1);
  states.push({ index, state: end, draws: noiseAfter.length });
  return states;
}

/**
 * A step as one of y_s = y_t (1 + φ − w Δ/C) + … + η √Δ z, Δ = ν_t² − ν_s², C = s² + ν_t²: for the reverse SDE w and η are
 * 1, for the probability flow ½ and 0, and φ is 0 for both; up to terms that vanish with the step.
 */
export interface StepCoefficients {
  /** Index of the level at which the step begins. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
  /** w, the weight of g² times the score in the drift. */
  readonly score: number;
  /** η, the noise's size over g√h. */
  readonly noise: number;
  /** φ, a factor on all states that the SDE does not have. */
  readonly scale: number;
  /** w − φ C/Δ of data N(0, 1), which shows both where noise is so large that coordinates do not differ. */
  readonly pull: number;
  /** The largest Δ/C of the coordinates that the coefficients were read from: they are exact where it is small. */
  readonly width: number;
}

/** The coefficients of each step between two levels with noise. */
export function stepCoefficients(data: ProductData, states: readonly LevelState[]): StepCoefficients[] {
  const found: StepCoefficients[] = [];
  for (let i = 0; i + 1 < states.length; i++) {
    const { state: a, draws: before, index } = states[i];
    const { state: b, draws: after } = states[i + 1];
    if (!(b.ratio > 0 && b.ratio < a.ratio && states[i + 1].index === index + 1)) continue;
    const delta = (a.ratio - b.ratio) * (a.ratio + b.ratio);
    // φ and w from the gains of two coordinates that differ much in C, where the start is not forgotten.
    const points = data.flatMap(({ deviations }, j) => {
      if (Math.abs(a.gain[j]) < 1e-10) return [];
      const x = delta / (deviations[0] ** 2 + a.ratio ** 2);
      return x > 0.5 ? [] : [{ x, y: b.gain[j] / a.gain[j] - 1 }];
    });
    const least = points.reduce((best, point) => point.x < best.x ? point : best, points[0]);
    const most = points.reduce((best, point) => point.x > best.x ? point : best, points[0]);
    const apart = points.length > 1 && most.x > 1.5 * least.x;
    const slope = apart ? (most.y - least.y) / (most.x - least.x) : NaN;
    const fresh = b.noise.slice(before, after).reduce((sum, coefficient) => sum + coefficient[5] ** 2, 0);
    found.push({
      index,
      from: a.ratio,
      to: b.ratio,
      score: -slope,
      noise: Math.sqrt(fresh / delta),
      scale: apart ? least.y - slope * least.x : NaN,
      pull: (1 - b.gain[1] / a.gain[1]) * (1 + a.ratio ** 2) / delta,
      width: apart ? most.x : NaN,
    });
  }
  return found;
}

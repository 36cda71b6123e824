/**
 * What a model may predict of x = α x_0 + σ ε, and how one prediction follows from another. Each is a sum of the two things
 * that are not seen, c x_0 + d ε, so that x and one prediction are two equations for both; they have a solution where
 * α d − σ c is not 0.
 *
 *     noise       ε                                             c = 0, d = 1          all but α = 0
 *     data        x_0                                           c = 1, d = 0          all but σ = 0
 *     velocity    v = α ε − σ x_0                               c = −σ, d = α         everywhere
 *     score       −ε/σ                                          c = 0, d = −1/σ       all but α = 0, σ = 0
 *     edm         F = (D − c_skip y)/c_out, y = x/α             c = σ/(σ_d r), d = −σ_d α/r      everywhere
 *     flow        u = ε − x_0                                   c = −1, d = 1         everywhere
 *
 * with r² = σ² + σ_d² α². Sources: Ho et al. 2020, eq. 14; Salimans & Ho 2022, Section 4, for v; Song et al. 2021; Karras et al.
 * 2022, eq. 7 with y = x/α put in, which leaves a limit at α = 0; Lipman et al. 2023.
 * @module
 */
import { checkName } from "../input/option_name.ts";
import { requireBetween, requireOptions, requirePositive } from "../input/require.ts";

/**
 * What a model's output may be, for x = α x_0 + σ ε: the noise ε (diffusers' `epsilon`), the data x_0 (`sample`), the velocity
 * α ε − σ x_0 of Salimans & Ho 2022 (`v_prediction`), the score −ε/σ, the raw output F of a network with EDM's preconditioning
 * (Karras et al. 2022, eq. 7), or the velocity ε − x_0 of flow matching (`flow_prediction`).
 */
export const predictions = ["noise", "data", "velocity", "score", "edm", "flow"] as const;

/** The name of what a model's output is. */
export type Prediction = typeof predictions[number];

/** A noise level: the factors in x = α x_0 + σ ε. */
export interface PredictionLevel {
  /** α, at least 0; 0 at the end of a schedule with zero terminal SNR. */
  readonly alpha: number;
  /** σ, at least 0. */
  readonly sigma: number;
  /** The standard deviation σ_d of the data, for `edm`; default 0.5. */
  readonly sigmaData?: number;
}

/** The factors in c x_0 + d ε. */
export interface PredictionTarget {
  /** c. */
  readonly data: number;
  /** d. */
  readonly noise: number;
}

/** The factors in a x + b out. */
export interface PredictionFactors {
  /** a. */
  readonly state: number;
  /** b. */
  readonly output: number;
}

/**
 * What a model of this prediction is trained to answer, as c x_0 + d ε.
 *
 * @example The velocity half way
 * ```ts
 * import { predictionTarget } from "./prediction.ts";
 * const { data, noise } = predictionTarget("velocity", { alpha: 0.8, sigma: 0.6 });
 * console.assert(data === -0.6 && noise === 0.8);
 * ```
 * @throws {RangeError} When the name is unknown, α or σ is negative or both are 0, or the target is infinite: a score at σ = 0.
 */
export function predictionTarget(prediction: Prediction, level: PredictionLevel): PredictionTarget {
  checkName("prediction", prediction, predictions);
  const { alpha, sigma, sigmaData } = checkedLevel(level);
  if (prediction === "score" && sigma === 0) {
    throw new RangeError("a score −ε/σ is infinite at σ = 0: predict noise, velocity or data there");
  }
  return targets[prediction](alpha, sigma, sigmaData);
}

/**
 * The factors a and b by which a prediction becomes another at a noise level: a x + b out.
 *
 * @example The data from a velocity, x_0 = α x − σ v
 * ```ts
 * import { predictionFactors } from "./prediction.ts";
 * const { state, output } = predictionFactors("velocity", "data", { alpha: 0.8, sigma: 0.6 });
 * console.assert(Math.abs(state - 0.8) < 1e-15 && Math.abs(output + 0.6) < 1e-15);
 * ```
 * @throws {RangeError} As {@linkcode predictionTarget}; and where `from` says nothing of what is asked: noise and score at α = 0,
 * data at σ = 0, naming those that do.
 */
export function predictionFactors(
  from: Prediction,
  to: Prediction,
  level: PredictionLevel,
): PredictionFactors {
  const [given, asked] = [predictionTarget(from, level), predictionTarget(to, level)];
  if (from === to) return { state: 0, output: 1 };
  const { alpha, sigma } = level;
  /** α d − σ c: 0 where x and the prediction are one equation twice. */
  const independent = ({ data, noise }: PredictionTarget) => alpha * noise - sigma * data;
  if (independent(given) === 0) {
    throw new RangeError(
      alpha === 0
        ? `a prediction of ${from} says nothing of the data at α = 0, where x is noise alone: predict data, velocity, edm or flow`
        : `a prediction of ${from} says nothing of the noise at σ = 0, where x is data alone: predict noise, velocity, edm or flow`,
    );
  }
  return {
    state: (asked.data * given.noise - asked.noise * given.data) / independent(given),
    output: independent(asked) / independent(given),
  };
}

/** c and d of each prediction. */
const targets: Readonly<
  Record<Prediction, (alpha: number, sigma: number, sigmaData: number) => PredictionTarget>
> = {
  noise: () => ({ data: 0, noise: 1 }),
  data: () => ({ data: 1, noise: 0 }),
  velocity: (alpha, sigma) => ({ data: -sigma, noise: alpha }),
  score: (_, sigma) => ({ data: 0, noise: -1 / sigma }),
  edm: (alpha, sigma, sigmaData) => {
    const total = Math.hypot(sigma, sigmaData * alpha);
    return { data: sigma / (sigmaData * total), noise: -sigmaData * alpha / total };
  },
  flow: () => ({ data: -1, noise: 1 }),
};

function checkedLevel(level: PredictionLevel): Required<PredictionLevel> {
  requireOptions("level", level);
  const { alpha, sigma, sigmaData = 0.5 } = level;
  requireBetween("alpha", alpha, 0);
  requireBetween("sigma", sigma, 0);
  if (alpha === 0 && sigma === 0) throw new RangeError("alpha and sigma must not both be 0");
  requirePositive("sigmaData", sigmaData);
  return { alpha, sigma, sigmaData };
}

/**
 * The log-likelihood of data under a score model, by the probability flow ODE.
 * @module
 */
import { sizeOf } from "../math/shape.ts";
import type { Rng } from "../compute/rng.ts";
import { column, mapPerRow, type PerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { tidied } from "../compute/tidied.ts";
import { checkName } from "../input/option_name.ts";
import { type AnyScoreModel, requireScore } from "../diffusion/noise_predictor.ts";
import { noiseAndPullBacks } from "../diffusion/pull_back.ts";
import { type FlowMethod, solveFlow } from "./probability_flow.ts";
import { priorLogDensity } from "../diffusion/sde.ts";
import { requireOptions, requireWhole } from "../input/require.ts";
import { requireModel, requireRng, requireSignal } from "../input/require_parts.ts";
import { requireTensor } from "../compute/require_tensor.ts";

/** Hutchinson's estimator of a trace: the mean of eᵀ J e over random vectors e of mean 0 and covariance 1. */
export interface Hutchinson {
  /** The source of the vectors, drawn once for a whole likelihood; row i is sample `rng.firstSample + i`. */
  readonly rng: Rng;
  /** The number of vectors for each sample, a positive integer; default 1. */
  readonly probes?: number;
  /**
   * Their distribution; signs (the default) have the smaller variance, 2 Σ_{i≠j} J_ij² for symmetric J, and are exact
   * in 1-D.
   */
  readonly distribution?: "rademacher" | "gaussian";
}

/** The divergence's estimate and the solver of a likelihood. */
export interface LikelihoodOptions {
  /** The divergence: exact, which takes d vector-Jacobian products an evaluation, or estimated; default exact. */
  readonly trace?: "exact" | Hutchinson;
  /** The solver; default Dormand–Prince with its default tolerances. */
  readonly method?: FlowMethod;
  /** Ends the computation once it is aborted: the next evaluation throws the signal's reason in its place. */
  readonly signal?: AbortSignal;
}

/** Log densities of a batch, in nats. */
export interface Likelihood {
  /** log p(x) of each sample [B], the mean over the probes. */
  readonly logDensity: Float64Array;
  /** Standard error over the probes [B]: 0 for an exact trace, NaN for a single probe. */
  readonly standardError: Float64Array;
  /** Evaluations of the batch's drift, each with a divergence. */
  readonly evaluations: number;
}

/**
 * The log density of the model's distribution at tMin, which differs from the data's only by the noise there, at x
 * [B, …] (Song et al. 2021, eq. 39–40):
 *
 *   log p(x) = log N(x(T); 0, priorStd²) + ∫ div v(x(t), t) dt  along the flow dx/dt = v from x at tMin.
 *
 * The vector-Jacobian products are the model's own, by its `pullBack`, or TensorFlow.js computes them.
 * With the estimated trace the mean of `logDensity` over probes is unbiased. Samples do not influence each other.
 *
 * @example The standard normal distribution, whose density at 1 is 0.242
 * ```ts
 * import * as tf from "../compute/tf.ts";
 * import { scoreModelFromNoise } from "../diffusion/noise_predictor.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { logLikelihood } from "./log_likelihood.ts";
 * const sde = vpSde();
 * const model = scoreModelFromNoise(sde, (x, t) =>
 *   x.mul(tf.tensor(Float32Array.from(t as Float64Array, sde.sigma), [x.shape[0], 1])));
 * const { logDensity } = await logLikelihood(model, tf.tensor2d([[1]]));
 * console.assert(Math.abs(Math.exp(logDensity[0]) - 0.242) < 1e-3);
 * ```
 * @throws {RangeError} When x has no samples or no dimensions, the number of probes is not a positive integer, or the
 * method is invalid.
 * @throws {Error} When the state becomes NaN or infinite, the solver does not reach the end, or the predicted noise
 * has no gradient; a TypeError if the model answers later, by a promise, and has no `pullBack`.
 */
export async function logLikelihood(
  model: AnyScoreModel,
  x: tf.Tensor,
  options: LikelihoodOptions = {},
): Promise<Likelihood> {
  requireModel("model", model);
  requireTensor("x", x, { leastRank: 0, empty: true });
  requireOptions("options", options);
  const { trace = "exact", method, signal } = options;
  requireSignal("signal", signal);
  const { sde } = model;
  requireScore(model, "a likelihood");
  if (typeof trace !== "object" || trace === null) checkName("trace", trace, ["exact"]);
  const rows = x.shape[0];
  const dimension = x.size / rows;
  if (x.rank < 2 || x.size === 0) throw new RangeError(`x must be [samples, …], got [${x.shape}]`);
  const probes = trace === "exact" ? unitVectors(x.shape) : drawnProbes(trace, x.shape);
  const columns = trace === "exact" ? 1 : probes.length;
  let evaluations = 0;
  /** The drift, flat, with the divergence in further columns: one, or one for each probe. */
  const derivative = (state: tf.Tensor, t: PerRow) => {
    signal?.throwIfAborted();
    evaluations++;
    return tidied((function* () {
      const at = tf.slice(state, [0, 0], [rows, dimension]).reshape(x.shape);
      // v = f x + g²/(2σ) ε̂. Only ε̂ is differentiated: of v, a model without a gradient would leave the linear
      // part's gradient, and no error.
      const { noise, pulled } = yield* noiseAndPullBacks(model, at, t, probes);
      const drift = column(mapPerRow(t, sde.driftCoefficient), at);
      const share = column(mapPerRow(t, (t) => sde.diffusionCoefficient(t) ** 2 / (2 * sde.sigma(t))), at);
      const traces = pulled.map((pulled, i) =>
        pulled.mul(share).add(probes[i].mul(drift)).mul(probes[i]).reshape([rows, dimension]).sum(1, true)
      );
      const divergence = trace === "exact" ? tf.addN(traces) : tf.concat(traces, 1);
      const velocity = at.mul(drift).add(noise.mul(share));
      return tf.concat([velocity.reshape([rows, dimension]), divergence], 1);
    })());
  };
  const start = tf.tidy(() => tf.concat([x.reshape([rows, dimension]), tf.zeros([rows, columns])], 1));
  try {
    const end = await solveFlow(sde, derivative, start, "to prior", method);
    const values = await end.data();
    end.dispose();
    const logDensity = new Float64Array(rows);
    const standardError = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const own = Float64Array.from(
        values.subarray(row * (dimension + columns), (row + 1) * (dimension + columns)),
      );
      const squaredNorm = own.subarray(0, dimension).reduce((sum, value) => sum + value * value, 0);
      const integrals = own.subarray(dimension);
      const mean = integrals.reduce((sum, value) => sum + value) / columns;
      const squares = integrals.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      logDensity[row] = priorLogDensity(sde, squaredNorm, dimension) + mean;
      standardError[row] = trace === "exact" ? 0 : Math.sqrt(squares / (columns - 1) / columns);
    }
    return { logDensity, standardError, evaluations };
  } finally {
    tf.dispose([start, ...probes]);
  }
}

/** The vectors of the standard basis, each for every row. */
function unitVectors(shape: readonly number[]): tf.Tensor[] {
  const dimension = sizeOf(shape.slice(1));
  return Array.from({ length: dimension }, (_, i) => {
    const values = new Float32Array(shape[0] * dimension);
    for (let row = 0; row < shape[0]; row++) values[row * dimension + i] = 1;
    return tf.tensor(values, [...shape]);
  });
}

function drawnProbes(
  { rng, probes = 1, distribution = "rademacher" }: Hutchinson,
  shape: readonly number[],
): tf.Tensor[] {
  requireRng("rng", rng);
  requireWhole("probes", probes, 1, 1e6);
  checkName("distribution", distribution, ["rademacher", "gaussian"]);
  return Array.from(
    { length: probes },
    () => distribution === "rademacher" ? rng.rademacher(shape) : rng.normal(shape),
  );
}

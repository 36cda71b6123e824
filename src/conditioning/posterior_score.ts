/**
 * The score of p_t(x | y) for a linear observation y of x_0, from the unconditional score; with it any sampler draws
 * from the posterior.
 * @module
 */
import { column, mapPerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, type Pausing, tidied } from "../compute/tidied.ts";
import { requireScore, type ScoreModel, scoreModelFromNoise } from "../diffusion/noise_predictor.ts";
import { pullBackNoise } from "../diffusion/pull_back.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { conjugateGradients, rankAs } from "./conjugate_gradients.ts";
import { checkObservation, checkStates, type LinearObservation } from "./observation.ts";
import { requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import { requireModel } from "../input/require_parts.ts";
import { quoted } from "../input/quoted.ts";

/** The least row sum of TMPD, over that of r²I. */
const LEAST_ROW_SUM = 0.1;

/** The approximations of the covariance of x_0 given x_t. */
export type PosteriorScoreMethod = "mmps" | "tmpd" | "pigdm";

/** How the covariance of x_0 given x_t is approximated. */
export interface PosteriorScoreOptions {
  /**
   * "mmps" (the default): the noise predictor's own, by its Jacobian; "tmpd": the same, of which what is seen keeps the
   * row sums only; "pigdm": r²I.
   */
  readonly method?: PosteriorScoreMethod;
  /**
   * Iterations of the conjugate gradients, default 5. MMPS takes a gradient of the noise predictor for each; on the
   * exact score of a Gaussian as many as there are numbers in an observation make it exact. TMPD takes none.
   */
  readonly iterations?: number;
  /** Standard deviation s_d of the data in r² = ν² s_d²/(ν² + s_d²), of ΠGDM and of TMPD's bound; default 1, the paper's. */
  readonly dataStd?: number;
}

/**
 * The score model of x_t given an observation y = A x_0 + s η. With D(x) = E[x_0 | x_t = x] and V ≈ Cov[x_0 | x_t = x],
 *
 *   ∇ log p_t(x | y) ≈ ∇ log p_t(x) + (∂D/∂x)ᵀ Aᵀ (A V Aᵀ + s² I)⁻¹ (y − A D(x)).
 *
 * MMPS (Rozet et al. 2024, eq. 15) takes V = (σ²/α) ∂D/∂x, which is the covariance (Tweedie's second formula): exact
 * for Gaussian data. TMPD (Boys et al. 2023) takes the same V, and puts the diagonal matrix of the row sums
 * A V Aᵀ 1 in the place of A V Aᵀ, so that nothing is to be solved: exact for Gaussian data where A V Aᵀ is diagonal, as it
 * is of one number seen, or of seen pixels that are independent. ΠGDM (Song et al. 2023, eq. 7) takes r²I: exact for
 * data N(μ, s_d² I). Elsewhere both are biased.
 *
 * A row sum may be negative, which no variance is: with the shipped network two in five are at ν = 1, and without a
 * bound TMPD diverges. It is raised to a tenth of what it would be with ΠGDM's r²I in the place of V.
 *
 * An evaluation takes one of the model and vector-Jacobian products of it, by its `pullBack` or by TensorFlow.js: one
 * for each iteration of MMPS, two for TMPD, one for ΠGDM. For an operator without outputs the model itself is returned.
 *
 * @example Four samples of the first coordinate, given the second
 * ```ts
 * import { useEngine } from "../compute/engine.ts";
 * import { createRng } from "../compute/rng.ts";
 * import * as tf from "../compute/tf.ts";
 * import { scoreModel } from "../diffusion/noise_predictor.ts";
 * import { Gaussian } from "../distributions/gaussian.ts";
 * import { dpmSolver2M } from "../samplers/dpm_solver_multistep.ts";
 * import { drawSamples } from "../samplers/sample.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { linearObservation } from "./observation.ts";
 * import { maskOperator } from "./operators.ts";
 * import { posteriorScore } from "./posterior_score.ts";
 * await useEngine("wasm");
 * const prior = new Gaussian({ mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]] });
 * const seen = await linearObservation(maskOperator([2], [0, 1]), tf.tensor2d([[1.5]]));
 * const model = posteriorScore(scoreModel(prior, vpSde()), seen);
 * const run = { shape: [4, 2], grid: { kind: "log-snr", steps: 20 }, rng: createRng(1) } as const;
 * console.log(await (await drawSamples(model, dpmSolver2M(), run)).array());
 * ```
 * @throws {RangeError} When the observation's shapes do not fit, its noise is negative, iterations is not a positive
 * integer, or dataStd is not positive; when used, if the states do not have the operator's input shape.
 * @throws {TypeError} When used, if the model answers later, by a promise, and has no `pullBack`.
 */
export function posteriorScore<Result extends Awaitable<tf.Tensor>>(
  model: ScoreModel<Result>,
  observation: LinearObservation,
  options: PosteriorScoreOptions = {},
): ScoreModel<Result> {
  requireModel("model", model);
  checkObservation(observation);
  requireOptions("options", options);
  const { method = "mmps", iterations = 5, dataStd = 1 } = options;
  const { operator, y, noiseStd } = observation;
  requireScore(model, "a posterior's score");
  if (method !== "mmps" && method !== "tmpd" && method !== "pigdm") {
    throw new RangeError(`method must be "mmps", "tmpd" or "pigdm", got ${quoted(method)}`);
  }
  requireWhole("iterations", iterations, 1, 1e6);
  requirePositive("dataStd", dataStd);
  if (operator.outputShape.includes(0)) return model;
  const { sde } = model;
  return scoreModelFromNoise(sde, (x, t) =>
    tidied((function* () {
      checkStates(x, observation);
      const per = (f: (t: number) => number) => column(mapPerRow(t, f), x);
      const noise = yield* awaited<tf.Tensor>(model.predictedNoise(x, t));
      /** J w, where J = α ∂D/∂x = I − σ ∂ε̂/∂x is symmetric and ν² J is the covariance. */
      function* jacobian(w: tf.Tensor): Pausing<tf.Tensor> {
        return w.sub((yield* pullBackNoise(model, x, t, w)).mul(per(sde.sigma)));
      }
      const data = x.sub(noise.mul(per(sde.sigma))).div(per(sde.alpha));
      // All terms are divided by ν², so that they stay near 1 when ν is small: r²/ν² = 1/(1 + ν²/s_d²).
      const noisePart = per((t) => (noiseStd / noiseRatio(sde, t)) ** 2);
      const isotropic = per((t) => 1 / (1 + (noiseRatio(sde, t) / dataStd) ** 2));
      const innovation = tf.sub(y, operator.apply(data));
      let correction: tf.Tensor;
      if (method === "tmpd") {
        const ones = operator.adjoint(tf.onesLike(innovation));
        const sums = operator.apply(yield* jacobian(ones));
        const least = operator.apply(ones.mul(isotropic)).mul(LEAST_ROW_SUM);
        const variances = sums.maximum(least).add(rankAs(noisePart, sums));
        correction = yield* jacobian(operator.adjoint(innovation.div(variances)));
      } else {
        const spread = method === "mmps" ? tf.scalar(1) : isotropic;
        const pulled = yield* conjugateGradients(
          {
            *inner(v) {
              return method === "mmps" ? yield* jacobian(operator.adjoint(v)) : operator.adjoint(v);
            },
            outer: (w, v) => operator.apply(w.mul(spread)).add(v.mul(rankAs(noisePart, v))),
          },
          innovation,
          iterations,
        );
        correction = method === "mmps" ? pulled : yield* jacobian(pulled);
      }
      return noise.sub(correction.mul(per((t) => 1 / noiseRatio(sde, t))));
    })()) as Result);
}

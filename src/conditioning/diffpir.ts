/**
 * DiffPIR: the denoised data moved to what fits an observation, by a proximal step.
 * @module
 */
import { column, mapPerRow } from "../compute/rows.ts";
import * as tf from "../compute/tf.ts";
import { type Awaitable, awaited, tidied } from "../compute/tidied.ts";
import { requireScore, type ScoreModel, scoreModelFromNoise } from "../diffusion/noise_predictor.ts";
import { noiseRatio } from "../diffusion/sde.ts";
import { requireOptions, requirePositive, requireWhole } from "../input/require.ts";
import { requireModel } from "../input/require_parts.ts";
import { conjugateGradients, rankAs } from "./conjugate_gradients.ts";
import { checkObservation, checkStates, type LinearObservation } from "./observation.ts";

/** Options of {@linkcode diffpirModel}. */
export interface DiffpirOptions {
  /** λ, the weight of the denoised data against the observation, a positive number; default 1. */
  readonly lambda?: number;
  /** Iterations of the conjugate gradients that solve the proximal step, default 20; where A Aᵀ is a multiple of I one is exact. */
  readonly iterations?: number;
}

/**
 * DiffPIR's model of x_t (Zhu et al. 2023, Alg. 1): with D(x) = E[x_0 | x_t = x] its denoised data are the proximal step,
 *
 *   D′ = argmin_z ‖y − A z‖² + ρ ‖z − D(x)‖² = D + Aᵀ (A Aᵀ + ρ I)⁻¹ (y − A D),   ρ = λ s²/ν²,
 *
 * and its predicted noise (x/α − D′)/ν. With the sampler `ddim` it draws what the algorithm does with ζ = 0; samplers
 * that add noise take the place of its ζ. It is the mean of x_0 that is distributed as N(D, (ν²/λ) I) and then observed: D′ is
 * exact where the data are spread by much more than ν, and λ is 1. No posterior is drawn elsewhere, not even of Gaussian
 * data: unseen pixels follow seen ones only through D of the next step.
 *
 * It takes no gradient of the model, one evaluation, and what A costs. For an operator without outputs the model itself is
 * returned.
 *
 * @example Four samples of the first coordinate, given the second
 * ```ts
 * import { useEngine } from "../compute/engine.ts";
 * import { createRng } from "../compute/rng.ts";
 * import * as tf from "../compute/tf.ts";
 * import { scoreModel } from "../diffusion/noise_predictor.ts";
 * import { vpSde } from "../diffusion/sde.ts";
 * import { Gaussian } from "../distributions/gaussian.ts";
 * import { ddim } from "../samplers/ddim.ts";
 * import { drawSamples } from "../samplers/sample.ts";
 * import { diffpirModel } from "./diffpir.ts";
 * import { linearObservation } from "./observation.ts";
 * import { maskOperator } from "./operators.ts";
 * await useEngine("wasm");
 * const prior = new Gaussian({ mean: [0, 0], covariance: [[1, 0.8], [0.8, 1]] });
 * const seen = await linearObservation(maskOperator([2], [0, 1]), tf.tensor2d([[1.5]]));
 * const model = diffpirModel(scoreModel(prior, vpSde()), seen);
 * const run = { shape: [4, 2], grid: { kind: "log-snr", steps: 20 }, rng: createRng(1) } as const;
 * console.log(await (await drawSamples(model, ddim(), run)).array());
 * ```
 * @throws {RangeError} When the observation's shapes do not fit, its noise is negative, lambda is not positive or
 * iterations is not a positive integer; when used, if the states do not have the operator's input shape.
 */
export function diffpirModel<Result extends Awaitable<tf.Tensor>>(
  model: ScoreModel<Result>,
  observation: LinearObservation,
  options: DiffpirOptions = {},
): ScoreModel<Result> {
  requireModel("model", model);
  checkObservation(observation);
  requireOptions("options", options);
  const { lambda = 1, iterations = 20 } = options;
  requirePositive("lambda", lambda);
  requireWhole("iterations", iterations, 1, 1e6);
  requireScore(model, "DiffPIR");
  const { operator, y, noiseStd } = observation;
  if (operator.outputShape.includes(0)) return model;
  const { sde } = model;
  return scoreModelFromNoise(sde, (x, t) =>
    tidied((function* () {
      checkStates(x, observation);
      const per = (f: (t: number) => number) => column(mapPerRow(t, f), x);
      const noise = yield* awaited<tf.Tensor>(model.predictedNoise(x, t));
      const data = x.sub(noise.mul(per(sde.sigma))).div(per(sde.alpha));
      const rho = per((t) => lambda * (noiseStd / noiseRatio(sde, t)) ** 2);
      const moved = yield* conjugateGradients(
        {
          *inner(v) {
            return operator.adjoint(v);
          },
          outer: (w, v) => operator.apply(w).add(v.mul(rankAs(rho, v))),
        },
        tf.sub(y, operator.apply(data)),
        iterations,
      );
      return noise.sub(moved.mul(per((t) => 1 / noiseRatio(sde, t))));
    })()) as Result);
}
